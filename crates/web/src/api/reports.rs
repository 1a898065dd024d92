//! Final reports of awards.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::AllocationId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::projects::ReportOut;
use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, hand_in)).routes(routes!(missing))
}

/// A final report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportIn {
    /// Results, time used against the plan, publications, and whatever else the call asks for.
    #[schema(
        min_length = 1,
        max_length = 50000,
        example = "We trained a model of 1.3 B parameters."
    )]
    content: String,
}

/// A final report that came.
#[derive(Serialize, ToSchema)]
struct ReportedOut {
    content: String,
    /// Who handed it in.
    by: String,
    at: Instant,
}

/// An award that is over and has no report.
#[derive(Serialize, ToSchema)]
struct MissingOut {
    allocation: Uuid,
    project: Uuid,
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    report: ReportOut,
}

/// The final report of an award.
#[utoipa::path(
    get, path = "/allocations/{id}/report", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = ReportedOut, description = "The report")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
) -> Result<Json<ReportedOut>, Problem> {
    let found = app.report(&actor, id).await?;
    let report = found.ok_or_else(|| Problem::from(app::Error::NotFound("report")))?;
    Ok(Json(ReportedOut { content: report.content, by: report.by, at: report.at.into() }))
}

/// Hand in the final report of an award, or a better one.
#[utoipa::path(
    put, path = "/allocations/{id}/report", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = ReportIn,
    responses((status = 204, description = "It came")),
)]
async fn hand_in(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(report): Json<ReportIn>,
) -> Result<StatusCode, Problem> {
    app.hand_in_report(&actor, id, &report.content).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The awards that are over and have no final report, the earliest end first.
#[utoipa::path(
    get, path = "/missing-reports", tag = "allocations",
    responses((status = 200, body = Page<MissingOut>, description = "What is missing")),
)]
async fn missing(State(app): State<App>, actor: Actor) -> Result<Json<Page<MissingOut>>, Problem> {
    let found = app.missing_reports(&actor).await?;
    Ok(Json(Page::whole(found.into_iter().map(|(allocation, stage)| MissingOut {
        allocation: allocation.id.uuid(),
        project: allocation.project.uuid(),
        partition: allocation.partition.to_string(),
        report: stage.into(),
    }))))
}
