//! The steps of jobs that run, or ran a moment ago.

use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};
use utoipa::ToSchema;

use crate::wire::{optional_text, text};

/// The most jobs in one [`Steps`], and the most steps that are told of one: the last ones.
pub const STEP_JOBS_MAX: usize = 20;
/// See [`STEP_JOBS_MAX`].
pub const STEPS_MAX: usize = 60;

/// What a site tells of steps. Of each job the latest counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Steps {
    /// [`super::VERSION`] of the agent.
    pub version: u32,
    /// Jobs of which something has changed.
    pub jobs: Vec<JobSteps>,
}

/// The hub's reply to [`Steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepsReceipt {
    /// Jobs of which they were kept; those that are not the site's are passed over.
    pub taken: u64,
}

/// The steps of one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobSteps {
    /// The job.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub job: JobId,
    /// In the order in which they began.
    pub steps: Vec<Step>,
    /// How many began before these.
    #[serde(default)]
    pub earlier: u64,
}

/// A step: what a job's script has the scheduler start on its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// How the scheduler calls it within its job.
    #[schema(example = "batch")]
    pub id: String,
    /// The name of what it runs.
    pub name: String,
    /// The scheduler's word for how it stands.
    #[schema(example = "RUNNING")]
    pub state: String,
    /// What it exited with, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// By which signal it was ended; 0 when by none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<u8>,
    /// When it began.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// On how many nodes.
    pub nodes: u32,
    /// How many tasks.
    pub tasks: u32,
    /// Most memory that one of its tasks held at once, where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_mb: Option<u64>,
    /// Processor time of all its tasks, where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_milliseconds: Option<u64>,
    /// How busy its GPUs are, in percent, the mean over its tasks; where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_percent: Option<u32>,
    /// How much memory of GPUs a task holds, the mean over its tasks; where measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_memory_mb: Option<u64>,
}
