//! The steps of jobs, told by the agents of their sites.

use app::App;
use axum::extract::State;
use site::protocol::{Steps, StepsReceipt};
use units::Slug;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::extract::{Json, Path};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(tell))
}

/// Take in what a site tells of the steps of its jobs; of each job the latest counts.
#[utoipa::path(
    post, path = "/sites/{site}/steps", tag = "sites",
    params(("site" = String, Path, description = "The caller's site")),
    request_body = Steps,
    responses((status = 200, body = StepsReceipt, description = "They are kept")),
)]
async fn tell(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(told): Json<Steps>,
) -> Result<Json<StepsReceipt>, Problem> {
    Ok(Json(app.take_steps(&actor, &site, told).await?))
}
