//! What hub and agent say to each other: orders one way, events the other, both with keys.
//!
//! The agent dials, the hub answers:
//!
//! | request | body | reply |
//! |---|---|---|
//! | `POST /sites/{site}/agent` | [`Enrolment`] | [`Enrolled`] |
//! | `POST /sites/{site}/agent/session` | [`Knock`] | [`Session`] |
//! | `POST /sites/{site}/agent/key` | [`Rotation`] | [`Enrolled`] |
//! | `GET /sites/{site}/orders?after=SEQ&wait_seconds=S` | | [`Orders`] |
//! | `POST /sites/{site}/events` | [`Events`] | [`Receipt`] |
//! | `POST /sites/{site}/accounting` | [`Accounting`] | [`AccountingReceipt`] |
//! | `POST /sites/{site}/steps` | [`Steps`] | [`StepsReceipt`] |
//! | `GET /sites/{site}/tenancy?seen=REVISION&wait_seconds=S` | | [`Tenancy`] |
//! | `POST /sites/{site}/tenancy` | [`TenancyReport`] | [`TenancyReceipt`] |
//! | `GET /sites/{site}/jobs/{job}/inputs/{mount}/{path}` | | the file |
//! | `PUT /sites/{site}/jobs/{job}/outputs/{output}/{path}?sha256=HEX` | the file | [`StoredFile`] |
//!
//! Orders are acted on once per job however often they come, events are taken in once per key
//! however often they come. Events of one job come in order; an event that no longer fits the
//! state of its job is ignored by the hub, not refused. A [`Snapshot`] and a [`Health`] have no key:
//! the latest counts.
//!
//! Neighbouring versions work together: unknown fields are ignored by both sides, an order that an
//! agent cannot read is answered by [`EventBody::OrderRefused`], and an event that a hub cannot read
//! is given up by the agent. Beyond that [`apart`] says who is to be updated.

mod accounting;
mod admission;
mod health;
mod snapshot;
mod steps;
mod tenancy;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use units::{
    AllocationId, EventId, JobId, OrderId, PartitionKey, PersonId, ProjectId, RepositoryId,
    RevisionId, Timestamp,
};
use utoipa::ToSchema;

use crate::wire::{base64_bytes, optional_text, text};

pub use accounting::{Accounting, AccountingReceipt, Covered, RUNS_MAX, Run};
pub use admission::{Enrolled, Enrolment, Knock, Proof, Rotation, Session, apart};
pub use health::{AWAY_MAX, Condition, Drained, Health, NodeAway, RESERVED_MAX, Reserved};
pub use snapshot::{Policy, Running, SNAPSHOT_MAX, Share, Snapshot, SnapshotJob, SnapshotNode};
pub use steps::{JobSteps, STEP_JOBS_MAX, STEPS_MAX, Step, Steps, StepsReceipt};
pub use tenancy::{
    DriftTold, Manage, Member, Standing, StepTold, TOLD_MAX, Tenancy, TenancyReceipt,
    TenancyReport, Tenant,
};

/// The version of these types; raised when a reader of the version before would misunderstand.
pub const VERSION: u32 = 1;

/// The reply to an agent that asks for work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Orders {
    /// [`VERSION`] of the hub.
    pub version: u32,
    /// Orders with a sequence number beyond the one asked for, in ascending order; empty when
    /// nothing came within the wait.
    pub orders: Vec<Order>,
}

/// What the hub wants a site to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// The place of this order among those of its site; the cursor of the next request.
    pub seq: i64,
    /// The idempotency key.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub key: OrderId,
    /// When the hub gave it.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What is to be done.
    pub body: OrderBody,
}

/// The orders there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OrderBody {
    /// Carry this job out.
    Start(Box<StartJob>),
    /// End this job, whether it waits or runs; nothing happens to one that has ended.
    Cancel {
        /// The job to end.
        #[serde(with = "text")]
        #[schema(value_type = uuid::Uuid)]
        job: JobId,
    },
}

