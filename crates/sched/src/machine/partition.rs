//! One partition: the scheduling core over its nodes, and which core and GPU is whose.

use std::collections::{BTreeMap, BTreeSet};

use units::JobId;

use super::Stage;
use super::spec::{Job, MachineError, NodePlacement, PartitionSpec, Placement, Refusal};
use crate::{
    Amount, Core, Forecast, Nodes, NodesDemand, NodesGrant, Overrequest, Pool, Second, Task, Ticket,
};

#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) core: Core<Nodes>,
    spec: PartitionSpec,
    nodes: Vec<Node>,
    features: Vec<String>,
    holders: BTreeMap<Ticket, JobId>,
    placements: BTreeMap<Ticket, Placement>,
    history: Overrequest,
}

/// Which parts of a node are free, by number.
#[derive(Clone, Debug)]
struct Node {
    name: String,
    cores: BTreeSet<u32>,
    gpus: BTreeSet<u32>,
}

impl Partition {
    pub(super) fn new(spec: PartitionSpec) -> Result<Self, MachineError> {
        let features: BTreeSet<&String> =
            spec.nodes.iter().flat_map(|node| &node.features).collect();
        let names: BTreeSet<&String> = spec.nodes.iter().map(|node| &node.name).collect();
        let features: Vec<String> = features.into_iter().cloned().collect();
        if spec.nodes.is_empty() {
            return Err(MachineError::NoNodes(spec.name));
        }
        if features.len() > 64 {
            return Err(MachineError::TooManyFeatures(spec.name));
        }
        if names.len() < spec.nodes.len() {
            let twice =
                |name: &&String| spec.nodes.iter().filter(|node| node.name == **name).count() > 1;
            return Err(MachineError::NodeTwice(
                names.into_iter().find(twice).cloned().unwrap_or_default(),
            ));
        }
        let bits = |asked: &[String]| feature_bits(&features, asked).unwrap_or_default();
        let pool = Nodes::new(
            spec.sharing,
            spec.nodes.iter().map(|node| (node.whole, bits(&node.features))),
        );
        let nodes = spec.nodes.iter().map(|node| Node {
            name: node.name.clone(),
            cores: (0..node.whole.cores).collect(),
            gpus: (0..node.whole.gpus).collect(),
        });
        Ok(Self {
            core: Core::new(pool, spec.policy),
            nodes: nodes.collect(),
            spec,
            features,
            holders: BTreeMap::new(),
            placements: BTreeMap::new(),
            history: Overrequest::default(),
        })
    }

    pub(super) fn admissible(&self, job: &Job) -> Result<(), Refusal> {
        let known = |feature: &&String| !self.features.contains(*feature);
        if let Some(feature) = job.request.features.iter().find(known) {
            return Err(Refusal::UnknownFeature(feature.clone()));
        }
        let each = job.request.each;
        if job.request.nodes == 0 || each.cores == 0 || job.time_limit_seconds <= 0 {
            return Err(Refusal::AsksNothing);
        }
        if let Some(seconds_max) = self.spec.time_limit_seconds_max
            && job.time_limit_seconds > seconds_max
        {
            return Err(Refusal::TooLong { seconds_max });
        }
        let all = self.core.pool().repaired();
        all.place(&self.demand(job)).map(|_| ()).ok_or(Refusal::NeverFits)
    }

    /// Whether the job would fit if nothing else ran on the nodes that are up.
    pub(super) fn fits_when_empty(&self, job: &Job) -> bool {
        self.core.pool().emptied().place(&self.demand(job)).is_some()
    }

    pub(super) fn demand(&self, job: &Job) -> NodesDemand {
        NodesDemand {
            nodes: job.request.nodes,
            each: job.request.each,
            features: feature_bits(&self.features, &job.request.features).unwrap_or_default(),
        }
    }

    fn task(&self, job: &Job) -> Task<NodesDemand> {
        Task {
            demand: self.demand(job),
            estimate_seconds: job.time_limit_seconds,
            priority: job.priority,
            group: 0,
        }
    }

    /// Puts the job in the queue, or aside while too few nodes are up.
    pub(super) fn enqueue(&mut self, now: Second, job: &Job) -> Stage {
        if !self.fits_when_empty(job) {
            return Stage::Parked;
        }
        let ticket = self.core.submit(now, self.task(job));
        self.holders.insert(ticket, job.id);
        Stage::Queued(ticket)
    }

    pub(super) fn adopt(
        &mut self,
        job: &Job,
        placement: &Placement,
        started: Second,
    ) -> Result<Ticket, Refusal> {
        let mut grant: NodesGrant = Vec::new();
        for part in &placement.nodes {
            let found = self.nodes.iter().enumerate().find(|(_, node)| node.name == part.node);
            let (index, node) = found.ok_or(Refusal::PlacementTaken)?;
            let given = Amount {
                cores: u32::try_from(part.cores.len()).unwrap_or(u32::MAX),
                memory_mb: part.memory_mb,
                gpus: u32::try_from(part.gpus.len()).unwrap_or(u32::MAX),
            };
            let free = part.cores.iter().all(|core| node.cores.contains(core))
                && part.gpus.iter().all(|gpu| node.gpus.contains(gpu))
                && self.core.pool().free_even_if_down(index).covers(&given);
            if !free || grant.iter().any(|(other, _)| *other == index) {
                return Err(Refusal::PlacementTaken);
            }
            grant.push((index, given));
        }
        for ((index, _), part) in grant.iter().zip(&placement.nodes) {
            if let Some(node) = self.nodes.get_mut(*index) {
                part.cores.iter().for_each(|core| _ = node.cores.remove(core));
                part.gpus.iter().for_each(|gpu| _ = node.gpus.remove(gpu));
            }
        }
        let ticket = self.core.adopt(started, self.task(job), grant);
        self.holders.insert(ticket, job.id);
        self.placements.insert(ticket, placement.clone());
        Ok(ticket)
    }

