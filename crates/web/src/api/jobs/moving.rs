//! Moving jobs elsewhere, over the wire.

use app::App;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use units::AllocationId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::dto::JobOut;
use crate::Actor;
use crate::extract::{JobPath, Json};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(run_elsewhere))
}

/// Where to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoveIn {
    /// On these hours; at the best other place where the project has hours, when nothing is said.
    allocation: Option<Uuid>,
}

/// A job that stays where it is.
#[derive(Serialize, ToSchema)]
struct StaysOut {
    id: Uuid,
    /// Its number, or that of its array with its index.
    #[schema(example = "17_3")]
    number: String,
    /// Why.
    #[schema(example = "its site has taken it")]
    reason: String,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct MovedOut {
    /// The jobs that went elsewhere, as they stand now.
    items: Vec<JobOut>,
    /// Elements of the array that stay.
    stay: Vec<StaysOut>,
}

/// Have a job, or the elements of an array, run elsewhere: under the same number, on hours that are
/// held anew. Only what no site was given yet can go; the rest stays.
#[utoipa::path(
    post, path = "/jobs/{id}/move", tag = "jobs",
    params(("id" = String, Path, description = "The job or array: its id, or its number")),
    request_body = MoveIn,
    responses((status = 200, body = MovedOut, description = "What came of it")),
)]
async fn run_elsewhere(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
    Json(new): Json<MoveIn>,
) -> Result<Json<MovedOut>, Problem> {
    let to = new.allocation.map(AllocationId::from_uuid);
    let moved = app.move_job(&actor, id, to).await?;
    let with_meter = |job| {
        let meter = app.meter_of(&job);
        JobOut::from((job, meter))
    };
    let stay = moved.stay.into_iter().map(|(job, why)| StaysOut {
        id: job.id.uuid(),
        number: job.shown().to_string(),
        reason: why.to_string(),
    });
    let stay = stay.collect();
    Ok(Json(MovedOut { items: moved.jobs.into_iter().map(with_meter).collect(), stay }))
}
