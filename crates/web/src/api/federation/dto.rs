//! The federation as it goes over the wire. Every figure comes with its source, or is unknown.

use access::agreement::{Agreement, Funding};
use access::document::{Figure, Source, Standing};
use access::federation::{Factory, Federation, Partition, Summary, System};
use app::federation::PartitionPools;
use serde::Serialize;
use units::{Cents, Meter, Overflow, Payer};
use utoipa::ToSchema;

use crate::api::wire::{Amount, Span};

/// Where a figure was read.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceOut {
    /// Author and title.
    text: String,
    /// The day of the publication or act, or the day it was read.
    #[schema(format = Date, example = "2024-12-10")]
    date: String,
    /// Whether it comes from the body that decides, and not from a report of it.
    official: bool,
}

impl From<&Source> for SourceOut {
    fn from(source: &Source) -> Self {
        Self {
            text: source.text.clone(),
            date: source.date.to_string(),
            official: source.standing == Standing::Official,
        }
    }
}

/// A figure with its source, or openly unknown.
#[derive(Serialize, ToSchema)]
pub(super) struct FigureOut<T> {
    /// The value; absent when it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<T>,
    /// Where it was read; null when it is unknown.
    source: Option<SourceOut>,
    /// How it is to be understood, or where it was looked for.
    note: Option<String>,
}

impl<T> FigureOut<T> {
    fn of<F>(figure: &Figure<F>, value: impl FnOnce(&F) -> T) -> Self {
        match figure {
            Figure::Known(known, evidence) => Self {
                value: Some(value(known)),
                source: Some((&evidence.source).into()),
                note: evidence.note.clone(),
            },
            Figure::Unknown(note) => Self { value: None, source: None, note: Some(note.clone()) },
        }
    }
}

pub(super) fn text<F: ToString>(figure: &Figure<F>) -> FigureOut<String> {
    FigureOut::of(figure, ToString::to_string)
}

fn texts<F: ToString>(figure: &Figure<Vec<F>>) -> FigureOut<Vec<String>> {
    FigureOut::of(figure, |list| list.iter().map(ToString::to_string).collect())
}

fn count(figure: &Figure<u32>) -> FigureOut<u32> {
    FigureOut::of(figure, |count| *count)
}

pub(super) fn money(figure: &Figure<Cents>) -> FigureOut<Money> {
    FigureOut::of(figure, |cents| Money::from(*cents))
}

/// An amount of money.
#[derive(Serialize, ToSchema)]
pub(super) struct Money {
    /// Euro cents.
    cents: i64,
    /// The same for people.
    #[schema(example = "EUR 80 000 000.00")]
    text: String,
}

impl From<Cents> for Money {
    fn from(amount: Cents) -> Self {
        Self { cents: amount.count(), text: amount.to_string() }
    }
}

/// The programme and totals over its factories.
#[derive(Serialize, ToSchema)]
pub(super) struct FederationOut {
    name: String,
    /// The money of the Union and the states together.
    investment: FigureOut<Money>,
    /// The Union's part of it.
    union_part: FigureOut<String>,
    infrastructure_paid_by: FigureOut<String>,
    services_paid_by: FigureOut<String>,
    member_states: FigureOut<u32>,
    other_states: FigureOut<u32>,
    capacity: FigureOut<String>,
    deployment: FigureOut<String>,
    next_cut_off: FigureOut<String>,
    sectors: FigureOut<Vec<String>>,
    factories: usize,
    /// How many figures of the factories are known, with their source.
    figures_known: usize,
    /// How many are openly unknown.
    figures_unknown: usize,
}

impl FederationOut {
    pub(super) fn of(federation: &Federation, summary: &Summary) -> Self {
        let programme = &federation.programme;
        Self {
            name: programme.name.clone(),
            investment: money(&programme.investment),
            union_part: text(&programme.union_part),
            infrastructure_paid_by: text(&programme.infrastructure_paid_by),
            services_paid_by: text(&programme.services_paid_by),
            member_states: count(&programme.member_states),
            other_states: count(&programme.other_states),
            capacity: text(&programme.capacity),
            deployment: text(&programme.deployment),
            next_cut_off: text(&programme.next_cut_off),
            sectors: texts(&programme.sectors),
            factories: federation.factories.len(),
            figures_known: summary.figures_known,
            figures_unknown: summary.figures_unknown,
        }
    }
}

