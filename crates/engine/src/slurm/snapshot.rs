//! The cluster as the core's scheduler sees it.

use std::collections::BTreeMap;

use sched::{Amount, NodePlacement, NodeSpec, PartitionSpec, Placement, Policy, Sharing, Snapshot};
use twin::slurm::hostlist;
use units::JobId;
use uuid::Uuid;

use super::state::Phase;
use super::transport::{Load, Node, SlurmId};
use crate::Error;

/// What keeps a job from being in line, by the beginning of Slurm's reason: somebody holds it back,
/// it waits for another, for a time, or for something that the site lacks.
const NOT_IN_LINE: [&str; 8] = [
    "JobHeld",
    "Dependency",
    "BeginTime",
    "PartitionConfig",
    "BadConstraints",
    "DependencyNeverSatisfied",
    "ReqNodeNotAvail",
    "PartitionInactive",
];

/// The partition that is shown: the one named, or the cluster's default, or its first.
pub(super) fn shown(nodes: &[Node], named: Option<&str>) -> Result<String, Error> {
    let default = || nodes.iter().find_map(|node| node.default_partition.as_deref());
    let first = || nodes.iter().find_map(|node| node.partitions.first().map(String::as_str));
    let found = named.or_else(default).or_else(first);
    found
        .map(str::to_owned)
        .ok_or_else(|| Error::Refused("the cluster has no partition".to_owned()))
}

/// The nodes of the partition that is shown, as far as they are alike: those of the shape that most of
/// them have, for a partition is what jobs may be spread over without looking at each node.
pub(super) fn alike<'n>(nodes: &'n [Node], named: Option<&str>) -> Vec<&'n Node> {
    let Ok(partition) = shown(nodes, named) else { return Vec::new() };
    let shape = |node: &Node| (node.cores, node.memory_mb, node.gpus);
    let mut of_shape: BTreeMap<_, Vec<&Node>> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.partitions.contains(&partition)) {
        of_shape.entry(shape(node)).or_default().push(node);
    }
    of_shape.into_values().max_by_key(Vec::len).unwrap_or_default()
}

/// What runs and waits in a partition; `ours` knows our jobs by Slurm's numbers.
pub(super) fn of(
    partition: &str,
    nodes: &[Node],
    load: &[Load],
    ours: &BTreeMap<SlurmId, JobId>,
) -> Snapshot {
    let nodes: Vec<&Node> =
        nodes.iter().filter(|node| node.partitions.iter().any(|name| name == partition)).collect();
    let mut free: BTreeMap<&str, Free> =
        nodes.iter().map(|node| (node.name.as_str(), Free::default())).collect();
    let (mut running, mut waiting) = (Vec::new(), Vec::new());
    for one in load {
        let id = ours.get(&one.id).copied().unwrap_or_else(|| stranger(one.id));
        let job = job(id, partition, one);
        match (one.phase, one.started) {
            (Phase::Active, Some(started)) => {
                if let Some(placement) = placement(one, &mut free) {
                    running.push((job, placement, started.as_second()));
                }
            }
            (Phase::Waiting, _) if is_in_line(one, partition) => waiting.push((one, job)),
            _ => {}
        }
    }
    waiting.sort_by_key(|(one, _)| (std::cmp::Reverse(one.priority), one.id));
    Snapshot {
        partition: PartitionSpec {
            name: partition.to_owned(),
            nodes: nodes.iter().map(|node| spec(node)).collect(),
            sharing: Sharing::Shared,
            policy: Policy::Easy,
            time_limit_seconds_max: None,
        },
        down: nodes
            .iter()
            .filter(|node| node.away.is_some())
            .map(|node| node.name.clone())
            .collect(),
        running,
        waiting: waiting.into_iter().map(|(_, job)| job).collect(),
    }
}

/// The numbers of cores and GPUs of a node that are given out.
#[derive(Default)]
struct Free {
    cores: u32,
    gpus: u32,
}

fn spec(node: &Node) -> NodeSpec {
    let whole = Amount { cores: node.cores, memory_mb: node.memory_mb, gpus: node.gpus };
    NodeSpec { name: node.name.clone(), whole, features: node.features.clone() }
}

fn each(one: &Load) -> Amount {
    let nodes = one.nodes.max(1);
    Amount {
        cores: one.cores.div_ceil(nodes),
        memory_mb: one.memory_mb.div_ceil(u64::from(nodes)),
        gpus: one.gpus.div_ceil(nodes),
    }
}

fn job(id: JobId, partition: &str, one: &Load) -> sched::Job {
    sched::Job {
        id,
        partition: partition.to_owned(),
        request: sched::Request { nodes: one.nodes, each: each(one), features: Vec::new() },
        time_limit_seconds: one.limit_seconds,
        priority: one.priority,
        after: Vec::new(),
        held: false,
    }
}

