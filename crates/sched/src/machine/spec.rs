//! What goes into a [`Machine`](super::Machine) and what comes out of it.

use std::collections::BTreeMap;

use units::JobId;

use crate::{Amount, Policy, Second, Sharing};

/// A node as it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its name, unique within the partition.
    pub name: String,
    /// All that it has.
    pub whole: Amount,
    /// What jobs may ask for by name.
    pub features: Vec<String>,
}

/// Nodes under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSpec {
    /// Its name, unique within the machine.
    pub name: String,
    /// Its nodes; a node is part of one partition only.
    pub nodes: Vec<NodeSpec>,
    /// Whether jobs share nodes.
    pub sharing: Sharing,
    /// Who may start before whom.
    pub policy: Policy,
    /// The longest time limit that a job may ask, if there is one.
    pub time_limit_seconds_max: Option<Second>,
}

/// Why a machine cannot be described so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// Two partitions with one name.
    #[error("partition `{0}` is described twice")]
    PartitionTwice(String),
    /// Two nodes with one name.
    #[error("node `{0}` is described twice")]
    NodeTwice(String),
    /// A partition without nodes.
    #[error("partition `{0}` has no nodes")]
    NoNodes(String),
    /// More features than can be told apart.
    #[error("partition `{0}` has more than 64 features")]
    TooManyFeatures(String),
}

/// What a job needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How many nodes.
    pub nodes: u32,
    /// What it needs on each of them, at least one core.
    pub each: Amount,
    /// Features that each of them must have.
    pub features: Vec<String>,
}

/// A job as the scheduler sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its identity.
    pub id: JobId,
    /// Where it is to run.
    pub partition: String,
    /// What it needs.
    pub request: Request,
    /// How long it may run.
    pub time_limit_seconds: Second,
    /// The highest goes first.
    pub priority: i64,
    /// What must happen to other jobs before; those must be known to the machine.
    pub after: Vec<After>,
    /// Whether it is kept back until released.
    pub held: bool,
}

/// A dependency on another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// The other job.
    pub job: JobId,
    /// What must become of it.
    pub condition: Condition,
}

/// What must become of a job that another depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It ends, no matter how.
    Ends,
    /// It ends well.
    Succeeds,
    /// It fails, or is cancelled.
    Fails,
}

impl After {
    pub(super) fn is_met(&self, ended: &BTreeMap<JobId, bool>) -> bool {
        match (self.condition, ended.get(&self.job)) {
            (Condition::Ends, Some(_))
            | (Condition::Succeeds, Some(true))
            | (Condition::Fails, Some(false)) => true,
            (_, Some(_) | None) => false,
        }
    }

    pub(super) fn is_broken(&self, ended: &BTreeMap<JobId, bool>) -> bool {
        ended.contains_key(&self.job) && !self.is_met(ended)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A job arrives.
    Submit(Job),
    /// A job is found running, as after a restart of the caller.
    Adopt {
        /// The job.
        job: Job,
        /// Where it runs.
        placement: Placement,
        /// Since when.
        started: Second,
    },
    /// A waiting job is kept back; one that runs goes on.
    Hold(JobId),
    /// A job is no longer kept back; it stands behind those that arrived meanwhile.
    Release(JobId),
    /// A running job has ended and its resources are free.
    End {
        /// The job.
        job: JobId,
        /// Whether it ended well.
        succeeded: bool,
    },
    /// A waiting job is withdrawn; one that runs goes on until [`Event::End`].
    Cancel(JobId),
    /// No later job will depend on this one, which has ended.
    Forget(JobId),
    /// A node may not be used for new jobs.
    NodeDown {
        /// Its partition.
        partition: String,
        /// Its name.
        node: String,
    },
    /// Nodes are out of use between two instants, as for maintenance; nobody starts there who could
    /// still run by then, and what runs there all the same goes on.
    Maintain {
        /// Their partition.
        partition: String,
        /// Their names.
        nodes: Vec<String>,
        /// From when on.
        from: Second,
        /// Until when.
        until: Second,
    },
    /// A node may be used again.
    NodeUp {
        /// Its partition.
        partition: String,
        /// Its name.
        node: String,
    },
}

/// What the caller must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the job there.
    Start {
        /// The job.
        job: JobId,
        /// Where.
        placement: Placement,
    },
    /// Tell its owner that the job was not taken in.
    Refuse {
        /// The job.
        job: JobId,
        /// Why not.
        refusal: Refusal,
    },
    /// Tell its owner that the job will never run, because of what became of another.
    Abandon {
        /// The job.
        job: JobId,
        /// The other.
        after: JobId,
    },
}

/// Why a job was not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A job with this id is or was here.
    KnownAlready,
    /// There is no such partition.
    UnknownPartition,
    /// A job it depends on is not known.
    UnknownDependency(JobId),
    /// No node has this feature.
    UnknownFeature(String),
    /// It asks for no node, for no core on its nodes, or for no time.
    AsksNothing,
    /// Its time limit is beyond the partition's.
    TooLong {
        /// The longest time limit allowed.
        seconds_max: Second,
    },
    /// It would not fit even if everything were up and free.
    NeverFits,
    /// The resources it is said to run on are not there, or not free.
    PlacementTaken,
}

/// Where a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Its nodes, in the order of the partition.
    pub nodes: Vec<NodePlacement>,
}

/// What a job has of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlacement {
    /// The node's name.
    pub node: String,
    /// Its cores, by number, ascending.
    pub cores: Vec<u32>,
    /// Its GPUs, by number, ascending.
    pub gpus: Vec<u32>,
    /// Its memory in mebibytes.
    pub memory_mb: u64,
}
