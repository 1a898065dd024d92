//! The identities that providers vouch for, of the caller. They are added in the portal, where the
//! provider can ask who somebody is.

use app::App;
use app::identity::provided::Identity;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use units::IdentityId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(unlink))
}

/// An identity, with what its provider said of it last.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdentityOut {
    id: Uuid,
    /// The provider's name in the hub's configuration.
    provider: String,
    /// The provider by its address.
    issuer: String,
    /// Whom it means.
    subject: String,
    email: Option<String>,
    email_verified: bool,
    /// The name in the community behind the provider, such as MyAccessID's.
    community_id: Option<String>,
    /// The domain of the home organisation.
    home_organisation: Option<String>,
    affiliations: Vec<String>,
    /// How well it is known who this is.
    assurance: Vec<String>,
    linked_at: Instant,
    /// When it was last used.
    seen_at: Instant,
}

impl From<Identity> for IdentityOut {
    fn from(identity: Identity) -> Self {
        let claims = identity.claims;
        Self {
            id: identity.id.uuid(),
            provider: identity.provider,
            issuer: identity.issuer,
            subject: identity.subject,
            email: claims.email,
            email_verified: claims.email_verified,
            community_id: claims.community_id,
            home_organisation: claims.home_organisation,
            affiliations: claims.affiliations,
            assurance: claims.assurance,
            linked_at: identity.linked_at.into(),
            seen_at: identity.seen_at.into(),
        }
    }
}

/// The caller's identities, oldest first.
#[utoipa::path(
    get, path = "/me/identities", tag = "people",
    responses((status = 200, body = Page<IdentityOut>, description = "The identities")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<IdentityOut>>, Problem> {
    Ok(Json(Page::whole(app.identities(&actor).await?)))
}

/// Unlink an identity of the caller. The last way to sign in is not taken away.
#[utoipa::path(
    delete, path = "/me/identities/{id}", tag = "people",
    params(("id" = Uuid, Path, description = "The identity")),
    responses((status = 204, description = "It no longer signs anybody in")),
)]
async fn unlink(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<IdentityId>,
) -> Result<StatusCode, Problem> {
    app.unlink_identity(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
