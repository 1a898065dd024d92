//! Accounts, users, qualities of service and limits in a site's scheduler: what the hub wishes, what
//! differs, and the word of the site's operator.

use std::time::Duration;

use app::App;
use app::sites::{Standing, TenancyDetail};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use site::protocol::{Manage, Tenancy, TenancyReceipt, TenancyReport};
use units::{AllocationId, Slug};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::WAIT_SECONDS_MAX;
use crate::Actor;
use crate::api::wire::Instant;
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(wanted, told))
        .routes(routes!(show))
        .routes(routes!(apply))
        .routes(routes!(stand))
}

/// What is known already, and how long to wait for something else.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WantedQuery {
    /// The revision that was seen last; nothing at first.
    #[param(example = "0123456789abcdef")]
    seen: Option<String>,
    /// How long to wait for another.
    #[param(minimum = 0, maximum = 60, default = 0)]
    wait_seconds: Option<u32>,
}

/// Who has hours at a site, as soon as that is not what the agent has seen.
#[utoipa::path(
    get, path = "/sites/{site}/tenancy", tag = "sites",
    params(("site" = String, Path, description = "The caller's site"), WantedQuery),
    responses((status = 200, body = Tenancy, description = "What the hub wishes on its books")),
)]
async fn wanted(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Query(query): Query<WantedQuery>,
) -> Result<Json<Tenancy>, Problem> {
    let wait_seconds = query.wait_seconds.unwrap_or_default();
    if wait_seconds > WAIT_SECONDS_MAX {
        let detail = format!("wait_seconds is at most {WAIT_SECONDS_MAX}");
        return Err(Problem::with(Kind::BadRequest, detail));
    }
    let wait = Duration::from_secs(u64::from(wait_seconds));
    let seen = query.seen.unwrap_or_default();
    Ok(Json(app.tenancy_wanted(&actor, &site, &seen, wait).await?))
}

/// Take in what a site tells of its books; the latest counts.
#[utoipa::path(
    post, path = "/sites/{site}/tenancy", tag = "sites",
    params(("site" = String, Path, description = "The caller's site")),
    request_body = TenancyReport,
    responses((status = 200, body = TenancyReceipt, description = "It is durable")),
)]
async fn told(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(report): Json<TenancyReport>,
) -> Result<Json<TenancyReceipt>, Problem> {
    Ok(Json(app.take_tenancy(&actor, &site, report).await?))
}

/// The accounts that a site keeps for the hub, for its staff.
#[derive(Serialize, ToSchema)]
struct AccountsOut {
    site: String,
    /// When the site told of them last; absent where it keeps none.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_at: Option<Instant>,
    /// When they were last as the hub wishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed_at: Option<Instant>,
    /// Whether they are so now, but for what the site's policy accepts.
    agrees: bool,
    /// `plan` (what is to be done waits for the site's operator) or `apply` (it is done at once).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "plan")]
    manage: Option<&'static str>,
    /// The name of what is to be done, by which one agrees to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// What is to be done, in this order; at most 500 of them.
    steps: Vec<StepOut>,
    /// How many steps there are.
    steps_total: u64,
    /// What somebody changed by hand.
    drift: Vec<DriftOut>,
    /// Whether the site's operator has agreed to the plan, and the agent will carry it out.
    applies: bool,
    /// What was done when the site told last.
    done: Vec<String>,
    /// Why something could not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    /// Allocations that the site's operator holds back.
    held_back: Vec<HeldBackOut>,
}

/// Something to be done.
#[derive(Serialize, ToSchema)]
struct StepOut {
    #[schema(example = "create account usine_all: parent root, fairshare 1")]
    text: String,
    /// `missing`, `wish`, `mend` or `left`.
    #[schema(example = "missing")]
    why: String,
}

/// Something that somebody changed by hand.
#[derive(Serialize, ToSchema)]
struct DriftOut {
    text: String,
    /// `limits`, `shares` or `tree`.
    #[schema(example = "limits")]
    kind: String,
    /// What becomes of it: `mend`, `accept` or `report`.
    #[schema(example = "mend")]
    response: String,
}