/// A factory.
#[derive(Serialize, ToSchema)]
pub(super) struct FactoryOut {
    key: String,
    name: String,
    hosting_entity: String,
    place: String,
    /// The hosting state.
    #[schema(example = "LU")]
    country: String,
    described_by: SourceOut,
    /// The states that joined it.
    joined: FigureOut<Vec<String>>,
    partners: FigureOut<Vec<String>>,
    sectors: FigureOut<Vec<String>>,
    systems: Vec<SystemOut>,
}

impl From<&Factory> for FactoryOut {
    fn from(factory: &Factory) -> Self {
        Self {
            key: factory.key.to_string(),
            name: factory.name.clone(),
            hosting_entity: factory.hosting_entity.clone(),
            place: factory.place.clone(),
            country: factory.country.to_string(),
            described_by: (&factory.described_by).into(),
            joined: texts(&factory.joined),
            partners: texts(&factory.partners),
            sectors: texts(&factory.sectors),
            systems: factory.systems.iter().map(SystemOut::from).collect(),
        }
    }
}

/// A system of a factory.
#[derive(Serialize, ToSchema)]
pub(super) struct SystemOut {
    key: String,
    name: String,
    /// `ai-optimised`, `upgrade`, `associated`, `experimental` or `quantum`.
    kind: String,
    /// `planned`, `contracted`, `installing` or `operational`.
    deployment: FigureOut<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<FigureOut<String>>,
    vendor: FigureOut<String>,
    /// Who pays for it; absent when no agreement is described.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<AgreementOut>,
    partitions: Vec<PartitionOut>,
}

impl From<&System> for SystemOut {
    fn from(system: &System) -> Self {
        Self {
            key: system.key.to_string(),
            name: system.name.clone(),
            kind: system.kind.to_string(),
            deployment: text(&system.deployment),
            expected: system.expected.as_ref().map(text),
            vendor: text(&system.vendor),
            agreement: system.agreement.as_ref().map(AgreementOut::from),
            partitions: system.partitions.iter().map(PartitionOut::from).collect(),
        }
    }
}

/// A hosting agreement, as far as it is public.
#[derive(Serialize, ToSchema)]
pub(super) struct AgreementOut {
    /// `ai-optimised`, `high-end`, `mid-range`, `industrial` or `quantum`.
    class: FigureOut<String>,
    signed: FigureOut<String>,
    acquisition: FigureOut<Money>,
    operation: FigureOut<Money>,
    operation_years: FigureOut<u32>,
    union_acquisition: FigureOut<String>,
    union_operation: FigureOut<String>,
    commercial: FigureOut<String>,
    /// The states that share the remaining time, each with its weight.
    remainder: FigureOut<Vec<String>>,
}

impl From<&Agreement> for AgreementOut {
    fn from(agreement: &Agreement) -> Self {
        Self {
            class: text(&agreement.class),
            signed: text(&agreement.signed),
            acquisition: money(&agreement.acquisition),
            operation: money(&agreement.operation),
            operation_years: count(&agreement.operation_years),
            union_acquisition: text(&agreement.union_acquisition),
            union_operation: text(&agreement.union_operation),
            commercial: text(&agreement.commercial),
            remainder: FigureOut::of(&agreement.remainder, |states| {
                states.iter().map(|(state, weight)| format!("{state}: {weight}")).collect()
            }),
        }
    }
}

/// A partition.
#[derive(Serialize, ToSchema)]
pub(super) struct PartitionOut {
    /// SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    key: String,
    name: String,
    nodes: FigureOut<u32>,
    devices_per_node: FigureOut<u32>,
    devices: FigureOut<u32>,
    device: FigureOut<String>,
    cores_per_node: FigureOut<u32>,
    memory_per_node_gb: FigureOut<u32>,
    /// What is counted: `gpu`, `node`, `core` or `qpu`.
    unit: String,
    /// The rule by which its operator charges.
    charge_rule: FigureOut<String>,
}

