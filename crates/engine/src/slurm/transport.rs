//! What the engine asks of Slurm, however it is asked.

use std::collections::BTreeMap;
use std::future::Future;

use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};

use super::modelled::Modelled;
use super::state::{Exit, Phase, UnknownState};
use crate::job::Spec;
use crate::{Condition, Error};

/// Slurm's number of a job. It names a job only together with its [mark]: a controller that
/// lost its memory gives numbers out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SlurmId(pub(super) u32);

/// Before our id in the comment of a job.
const MARK: &str = "usine:";
/// The length of a comment that is ours, in bytes.
pub(super) const MARK_LENGTH: usize = 42;

/// The comment by which a job is found again.
pub(super) fn mark(job: JobId) -> String {
    format!("{MARK}{job}")
}

/// Our id in a comment; `None` when it is anybody else's.
pub(super) fn marked(comment: &str) -> Option<JobId> {
    let id = comment.strip_prefix(MARK)?;
    let job = id.parse().ok()?;
    // One spelling only, so that a job cannot be two.
    (mark(job) == comment).then_some(job)
}

/// What is submitted.
#[derive(Clone, Debug)]
pub(super) struct Submission<'a> {
    pub(super) job: JobId,
    pub(super) spec: &'a Spec,
    /// The job's folder on every node.
    pub(super) folder: &'a str,
    /// What Slurm is to run.
    pub(super) script: String,
}

/// One of our jobs in Slurm's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) id: SlurmId,
    pub(super) job: JobId,
    pub(super) user: String,
    pub(super) phase: Result<Phase, UnknownState>,
    pub(super) reason: String,
    pub(super) started: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    /// Names in short.
    pub(super) nodes: String,
    pub(super) exit: Option<Exit>,
}

impl Queued {
    /// Whether nothing more will come of it.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.phase, Ok(Phase::Over(_)))
    }
}

/// One run of a job in Slurm's accounting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accounted {
    pub(super) id: SlurmId,
    /// The accounting learns of the comment as the job ends.
    pub(super) job: Option<JobId>,
    pub(super) user: String,
    pub(super) phase: Result<Phase, UnknownState>,
    pub(super) exit: Option<Exit>,
    pub(super) submitted: Option<Timestamp>,
    /// Absent when it never held a node.
    pub(super) started: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    pub(super) peak_memory_mb: Option<u64>,
    pub(super) cpu_milliseconds: Option<u64>,
}

/// What the cluster says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct About {
    pub(super) cluster: String,
    pub(super) version: String,
    /// How long a job stays in the queue after its end.
    pub(super) min_job_age_seconds: u64,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    /// Why nothing starts on it, if so.
    pub(super) away: Option<Away>,
    pub(super) cores: u32,
    pub(super) memory_mb: u64,
    pub(super) gpus: u32,
    /// The model of the GPUs, as the cluster calls it.
    pub(super) gpu_model: String,
    pub(super) features: Vec<String>,
    pub(super) partitions: Vec<String>,
    /// Whether one of the partitions is the cluster's default, and which.
    pub(super) default_partition: Option<String>,
}

/// Why nothing starts on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Away {
    pub(super) condition: Condition,
    /// What its administrator wrote; may be empty.
    pub(super) reason: String,
    pub(super) since: Option<Timestamp>,
}

/// What was ordered for partitions and nodes, and how far the accounting is behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    /// The word for each partition: `up` takes and starts jobs, others do not.
    pub(super) partitions: BTreeMap<String, String>,
    pub(super) reservations: Vec<Reservation>,
    /// Messages for slurmdbd that wait, where the controller tells.
    pub(super) accounting_backlog: Option<u64>,
}

/// Nodes kept free for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) name: String,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Names in short.
    pub(super) nodes: String,
    pub(super) maintenance: bool,
}

/// Anybody's job, as far as others in line must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) id: SlurmId,
    pub(super) phase: Phase,
    /// Why it waits.
    pub(super) reason: String,
    pub(super) partitions: Vec<String>,
    pub(super) nodes: u32,
    pub(super) cores: u32,
    pub(super) memory_mb: u64,
    pub(super) gpus: u32,
    pub(super) limit_seconds: i64,
    pub(super) priority: i64,
    pub(super) started: Option<Timestamp>,
    /// Names in short.
    pub(super) held: String,
}

/// A way to a Slurm controller and its accounting. A call that fails with [`Error::Unclear`] tells
/// nothing about the jobs.
pub(super) trait Transport: Send + Sync + 'static {
    /// Where jobs' folders lie, if not on a file system.
    fn shelf(&self) -> Option<&Modelled> {
        None
    }

    /// What the cluster is, after making sure that it can be worked with.
    fn about(&self) -> impl Future<Output = Result<About, Error>> + Send;

    /// Submits a job as its person; [`Error::Refused`] when Slurm said no.
    fn submit(
        &self,
        submission: Submission<'_>,
    ) -> impl Future<Output = Result<SlurmId, Error>> + Send;

    /// Asks for the end of jobs of one person. Of those that are over, or not there, nothing is
    /// said.
    fn cancel(
        &self,
        user: Option<&str>,
        ids: &[SlurmId],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// All of our jobs that the controller knows, those that ended a short while ago included.
    fn queue(&self) -> impl Future<Output = Result<Vec<Queued>, Error>> + Send;

    /// What the accounting has of these jobs.
    fn accounting(
        &self,
        ids: &[SlurmId],
    ) -> impl Future<Output = Result<Vec<Accounted>, Error>> + Send;

    /// What the accounting has of a user's jobs since an instant.
    fn accounting_of(
        &self,
        user: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<Accounted>, Error>> + Send;

    /// The nodes.
    fn nodes(&self) -> impl Future<Output = Result<Vec<Node>, Error>> + Send;

    /// What was ordered for partitions and nodes.
    fn orders(&self) -> impl Future<Output = Result<Orders, Error>> + Send;

    /// Everybody's jobs that wait or run.
    fn load(&self) -> impl Future<Output = Result<Vec<Load>, Error>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_one_spelling_of_its_mark() {
        let job: JobId = "0189abcd-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(mark(job).len(), MARK_LENGTH);
        assert_eq!(marked(&mark(job)), Some(job));
        for other in [
            "usine:0189ABCD-0000-7000-8000-000000000001",
            "usine:0189abcd000070008000000000000001",
            "Usine:0189abcd-0000-7000-8000-000000000001",
            "0189abcd-0000-7000-8000-000000000001",
            "usine:",
            "",
        ] {
            assert_eq!(marked(other), None, "{other}");
        }
    }
}
