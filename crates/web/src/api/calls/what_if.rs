//! What would come of granting all that a call is asked for.

use app::App;
use app::calls::{AssumedLoad, PartitionWhatIf, PoolWhatIf, Waits, WhatIf};
use axum::extract::State;
use serde::Serialize;
use twin::award::Answer;
use twin::comparison::Verdict;
use twin::results::{Figure, Results, Scope};
use twin::statistics::Estimate;
use units::{CallId, Meter, Work};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::api::wire::Amount;
use crate::extract::{Json, Path};
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(weigh))
}

/// What would come of granting all that is asked under a call and not decided yet.
#[derive(Serialize, ToSchema)]
struct WhatIfOut {
    call: Uuid,
    /// The assumptions, in their version.
    #[schema(example = "policy/what-if.toml@2026-11-01")]
    rule: String,
    /// What they say, in a line.
    assumptions: String,
    partitions: Vec<PartitionWhatIfOut>,
}

/// What would come of it on one partition.
#[derive(Serialize, ToSchema)]
struct PartitionWhatIfOut {
    /// SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    /// How many applications wait for a decision.
    applications: usize,
    /// What would become of each pool of this quarter.
    pools: Vec<PoolWhatIfOut>,
    /// The load that was assumed to come anyway; absent when nothing was simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<String>,
    /// Why waits cannot be said; absent when they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
    /// How long jobs would wait, before and after.
    waits: Vec<WaitOut>,
    /// All of it in plain sentences.
    verdict: Vec<String>,
}

/// What would become of one payer's hours of this quarter.
#[derive(Serialize, ToSchema)]
struct PoolWhatIfOut {
    /// `union`, `commercial`, `state:LU` or `volunteered:LU`.
    #[schema(example = "union")]
    payer: String,
    /// How many there are.
    hours: Amount,
    /// What stands behind allocations already.
    granted: Amount,
    /// What is asked on top.
    asked: Amount,
    /// What would be left; below zero, what would be granted beyond the pool.
    left: Amount,
}

/// How long some jobs would wait.
#[derive(Serialize, ToSchema)]
struct WaitOut {
    /// `all`, a class of organisation, or `applicants` for the jobs that the awards would bring.
    #[schema(example = "sme")]
    whom: String,
    /// `mean`, `median` or `95th`, the wait that nineteen of twenty do not exceed.
    #[schema(example = "mean")]
    figure: String,
    /// As it is; absent of jobs that there would be only then.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<SecondsOut>,
    /// With what is asked granted.
    after: SecondsOut,
    /// The second less the first, from pairs of repetitions with the same load.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<SecondsOut>,
    /// `better`, `worse`, or `indistinguishable` from chance; absent without a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
}

/// A length of time with the margin of 95 % confidence.
#[derive(Serialize, ToSchema)]
struct SecondsOut {
    seconds: i64,
    /// Absent of fewer than two repetitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<i64>,
}

impl From<&Estimate> for SecondsOut {
    fn from(estimate: &Estimate) -> Self {
        let whole = |seconds: f64| seconds.round() as i64;
        Self { seconds: whole(estimate.mean), margin: estimate.margin.map(whole) }
    }
}

/// The figures that are told, by their names on the wire.
const FIGURES: [(&str, Figure); 3] = [
    ("mean", Figure::WaitSecondsMean),
    ("median", Figure::WaitSecondsMedian),
    ("95th", Figure::WaitSeconds95th),
];

impl PoolWhatIfOut {
    fn of(pool: &PoolWhatIf, meter: Meter) -> Self {
        let amount = |work: Work| Amount::of(work, meter);
        Self {
            payer: pool.payer.to_string(),
            hours: amount(pool.hours),
            granted: amount(pool.granted),
            asked: amount(pool.asked),
            left: amount(pool.left),
        }
    }
}

impl From<PartitionWhatIf> for PartitionWhatIfOut {
    fn from(it: PartitionWhatIf) -> Self {
        let mut verdict: Vec<String> =
            it.pools.iter().filter_map(|pool| beyond(pool, it.meter)).collect();
        let (load, waits, unknown) = match &it.waits {
            Ok(Waits { load, answer }) => {
                verdict.extend(answer.comparison.sentences());
                (Some(in_words(load)), waits(answer), None)
            }
            Err(unknown) => (None, Vec::new(), Some(unknown.clone())),
        };
        Self {
            partition: it.partition.to_string(),
            applications: it.applications,
            pools: it.pools.iter().map(|pool| PoolWhatIfOut::of(pool, it.meter)).collect(),
            load,
            unknown,
            waits,
            verdict,
        }
    }
}

/// What is asked of a pool beyond what it has, in a sentence.
fn beyond(pool: &PoolWhatIf, meter: Meter) -> Option<String> {
    (pool.left < Work::ZERO).then(|| {
        let over = Work::seconds(pool.left.count().saturating_neg());
        format!("The pool of {} would be over-granted by {}.", pool.payer, over.display(meter))
    })
}

fn in_words(load: &AssumedLoad) -> String {
    match load {
        AssumedLoad::History { weeks, jobs } => {
            format!("the partition's own history: {jobs} jobs in {weeks} weeks")
        }
        AssumedLoad::Population { busy, jobs, weeks } => format!(
            "a described population that keeps {busy} of the machine busy, for the history is too \
             short ({jobs} jobs in {weeks} weeks that the machine could run)"
        ),
    }
}

fn waits(answer: &Answer) -> Vec<WaitOut> {
    let mut waits = Vec::new();
    for scope in answer.after.scopes() {
        let whom = match &scope {
            Scope::All => "all",
            Scope::Class(class) => class,
            Scope::Size(_) | Scope::Sessions | Scope::Machine(_) | Scope::Pool(..) => continue,
        };
        waits.extend(FIGURES.iter().filter_map(|it| wait(answer, (&scope, whom), *it)));
    }
    waits
}

fn wait(
    answer: &Answer,
    (scope, whom): (&Scope, &str),
    (name, figure): (&str, Figure),
) -> Option<WaitOut> {
    let line = |results: &Results| {
        results.line(scope, figure).map(|line| SecondsOut::from(&line.estimate))
    };
    let change = answer.comparison.changes.iter();
    let change = change.clone().find(|it| it.scope == *scope && it.figure == figure);
    Some(WaitOut {
        whom: whom.to_owned(),
        figure: name.to_owned(),
        before: line(&answer.before),
        after: line(&answer.after)?,
        difference: change.map(|change| SecondsOut::from(&change.difference)),
        verdict: change.map(|change| word(change.verdict).to_owned()),
    })
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Indistinguishable | Verdict::Neutral => "indistinguishable",
    }
}

impl From<WhatIf> for WhatIfOut {
    fn from(what_if: WhatIf) -> Self {
        Self {
            call: what_if.call.uuid(),
            rule: what_if.rule,
            assumptions: what_if.assumptions,
            partitions: what_if.partitions.into_iter().map(Into::into).collect(),
        }
    }
}

/// If this call grants all that it is asked and has not decided, what becomes of each pool and of
/// waits: the partition is simulated under its load so far, and under that and the asked hours.
/// Takes up to a minute; one is simulated at a time.
#[utoipa::path(
    get, path = "/calls/{id}/what-if", tag = "calls",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = WhatIfOut, description = "Partition by partition")),
)]
async fn weigh(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<CallId>,
) -> Result<Json<WhatIfOut>, Problem> {
    Ok(Json(app.what_if(&actor, id).await?.into()))
}