/// A job as a site needs to know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StartJob {
    /// The job; also the key under which the site runs it at most once.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub job: JobId,
    /// The name its owner gave it.
    pub name: String,
    /// Whose it is, for sites that carry it out as that person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Where it runs.
    #[serde(with = "text")]
    #[schema(value_type = String)]
    pub partition: PartitionKey,
    /// The script, with its `#!` line; run in the job's own directory.
    pub script: String,
    /// Variables for the script beside those the site sets.
    pub environment: BTreeMap<String, String>,
    /// What it may use.
    pub request: Request,
    /// Whether it may reach the network.
    pub network: Network,
    /// The folder below the job's directory in which the script runs, if not the directory itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Name of the file, in the job's directory, that also holds standard output.
    pub stdout: Option<String>,
    /// Name of the file that also holds standard error; joined with standard output when absent.
    pub stderr: Option<String>,
    /// Files to be there before it starts.
    pub inputs: Vec<InputMount>,
    /// Folders to be stored after it ended.
    pub outputs: Vec<Output>,
    /// Options for the site's own scheduler, where its inventory names one: long names without the
    /// dashes, with their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, Option<String>)>,
}

/// Whose a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    /// The person at the hub.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub person: PersonId,
    /// The address by which the site's administrator knows them.
    pub email: String,
    /// The project.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub project: ProjectId,
    /// Whose hours the job uses; absent from hubs that do not say.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    pub allocation: Option<AllocationId>,
}

/// What a job may use; the site enforces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// Nodes.
    pub nodes: u32,
    /// Cores, over all nodes.
    pub cpus: u32,
    /// Memory, over all nodes.
    pub memory_mb: u64,
    /// GPUs, over all nodes.
    pub gpus: u32,
    /// Time after which it is ended.
    pub time_limit_seconds: u64,
}

/// Whether a job may reach the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// No connection leaves the job.
    #[default]
    Denied,
    /// Connections may leave the job.
    Allowed,
}

/// A revision that a job reads, put at `inputs/MOUNT/` in its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputMount {
    /// Name of the folder: one path segment.
    pub mount: String,
    /// Where it comes from.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub repository: RepositoryId,
    /// Which state of it.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub revision: RevisionId,
    /// The files of that state.
    pub files: Vec<StoredFile>,
}

/// One file, known by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredFile {
    /// Path below the mount or output: forward slashes, no `.` or `..` segment.
    pub path: String,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// A folder that a job writes and the hub keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Output {
    /// Name of the output: one path segment.
    pub output: String,
    /// The folder, relative to the job's directory.
    pub path: String,
}

/// What an agent has to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Events {
    /// [`VERSION`] of the agent.
    pub version: u32,
    /// What the site has, once after each start of the agent and whenever it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    /// What runs and waits at the site, whenever that has changed; the hub forecasts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// What keeps the site from taking work, whenever that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// In the order in which they came about.
    pub events: Vec<Event>,
}

/// The hub's reply to [`Events`]: all of them are durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Events seen for the first time.
    pub taken: u64,
    /// Events that had come before.
    pub repeated: u64,
}

/// What a site has and how it keeps jobs apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inventory {
    /// Name of the agent's host.
    pub host: String,
    /// Version of the agent's program.
    pub agent: String,
    /// What carries jobs out there, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Nodes for jobs, which are alike; one where the agent does not say.
    #[serde(default = "one")]
    pub nodes: u32,
    /// Cores for jobs, over all nodes.
    pub cpus: u32,
    /// Memory for jobs, over all nodes.
    pub memory_mb: u64,
    /// Model names of the GPUs for jobs, over all nodes.
    pub gpus: Vec<String>,
    /// What keeps jobs apart and within their limits here, for people.
    pub isolation: Vec<String>,
    /// Where jobs run as persons: those who have a login, each by the [`login_digest`] of the
    /// address of their account at the hub. Absent where everybody's jobs run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logins: Option<Vec<String>>,
    /// The site's own scheduler, where one carries jobs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
}

/// A scheduler of the site's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scheduler {
    /// Which: `slurm` is known today.
    pub kind: String,
    /// Options that plugins of it add, such as `container-image`: long names without the dashes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<String>,
}

