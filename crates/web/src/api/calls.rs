//! Calls for applications.

mod what_if;

use access::call::{Call, Stage};
use access::policy::{AccessMode, DecidedBy, Entry};
use app::App;
use app::calls::NewCall;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use units::CallId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, publish))
        .routes(routes!(show))
        .merge(what_if::routes())
}

/// A call.
#[derive(Serialize, ToSchema)]
pub(crate) struct CallOut {
    id: Uuid,
    /// Its name; standing calls are named after their access mode.
    #[schema(example = "playground")]
    key: String,
    title: String,
    mode: ModeOut,
    /// The partitions one may ask for.
    partitions: Vec<String>,
    /// `planned`, `open` or `closed`.
    #[schema(example = "open")]
    stage: String,
    opens_at: Instant,
    /// When it closes; rolling calls do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_at: Option<Instant>,
}

/// The access mode of a call, in the version it was opened under. A figure that is null is unknown.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModeOut {
    key: String,
    name: String,
    /// Whom it is for.
    summary: String,
    /// The entry of policy, with its version.
    #[schema(example = "policy/access-modes.toml#playground@2025-12-01")]
    rule: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    who: Vec<String>,
    /// The tracks that are reviewed apart; empty when there is one field of applicants.
    tracks: Vec<String>,
    /// What is counted: `gpu` or `node`.
    unit: String,
    hours_min: Option<u32>,
    hours_max: Option<u32>,
    months: Option<Vec<u32>>,
    systems_max: Option<u32>,
    /// The checks that an application passes.
    reviews: Vec<String>,
    /// Whether the rules alone decide, at once.
    decided_by_rules: bool,
    time_to_access: Option<String>,
    cut_offs: Option<String>,
    /// Whose hours are granted.
    draws_on: String,
    /// For whom they are free of charge.
    free_for: Option<Vec<String>>,
    open_awards_max: Option<u32>,
    duties: Option<Vec<String>>,
    /// How many months after its end the final report of an award is due.
    final_report_months: Option<u32>,
}

impl From<&Entry<AccessMode>> for ModeOut {
    fn from(entry: &Entry<AccessMode>) -> Self {
        let says = &entry.says;
        Self {
            key: entry.rule.entry.clone(),
            name: says.name.clone(),
            summary: says.summary.clone(),
            rule: entry.rule.to_string(),
            source: entry.source.to_string(),
            note: entry.note.clone(),
            who: names(&says.who),
            tracks: names(&says.tracks),
            unit: says.meter.to_string(),
            hours_min: says.hours_min.known().copied(),
            hours_max: says.hours_max.known().copied(),
            months: says.months.known().cloned(),
            systems_max: says.systems_max.known().copied(),
            reviews: names(&says.reviews),
            decided_by_rules: says.decided_by == DecidedBy::Rules,
            time_to_access: says.time_to_access.known().map(ToString::to_string),
            cut_offs: says.cut_offs.known().map(ToString::to_string),
            draws_on: says.draws_on.to_string(),
            free_for: says.free_for.known().map(|it| names(it)),
            open_awards_max: says.open_awards_max.known().copied(),
            duties: says.duties.known().cloned(),
            final_report_months: says.final_report_months.known().copied(),
        }
    }
}

fn names<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

impl CallOut {
    fn of(app: &App, call: Call) -> Result<Self, Problem> {
        let stage = match call.stage(app.now()) {
            Stage::Planned { .. } => "planned",
            Stage::Open { .. } => "open",
            Stage::Closed { .. } => "closed",
        };
        Ok(Self {
            id: call.id.uuid(),
            mode: app.mode_of(&call)?.into(),
            key: call.key.to_string(),
            title: call.title,
            partitions: names(&call.partitions),
            stage: stage.to_owned(),
            opens_at: call.opens_at.into(),
            closes_at: call.closes_at.map(Into::into),
        })
    }
}

/// A call to publish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallIn {
    /// Its name: lower-case letters, digits and single hyphens.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 64, example = "fast-lane-2027")]
    key: String,
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// The access mode.
    #[schema(example = "fast-lane")]
    mode: String,
    /// The partitions one may ask for, counted in the mode's unit.
    #[schema(min_items = 1, max_items = 100)]
    partitions: Vec<PartitionName>,
    opens_at: Instant,
    closes_at: Option<Instant>,
}

/// SYSTEM.PARTITION.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = String, example = "meluxina-ai.gpu")]
struct PartitionName(String);

impl CallIn {
    fn read(self) -> Result<NewCall, Problem> {
        let fault = |field: &str, error: String| Problem::field(field, error);
        let partition = |name: PartitionName| {
            name.0.parse().map_err(|error| fault("partitions", format!("{error}")))
        };
        Ok(NewCall {
            key: self.key.parse().map_err(|error| fault("key", format!("{error}")))?,
            title: self.title,
            mode: self.mode.parse().map_err(|error| fault("mode", format!("{error}")))?,
            partitions: self.partitions.into_iter().map(partition).collect::<Result<_, _>>()?,
            opens_at: self.opens_at.0,
            closes_at: self.closes_at.map(|at| at.0),
        })
    }
}

/// The calls, newest first.
#[utoipa::path(
    get, path = "/calls", tag = "calls", security(()), params(PageQuery),
    responses((status = 200, body = Page<CallOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<CallOut>>, Problem> {
    let limit = query.limit()?;
    let calls = app.calls(&actor, query.after()?, limit).await?;
    let next = calls.last().map(|call| call.id);
    let shown = calls.into_iter().map(|call| CallOut::of(&app, call));
    let shown = shown.collect::<Result<Vec<_>, _>>()?;
    Ok(Json(Page::new(shown, limit, |_| next.map(|id| id.to_string()).unwrap_or_default())))
}

/// Publish a call under the access mode's policy in force.
#[utoipa::path(
    post, path = "/calls", tag = "calls", request_body = CallIn,
    responses((status = 201, body = CallOut, description = "It is published")),
)]
async fn publish(
    State(app): State<App>,
    actor: Actor,
    Json(new): Json<CallIn>,
) -> Result<(StatusCode, Json<CallOut>), Problem> {
    let call = app.publish_call(&actor, new.read()?).await?;
    Ok((StatusCode::CREATED, Json(CallOut::of(&app, call)?)))
}

/// One call.
#[utoipa::path(
    get, path = "/calls/{id}", tag = "calls", security(()),
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = CallOut, description = "The call")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<CallId>,
) -> Result<Json<CallOut>, Problem> {
    let (call, _) = app.call(&actor, id).await?;
    Ok(Json(CallOut::of(&app, call)?))
}
