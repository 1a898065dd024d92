//! The machines of a scenario: from the federation, or described in place.

use access::document::{Figure, Table, Value};
use access::federation::{Federation, Partition};
use jiff::civil::Date;
use units::{PartitionKey, PartsPerMillion, Slug};

use crate::workload::Size;

/// What a machine is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// GPUs.
    Gpu,
    /// Processor cores, of a machine without GPUs.
    Core,
}

impl Unit {
    /// The word for one and for several.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gpu => "GPU",
            Self::Core => "core",
        }
    }
}

/// A partition of equal nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the scenario.
    pub key: String,
    /// How many nodes it has at first.
    pub nodes: u32,
    /// What it is counted in.
    pub unit: Unit,
    /// How many of them a node has.
    pub units_per_node: u32,
    /// When it comes into use, in seconds after the start; 0 for what is there.
    pub arrives: i64,
    /// How it grows or shrinks.
    pub upgrades: Vec<Upgrade>,
    /// When it is lost.
    pub failures: Vec<Failure>,
    /// What it draws, where that is known.
    pub power: Option<Power>,
    /// Whose hours it has.
    pub pools: Vec<Pool>,
}

/// From `at` on a machine has so many nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// In seconds after the start.
    pub at: i64,
    /// All its nodes from then on.
    pub nodes: u32,
}

/// All of a machine is down; what runs there is lost and starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In seconds after the start.
    pub from: i64,
    /// The end, likewise.
    pub until: i64,
}

/// What a machine draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// By a node that does nothing.
    pub idle_watts_per_node: u32,
    /// By a unit that is busy, besides.
    pub busy_watts_per_unit: u32,
    /// By cooling and losses, on top of both, in percent.
    pub overhead_percent: u32,
    /// What a kilowatt-hour emits there, where that is known.
    pub carbon_grams_per_kwh: Option<u32>,
}

/// A part of a machine's hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Whose it is.
    pub payer: String,
    /// How much of the machine.
    pub share: PartsPerMillion,
}

impl Machine {
    /// A partition as it stands, with nobody's pools.
    ///
    /// # Errors
    /// Every figure that is needed and not known.
    pub fn of(partition: &Partition) -> Result<Self, Vec<String>> {
        let key = &partition.key;
        let nodes = partition.nodes.require(&format!("the number of nodes of {key}"));
        let gpus = partition.devices_per_node.require(&format!("the GPUs in a node of {key}"));
        let cores = || partition.cores_per_node.require(&format!("the cores in a node of {key}"));
        let (unit, per_node) = match gpus {
            Ok(0) => (Unit::Core, cores()),
            gpus => (Unit::Gpu, gpus),
        };
        match (nodes, per_node) {
            (Ok(nodes), Ok(per_node)) => Ok(Self {
                key: key.to_string(),
                nodes: *nodes,
                unit,
                units_per_node: *per_node,
                arrives: 0,
                upgrades: Vec::new(),
                failures: Vec::new(),
                power: None,
                pools: Vec::new(),
            }),
            (nodes, per_node) => Err([nodes.err(), per_node.err()].into_iter().flatten().collect()),
        }
    }

    /// The nodes that a job of this size holds, and the units on each; `None` when it is counted in
    /// what the machine does not have.
    pub fn shape(&self, size: Size) -> Option<(u32, u32)> {
        let per_node = self.units_per_node;
        let whole = |nodes: u32| (nodes, per_node);
        let part = |units: u32| {
            if units <= per_node { (1, units.max(1)) } else { whole(units.div_ceil(per_node)) }
        };
        match (size, self.unit) {
            (Size::Nodes(nodes), _) => Some(whole(nodes.max(1))),
            (Size::Gpus(units), Unit::Gpu) | (Size::Cores(units), Unit::Core) => Some(part(units)),
            (Size::Gpus(_), Unit::Core) | (Size::Cores(_), Unit::Gpu) => None,
        }
    }

    /// The most nodes it ever has.
    pub fn nodes_max(&self) -> u32 {
        self.upgrades.iter().map(|upgrade| upgrade.nodes).fold(self.nodes, u32::max)
    }

    /// How many nodes it has at `at`, failures aside.
    pub fn nodes_at(&self, at: i64) -> u32 {
        if at < self.arrives {
            return 0;
        }
        let upgrade = self.upgrades.iter().rev().find(|upgrade| upgrade.at <= at);
        upgrade.map_or(self.nodes, |upgrade| upgrade.nodes)
    }

    /// Whether it is down at `at`.
    pub fn is_down(&self, at: i64) -> bool {
        self.failures.iter().any(|failure| failure.from <= at && at < failure.until)
    }
}

/// More nodes than any machine has.
const NODES_MAX: u32 = 1_000_000;

