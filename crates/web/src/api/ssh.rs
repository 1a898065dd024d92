//! Certificates for SSH.

use app::App;
use app::ssh::{IssuedSsh, SshCertificate};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use units::Slug;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(authority))
        .routes(routes!(revoked))
        .routes(routes!(list, issue))
        .routes(routes!(revoke))
}

/// Who signs certificates for SSH.
#[derive(Serialize, ToSchema)]
struct AuthorityOut {
    /// The line for `TrustedUserCAKeys`.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… usine")]
    public_key: String,
}

/// Who signs certificates for SSH, for hosts that are to trust them.
#[utoipa::path(
    get, path = "/ssh/authority", tag = "ssh", security(()),
    responses((status = 200, body = AuthorityOut, description = "Its public key")),
)]
async fn authority(State(app): State<App>, actor: Actor) -> Result<Json<AuthorityOut>, Problem> {
    Ok(Json(AuthorityOut { public_key: app.ssh_authority(&actor)? }))
}

/// The keys of certificates that were revoked and would still last, one a line, for `RevokedKeys`.
#[utoipa::path(
    get, path = "/ssh/revoked", tag = "ssh", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "The keys")),
)]
async fn revoked(State(app): State<App>, actor: Actor) -> Result<Response, Problem> {
    let keys = app.revoked_ssh(&actor).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], keys).into_response())
}

/// A certificate that still lasts.
#[derive(Serialize, ToSchema)]
struct CertificateOut {
    /// Its number, in decimal.
    #[schema(example = "2305843009213693951")]
    serial: String,
    site: String,
    /// The key that it certifies.
    public_key: String,
    issued_at: Instant,
    expires_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Instant>,
}

impl From<SshCertificate> for CertificateOut {
    fn from(record: SshCertificate) -> Self {
        Self {
            serial: record.serial.to_string(),
            site: record.site.to_string(),
            public_key: record.key,
            issued_at: record.issued_at.into(),
            expires_at: record.expires_at.into(),
            revoked_at: record.revoked_at.map(Into::into),
        }
    }
}

/// A certificate just issued.
#[derive(Serialize, ToSchema)]
struct IssuedOut {
    #[serde(flatten)]
    record: CertificateOut,
    /// The line that `ssh` reads.
    certificate: String,
    /// Whom it names.
    #[schema(example = "meluxina:ada@example.org")]
    principal: String,
    /// The host to go to.
    #[schema(example = "login.example.eu")]
    host: String,
}

impl From<IssuedSsh> for IssuedOut {
    fn from(issued: IssuedSsh) -> Self {
        let IssuedSsh { record, certificate, principal, host } = issued;
        Self { record: record.into(), certificate, principal, host }
    }
}

/// What is to be certified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CertificateIn {
    /// The site.
    #[schema(example = "meluxina")]
    site: String,
    /// The public key, as OpenSSH writes it; only Ed25519 keys are certified.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… ada@laptop")]
    public_key: String,
}

/// The caller's certificates that still last, the newest first.
#[utoipa::path(
    get, path = "/ssh/certificates", tag = "ssh",
    responses((status = 200, body = Page<CertificateOut>, description = "All of them")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<CertificateOut>>, Problem> {
    Ok(Json(Page::whole(app.ssh_certificates(&actor).await?)))
}

/// Certify a key for the hosts of a site where the caller has hours, for an hour.
#[utoipa::path(
    post, path = "/ssh/certificates", tag = "ssh",
    request_body = CertificateIn,
    responses((status = 201, body = IssuedOut, description = "The certificate")),
)]
async fn issue(
    State(app): State<App>,
    actor: Actor,
    Json(asked): Json<CertificateIn>,
) -> Result<(StatusCode, Json<IssuedOut>), Problem> {
    let site: Slug = asked
        .site
        .parse()
        .map_err(|error: units::NotAKey| Problem::field("site", error.to_string()))?;
    let issued = app.issue_ssh(&actor, &site, &asked.public_key).await?;
    Ok((StatusCode::CREATED, Json(issued.into())))
}

/// Revoke a certificate: one's own, or as the operator of its site. Hosts refuse it once they have
/// fetched the list.
#[utoipa::path(
    delete, path = "/ssh/certificates/{serial}", tag = "ssh",
    params(("serial" = u64, Path, description = "The number of the certificate", minimum = 0)),
    responses((status = 204, description = "It is revoked")),
)]
async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(serial): Path<u64>,
) -> Result<StatusCode, Problem> {
    // No certificate has a number beyond.
    app.revoke_ssh(&actor, i64::try_from(serial).unwrap_or(i64::MAX)).await?;
    Ok(StatusCode::NO_CONTENT)
}
