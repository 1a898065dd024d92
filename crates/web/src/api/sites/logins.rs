//! Who wants to run jobs at a site and has no login there.

use app::App;
use app::sites::LoginRequest;
use axum::extract::State;
use serde::Serialize;
use units::Slug;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::api::wire::Instant;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(requests))
}

/// Somebody whose job was not taken, for they have no login at the site.
#[derive(Serialize, ToSchema)]
struct LoginRequestOut {
    person: Uuid,
    name: String,
    /// By this address the agent's table names them.
    email: String,
    /// Since when they have wanted it.
    asked_at: Instant,
}

impl From<LoginRequest> for LoginRequestOut {
    fn from(request: LoginRequest) -> Self {
        Self {
            person: request.person.uuid(),
            name: request.name,
            email: request.email,
            asked_at: request.asked_at.into(),
        }
    }
}

/// Who wants to run jobs at the site and has no login there, the longest first. A request is answered
/// when the agent reports a login.
#[utoipa::path(
    get, path = "/sites/{site}/login-requests", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 200, body = Page<LoginRequestOut>, description = "All of them")),
)]
async fn requests(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<Json<Page<LoginRequestOut>>, Problem> {
    Ok(Json(Page::whole(app.login_requests(&actor, &site).await?)))
}
