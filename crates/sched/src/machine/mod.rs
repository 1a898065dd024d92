//! Partitions of nodes, real jobs, and the one step that schedules them.

mod partition;
mod snapshot;
mod spec;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use units::JobId;

use crate::{Forecast, Second, Ticket};
use partition::Partition;

pub use snapshot::Snapshot;
pub use spec::{
    After, Condition, Effect, Event, Job, MachineError, NodePlacement, NodeSpec, PartitionSpec,
    Placement, Refusal, Request,
};
pub(crate) use why::largest;
pub use why::{Cause, Sooner, Why};

/// The state of a whole machine: what runs where, and who waits for what.
///
/// Sans-IO: [`step`](Machine::step) takes events in and returns what must be done. It reads no
/// clock, and iterates in a fixed order only, so a log of events replays to the same effects.
///
/// ```
/// use sched::{Amount, Effect, Event, Job, Machine, NodeSpec, PartitionSpec, Policy, Request, Sharing};
/// let whole = Amount { cores: 8, memory_mb: 16_000, gpus: 1 };
/// let mut machine = Machine::new([PartitionSpec {
///     name: "gpu".to_owned(),
///     nodes: vec![NodeSpec { name: "here".to_owned(), whole, features: vec![] }],
///     sharing: Sharing::Shared,
///     policy: Policy::Easy,
///     time_limit_seconds_max: None,
/// }])?;
/// let job = Job {
///     id: units::JobId::from_uuid("018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse()?),
///     partition: "gpu".to_owned(),
///     request: Request { nodes: 1, each: Amount { cores: 2, memory_mb: 1_000, gpus: 1 }, features: vec![] },
///     time_limit_seconds: 3_600,
///     priority: 0,
///     after: vec![],
///     held: false,
/// };
/// let effects = machine.step(100, &[Event::Submit(job)]);
/// assert!(matches!(&effects[..], [Effect::Start { placement, .. }] if placement.nodes[0].gpus == [0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Machine {
    partitions: BTreeMap<String, Partition>,
    jobs: BTreeMap<JobId, Entry>,
    /// Whether each job that ended succeeded, until it is forgotten.
    ended: BTreeMap<JobId, bool>,
}

#[derive(Clone, Debug)]
struct Entry {
    job: Job,
    stage: Stage,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Kept back by its owner or an operator.
    Held,
    /// Waiting for other jobs.
    Dependent,
    /// Too large for the nodes that are up.
    Parked,
    /// In the queue.
    Queued(Ticket),
    /// On its nodes since `started`.
    Running { ticket: Ticket, started: Second },
}

impl Machine {
    /// An empty machine.
    ///
    /// # Errors
    /// When names repeat, a partition has no node, or there are more than 64 features.
    pub fn new(specs: impl IntoIterator<Item = PartitionSpec>) -> Result<Self, MachineError> {
        let mut partitions = BTreeMap::new();
        for spec in specs {
            let name = spec.name.clone();
            if partitions.insert(name.clone(), Partition::new(spec)?).is_some() {
                return Err(MachineError::PartitionTwice(name));
            }
        }
        Ok(Self { partitions, jobs: BTreeMap::new(), ended: BTreeMap::new() })
    }

    /// Takes in all `events` of the instant `now`, then starts what may start.
    pub fn step(&mut self, now: Second, events: &[Event]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in events {
            self.apply(now, event, &mut effects);
        }
        self.settle(now, &mut effects);
        self.start(now, &mut effects);
        effects
    }

    /// When a waiting job is expected to start; `None` for one that does not wait in the queue.
    pub fn forecast(&self, job: JobId, now: Second) -> Option<Forecast> {
        let entry = self.jobs.get(&job)?;
        let Stage::Queued(ticket) = entry.stage else { return None };
        self.partitions.get(&entry.job.partition)?.forecast(ticket, now)
    }

    /// The next instant after `now` at which maintenance begins or ends, so that a
    /// [`step`](Machine::step) without events may start something.
    pub fn next(&self, now: Second) -> Option<Second> {
        self.partitions.values().filter_map(|partition| partition.core.next_hold(now)).min()
    }

    /// The jobs of a partition that wait in its queue, first to last.
    pub fn queue(&self, partition: &str) -> Vec<JobId> {
        self.partitions.get(partition).map(Partition::queue).unwrap_or_default()
    }

    /// Jobs that run, with where, in the order of their ids.
    pub fn running(&self) -> impl Iterator<Item = (JobId, &Placement)> {
        self.jobs.iter().filter_map(|(id, entry)| {
            let Stage::Running { ticket, .. } = entry.stage else { return None };
            Some((*id, self.partitions.get(&entry.job.partition)?.placement(ticket)?))
        })
    }

