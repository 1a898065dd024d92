//! Statements of projects.

use app::App;
use app::statement::{AllocationStatement, Change, Line, Movement, ProjectStatement};
use axum::extract::State;
use ledger::Seq;
use serde::{Deserialize, Serialize};
use units::{Meter, Payer, Period, ProjectId, Work};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::{Amount, Instant, Span};
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};

/// How many movements of one allocation are given: the latest.
const MOVEMENTS_MAX: usize = 1_000;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Over which period; the calendar quarter of today when nothing is said.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// The first instant inside; without it, the start of the quarter that `to`, or today, lies in.
    from: Option<Instant>,
    /// The first instant after; without it, the end of the quarter that `from`, or today, lies in.
    to: Option<Instant>,
}

impl StatementQuery {
    fn period(&self, app: &App) -> Result<Period, Problem> {
        let (from, to) = (self.from.map(|at| at.0), self.to.map(|at| at.0));
        let now = app.now();
        let start = from.unwrap_or_else(|| Period::quarter_of(to.unwrap_or(now)).start());
        let end = to.unwrap_or_else(|| Period::quarter_of(from.unwrap_or(now)).end());
        Period::new(start, end)
            .map_err(|_| Problem::with(Kind::BadRequest, "`from` must lie before `to`"))
    }
}

/// A project's statement over a period.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatementOut {
    project: Uuid,
    period: Span,
    /// When it was drawn up.
    at: Instant,
    /// The position of the last entry of the ledger it was drawn from; 0 when there is none.
    ledger_seq: i64,
    /// The hash of that entry: who keeps it can show later that nothing before it was changed.
    ledger_hash: String,
    allocations: Vec<AllocationStatementOut>,
}

/// One allocation's part of a statement.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllocationStatementOut {
    allocation: Uuid,
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    /// Over all payers.
    total: StatementLineOut,
    /// What each payer put in, and what became of it.
    payers: Vec<PayerLineOut>,
    /// What the site bore, because jobs used more than the allocation had.
    absorbed: Amount,
    /// The latest movements of the period, in the order of the ledger.
    movements: Vec<MovementOut>,
    /// How many earlier ones are not given here; the sums include them.
    movements_left_out: u64,
}

/// How hours stood at an instant.
#[derive(Serialize, ToSchema)]
pub(crate) struct StandingOut {
    available: Amount,
    held: Amount,
    used: Amount,
}

/// What happened to hours between opening and closing.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatementLineOut {
    opening: StandingOut,
    /// Put behind the allocation by pools.
    granted: Amount,
    /// Received from other allocations, less what was given to them.
    transferred: Amount,
    /// Set aside for jobs.
    held: Amount,
    /// Charged for jobs that ended.
    used: Amount,
    /// Added to charges by corrections; negative when hours were given back.
    corrected: Amount,
    /// Given back when jobs ended, less what overruns drew beyond their holds.
    released: Amount,
    /// Returned to pools.
    returned: Amount,
    /// Expired unused.
    expired: Amount,
    closing: StandingOut,
}

/// One payer's line.
#[derive(Serialize, ToSchema)]
pub(crate) struct PayerLineOut {
    /// `union`, `commercial`, `state:LU` or `volunteered:LU`.
    #[schema(example = "union")]
    payer: String,
    line: StatementLineOut,
}

/// One entry of the ledger, as it concerns the allocation.
#[derive(Serialize, ToSchema)]
pub(crate) struct MovementOut {
    /// Its position in the ledger.
    seq: i64,
    entry: Uuid,
    at: Instant,
    /// What it does.
    #[schema(example = "settle")]
    kind: String,
    /// The job concerned.
    job: Option<Uuid>,
    /// Who made it: `person:…`, `site:…` or `hub`.
    author: String,
    /// Why.
    reason: String,
    /// What it added to each payer's balances; negative when it took away.
    changes: Vec<PayerChangeOut>,
    /// What it made the site bear.
    absorbed: Amount,
}

/// What a movement did to one payer's balances.
#[derive(Serialize, ToSchema)]
pub(crate) struct PayerChangeOut {
    #[schema(example = "union")]
    payer: String,
    change: StandingOut,
}

/// A project's statement: what it was granted, set aside, used and gave back, and who paid.
#[utoipa::path(
    get, path = "/projects/{id}/statement", tag = "statements",
    params(("id" = Uuid, Path, description = "The project"), StatementQuery),
    responses((status = 200, body = StatementOut, description = "The statement")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(project): Path<ProjectId>,
    Query(query): Query<StatementQuery>,
) -> Result<Json<StatementOut>, Problem> {
    let period = query.period(&app)?;
    Ok(Json(app.project_statement(&actor, project, period).await?.into()))
}

impl From<ProjectStatement> for StatementOut {
    fn from(statement: ProjectStatement) -> Self {
        Self {
            project: statement.project.uuid(),
            period: statement.period.into(),
            at: statement.at.into(),
            ledger_seq: statement.head.seq.map_or(0, Seq::number),
            ledger_hash: statement.head.hash.to_string(),
            allocations: statement.allocations.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<AllocationStatement> for AllocationStatementOut {
    fn from(statement: AllocationStatement) -> Self {
        let meter = statement.hours.meter;
        let left_out = statement.movements.len().saturating_sub(MOVEMENTS_MAX);
        let payer = |(payer, line): (&Payer, &Line)| PayerLineOut {
            payer: payer.to_string(),
            line: line_out(line, meter),
        };
        let latest = statement.movements.iter().skip(left_out);
        Self {
            allocation: statement.allocation.uuid(),
            partition: statement.hours.partition.to_string(),
            total: line_out(&statement.total, meter),
            payers: statement.payers.iter().map(payer).collect(),
            absorbed: Amount::of(statement.absorbed, meter),
            movements: latest.map(|movement| movement_out(movement, meter)).collect(),
            movements_left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
        }
    }
}

fn line_out(line: &Line, meter: Meter) -> StatementLineOut {
    let amount = |work: Work| Amount::of(work, meter);
    StatementLineOut {
        opening: balance_out(&line.opening, meter),
        granted: amount(line.granted),
        transferred: amount(line.transferred),
        held: amount(line.held),
        used: amount(line.used),
        corrected: amount(line.corrected),
        released: amount(line.released),
        returned: amount(line.returned),
        expired: amount(line.expired),
        closing: balance_out(&line.closing, meter),
    }
}

fn balance_out(balance: &Change, meter: Meter) -> StandingOut {
    StandingOut {
        available: Amount::of(balance.available, meter),
        held: Amount::of(balance.held, meter),
        used: Amount::of(balance.used, meter),
    }
}

fn movement_out(movement: &Movement, meter: Meter) -> MovementOut {
    let change = |(payer, change): (&Payer, &Change)| PayerChangeOut {
        payer: payer.to_string(),
        change: balance_out(change, meter),
    };
    MovementOut {
        seq: movement.seq.number(),
        entry: movement.id.uuid(),
        at: movement.at.into(),
        kind: movement.kind.name().to_owned(),
        job: movement.kind.parts().job.map(|id| id.uuid()),
        author: movement.author.to_string(),
        reason: movement.reason.clone(),
        changes: movement.changes.iter().map(change).collect(),
        absorbed: Amount::of(movement.absorbed, meter),
    }
}
