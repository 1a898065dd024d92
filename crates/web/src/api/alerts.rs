//! Alerts: an allocation has come to a threshold of policy, or is likely to.

use access::allocation::{Allocation, Crossing};
use app::App;
use app::alerts::AlertRecord;
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
    OpenApiRouter::new().routes(routes!(project))
}

/// An alert: entered once for each allocation and threshold.
#[derive(Serialize, ToSchema)]
struct AlertOut {
    id: Uuid,
    allocation: Uuid,
    /// SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    /// When it was entered.
    at: Instant,
    /// The threshold, by its key in policy.
    #[schema(example = "half-used")]
    threshold: String,
    /// The entry of policy that asks for it, with its version.
    #[schema(example = "policy/alerts.toml#half-used@2026-11-01")]
    rule: String,
    /// `used`, `runs-out-early` or `unused-at-end`.
    #[schema(example = "used")]
    kind: String,
    /// What was used, or is likely to be left at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    /// From when on nothing is likely to be left.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs_out: Option<Instant>,
    /// All of it in a sentence.
    text: String,
}

impl AlertOut {
    fn of((allocation, record): (Allocation, AlertRecord)) -> Self {
        let crossing = record.alert.crossing;
        let (kind, amount, runs_out) = match crossing {
            Crossing::Used { used, .. } => ("used", Some(used), None),
            Crossing::RunsOutEarly { at } => ("runs-out-early", None, Some(at)),
            Crossing::UnusedAtEnd { left, .. } => ("unused-at-end", Some(left), None),
        };
        Self {
            id: record.id,
            allocation: allocation.id.uuid(),
            partition: allocation.partition.to_string(),
            at: record.at.into(),
            threshold: record.alert.rule.entry.clone(),
            rule: record.alert.rule.to_string(),
            kind: kind.to_owned(),
            amount: amount.map(|amount| Amount::of(amount, allocation.meter)),
            runs_out: runs_out.map(Into::into),
            text: crossing.told(&allocation),
        }
    }
}

/// The alerts of a project's allocations, newest first: each allocation crosses each threshold of
/// policy once.
#[utoipa::path(
    get, path = "/projects/{id}/alerts", tag = "projects",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = Page<AlertOut>, description = "All of them")),
)]
async fn project(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ProjectId>,
) -> Result<Json<Page<AlertOut>>, Problem> {
    let alerts = app.project_alerts(&actor, id).await?;
    Ok(Json(Page::whole(alerts.into_iter().map(AlertOut::of))))
}
