//! How many hours work on a model takes.

use access::estimate::{Count, Estimate, Plan};
use app::App;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use units::PartitionKey;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::extract::{Json, Query};
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(estimate))
}

/// What is to be done with a model, and where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PlanIn {
    /// `pretrain`, `fine-tune`, `adapt` (low-rank adapters) or `infer`.
    #[param(example = "pretrain")]
    work: String,
    /// How many parameters the model has: `7000000000`, `7e9` or `7B`.
    #[param(example = "7B")]
    parameters: String,
    /// How many tokens go through it.
    #[param(example = "140B")]
    tokens: String,
    /// Where.
    #[param(example = "meluxina-ai.gpu")]
    partition: String,
    /// How many devices are to work at once; as many as memory demands without.
    #[param(minimum = 1)]
    devices: Option<u32>,
}

impl PlanIn {
    fn read(self) -> Result<(Plan, PartitionKey), Problem> {
        fn wrong(name: &str) -> impl Fn(&dyn std::fmt::Display) -> Problem {
            move |error| Problem::with(Kind::BadRequest, format!("`{name}`: {error}"))
        }
        let count = |name, text: &str| text.parse::<Count>().map_err(|error| wrong(name)(&error));
        let partition = self.partition.parse().map_err(|error| wrong("partition")(&error));
        if self.devices == Some(0) {
            return Err(wrong("devices")(&"at least one device works"));
        }
        let plan = Plan {
            parameters: count("parameters", &self.parameters)?,
            tokens: count("tokens", &self.tokens)?,
            work: self.work,
            devices: self.devices,
        };
        Ok((plan, partition?))
    }
}

/// A first guess; who has measured asks for what they measured.
#[derive(Serialize, ToSchema)]
struct EstimateOut {
    partition: String,
    #[schema(example = "NVIDIA GB200")]
    device: String,
    /// What to ask for, in hours of the partition's unit.
    hours: u64,
    /// `gpu`, `node` or `core`.
    unit: String,
    /// Hours of one device.
    device_hours: u64,
    /// The fewest devices whose memory holds the model's state; activations come on top.
    devices_min: u64,
    /// How many devices work at once.
    devices: u64,
    /// How long they work, in hours.
    elapsed_hours: u64,
    /// The calculation, line by line.
    lines: Vec<String>,
    /// The entry of policy that it rests on.
    rule: String,
}

impl From<Estimate> for EstimateOut {
    fn from(found: Estimate) -> Self {
        Self {
            partition: found.partition.to_string(),
            device: found.device,
            hours: found.hours,
            unit: found.meter.to_string(),
            device_hours: found.device_hours,
            devices_min: found.devices_min,
            devices: found.devices,
            elapsed_hours: found.elapsed_hours,
            lines: found.lines,
            rule: found.rule,
        }
    }
}

/// How many hours work on a model takes on a partition: a first guess, with its calculation.
#[utoipa::path(
    get, path = "/estimate", tag = "applications", security(()), params(PlanIn),
    responses((status = 200, body = EstimateOut, description = "The guess")),
)]
async fn estimate(
    State(app): State<App>,
    Query(plan): Query<PlanIn>,
) -> Result<Json<EstimateOut>, Problem> {
    let (plan, partition) = plan.read()?;
    let found = app.estimate(&plan, &partition);
    let found = found.map_err(|why| Problem::with(Kind::BadRequest, why.to_string()))?;
    Ok(Json(found.into()))
}
