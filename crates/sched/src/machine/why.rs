//! Why a job waits, and what would start it sooner.

use units::JobId;

use super::spec::Condition;
use super::{Entry, Machine, Stage};
use crate::{NodesDemand, Policy, Pool, Second, Ticket};

/// What keeps a job waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is kept back.
    Held,
    /// It waits for another job.
    Dependency {
        /// The other job.
        job: JobId,
        /// What must become of it.
        condition: Condition,
    },
    /// Nodes that it needs are down.
    NodesDown,
    /// It asks for more than is free now.
    NotFree {
        /// Nodes that could take it now.
        nodes_free: u32,
        /// Nodes it asks for.
        nodes_asked: u32,
    },
    /// It would run into maintenance, or what it needs is under maintenance.
    Maintenance {
        /// When that begins or ends.
        turns: Second,
    },
    /// It would fit, but start later than it must be out of the way of another.
    WouldDelay {
        /// The job that has been promised a start.
        job: JobId,
        /// That start.
        promised: Second,
    },
    /// Jobs stand before it in the queue.
    Behind {
        /// How many.
        jobs: u64,
    },
}

/// What would start a job at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sooner {
    /// A time limit no longer than this.
    TimeLimit {
        /// In seconds.
        seconds_max: Second,
    },
    /// No more than this many nodes.
    Nodes {
        /// How many.
        nodes_max: u32,
    },
}

/// Why a job waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// What keeps it waiting, most direct first; never empty.
    pub causes: Vec<Cause>,
    /// Changes each of which would start it now, found by trying them.
    pub sooner: Vec<Sooner>,
}

impl Machine {
    /// Why a job waits; `None` for one that is not here or runs.
    pub fn why(&self, job: JobId, now: Second) -> Option<Why> {
        let entry = self.jobs.get(&job)?;
        let alone = |cause| Some(Why { causes: vec![cause], sooner: Vec::new() });
        match entry.stage {
            Stage::Held => alone(Cause::Held),
            Stage::Parked => alone(Cause::NodesDown),
            Stage::Running { .. } => None,
            Stage::Dependent => {
                let open = entry.job.after.iter().filter(|after| !after.is_met(&self.ended));
                let causes = open
                    .map(|after| Cause::Dependency { job: after.job, condition: after.condition });
                Some(Why { causes: causes.collect(), sooner: Vec::new() })
            }
            Stage::Queued(ticket) => self.why_queued(entry, ticket, now),
        }
    }

    fn why_queued(&self, entry: &Entry, ticket: Ticket, now: Second) -> Option<Why> {
        let partition = self.partitions.get(&entry.job.partition)?;
        let demand = partition.demand(&entry.job);
        let pool = partition.core.pool();
        let mut causes = Vec::new();
        let limit = entry.job.time_limit_seconds;
        if let Some(turns) = partition.core.held_back_until(now, limit, &demand) {
            causes.push(Cause::Maintenance { turns });
        } else if pool.place(&demand).is_none() {
            causes.push(Cause::NotFree {
                nodes_free: most_nodes(&demand, |less| pool.place(less).is_some()),
                nodes_asked: demand.nodes,
            });
        }
        let ahead = partition.core.waiting().take_while(|(other, _)| *other != ticket).count();
        if ahead > 0 {
            if causes.is_empty()
                && partition.core.policy() == Policy::Easy
                && let Some(promised) = partition.core.promised_start()
                && let Some(&job) = partition.queue().first()
            {
                causes.push(Cause::WouldDelay { job, promised });
            }
            causes.push(Cause::Behind { jobs: u64::try_from(ahead).unwrap_or(u64::MAX) });
        }
        let sooner = self.sooner(entry, ticket, now);
        Some(Why { causes, sooner })
    }

    /// Tries a shorter limit and fewer nodes on a copy of the core.
    fn sooner(&self, entry: &Entry, ticket: Ticket, now: Second) -> Vec<Sooner> {
        let Some(partition) = self.partitions.get(&entry.job.partition) else { return Vec::new() };
        let demand = partition.demand(&entry.job);
        let limit = entry.job.time_limit_seconds;
        let starts = |demand: &NodesDemand, seconds| {
            partition.core.starts_if_changed(now, ticket, *demand, seconds)
        };
        let mut sooner = Vec::new();
        let seconds_max = largest(limit, |seconds| starts(&demand, seconds));
        if seconds_max > 0 {
            sooner.push(Sooner::TimeLimit { seconds_max });
        }
        let nodes_max = most_nodes(&demand, |less| starts(less, limit));
        if nodes_max > 0 {
            sooner.push(Sooner::Nodes { nodes_max });
        }
        sooner
    }
}

/// The largest number of nodes below `demand`'s for which `holds`, or zero.
fn most_nodes(demand: &NodesDemand, holds: impl Fn(&NodesDemand) -> bool) -> u32 {
    let found = largest(i64::from(demand.nodes), |nodes| {
        holds(&NodesDemand { nodes: u32::try_from(nodes).unwrap_or(u32::MAX), ..*demand })
    });
    u32::try_from(found).unwrap_or_default()
}

/// The largest number from 1 up to, but not including, `limit` for which `holds`, given that it
/// holds for all below as well; zero if for none.
pub(crate) fn largest(limit: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut good, mut bad) = (0, limit.max(1));
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if holds(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}
