//! The steps of a job: what its script has the scheduler start on its nodes.

use units::{JobId, Timestamp};

/// The steps of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepsOf {
    /// The job.
    pub job: JobId,
    /// Its steps, in the order in which they began.
    pub steps: Vec<Step>,
}

/// A step, with what was measured of it where the place measures that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How the scheduler calls it within its job: `batch`, `extern`, or a number.
    pub id: String,
    /// The name of what it runs.
    pub name: String,
    /// The scheduler's word for how it stands.
    pub state: String,
    /// What it exited with, and by which signal, once it has ended.
    pub exit: Option<(u8, u8)>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// On how many nodes.
    pub nodes: u32,
    /// How many tasks.
    pub tasks: u32,
    /// Most memory that one of its tasks held at once.
    pub peak_memory_mb: Option<u64>,
    /// Processor time of all its tasks.
    pub cpu_milliseconds: Option<u64>,
    /// How busy its GPUs are, in percent, the mean over its tasks.
    pub gpu_percent: Option<u32>,
    /// How much memory of GPUs a task holds, the mean over its tasks.
    pub gpu_memory_mb: Option<u64>,
}