impl Scheduler {
    /// The [`Scheduler::kind`] of Slurm.
    pub const SLURM: &'static str = "slurm";
}

/// By what an agent names a person to the hub: SHA-256 of the address in small letters, in
/// hexadecimal. The hub recognises those it knows, and learns no address from a site.
pub fn login_digest(email: &str) -> String {
    hex::encode(Sha256::digest(email.to_lowercase().as_bytes()))
}

const fn one() -> u32 {
    1
}

/// What a site tells the hub, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// The idempotency key.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub key: EventId,
    /// The job it is about.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub job: JobId,
    /// When it came about, by the site's clock.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What came about.
    pub body: EventBody,
}

/// The events there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EventBody {
    /// The site has the job and will run it.
    Accepted,
    /// The site will never run the job; nothing was used. The last event of a job.
    Refused {
        /// Why, for people.
        reason: String,
    },
    /// The job runs.
    Started {
        /// When it began.
        #[serde(with = "text")]
        #[schema(value_type = String, format = DateTime)]
        started: Timestamp,
        /// The nodes that carry it.
        nodes: Vec<String>,
        /// The cores it holds, by number, where the site tells.
        cpus: Vec<u32>,
        /// The GPUs it holds, by number.
        gpus: Vec<u32>,
    },
    /// The job wrote.
    Log {
        /// Where to.
        stream: Stream,
        /// How many bytes of that stream came before these.
        offset: u64,
        /// What it wrote.
        #[serde(with = "base64_bytes")]
        #[schema(value_type = String, format = Byte)]
        bytes: Vec<u8>,
    },
    /// The job measured.
    Metrics {
        /// The points, in the order in which it wrote them.
        points: Vec<MetricPoint>,
    },
    /// All files of an output are in the hub's hands. Comes before [`EventBody::Ended`].
    OutputStored {
        /// Name of the output.
        output: String,
        /// What it holds.
        files: Vec<StoredFile>,
    },
    /// An output cannot be stored. Comes before [`EventBody::Ended`].
    OutputRefused {
        /// Name of the output.
        output: String,
        /// Why, for people.
        reason: String,
    },
    /// The site cannot do what an order asks, because it cannot read it: it is of a kind, or holds
    /// something, that this agent does not know.
    OrderRefused {
        /// The order's key.
        #[serde(with = "text")]
        #[schema(value_type = uuid::Uuid)]
        order: OrderId,
        /// Why, for people.
        reason: String,
    },
    /// The job is over. The last event of a job.
    Ended {
        /// How it ended.
        end: End,
        /// When it began to run; absent when it never did, and then nothing was used.
        #[serde(with = "optional_text")]
        #[schema(value_type = Option<String>, format = DateTime)]
        started: Option<Timestamp>,
        /// When it ended.
        #[serde(with = "text")]
        #[schema(value_type = String, format = DateTime)]
        ended: Timestamp,
        /// Most memory it held at once, where measured.
        peak_memory_mb: Option<u64>,
        /// Processor time of all its processes, where measured.
        cpu_milliseconds: Option<u64>,
    },
}

/// A stream of a job's text.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output, and standard error where the two are joined.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricPoint {
    /// The step it belongs to.
    pub step: u64,
    /// What was measured.
    pub name: String,
    /// The value; finite.
    pub value: f64,
}

/// How a job ended, as Slurm tells ends apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum End {
    /// The script exited with 0.
    Completed,
    /// The script exited with another code.
    Failed {
        /// The exit code.
        exit_code: i32,
    },
    /// The script died of a signal that the site did not send.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// The hub asked for it.
    Cancelled,
    /// It ran as long as it might.
    TimedOut,
    /// It asked for more memory than it had.
    OutOfMemory,
    /// The machine failed under it.
    NodeFailed {
        /// What is known, for people.
        reason: String,
    },
    /// A more urgent job took its place.
    Preempted,
    /// Its nodes did not come up.
    BootFailed,
    /// It could not have finished by its deadline.
    DeadlineMissed,
}
