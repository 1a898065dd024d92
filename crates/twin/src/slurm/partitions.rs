//! The nodes and partitions of `slurm.conf`.

use std::collections::BTreeMap;

use sched::{Amount, Nodes, PoolSpec, Resource, Sharing, Tres};

use super::conf::{Conf, Entry, Setting, refused};
use super::hostlist::expand;
use super::policy::Scheduling;
use super::resources::{amounts, conf_seconds, milli};
use super::{Note, Part, SITE_NODES_MAX, SlurmError};

/// A partition, and what its nodes have.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) line: u64,
    /// Its nodes by their place among all, each with what it has.
    pub(super) nodes: BTreeMap<usize, Amount>,
    sharing: Sharing,
    priority_factor: u32,
    billing_milli: Tres<u64>,
    /// How long a job may run that says nothing; `None` for as long as it likes.
    pub(super) seconds_max: Option<i64>,
}

impl Partition {
    /// The partition as the core knows it.
    pub(super) fn spec(&self, scheduling: &Scheduling) -> PoolSpec<Nodes> {
        let nodes = self.nodes.values().map(|whole| (*whole, 0));
        PoolSpec {
            pool: Nodes::new(self.sharing, nodes),
            policy: scheduling.policy,
            priority_factor: self.priority_factor,
            billing_milli: self.billing_milli,
        }
    }
}

/// What of a node's or partition's line is taken into account, or has nothing to do with scheduling.
const NODE_KNOWN: &[&str] = &[
    "nodename",
    "nodehostname",
    "nodeaddr",
    "bcastaddr",
    "port",
    "cpus",
    "procs",
    "boards",
    "sockets",
    "socketsperboard",
    "corespersocket",
    "threadspercore",
    "realmemory",
    "gres",
    "tmpdisk",
    "reason",
    "feature",
    "features",
];
const PARTITION_KNOWN: &[&str] = &[
    "partitionname",
    "nodes",
    "default",
    "maxtime",
    "defaulttime",
    "oversubscribe",
    "shared",
    "priorityjobfactor",
    "prioritytier",
    "tresbillingweights",
    "defmempercpu",
    "defmempernode",
    "defmempergpu",
    "defcpupergpu",
    "allowaccounts",
    "allowgroups",
    "allowqos",
    "denyaccounts",
    "denyqos",
    "gracetime",
    "hidden",
    "alternate",
    "lln",
];

pub(super) fn read(
    conf: &Conf,
    scheduling: &Scheduling,
    notes: &mut Vec<Note>,
) -> Result<BTreeMap<String, Partition>, SlurmError> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut amounts = Vec::new();
    for entry in &conf.nodes {
        let (names, line) = names(entry, "nodename")?;
        let whole = node(entry)?;
        for name in names {
            if amounts.len() >= SITE_NODES_MAX {
                return Err(wrong(line, format!("there are more than {SITE_NODES_MAX} nodes")));
            }
            if places.insert(name.clone(), amounts.len()).is_some() {
                return Err(wrong(line, format!("node {name} is described twice")));
            }
            amounts.push(whole);
        }
        is_up(entry, "unknown", "idle", line, notes);
        name_others(entry, NODE_KNOWN, notes);
    }
    let mut partitions = BTreeMap::new();
    for entry in &conf.partitions {
        let (names, line) = names(entry, "partitionname")?;
        let nodes = members(entry, &places, &amounts, line)?;
        let partition = partition(entry, nodes, line, scheduling, notes)?;
        is_up(entry, "up", "up", line, notes);
        name_others(entry, PARTITION_KNOWN, notes);
        partitions.extend(names.into_iter().map(|name| (name, partition.clone())));
    }
    Ok(partitions)
}

fn wrong(line: u64, what: String) -> SlurmError {
    SlurmError::Wrong { part: Part::Conf, line, what }
}

/// The names that an entry is for.
fn names(entry: &Entry, key: &str) -> Result<(Vec<String>, u64), SlurmError> {
    let Some(setting) = entry.get(key) else { return Ok((Vec::new(), 1)) };
    let names = expand(&setting.value).ok_or_else(|| setting.expected("names such as n[1-4]"))?;
    Ok((names, setting.line))
}

/// What a node has.
fn node(entry: &Entry) -> Result<Amount, SlurmError> {
    let number = |key: &str, otherwise: u32| {
        let setting = entry.get(key);
        setting.map_or(Ok(otherwise), Setting::number::<u32>)
    };
    let counted = match (entry.get("cpus"), entry.get("procs")) {
        (Some(cpus), _) | (None, Some(cpus)) => cpus.number()?,
        (None, None) => ["boards", "corespersocket", "threadspercore"]
            .into_iter()
            .map(|key| number(key, 1))
            .chain([number("socketsperboard", number("sockets", 1)?)])
            .try_fold(1_u32, |product, factor| factor.map(|it| product.saturating_mul(it)))?,
    };
    let memory = entry.get("realmemory").map_or(Ok(1), Setting::number)?;
    let gpus = entry.get("gres").map_or(Ok(0), gpus)?;
    Ok(Amount { cores: counted.min(CORES_MAX), memory_mb: memory, gpus: gpus.min(CORES_MAX) })
}

