//! What becomes of the hours of a partition, pool by pool and quarter by quarter.

use access::capacity::{PoolAhead, Range};
use app::App;
use app::forecasts::{PartitionForecast, QuarterForecast};
use axum::extract::State;
use serde::Serialize;
use units::{Meter, PartitionKey, Work};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::api::wire::{Amount, Span};
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(federation)).routes(routes!(partition))
}

/// What becomes of a partition's hours.
#[derive(Serialize, ToSchema)]
struct PartitionForecastOut {
    /// SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    /// This quarter and the three after it.
    quarters: Vec<QuarterForecastOut>,
}

/// What becomes of a partition's hours in one quarter.
#[derive(Serialize, ToSchema)]
struct QuarterForecastOut {
    period: Span,
    /// By payer; empty when they are not known.
    pools: Vec<PoolForecastOut>,
    /// The figures that are missing to know the pools.
    missing: Vec<String>,
}

/// One payer's hours in one quarter.
#[derive(Serialize, ToSchema)]
struct PoolForecastOut {
    /// `union`, `commercial`, `state:LU` or `volunteered:LU`.
    #[schema(example = "union")]
    payer: String,
    /// How many there are.
    hours: Amount,
    /// What stands behind allocations.
    granted: Amount,
    /// The part of it that is set aside for jobs.
    held: Amount,
    /// The part of it that was used so far.
    used: Amount,
    /// What will be used of it when the quarter is over, at the pace of its allocations.
    expected_used: AmountRange,
    /// What nobody will have used by then, granted or not.
    expected_unused: AmountRange,
    /// What allocations out of earlier quarters may still use in this one.
    carried_in: Amount,
}

/// An amount that is not known yet.
#[derive(Serialize, ToSchema)]
struct AmountRange {
    /// The least, as the quietest and the busiest week make it.
    least: Amount,
    /// At the mean pace.
    likely: Amount,
    /// The most, as the quietest and the busiest week make it.
    most: Amount,
}

impl AmountRange {
    fn of(range: Range, meter: Meter) -> Self {
        let amount = |work| Amount::of(work, meter);
        Self { least: amount(range.least), likely: amount(range.likely), most: amount(range.most) }
    }
}

impl PoolForecastOut {
    fn of(pool: &PoolAhead, meter: Meter) -> Self {
        let amount = |work: Work| Amount::of(work, meter);
        Self {
            payer: pool.payer.to_string(),
            hours: amount(pool.hours),
            granted: amount(pool.granted),
            held: amount(pool.held),
            used: amount(pool.used),
            expected_used: AmountRange::of(pool.expected_used, meter),
            expected_unused: AmountRange::of(pool.expected_unused, meter),
            carried_in: amount(pool.carried_in),
        }
    }
}

impl QuarterForecastOut {
    fn of(quarter: QuarterForecast, meter: Meter) -> Self {
        let (pools, missing) = match quarter.pools {
            Ok(pools) => (pools, Vec::new()),
            Err(missing) => (Vec::new(), missing),
        };
        let pools = pools.iter().map(|pool| PoolForecastOut::of(pool, meter)).collect();
        Self { period: quarter.period.into(), pools, missing }
    }
}

impl From<PartitionForecast> for PartitionForecastOut {
    fn from(forecast: PartitionForecast) -> Self {
        let of = |quarter| QuarterForecastOut::of(quarter, forecast.meter);
        Self {
            partition: forecast.partition.to_string(),
            quarters: forecast.quarters.into_iter().map(of).collect(),
        }
    }
}

/// What becomes of the hours of every partition whose factory the caller answers for: granted,
/// used, likely to be used and left over when the quarter ends, and what later quarters have.
#[utoipa::path(
    get, path = "/federation/forecast", tag = "federation",
    responses((status = 200, body = Page<PartitionForecastOut>, description = "All partitions")),
)]
async fn federation(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<Page<PartitionForecastOut>>, Problem> {
    let forecasts = app.capacity_forecasts(&actor).await?;
    Ok(Json(Page::whole(forecasts.into_iter().map(PartitionForecastOut::from))))
}

/// What becomes of the hours of one partition.
#[utoipa::path(
    get, path = "/partitions/{key}/forecast", tag = "federation",
    params(("key" = String, Path, description = "SYSTEM.PARTITION", example = "meluxina-ai.gpu")),
    responses((status = 200, body = PartitionForecastOut, description = "Quarter by quarter")),
)]
async fn partition(
    State(app): State<App>,
    actor: Actor,
    Path(key): Path<PartitionKey>,
) -> Result<Json<PartitionForecastOut>, Problem> {
    Ok(Json(app.capacity_forecast(&actor, &key).await?.into()))
}
