//! What is on a partition at one instant, enough to go on from there elsewhere.

use super::spec::{Event, Job, MachineError, PartitionSpec, Placement};
use super::{Machine, Stage};
use crate::{Amount, Second};

/// A partition with all that runs and waits in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its nodes and policy.
    pub partition: PartitionSpec,
    /// Names of nodes that may not be used for new jobs.
    pub down: Vec<String>,
    /// What runs, where, and since when.
    pub running: Vec<(Job, Placement, Second)>,
    /// What waits for room, first to last.
    pub waiting: Vec<Job>,
}

impl Snapshot {
    /// A machine of this partition alone, on which nothing has started since. Jobs that cannot
    /// be where the snapshot has them are left out.
    ///
    /// # Errors
    /// When the partition cannot be described so.
    pub fn machine(&self, now: Second) -> Result<Machine, MachineError> {
        let mut machine = Machine::new([self.partition.clone()])?;
        let mut left_out = Vec::new();
        let partition = &self.partition.name;
        let down = self.down.iter().map(|node| (partition.clone(), node.clone()));
        let down = down.map(|(partition, node)| Event::NodeDown { partition, node });
        let running = self.running.iter().map(|(job, placement, started)| Event::Adopt {
            job: job.clone(),
            placement: placement.clone(),
            started: *started,
        });
        for event in running.chain(down) {
            machine.apply(now, &event, &mut left_out);
        }
        for job in &self.waiting {
            machine.enqueue(job, now);
        }
        Ok(machine)
    }
}

impl Machine {
    /// What runs and waits in a partition; `None` when there is none of this name. Jobs that are
    /// kept back, or wait for others, are not in line and not in the snapshot.
    pub fn snapshot(&self, partition: &str) -> Option<Snapshot> {
        let found = self.partitions.get(partition)?;
        let here = || self.jobs.values().filter(|entry| entry.job.partition == partition);
        let running = here().filter_map(|entry| match entry.stage {
            Stage::Running { ticket, started } => {
                Some((entry.job.clone(), found.placement(ticket)?.clone(), started))
            }
            Stage::Held | Stage::Dependent | Stage::Parked | Stage::Queued(_) => None,
        });
        let queued = found.queue().into_iter().filter_map(|id| self.jobs.get(&id));
        let parked = here().filter(|entry| entry.stage == Stage::Parked);
        Some(Snapshot {
            partition: found.spec().clone(),
            down: found.down().map(str::to_owned).collect(),
            running: running.collect(),
            waiting: queued.chain(parked).map(|entry| entry.job.clone()).collect(),
        })
    }

    /// Puts a job in line without starting anything; whether it could ever run here.
    pub fn enqueue(&mut self, job: &Job, now: Second) -> bool {
        let mut refused = Vec::new();
        self.submit(job, &mut refused);
        self.settle(now, &mut refused);
        refused.is_empty()
    }

    /// Lets forecasts know that a job of the partition used so much of its time limit, as if it
    /// had run here.
    pub fn remember(&mut self, partition: &str, used: Second, limit: Second) {
        if let Some(partition) = self.partitions.get_mut(partition) {
            partition.remember(used, limit);
        }
    }

    /// What is free on the nodes of a partition that are up, all together.
    pub fn free(&self, partition: &str) -> Option<Amount> {
        Some(self.partitions.get(partition)?.free())
    }
}