/// More cores, or GPUs, than any node has.
const CORES_MAX: u32 = 1 << 16;

/// How many GPUs stand in a list such as `gpu:a100:4(S:0),nic:2`.
fn gpus(setting: &Setting) -> Result<u32, SlurmError> {
    let mut count = 0_u32;
    for part in setting.value.split(',') {
        let plain = part.split('(').next().unwrap_or_default();
        let mut words = plain.split(':');
        if words.next().is_none_or(|kind| !kind.eq_ignore_ascii_case("gpu")) {
            continue;
        }
        // The number stands last; a type alone means one.
        let last = words.next_back();
        let number = last.and_then(|number| number.parse::<u32>().ok());
        match (last, number) {
            (_, Some(number)) => count = count.saturating_add(number),
            (Some(kind), None) if kind.starts_with(|mark: char| mark.is_ascii_digit()) => {
                return Err(setting.expected("generic resources such as gpu:a100:4"));
            }
            _ => count = count.saturating_add(1),
        }
    }
    Ok(count)
}

/// The nodes of a partition.
fn members(
    entry: &Entry,
    places: &BTreeMap<String, usize>,
    amounts: &[Amount],
    line: u64,
) -> Result<BTreeMap<usize, Amount>, SlurmError> {
    let Some(setting) = entry.get("nodes").filter(|setting| !setting.value.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    if setting.value.eq_ignore_ascii_case("all") {
        return Ok(amounts.iter().copied().enumerate().collect());
    }
    let names = expand(&setting.value)
        .ok_or_else(|| setting.expected("names of nodes such as n[1-4], or ALL"))?;
    let place = |name: String| {
        let place = places.get(&name).copied();
        let place = place.ok_or_else(|| wrong(line, format!("no node is called {name}")))?;
        Ok((place, amounts.get(place).copied().unwrap_or_default()))
    };
    names.into_iter().map(place).collect()
}

fn partition(
    entry: &Entry,
    nodes: BTreeMap<usize, Amount>,
    line: u64,
    scheduling: &Scheduling,
    notes: &mut Vec<Note>,
) -> Result<Partition, SlurmError> {
    let word = |key: &str| entry.get(key).map(|setting| setting.value.to_ascii_lowercase());
    let exclusive = word("oversubscribe").or_else(|| word("shared"));
    let exclusive = exclusive.is_some_and(|word| word == "exclusive");
    let time = |key: &str| -> Result<Option<i64>, SlurmError> {
        let Some(setting) = entry.get(key) else { return Ok(None) };
        if ["unlimited", "infinite", "none"].contains(&setting.value.to_ascii_lowercase().as_str())
        {
            return Ok(None);
        }
        let seconds = conf_seconds(&setting.value);
        seconds.map(Some).ok_or_else(|| setting.expected("a time such as 1-0, or UNLIMITED"))
    };
    let seconds_max = match time("defaulttime")? {
        Some(seconds) => Some(seconds),
        None => time("maxtime")?,
    };
    let billing_milli = match entry.get("tresbillingweights") {
        None => Tres::all(0).with(Resource::Cpu, 1_000),
        Some(weights) => billing(weights, notes)?,
    };
    Ok(Partition {
        line,
        nodes,
        sharing: if exclusive || scheduling.whole_nodes { Sharing::Whole } else { Sharing::Shared },
        priority_factor: entry.get("priorityjobfactor").map_or(Ok(1), Setting::number)?,
        billing_milli,
        seconds_max,
    })
}

fn billing(weights: &Setting, notes: &mut Vec<Note>) -> Result<Tres<u64>, SlurmError> {
    let (found, others) = amounts(&weights.field(), milli).map_err(refused)?;
    notes.extend(others.into_iter().map(|(name, _)| Note {
        part: Part::Conf,
        line: weights.line,
        what: format!("the billing weight of {name} is not taken into account"),
    }));
    if found.of(Resource::Memory) == Some(0) {
        notes.push(Note {
            part: Part::Conf,
            line: weights.line,
            what: "memory is billed at less than a thousandth for a mebibyte, which is taken for \
                   nothing"
                .to_owned(),
        });
    }
    Ok(found.zip(Tres::all(()), |weight, ()| weight.unwrap_or(0)))
}

/// Names a state that does not let jobs run, which is not taken into account.
fn is_up(entry: &Entry, usual: &str, also: &str, line: u64, notes: &mut Vec<Note>) {
    let Some(state) = entry.get("state") else { return };
    if ![usual, also].contains(&state.value.to_ascii_lowercase().as_str()) {
        let what = format!("State={} is not taken into account: it counts as up", state.value);
        notes.push(Note { part: Part::Conf, line, what });
    }
}

fn name_others(entry: &Entry, known: &[&str], notes: &mut Vec<Note>) {
    let unknown = entry.iter().filter(|(key, _)| *key != "state" && !known.contains(&key.as_str()));
    for (_, setting) in unknown {
        notes.push(Note {
            part: Part::Conf,
            line: setting.line,
            what: format!("{}={} is not taken into account", setting.name, setting.value),
        });
    }
}
