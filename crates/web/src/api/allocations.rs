//! Allocations after their award: what is changed of them, by whom and why.

use app::App;
use app::allocations::{Change, ChangeRecord};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use units::{AllocationId, Meter};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::projects::AllocationOut;
use super::wire::{Amount, Instant};
use crate::Actor;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(changes))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(terminate))
        .routes(routes!(extend))
        .routes(routes!(supplement))
        .routes(routes!(transfer))
        .routes(routes!(advance))
        .routes(routes!(renew))
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BecauseIn {
    /// One line that the project reads.
    #[schema(min_length = 1, max_length = 500, example = "the report is overdue")]
    reason: String,
}

/// More time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExtendIn {
    #[schema(minimum = 1)]
    months: u32,
    /// One line that the project reads.
    #[schema(min_length = 1, max_length = 500, example = "the machine was down for a month")]
    reason: String,
}

/// More hours.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SupplementIn {
    /// Of the unit of the allocation.
    #[schema(minimum = 1)]
    hours: u32,
    /// One line that the project reads.
    #[schema(min_length = 1, max_length = 500, example = "the interim report was convincing")]
    reason: String,
}

/// Hours for another allocation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TransferIn {
    /// The allocation that receives.
    to: Uuid,
    /// Of the unit of the allocation.
    #[schema(minimum = 1)]
    hours: u32,
    /// One line that both projects read.
    #[schema(min_length = 1, max_length = 500, example = "the work moves to the second project")]
    reason: String,
}

/// Hours of later months.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AdvanceIn {
    /// Of the unit of the allocation.
    #[schema(minimum = 1)]
    hours: u32,
    /// One line that the project reads.
    #[schema(min_length = 1, max_length = 500, example = "the large run begins earlier")]
    reason: String,
}

/// An award that follows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenewIn {
    /// Of the unit of the allocation.
    #[schema(minimum = 1)]
    hours: u32,
    #[schema(minimum = 1)]
    months: u32,
    /// One line that the project reads.
    #[schema(min_length = 1, max_length = 500, example = "the second of three years")]
    reason: String,
}

/// A change of an allocation.
#[derive(Serialize, ToSchema)]
struct ChangeOut {
    id: Uuid,
    at: Instant,
    /// Who made it.
    by: String,
    /// `suspended`, `resumed`, `terminated`, `extended`, `supplemented`, `moved-out`, `moved-in`,
    /// `advanced`, `cut` or `renewed`.
    #[schema(example = "extended")]
    what: String,
    /// By how many months it was extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    months: Option<u32>,
    /// The hours that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Amount>,
    /// The allocation that hours went to or came from, or that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Uuid>,
    reason: String,
}

impl ChangeOut {
    fn of(record: ChangeRecord, meter: Meter) -> Self {
        Self {
            id: record.id,
            at: record.at.into(),
            by: record.by,
            what: record.kind.name().to_owned(),
            months: record.kind.months(),
            hours: record.kind.hours().map(|hours| Amount::of(hours, meter)),
            other: record.kind.other().map(AllocationId::uuid),
            reason: record.reason,
        }
    }
}

async fn changed(
    (app, actor): (&App, &Actor),
    id: AllocationId,
    (change, reason): (Change, &str),
) -> Result<Json<AllocationOut>, Problem> {
    let after = app.change_allocation(actor, id, (change, reason)).await?;
    AllocationOut::now(app, actor, after.id).await.map(Json)
}

/// What was changed of an allocation, oldest first.
#[utoipa::path(
    get, path = "/allocations/{id}/changes", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = Page<ChangeOut>, description = "The changes")),
)]
async fn changes(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
) -> Result<Json<Page<ChangeOut>>, Problem> {
    let found = app.allocation_changes(&actor, id).await?;
    let meter = app.allocation(&actor, id).await?.allocation.meter;
    Ok(Json(Page::whole(found.into_iter().map(|record| ChangeOut::of(record, meter)))))
}