    fn apply(&mut self, now: Second, event: &Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Submit(job) => self.submit(job, effects),
            Event::Adopt { job, placement, started } => {
                self.adopt(job, placement, *started, effects);
            }
            Event::Hold(id) => self.hold(now, *id),
            Event::Release(id) => {
                if let Some(entry) = self.jobs.get_mut(id)
                    && entry.stage == Stage::Held
                {
                    entry.stage = Stage::Dependent;
                }
            }
            Event::End { job, succeeded } => {
                if self.remove(now, *job) {
                    self.ended.insert(*job, *succeeded);
                }
            }
            Event::Cancel(id) => {
                let waits = |entry: &Entry| !matches!(entry.stage, Stage::Running { .. });
                if self.jobs.get(id).is_some_and(waits) && self.remove(now, *id) {
                    self.ended.insert(*id, false);
                }
            }
            Event::Forget(id) => {
                self.ended.remove(id);
            }
            Event::Maintain { partition, nodes, from, until } => {
                if let Some(partition) = self.partitions.get_mut(partition) {
                    partition.maintain(nodes, *from, *until);
                }
            }
            Event::NodeDown { partition, node } => self.set_up(now, partition, node, false),
            Event::NodeUp { partition, node } => self.set_up(now, partition, node, true),
        }
    }

    fn submit(&mut self, job: &Job, effects: &mut Vec<Effect>) {
        if let Err(refusal) = self.admissible(job) {
            effects.push(Effect::Refuse { job: job.id, refusal });
            return;
        }
        let stage = if job.held { Stage::Held } else { Stage::Dependent };
        self.jobs.insert(job.id, Entry { job: job.clone(), stage });
    }

    fn admissible(&self, job: &Job) -> Result<(), Refusal> {
        if self.jobs.contains_key(&job.id) || self.ended.contains_key(&job.id) {
            return Err(Refusal::KnownAlready);
        }
        let known = |after: &&After| {
            !self.jobs.contains_key(&after.job) && !self.ended.contains_key(&after.job)
        };
        if let Some(after) = job.after.iter().find(known) {
            return Err(Refusal::UnknownDependency(after.job));
        }
        self.partitions.get(&job.partition).ok_or(Refusal::UnknownPartition)?.admissible(job)
    }

    fn adopt(
        &mut self,
        job: &Job,
        placement: &Placement,
        started: Second,
        effects: &mut Vec<Effect>,
    ) {
        let partition = self.partitions.get_mut(&job.partition).ok_or(Refusal::UnknownPartition);
        let adopted = match partition {
            Ok(_) if self.jobs.contains_key(&job.id) => Err(Refusal::KnownAlready),
            Ok(partition) => partition.adopt(job, placement, started),
            Err(refusal) => Err(refusal),
        };
        match adopted {
            Ok(ticket) => {
                let stage = Stage::Running { ticket, started };
                self.jobs.insert(job.id, Entry { job: job.clone(), stage });
            }
            Err(refusal) => effects.push(Effect::Refuse { job: job.id, refusal }),
        }
    }

    fn hold(&mut self, now: Second, id: JobId) {
        let Some(entry) = self.jobs.get_mut(&id) else { return };
        let partition = self.partitions.get_mut(&entry.job.partition);
        match (entry.stage.clone(), partition) {
            (Stage::Running { .. }, _) => return,
            (Stage::Queued(ticket), Some(partition)) => partition.remove(now, ticket, None),
            _ => {}
        }
        entry.stage = Stage::Held;
    }

    /// Takes a job out of the machine, whether it waits or runs.
    fn remove(&mut self, now: Second, id: JobId) -> bool {
        let Some(entry) = self.jobs.remove(&id) else { return false };
        let partition = self.partitions.get_mut(&entry.job.partition);
        match (entry.stage, partition) {
            (Stage::Queued(ticket), Some(partition)) => partition.remove(now, ticket, None),
            (Stage::Running { ticket, started }, Some(partition)) => {
                let used = now.saturating_sub(started);
                partition.remove(now, ticket, Some((used, entry.job.time_limit_seconds)));
            }
            _ => {}
        }
        true
    }

    fn set_up(&mut self, now: Second, partition: &str, node: &str, up: bool) {
        let Some(found) = self.partitions.get_mut(partition) else { return };
        found.set_up(node, up);
        for entry in self.jobs.values_mut().filter(|entry| entry.job.partition == partition) {
            if entry.stage == Stage::Parked {
                entry.stage = Stage::Dependent;
            }
            if let Stage::Queued(ticket) = entry.stage
                && !found.fits_when_empty(&entry.job)
            {
                found.remove(now, ticket, None);
                entry.stage = Stage::Parked;
            }
        }
    }

    /// Moves jobs whose dependencies are met into their queues, and drops those whose never will.
    fn settle(&mut self, now: Second, effects: &mut Vec<Effect>) {
        loop {
            let mut dropped: BTreeSet<JobId> = BTreeSet::new();
            for (id, entry) in &mut self.jobs {
                if entry.stage != Stage::Dependent {
                    continue;
                }
                let broken = entry.job.after.iter().find(|after| after.is_broken(&self.ended));
                if let Some(after) = broken {
                    effects.push(Effect::Abandon { job: *id, after: after.job });
                    dropped.insert(*id);
                } else if entry.job.after.iter().all(|after| after.is_met(&self.ended))
                    && let Some(partition) = self.partitions.get_mut(&entry.job.partition)
                {
                    entry.stage = partition.enqueue(now, &entry.job);
                }
            }
            if dropped.is_empty() {
                return;
            }
            for id in dropped {
                self.jobs.remove(&id);
                self.ended.insert(id, false);
            }
        }
    }

    fn start(&mut self, now: Second, effects: &mut Vec<Effect>) {
        for partition in self.partitions.values_mut() {
            for (ticket, job, placement) in partition.pass(now) {
                if let Some(entry) = self.jobs.get_mut(&job) {
                    entry.stage = Stage::Running { ticket, started: now };
                }
                effects.push(Effect::Start { job, placement });
            }
        }
    }
}