/// Where a job runs; which of a node's cores it holds Slurm does not say in one question for all
/// jobs, and to a forecast one is as good as another.
fn placement(one: &Load, free: &mut BTreeMap<&str, Free>) -> Option<Placement> {
    let each = each(one);
    let mut nodes = Vec::new();
    for name in hostlist::expand(&one.held)? {
        let Some(node) = free.get_mut(name.as_str()) else { continue };
        let (core, gpu) = (node.cores, node.gpus);
        node.cores = core.checked_add(each.cores)?;
        node.gpus = gpu.checked_add(each.gpus)?;
        nodes.push(NodePlacement {
            node: name,
            cores: (core..node.cores).collect(),
            memory_mb: each.memory_mb,
            gpus: (gpu..node.gpus).collect(),
        });
    }
    (!nodes.is_empty()).then_some(Placement { nodes })
}

fn is_in_line(one: &Load, partition: &str) -> bool {
    one.partitions.iter().any(|name| name == partition)
        && !NOT_IN_LINE.iter().any(|reason| one.reason.starts_with(reason))
}

/// An id for a job that is not the hub's; the hub does not take it for one of its own.
fn stranger(id: SlurmId) -> JobId {
    JobId::from_uuid(Uuid::from_u128(id.0.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Condition;
    use crate::slurm::transport::Away;

    fn node(name: &str, up: bool) -> Node {
        Node {
            name: name.to_owned(),
            away: (!up).then(|| Away {
                condition: Condition::Down,
                reason: String::new(),
                since: None,
            }),
            cores: 16,
            memory_mb: 64_000,
            gpus: 2,
            gpu_model: "test".to_owned(),
            features: Vec::new(),
            partitions: vec!["batch".to_owned()],
            default_partition: Some("batch".to_owned()),
        }
    }

    fn load(id: u32, phase: Phase, priority: i64, held: &str) -> Load {
        Load {
            id: SlurmId(id),
            phase,
            reason: "Resources".to_owned(),
            partitions: vec!["batch".to_owned()],
            nodes: 2,
            cores: 10,
            memory_mb: 1_001,
            gpus: 2,
            limit_seconds: 600,
            priority,
            started: (phase == Phase::Active).then(|| units::Timestamp::from_second(100).unwrap()),
            held: held.to_owned(),
        }
    }

    #[test]
    fn what_runs_holds_its_part_and_what_waits_stands_in_line() {
        let nodes = [node("n1", true), node("n2", true), node("n3", false)];
        let ours: JobId = "0189abcd-0000-7000-8000-000000000001".parse().unwrap();
        let mut held = load(5, Phase::Waiting, 9, "");
        held.reason = "JobHeldUser".to_owned();
        let load = [
            load(1, Phase::Active, 1, "n[1-2]"),
            load(2, Phase::Active, 1, "n[2-3]"),
            load(3, Phase::Waiting, 5, ""),
            load(4, Phase::Waiting, 7, ""),
            held,
        ];
        let seen = of("batch", &nodes, &load, &BTreeMap::from([(SlurmId(4), ours)]));
        assert_eq!(seen.down, ["n3"]);
        let [(_, first, since), (_, second, _)] = &seen.running[..] else { panic!("{seen:?}") };
        assert_eq!(*since, 100);
        assert_eq!(first.nodes[1].cores, [0, 1, 2, 3, 4]);
        assert_eq!(second.nodes[0].cores, [5, 6, 7, 8, 9]);
        assert_eq!((first.nodes[0].memory_mb, second.nodes[1].gpus.clone()), (501, vec![0]));
        assert_eq!(seen.waiting[0].id, ours, "the highest goes first");
        assert_eq!(seen.waiting.len(), 2, "what is held back is not in line");
        assert!(seen.machine(200).is_ok_and(|machine| machine.running().count() == 2));
    }

    #[test]
    fn the_default_partition_is_shown_unless_another_is_named() {
        let nodes = [node("n1", true)];
        assert_eq!(shown(&nodes, None).unwrap(), "batch");
        assert_eq!(shown(&nodes, Some("gpu")).unwrap(), "gpu");
        assert!(shown(&[], None).is_err());
    }

    #[test]
    fn what_a_partition_has_are_the_nodes_that_are_alike() {
        let other = Node { cores: 64, ..node("big", true) };
        let elsewhere = Node { partitions: vec!["gpu".to_owned()], ..node("g1", true) };
        let nodes = [other, node("n1", true), node("n2", false), elsewhere];
        let names = |named| {
            let nodes = alike(&nodes, named);
            nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["n1", "n2"]);
        assert_eq!(names(Some("gpu")), ["g1"]);
        assert!(alike(&[], None).is_empty());
    }
}