pub(super) fn read(
    table: &Table<'_>,
    start: Option<Date>,
    federation: &Federation,
) -> Option<Machine> {
    let named: Option<PartitionKey> = table.optional("partition", Value::parsed);
    let partition = named.as_ref().and_then(|key| match federation.partition(key) {
        Some((_, _, partition)) => Some(partition),
        None => table.fault_of("partition", unknown_partition(key, federation)),
    });
    let key = table.optional("key", |value| value.parsed::<Slug>().map(|slug| slug.to_string()));
    let key = key.or_else(|| named.map(|it| it.to_string()));
    let nodes = stated(table, "nodes", partition.map(|it| &it.nodes));
    let gpus = stated(table, "gpus_per_node", partition.map(|it| &it.devices_per_node));
    let (unit, units_per_node) = match gpus {
        Stated::Known(gpus) if gpus > 0 => (Unit::Gpu, Some(gpus)),
        Stated::Known(_) | Stated::Absent => {
            let cores = stated(table, "cores_per_node", partition.map(|it| &it.cores_per_node));
            (Unit::Core, cores.require(table, "cores_per_node"))
        }
        Stated::Unknown(_) => (Unit::Gpu, gpus.require(table, "gpus_per_node")),
    };
    let at = |key: &'static str| move |value: &Value<'_>| seconds_of(value, start, key);
    let arrives = table.optional("arrives", at("arrives")).unwrap_or(0);
    let mut upgrades = table.tables("upgrades", |table| {
        let nodes = table.required("nodes", Value::count);
        Some(Upgrade { at: table.required("on", at("on"))?, nodes: nodes? })
    });
    upgrades.sort_by_key(|upgrade| upgrade.at);
    let failures = table.tables("failures", |table| {
        let from = table.required("from", at("from"));
        let days: Option<u32> = table.required("days", Value::count);
        Some(Failure { from: from?, until: from?.saturating_add(i64::from(days?) * 86_400) })
    });
    let power = table.optional("power", |value| value.table(power));
    let pools = table.optional("pools", pools).unwrap_or_default();
    let nodes = nodes.require(table, "nodes");
    let most = upgrades.iter().map(|upgrade| upgrade.nodes).chain(nodes).max();
    if most.is_some_and(|most| most > NODES_MAX) {
        return table.fault_of("nodes", format!("more than {NODES_MAX} are not simulated"));
    }
    let Some(key) = key else {
        return table.fault_of("key", "is missing here; or name a `partition` of the federation");
    };
    Some(Machine {
        key,
        nodes: nodes?,
        unit,
        units_per_node: units_per_node?,
        arrives,
        upgrades,
        failures,
        power,
        pools,
    })
}

/// A figure of a machine.
enum Stated {
    Known(u32),
    /// The federation names a partition of which it does not know this, and why.
    Unknown(String),
    Absent,
}

impl Stated {
    fn require(self, table: &Table<'_>, key: &'static str) -> Option<u32> {
        match self {
            Self::Known(count) => Some(count),
            Self::Unknown(why) => table.fault_of(
                key,
                format!("is missing here, and the federation does not know it: {why}"),
            ),
            Self::Absent => table.fault_of(key, "is missing here"),
        }
    }
}

/// What the scenario says, or else the federation.
fn stated(table: &Table<'_>, key: &'static str, figure: Option<&Figure<u32>>) -> Stated {
    match (table.optional(key, Value::number::<u32>), figure) {
        (Some(count), _) => Stated::Known(count),
        (None, Some(Figure::Known(count, _))) => Stated::Known(*count),
        (None, Some(Figure::Unknown(why))) => Stated::Unknown(why.clone()),
        (None, None) => Stated::Absent,
    }
}

fn unknown_partition(key: &PartitionKey, federation: &Federation) -> String {
    let known = federation.systems().flat_map(|(_, system)| &system.partitions);
    let known: Vec<String> = known.map(|it: &Partition| it.key.to_string()).collect();
    format!("the federation has no partition `{key}`; it has {}", known.join(", "))
}

/// The seconds from the start to a day, which must not be before it.
fn seconds_of(value: &Value<'_>, start: Option<Date>, key: &str) -> Option<i64> {
    let (day, start) = (value.date()?, start?);
    let days = start.until(day).ok().map_or(-1, |span| i64::from(span.get_days()));
    if days < 0 {
        return value.fault(format!("`{key}` is before the start of the scenario, {start}"));
    }
    Some(days * 86_400)
}

fn power(table: &Table<'_>) -> Option<Power> {
    let idle = table.required("idle_watts_per_node", Value::number);
    let busy = table.required("busy_watts_per_unit", Value::number);
    let overhead = table.optional("overhead_percent", Value::number).unwrap_or(0);
    let carbon = table.optional("carbon_grams_per_kwh", Value::number);
    Some(Power {
        idle_watts_per_node: idle?,
        busy_watts_per_unit: busy?,
        overhead_percent: overhead,
        carbon_grams_per_kwh: carbon,
    })
}

/// `{ union = "50 %", FI = "30 %" }`
fn pools(value: &Value<'_>) -> Option<Vec<Pool>> {
    let shares: Vec<(String, PartsPerMillion)> = value.map(Value::percent)?;
    let total: u64 = shares.iter().map(|(_, share)| u64::from(share.parts())).sum();
    if total > u64::from(PartsPerMillion::ONE.parts()) {
        return value.fault("the shares are more than the whole machine");
    }
    Some(shares.into_iter().map(|(payer, share)| Pool { payer, share }).collect())
}