/// An allocation that is held back at a site.
#[derive(Serialize, ToSchema)]
struct HeldBackOut {
    allocation: Uuid,
    /// `paused` or `downscaled`.
    #[schema(example = "paused")]
    standing: String,
    reason: String,
    since: Instant,
}

impl From<TenancyDetail> for AccountsOut {
    fn from(detail: TenancyDetail) -> Self {
        let report = detail.report;
        let held_back = detail.held_back.into_iter().map(|held| HeldBackOut {
            allocation: held.allocation.uuid(),
            standing: held.standing,
            reason: held.reason,
            since: held.since.into(),
        });
        let told = report.as_ref();
        let steps = told.map(|it| it.steps.clone()).unwrap_or_default().into_iter();
        let drift = told.map(|it| it.drift.clone()).unwrap_or_default().into_iter();
        Self {
            site: detail.site.to_string(),
            told_at: detail.told_at.map(Into::into),
            agreed_at: detail.agreed_at.map(Into::into),
            agrees: told.is_some_and(|report| report.agrees),
            manage: told.map(|report| match report.manage {
                Manage::Plan => "plan",
                Manage::Apply => "apply",
            }),
            plan: told.filter(|it| !it.steps.is_empty()).map(|it| it.plan.clone()),
            steps: steps.map(|it| StepOut { text: it.text, why: it.why }).collect(),
            steps_total: told.map_or(0, |report| report.steps_total),
            drift: drift
                .map(|it| DriftOut { text: it.text, kind: it.kind, response: it.response })
                .collect(),
            applies: detail.applies,
            done: told.map(|it| it.done.clone()).unwrap_or_default(),
            failed: told.and_then(|it| it.failed.clone()),
            held_back: held_back.collect(),
        }
    }
}

/// How the accounts, users and limits in a site's scheduler stand to what the hub wishes.
#[utoipa::path(
    get, path = "/sites/{site}/accounts", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 200, body = AccountsOut, description = "The plan, and what was changed by hand")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<Json<AccountsOut>, Problem> {
    Ok(Json(app.site_tenancy(&actor, &site).await?.into()))
}

/// Which plan is agreed to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApplyIn {
    /// Its name, as it was shown.
    #[schema(example = "0123456789abcdef")]
    plan: String,
}

/// Have a site carry out the plan that was shown. Another plan than the one it told last is refused.
#[utoipa::path(
    post, path = "/sites/{site}/accounts/apply", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    request_body = ApplyIn,
    responses((status = 200, body = AccountsOut, description = "The agent does so at once")),
)]
async fn apply(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(asked): Json<ApplyIn>,
) -> Result<Json<AccountsOut>, Problem> {
    Ok(Json(app.apply_tenancy(&actor, &site, &asked.plan).await?.into()))
}

/// How an allocation is to stand.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum StandingIn {
    /// Its jobs run.
    Active,
    /// Its jobs run behind all others.
    Downscaled,
    /// Nothing may be submitted.
    Paused,
}

/// How an allocation is to stand at a site, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StandIn {
    standing: StandingIn,
    /// In one line, for the project's members; may be left out where its jobs are to run.
    #[serde(default)]
    #[schema(max_length = 300, example = "an invoice is open")]
    reason: String,
}

/// Let an allocation run slower at a site, or not at all, or again as usual.
#[utoipa::path(
    put, path = "/sites/{site}/accounts/{allocation}", tag = "sites",
    params(
        ("site" = String, Path, description = "The site"),
        ("allocation" = Uuid, Path, description = "The allocation"),
    ),
    request_body = StandIn,
    responses((status = 200, body = AccountsOut, description = "How the site stands")),
)]
async fn stand(
    State(app): State<App>,
    actor: Actor,
    Path((site, allocation)): Path<(Slug, AllocationId)>,
    Json(asked): Json<StandIn>,
) -> Result<Json<AccountsOut>, Problem> {
    let standing = match asked.standing {
        StandingIn::Active => Standing::Active,
        StandingIn::Downscaled => Standing::Downscaled,
        StandingIn::Paused => Standing::Paused,
    };
    let wanted = (standing, asked.reason.as_str());
    Ok(Json(app.set_standing(&actor, &site, allocation, wanted).await?.into()))
}