/// Suspend an allocation: nothing may be submitted against it until it is resumed.
#[utoipa::path(
    post, path = "/allocations/{id}/suspend", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = BecauseIn,
    responses((status = 200, body = AllocationOut, description = "It is suspended")),
)]
async fn suspend(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(because): Json<BecauseIn>,
) -> Result<Json<AllocationOut>, Problem> {
    changed((&app, &actor), id, (Change::Suspend, &because.reason)).await
}

/// Resume a suspended allocation.
#[utoipa::path(
    post, path = "/allocations/{id}/resume", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = BecauseIn,
    responses((status = 200, body = AllocationOut, description = "It can be used again")),
)]
async fn resume(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(because): Json<BecauseIn>,
) -> Result<Json<AllocationOut>, Problem> {
    changed((&app, &actor), id, (Change::Resume, &because.reason)).await
}

/// End an allocation before its time. What is available goes back to the pools.
#[utoipa::path(
    post, path = "/allocations/{id}/terminate", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = BecauseIn,
    responses((status = 200, body = AllocationOut, description = "It is closed")),
)]
async fn terminate(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(because): Json<BecauseIn>,
) -> Result<Json<AllocationOut>, Problem> {
    changed((&app, &actor), id, (Change::Terminate, &because.reason)).await
}

/// Give an allocation more time, as far as policy allows.
#[utoipa::path(
    post, path = "/allocations/{id}/extend", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = ExtendIn,
    responses((status = 200, body = AllocationOut, description = "It lasts longer")),
)]
async fn extend(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(more): Json<ExtendIn>,
) -> Result<Json<AllocationOut>, Problem> {
    let change = Change::Extend { months: more.months };
    changed((&app, &actor), id, (change, &more.reason)).await
}

/// Give an allocation more hours out of the pool of the current period, as far as policy allows.
#[utoipa::path(
    post, path = "/allocations/{id}/supplement", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = SupplementIn,
    responses((status = 200, body = AllocationOut, description = "It has more hours")),
)]
async fn supplement(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(more): Json<SupplementIn>,
) -> Result<Json<AllocationOut>, Problem> {
    let change = Change::Supplement { hours: more.hours };
    changed((&app, &actor), id, (change, &more.reason)).await
}

/// Move hours that are available to another allocation of the same organisation, partition and
/// access mode.
#[utoipa::path(
    post, path = "/allocations/{id}/transfer", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which gives")),
    request_body = TransferIn,
    responses((status = 200, body = AllocationOut, description = "It has so much less")),
)]
async fn transfer(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(moving): Json<TransferIn>,
) -> Result<Json<AllocationOut>, Problem> {
    let change = Change::Transfer { to: AllocationId::from_uuid(moving.to), hours: moving.hours };
    changed((&app, &actor), id, (change, &moving.reason)).await
}

/// Release hours of later months now, where hours are released month by month.
#[utoipa::path(
    post, path = "/allocations/{id}/advance", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = AdvanceIn,
    responses((status = 200, body = AllocationOut, description = "So much more is released")),
)]
async fn advance(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(more): Json<AdvanceIn>,
) -> Result<Json<AllocationOut>, Problem> {
    let change = Change::Advance { hours: more.hours };
    changed((&app, &actor), id, (change, &more.reason)).await
}

/// Let another award follow, out of the pool of the current period, as far as policy allows.
#[utoipa::path(
    post, path = "/allocations/{id}/renew", tag = "allocations",
    params(("id" = Uuid, Path, description = "Which is followed")),
    request_body = RenewIn,
    responses((status = 200, body = AllocationOut, description = "The one that follows")),
)]
async fn renew(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
    Json(next): Json<RenewIn>,
) -> Result<Json<AllocationOut>, Problem> {
    let change = Change::Renew { hours: next.hours, months: next.months };
    changed((&app, &actor), id, (change, &next.reason)).await
}