impl From<&Partition> for PartitionOut {
    fn from(partition: &Partition) -> Self {
        Self {
            key: partition.key.to_string(),
            name: partition.name.clone(),
            nodes: count(&partition.nodes),
            devices_per_node: count(&partition.devices_per_node),
            devices: count(&partition.devices),
            device: text(&partition.device),
            cores_per_node: count(&partition.cores_per_node),
            memory_per_node_gb: count(&partition.memory_per_node_gb),
            unit: partition.meter.to_string(),
            charge_rule: text(&partition.charge_rule),
        }
    }
}

/// A partition where it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct PartitionDetailOut {
    #[serde(flatten)]
    partition: PartitionOut,
    /// The key of its factory.
    factory: String,
    /// The key of its system.
    system: String,
    deployment: FigureOut<String>,
    /// Whether a site of this hub serves it.
    served: bool,
}

impl PartitionDetailOut {
    pub(super) fn of(
        (factory, system, partition): (&Factory, &System, &Partition),
        served: bool,
    ) -> Self {
        Self {
            partition: partition.into(),
            factory: factory.key.to_string(),
            system: system.key.to_string(),
            deployment: text(&system.deployment),
            served,
        }
    }
}

/// What each side pays, to the cent.
#[derive(Serialize, ToSchema)]
pub(super) struct FundingOut {
    union_acquisition: Money,
    union_operation: Money,
    states_acquisition: Money,
    states_operation: Money,
    union_total: Money,
    states_total: Money,
}

impl FundingOut {
    fn of(funding: &Funding) -> Result<Self, Overflow> {
        Ok(Self {
            union_acquisition: funding.union_acquisition.into(),
            union_operation: funding.union_operation.into(),
            states_acquisition: funding.states_acquisition.into(),
            states_operation: funding.states_operation.into(),
            union_total: funding.union()?.into(),
            states_total: funding.states()?.into(),
        })
    }
}

/// The hours of one payer.
#[derive(Serialize, ToSchema)]
pub(super) struct PoolOut {
    /// `union`, `commercial`, `state:LU` or `volunteered:LU`.
    #[schema(example = "union")]
    payer: String,
    /// What the agreement gives.
    amount: Amount,
    /// What is left of it; absent while the ledger has not opened the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<Amount>,
}

/// Who has which hours of a partition in a quarter.
#[derive(Serialize, ToSchema)]
pub(super) struct PoolsOut {
    period: Span,
    /// What each side pays; null when it is not known.
    funding: Option<FundingOut>,
    /// What the partition can do in the quarter; null when it is not known.
    capacity: Option<Amount>,
    /// The Union's part of the time; null when it is not known.
    #[schema(example = "50 %")]
    union_time: Option<String>,
    pools: Vec<PoolOut>,
    /// How the figures come about, line by line.
    lines: Vec<String>,
    /// What is not known and would be needed.
    unknown: Vec<String>,
}

impl PoolsOut {
    pub(super) fn of(pools: PartitionPools, meter: Meter) -> Self {
        let opened = &pools.opened;
        let funding = pools.funding.as_ref().ok().and_then(|it| FundingOut::of(it).ok());
        let remaining = |payer: Payer| {
            let found = opened.iter().find(|(pool, _)| pool.payer == payer);
            found.map(|(_, left)| Amount::of(*left, meter))
        };
        let (computed, unknown) = match pools.computed {
            Ok(computed) => (Some(computed), Vec::new()),
            Err(unknown) => (None, unknown.reasons),
        };
        let of_payers = computed.iter().flat_map(|computed| &computed.pools);
        Self {
            period: pools.period.into(),
            funding,
            capacity: computed.as_ref().map(|it| Amount::of(it.capacity, meter)),
            union_time: computed.as_ref().map(|it| it.union_time.to_string()),
            pools: of_payers
                .map(|pool| PoolOut {
                    payer: pool.payer.to_string(),
                    amount: Amount::of(pool.amount, meter),
                    remaining: remaining(pool.payer),
                })
                .collect(),
            lines: computed.as_ref().map(|it| it.lines.clone()).unwrap_or_default(),
            unknown,
        }
    }
}
