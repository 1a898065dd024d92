//! What runs and waits at a site: what the hub forecasts starts from.

use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};
use utoipa::ToSchema;

use crate::wire::{optional_text, text};

/// The most nodes, running jobs or waiting jobs that a snapshot shows.
pub const SNAPSHOT_MAX: usize = 20_000;

/// A site's partition with all that runs and waits in it, also for others than the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// When it was so, by the site's clock.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who may start before whom.
    pub policy: Policy,
    /// Whether jobs share nodes.
    pub shared: bool,
    /// The nodes; at most 20 000.
    pub nodes: Vec<SnapshotNode>,
    /// What runs; at most 20 000.
    pub running: Vec<Running>,
    /// What waits for room, first to last; at most 20 000.
    pub waiting: Vec<SnapshotJob>,
}

/// How a site orders starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// First come, first served.
    Fcfs,
    /// The first in line is promised a start; others pass it where they do not delay that.
    Easy,
    /// Everybody in line is promised a start.
    Conservative,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotNode {
    /// Its name, unique at the site.
    pub name: String,
    /// Whether new jobs may start on it.
    pub up: bool,
    /// Cores for jobs.
    pub cpus: u32,
    /// Memory for jobs.
    pub memory_mb: u64,
    /// GPUs for jobs.
    pub gpus: u32,
    /// What jobs may ask for by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

/// A job as others in line see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotJob {
    /// Which, if the hub knows it.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub job: Option<JobId>,
    /// Nodes that it asks for.
    pub nodes: u32,
    /// Cores on each of them.
    pub cpus_per_node: u32,
    /// Memory on each of them.
    pub memory_mb_per_node: u64,
    /// GPUs on each of them.
    pub gpus_per_node: u32,
    /// Features that each of them must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// How long it may run.
    pub time_limit_seconds: u64,
}

/// A job that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Running {
    /// What it asked for.
    pub job: SnapshotJob,
    /// Since when.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// What it holds.
    pub shares: Vec<Share>,
}

/// What a running job holds of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// The node's name.
    pub node: String,
    /// Cores.
    pub cpus: u32,
    /// Memory.
    pub memory_mb: u64,
    /// GPUs.
    pub gpus: u32,
}
