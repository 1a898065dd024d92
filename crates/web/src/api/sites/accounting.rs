//! The accounting of a site: what its agent tells, and the proof that the ledger has it.

use std::collections::BTreeMap;

use app::App;
use app::accounting::{Day, Difference, Reconciliation, Taken};
use axum::extract::State;
use axum::http::StatusCode;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use site::protocol::{Accounting, AccountingReceipt, Run};
use units::{AllocationId, Meter, Slug};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::api::wire::{Amount, Instant};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tell))
        .routes(routes!(import))
        .routes(routes!(again))
        .routes(routes!(reconciliation))
}

/// Take in what a site's accounting tells of the runs of jobs. Every run is charged once, however
/// often and in whatever order it is told.
#[utoipa::path(
    post, path = "/sites/{site}/accounting", tag = "sites",
    params(("site" = String, Path, description = "The caller's site")),
    request_body = Accounting,
    responses((status = 200, body = AccountingReceipt, description = "All of it is durable")),
)]
async fn tell(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(told): Json<Accounting>,
) -> Result<Json<AccountingReceipt>, Problem> {
    Ok(Json(app.take_accounting(&actor, &site, told).await?))
}

/// Runs from the past of a site.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportIn {
    /// The cluster's name for itself.
    cluster: String,
    /// The allocation whose hours the jobs of each account used. Jobs of accounts that are not here,
    /// and are not Usine's by their name, are passed over.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Uuid>)]
    accounts: BTreeMap<String, String>,
    /// At most 400; none to be told `prefix` alone.
    runs: Vec<Run>,
}

/// What came of them.
#[derive(Serialize, ToSchema)]
struct ImportOut {
    /// Runs that were new, or told differently than before.
    taken: u64,
    /// Runs that were known as they are.
    repeated: u64,
    /// Runs that are none of the hub's business, and were not kept.
    passed_over: u64,
    /// What the names of accounts begin with that are Usine's at the site.
    #[schema(example = "usine_")]
    prefix: String,
}

/// Import runs of jobs from a site's accounting, such as of years before it had an agent. Sending
/// them again charges nothing twice.
#[utoipa::path(
    post, path = "/sites/{site}/accounting/import", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    request_body = ImportIn,
    responses((status = 200, body = ImportOut, description = "All of it is durable")),
)]
async fn import(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(sent): Json<ImportIn>,
) -> Result<Json<ImportOut>, Problem> {
    let named = sent.accounts.into_iter().map(|(account, id)| {
        let id: AllocationId = id.parse().map_err(|error: units::NotAnId| {
            Problem::from(app::Error::invalid("accounts", format!("{account}: {error}")))
        })?;
        Ok((account, id))
    });
    let named = named.collect::<Result<BTreeMap<_, _>, Problem>>()?;
    let (Taken { taken, repeated, passed_over }, prefix) =
        app.import_runs(&actor, &site, &sent.cluster, &named, &sent.runs).await?;
    Ok(Json(ImportOut { taken, repeated, passed_over, prefix: prefix.to_string() }))
}

/// From when on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AgainIn {
    /// Everything that was over since then.
    from: Instant,
}

