//! The dashboard as data: who pays for the federation, and what it can compute before and after.

use access::federation::{
    Accelerators, Capacity, CapacityLine, Contributor, FactoryFunding, Federation, Overview, Paid,
};
use app::App;
use axum::extract::State;
use serde::Serialize;
use units::Cents;
use utoipa::ToSchema;

use super::dto::{FigureOut, Money, money, text};
use crate::Actor;
use crate::extract::Json;
use crate::problem::Problem;

/// Who pays for the federation and what it can compute, as far as it is known.
#[derive(Serialize, ToSchema)]
pub(super) struct DashboardOut {
    /// What was announced for everything together.
    announced: FigureOut<Money>,
    /// What of it the figures below do not account for.
    unaccounted: FigureOut<Money>,
    factories: Vec<FactoryFundingOut>,
    programmes: Vec<ProgrammeFundingOut>,
    states: Vec<StateFundingOut>,
    capacity: CapacityOut,
}

/// What the Union and the states pay for one purpose.
#[derive(Serialize, ToSchema)]
struct PaidOut {
    union: Money,
    states: Money,
}

impl From<Paid> for PaidOut {
    fn from(paid: Paid) -> Self {
        Self { union: paid.union.into(), states: paid.states.into() }
    }
}

/// What is known of the money for one factory.
#[derive(Serialize, ToSchema)]
struct FactoryFundingOut {
    factory: String,
    name: String,
    infrastructure: PaidOut,
    services: PaidOut,
    /// What is not known of it.
    unknown: Vec<String>,
}

impl From<&FactoryFunding> for FactoryFundingOut {
    fn from(funding: &FactoryFunding) -> Self {
        Self {
            factory: funding.key.to_string(),
            name: funding.name.clone(),
            infrastructure: funding.infrastructure.into(),
            services: funding.services.into(),
            unknown: funding.unknown.clone(),
        }
    }
}

/// What a programme of the Union pays.
#[derive(Serialize, ToSchema)]
struct ProgrammeFundingOut {
    /// Its name, with its source.
    programme: FigureOut<String>,
    /// What for: `infrastructure` or `services`.
    purpose: &'static str,
    amount: Money,
}

/// What states pay.
#[derive(Serialize, ToSchema)]
struct StateFundingOut {
    /// Which; several where they pay together and how they share it is not public.
    states: Vec<String>,
    amount: Money,
}

impl From<(&Contributor, &Cents)> for StateFundingOut {
    fn from((who, amount): (&Contributor, &Cents)) -> Self {
        let states = match who {
            Contributor::State(state) => vec![state.to_string()],
            Contributor::Together(states) => states.iter().map(ToString::to_string).collect(),
        };
        Self { states, amount: (*amount).into() }
    }
}

/// What the federation can compute, by peak in dense arithmetic of 16 bits.
#[derive(Serialize, ToSchema)]
struct CapacityOut {
    before_teraflops: u64,
    added_teraflops: u64,
    /// Hundredths of the capacity before that there are with the factories; 250 is two and a half
    /// times as much. Machines whose figures are not known are not counted.
    growth_hundredths: Option<u64>,
    /// Machines in use that were acquired otherwise.
    before: Vec<CapacityLineOut>,
    /// Machines that come with the factories.
    added: Vec<CapacityLineOut>,
}

/// What one partition can compute.
#[derive(Serialize, ToSchema)]
struct CapacityLineOut {
    factory: String,
    partition: String,
    /// How many accelerators, where it is known.
    accelerators: Option<u32>,
    /// Whether that is only the least.
    at_least: bool,
    teraflops: Option<u64>,
    /// What is missing to know it.
    unknown: Option<String>,
}

impl From<&CapacityLine> for CapacityLineOut {
    fn from(line: &CapacityLine) -> Self {
        let (accelerators, at_least) = match &line.accelerators {
            Accelerators::Exactly(count) => (Some(*count), false),
            Accelerators::AtLeast(count) => (Some(*count), true),
            Accelerators::Unknown(_) => (None, false),
        };
        Self {
            factory: line.factory.to_string(),
            partition: line.partition.to_string(),
            accelerators,
            at_least,
            teraflops: line.teraflops.as_ref().ok().copied(),
            unknown: line.teraflops.as_ref().err().cloned(),
        }
    }
}

impl From<&Capacity> for CapacityOut {
    fn from(capacity: &Capacity) -> Self {
        Self {
            before_teraflops: capacity.before_teraflops(),
            added_teraflops: capacity.added_teraflops(),
            growth_hundredths: capacity.growth_hundredths(),
            before: capacity.before.iter().map(Into::into).collect(),
            added: capacity.added.iter().map(Into::into).collect(),
        }
    }
}

impl DashboardOut {
    fn of(federation: &Federation, overview: &Overview) -> Self {
        let programme = &federation.programme;
        let paid = [
            (&programme.infrastructure_paid_by, "infrastructure", overview.infrastructure),
            (&programme.services_paid_by, "services", overview.services),
        ];
        let programmes = paid.map(|(name, purpose, paid)| ProgrammeFundingOut {
            programme: text(name),
            purpose,
            amount: paid.union.into(),
        });
        Self {
            announced: money(&programme.investment),
            unaccounted: money(&overview.unaccounted),
            factories: overview.factories.iter().map(Into::into).collect(),
            programmes: programmes.into(),
            states: overview.states.iter().map(Into::into).collect(),
            capacity: (&federation.capacity()).into(),
        }
    }
}

/// Who pays for the federation, and what it can compute before and with its factories.
#[utoipa::path(
    get, path = "/dashboard", tag = "federation", security(()),
    responses((status = 200, body = DashboardOut, description = "Funding and capacity")),
)]
pub(super) async fn dashboard(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<DashboardOut>, Problem> {
    let federation = app.federation(&actor)?;
    let overview = app.funding_overview(&actor)?;
    Ok(Json(DashboardOut::of(federation, &overview)))
}
