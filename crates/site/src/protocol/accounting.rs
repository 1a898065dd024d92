//! What a site's accounting tells of the runs of jobs, to be charged.

use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};
use utoipa::ToSchema;

use crate::wire::{optional_text, text};

/// The most runs in one [`Accounting`]: so many fit a request that carries a key of its own, whose
/// length a hub bounds by half a mebibyte.
pub const RUNS_MAX: usize = 400;

/// What the accounting of a site tells. Runs may be told any number of times, in any order and
/// cut: what is told last of a run holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Accounting {
    /// [`super::VERSION`] of the agent.
    pub version: u32,
    /// The cluster's name for itself; numbers of jobs are its.
    pub cluster: String,
    /// The time zone of the site, by its name in the IANA database: its days are the hub's.
    pub zone: String,
    /// What the names of those accounts begin with that are Usine's there, where it names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Runs of the hub's jobs, and of others under an account that is Usine's by its name.
    pub runs: Vec<Run>,
    /// Says that everything that was over in this time is told, here or in an earlier message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered: Option<Covered>,
}

/// A time of which everything is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Covered {
    /// From when on.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Until when.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
}

/// One run of a job: a job that is put back in the queue has several, with one number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// The scheduler's number of the job; elements of arrays and parts of heterogeneous jobs have
    /// numbers of their own.
    pub number: u64,
    /// The number as people know it, such as `4711_3` or `4711+1`.
    pub label: String,
    /// When it was submitted, or put back in the queue. Cluster, number and this name the run.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub submitted: Timestamp,
    /// When it got its nodes; absent when it never did.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started: Option<Timestamp>,
    /// When it ended; absent while it has not.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// The scheduler's word for how it stands, such as `COMPLETED`.
    pub state: String,
    /// The account it is booked on.
    pub account: String,
    /// The login of its owner.
    pub login: String,
    /// Those who have that login at the site, each by the digest of their address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<String>,
    /// The cluster's partition.
    pub partition: String,
    /// How long it had its nodes, without the time in which it was suspended; 0 while it runs.
    pub ran_seconds: u32,
    /// How long it was suspended; 0 while it runs.
    pub suspended_seconds: u32,
    /// How long it might run; absent where it had no limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_seconds: Option<u32>,
    /// Nodes it had.
    pub nodes: u32,
    /// Cores it had, over all nodes.
    pub cpus: u32,
    /// Memory it had, over all nodes.
    pub memory_mb: u64,
    /// GPUs it had, over all nodes.
    pub gpus: u32,
    /// All that it had, as Slurm writes it.
    pub tres: String,
    /// The energy that its nodes took, where the site measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_joules: Option<u64>,
    /// The hub's job that it is a run of, by its comment.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub job: Option<JobId>,
}

/// The hub's reply to [`Accounting`]: all of it is durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountingReceipt {
    /// Runs that were new, or told differently than before.
    pub taken: u64,
    /// Runs that were known as they are.
    pub repeated: u64,
    /// Runs that are none of the hub's business, and were not kept.
    pub passed_over: u64,
    /// From when on the hub wants to be told next.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
}
