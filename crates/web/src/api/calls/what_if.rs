//! What would come of granting all that a call is asked for.

use app::App;
use app::calls::{PartitionWhatIf, PoolWhatIf, Simulate, WhatIf};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use twin::statistics::Estimate;
use units::{CallId, Meter, PartitionKey, Work};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::api::wire::Amount;
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};
use crate::weighed::{self, Wait};

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
    /// The load that was assumed to come anyway, with hours granted earlier; absent when nothing was
    /// simulated.
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
        let (load, waits, unknown) = match &it.waits {
            Some(Ok(waits)) => {
                let told = weighed::waits(&waits.answer).iter().map(WaitOut::from).collect();
                (Some(weighed::load(waits, it.meter)), told, None)
            }
            Some(Err(unknown)) => (None, Vec::new(), Some(unknown.clone())),
            None => (None, Vec::new(), None),
        };
        Self {
            partition: it.partition.to_string(),
            applications: it.applications,
            pools: it.pools.iter().map(|pool| PoolWhatIfOut::of(pool, it.meter)).collect(),
            load,
            unknown,
            waits,
            verdict: weighed::sentences(&it),
        }
    }
}

impl From<&Wait<'_>> for WaitOut {
    fn from(it: &Wait<'_>) -> Self {
        Self {
            whom: it.whom.to_owned(),
            figure: it.figure.to_owned(),
            before: it.before.as_ref().map(Into::into),
            after: (&it.after).into(),
            difference: it.difference.as_ref().map(Into::into),
            verdict: it.verdict.map(str::to_owned),
        }
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

/// Of which partition waits are simulated.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhatIfQuery {
    /// Simulate waits on this partition only; on all of the call's when absent.
    #[param(example = "meluxina-ai.gpu")]
    partition: Option<String>,
}

/// If this call grants all that it is asked and has not decided, what becomes of each pool and of
/// waits: the partition is simulated under the load that comes anyway, and under that and the asked
/// hours. Takes up to a minute; one is simulated at a time.
#[utoipa::path(
    get, path = "/calls/{id}/what-if", tag = "calls",
    params(("id" = Uuid, Path, description = "Which"), WhatIfQuery),
    responses((status = 200, body = WhatIfOut, description = "Partition by partition")),
)]
async fn weigh(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<CallId>,
    Query(query): Query<WhatIfQuery>,
) -> Result<Json<WhatIfOut>, Problem> {
    let only = query.partition.map(|key| key.parse::<PartitionKey>()).transpose();
    let only = only.map_err(|error| Problem::with(Kind::BadRequest, error.to_string()))?;
    let simulate = only.as_ref().map_or(Simulate::All, Simulate::Only);
    Ok(Json(app.what_if(&actor, id, simulate).await?.into()))
}