    /// Takes a job out; `used` says how long it ran and might have run, if it did.
    pub(super) fn remove(&mut self, now: Second, ticket: Ticket, used: Option<(Second, Second)>) {
        self.core.remove(now, ticket);
        self.holders.remove(&ticket);
        if let Some((used, limit)) = used {
            self.remember(used, limit);
        }
        let Some(placement) = self.placements.remove(&ticket) else { return };
        for part in placement.nodes {
            if let Some(node) = self.nodes.iter_mut().find(|node| node.name == part.node) {
                node.cores.extend(part.cores);
                node.gpus.extend(part.gpus);
            }
        }
    }

    pub(super) fn maintain(&mut self, nodes: &[String], from: Second, until: Second) {
        let named = self.nodes.iter().enumerate().filter(|(_, node)| nodes.contains(&node.name));
        let named = self.core.pool().named(named.map(|(index, _)| index));
        self.core.hold(from, until, named);
    }

    pub(super) fn set_up(&mut self, node: &str, up: bool) {
        if let Some(index) = self.nodes.iter().position(|found| found.name == node) {
            self.core.amend(|pool| pool.set_up(index, up));
        }
    }

    /// How the partition is built.
    pub(super) const fn spec(&self) -> &PartitionSpec {
        &self.spec
    }

    /// Names of the nodes that are down.
    pub(super) fn down(&self) -> impl Iterator<Item = &str> {
        let down = |(index, _): &(usize, &Node)| !self.core.pool().is_up(*index);
        self.nodes.iter().enumerate().filter(down).map(|(_, node)| node.name.as_str())
    }

    /// What is free on all nodes that are up together.
    pub(super) fn free(&self) -> Amount {
        let pool = self.core.pool();
        (0..pool.len()).map(|node| pool.free(node)).fold(Amount::default(), Amount::plus)
    }

    /// Counts a job that ran for `used` of the `limit` seconds it might.
    pub(super) fn remember(&mut self, used: Second, limit: Second) {
        self.history.record(used, limit);
    }

    pub(super) fn pass(&mut self, now: Second) -> Vec<(Ticket, JobId, Placement)> {
        let mut started = Vec::new();
        self.core.pass(now, &mut started);
        let mut placed = Vec::new();
        for ticket in started {
            let grant = self.core.grant(ticket).cloned().unwrap_or_default();
            let placement = self.pin(&grant);
            self.placements.insert(ticket, placement.clone());
            if let Some(job) = self.holders.get(&ticket) {
                placed.push((ticket, *job, placement));
            }
        }
        placed
    }

    /// Chooses the lowest free cores and GPUs for a grant.
    fn pin(&mut self, grant: &NodesGrant) -> Placement {
        let mut nodes = Vec::new();
        for (index, given) in grant {
            if let Some(node) = self.nodes.get_mut(*index) {
                nodes.push(NodePlacement {
                    node: node.name.clone(),
                    cores: take_lowest(&mut node.cores, given.cores),
                    gpus: take_lowest(&mut node.gpus, given.gpus),
                    memory_mb: given.memory_mb,
                });
            }
        }
        Placement { nodes }
    }

    pub(super) fn placement(&self, ticket: Ticket) -> Option<&Placement> {
        self.placements.get(&ticket)
    }

    pub(super) fn queue(&self) -> Vec<JobId> {
        self.core.waiting().filter_map(|(ticket, _)| self.holders.get(&ticket).copied()).collect()
    }

    pub(super) fn forecast(&self, ticket: Ticket, now: Second) -> Option<Forecast> {
        let at = |percent| self.core.starts_if(now, percent).get(&ticket).copied();
        let (short, usual) = (self.history.percentile(10), self.history.percentile(50));
        let (a, b, c) = (at(short)?, at(usual)?, at(100)?);
        let mut range = [a, b, c];
        range.sort_unstable();
        let [earliest, likely, latest] = range;
        Some(Forecast { earliest, likely, latest })
    }
}

fn take_lowest(free: &mut BTreeSet<u32>, count: u32) -> Vec<u32> {
    (0..count).map_while(|_| free.pop_first()).collect()
}

/// `asked` as bits in the order of `known`; `None` when one is not known.
fn feature_bits(known: &[String], asked: &[String]) -> Option<u64> {
    asked.iter().try_fold(0, |bits, feature| {
        let index = known.iter().position(|name| name == feature)?;
        Some(bits | (1 << index))
    })
}
