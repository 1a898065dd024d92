//! Where hours are heading: how fast an allocation is used and when it runs out, and what becomes of
//! each pool.

mod capacity;

use access::allocation::{Allocation, BurnDown};
use app::App;
use axum::extract::State;
use serde::Serialize;
use units::ProjectId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::{Amount, Instant};
use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(project)).merge(capacity::routes())
}

/// When an allocation's hours are gone if use goes on as it did; what is absent never comes.
#[derive(Serialize, ToSchema)]
struct RunsOutOut {
    /// If every week were as the most used one.
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest: Option<Instant>,
    /// At the mean pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    likely: Option<Instant>,
    /// If every week were as the least used one.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Instant>,
}

/// Where an allocation is heading.
#[derive(Serialize, ToSchema)]
struct BurnDownOut {
    allocation: Uuid,
    /// SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    ends_at: Instant,
    /// What is available or held.
    remaining: Amount,
    /// Over how many days the pace was seen: 28, or fewer for a young allocation.
    #[schema(example = 28)]
    seen_days: u32,
    /// What was used in a day, on average.
    mean_per_day: Amount,
    /// The same in the least used week; known after two weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    least_per_day: Option<Amount>,
    /// The same in the most used week; known after two weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    most_per_day: Option<Amount>,
    runs_out: RunsOutOut,
    /// Whether the hours are likely to be gone before the allocation ends.
    falls_short: bool,
    /// What is left when the allocation ends, at the mean pace.
    left_at_end: Amount,
}

impl BurnDownOut {
    fn of((allocation, heading): (Allocation, BurnDown)) -> Self {
        let amount = |work| Amount::of(work, allocation.meter);
        let (least, most) = heading.weeks_per_day.unzip();
        Self {
            allocation: allocation.id.uuid(),
            partition: allocation.partition.to_string(),
            ends_at: allocation.period.end().into(),
            remaining: amount(heading.remaining),
            seen_days: heading.seen_days,
            mean_per_day: amount(heading.mean_per_day),
            least_per_day: least.map(amount),
            most_per_day: most.map(amount),
            runs_out: RunsOutOut {
                earliest: heading.runs_out.earliest.map(Into::into),
                likely: heading.runs_out.likely.map(Into::into),
                latest: heading.runs_out.latest.map(Into::into),
            },
            falls_short: heading.falls_short(&allocation),
            left_at_end: amount(heading.left_at_end),
        }
    }
}

/// Where the allocations of a project are heading: how fast each is used, when it runs out, and
/// what would be left at its end.
#[utoipa::path(
    get, path = "/projects/{id}/forecast", tag = "projects",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = Page<BurnDownOut>, description = "One for each allocation")),
)]
async fn project(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ProjectId>,
) -> Result<Json<Page<BurnDownOut>>, Problem> {
    let heading = app.project_forecast(&actor, id).await?;
    Ok(Json(Page::whole(heading.into_iter().map(BurnDownOut::of))))
}