/// Have the agent of a site tell its accounting again.
#[utoipa::path(
    post, path = "/sites/{site}/accounting/again", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    request_body = AgainIn,
    responses((status = 204, description = "The agent does so with its next message")),
)]
async fn again(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(sent): Json<AgainIn>,
) -> Result<StatusCode, Problem> {
    app.account_again(&actor, &site, sent.from.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which days, by the calendar of the site; yesterday when nothing is said.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DaysQuery {
    /// The first day.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-20")]
    from: Option<String>,
    /// The last day; the first when not said.
    #[param(value_type = Option<String>, format = Date, example = "2026-11-20")]
    to: Option<String>,
}

/// The days of a site, each proved or with what differs.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReconciliationOut {
    site: String,
    /// The site's time zone, whose days these are.
    #[schema(example = "Europe/Luxembourg")]
    zone: String,
    /// Everything that was over by then has been told; absent when nothing has.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounted_to: Option<Instant>,
    /// Whether all of the days are proved.
    agrees: bool,
    days: Vec<DayOut>,
}

/// One day of a site.
#[derive(Serialize, ToSchema)]
struct DayOut {
    #[schema(format = Date, example = "2026-11-20")]
    date: String,
    /// When it began.
    from: Instant,
    /// When the next one began.
    to: Instant,
    /// Whether everything is told, and the ledger charges exactly what the accounting has.
    agrees: bool,
    /// Runs that ended in the day.
    runs: u64,
    /// How long they had their nodes.
    ran_seconds: i64,
    /// How long they were suspended beside that.
    suspended_seconds: i64,
    /// The energy that their nodes took, where it is measured.
    energy_joules: i64,
    /// What they come to by the charge rule.
    accounted: Amount,
    /// What the ledger charges for them.
    charged: Amount,
    differences: Vec<DifferenceOut>,
}

/// What differs, or else is to be known.
#[derive(Serialize, ToSchema)]
struct DifferenceOut {
    #[schema(example = "still-runs")]
    cause: &'static str,
    /// Whether the day is not proved because of it.
    open: bool,
    /// The job that the ledger charges, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<Uuid>,
    /// The job's number at the cluster, or the account that is not known.
    label: String,
    /// The login of its owner.
    login: String,
    /// What the accounting has more than the ledger, or what the site bears.
    amount: Amount,
    /// What to do.
    advice: &'static str,
}

impl From<Reconciliation> for ReconciliationOut {
    fn from(found: Reconciliation) -> Self {
        let meter = found.meter;
        Self {
            site: found.site.to_string(),
            zone: found.zone,
            accounted_to: found.accounted_to.map(Into::into),
            agrees: found.days.iter().all(Day::agrees),
            days: found.days.into_iter().map(|day| DayOut::of(day, meter)).collect(),
        }
    }
}

impl DayOut {
    fn of(day: Day, meter: Meter) -> Self {
        Self {
            date: day.date.to_string(),
            from: day.from.into(),
            to: day.to.into(),
            agrees: day.agrees(),
            runs: day.runs,
            ran_seconds: day.ran_seconds,
            suspended_seconds: day.suspended_seconds,
            energy_joules: day.energy_joules,
            accounted: Amount::of(day.accounted, meter),
            charged: Amount::of(day.charged, meter),
            differences: day.differences.into_iter().map(|it| told(it, meter)).collect(),
        }
    }
}

fn told(difference: Difference, meter: Meter) -> DifferenceOut {
    DifferenceOut {
        cause: difference.cause.name(),
        open: difference.cause.is_open(),
        job: difference.job.map(units::JobId::uuid),
        label: difference.label,
        login: difference.login,
        amount: Amount::of(difference.amount, meter),
        advice: difference.cause.advice(),
    }
}

/// Prove for each day of a site that the ledger charges what its accounting has, or say what
/// differs and why.
#[utoipa::path(
    get, path = "/sites/{site}/reconciliation", tag = "sites",
    params(("site" = String, Path, description = "The site"), DaysQuery),
    responses((status = 200, body = ReconciliationOut, description = "The days")),
)]
async fn reconciliation(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Query(query): Query<DaysQuery>,
) -> Result<Json<ReconciliationOut>, Problem> {
    let day = |text: &Option<String>| {
        let day = text.as_deref().map(str::parse::<Date>).transpose();
        day.map_err(|_| Problem::with(Kind::BadRequest, "a day is written as 2026-11-20"))
    };
    let days = (day(&query.from)?, day(&query.to)?);
    if let (Some(from), Some(to)) = days
        && to < from
    {
        return Err(Problem::with(Kind::BadRequest, "`from` must not lie after `to`"));
    }
    let proof = app.reconcile(&actor, &site, days).await.map_err(|error| match error {
        // What cannot be right here stands in the address, and not in a body.
        invalid @ app::Error::Invalid(_) => Problem::with(Kind::BadRequest, invalid.to_string()),
        other => other.into(),
    })?;
    Ok(Json(proof.into()))
}
