//! What was verified of an organisation, by whom, against which evidence.

use access::organisation::Verified;
use app::App;
use app::organisations::Verification;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::OrganisationId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::api::wire::Instant;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, verify))
}

/// Something that was verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerificationIn {
    /// `identity`, `size` or `ownership`; the latter two of the newest declaration.
    #[schema(example = "identity")]
    subject: String,
    /// What was looked at.
    #[schema(
        min_length = 1,
        max_length = 2_000,
        example = "extract of the register of 2026-11-02"
    )]
    evidence: String,
}

/// A verification on record.
#[derive(Serialize, ToSchema)]
struct VerificationOut {
    id: Uuid,
    #[schema(example = "identity")]
    subject: String,
    /// The declaration that it was verified of.
    declaration: Option<Uuid>,
    evidence: String,
    verified_by: Uuid,
    /// How they are called.
    name: String,
    verified_at: Instant,
}

impl From<Verification> for VerificationOut {
    fn from(it: Verification) -> Self {
        Self {
            id: it.id,
            subject: it.subject.to_string(),
            declaration: it.declaration,
            evidence: it.evidence,
            verified_by: it.verified_by.uuid(),
            name: it.name,
            verified_at: it.verified_at.into(),
        }
    }
}

/// What was verified of an organisation, newest first.
#[utoipa::path(
    get, path = "/organisations/{id}/verifications", tag = "organisations",
    params(("id" = Uuid, Path, description = "Of which")),
    responses((status = 200, body = Page<VerificationOut>, description = "The verifications")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
) -> Result<Json<Page<VerificationOut>>, Problem> {
    Ok(Json(Page::whole(app.verifications(&actor, id).await?)))
}

/// Put on record that something was verified. Whoever belongs to the organisation may not.
#[utoipa::path(
    post, path = "/organisations/{id}/verifications", tag = "organisations",
    params(("id" = Uuid, Path, description = "Of which")),
    request_body = VerificationIn,
    responses((status = 201, body = VerificationOut, description = "It is on record")),
)]
async fn verify(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<OrganisationId>,
    Json(new): Json<VerificationIn>,
) -> Result<(StatusCode, Json<VerificationOut>), Problem> {
    let words = Verified::WORDS;
    let subject = words.iter().find(|(word, _)| *word == new.subject).map(|(_, subject)| *subject);
    let allowed =
        || Problem::field("subject", format!("one of {}", words.map(|it| it.0).join(", ")));
    let verified = (subject.ok_or_else(allowed)?, new.evidence.as_str());
    let verification = app.verify_organisation(&actor, id, verified).await?;
    Ok((StatusCode::CREATED, Json(verification.into())))
}
