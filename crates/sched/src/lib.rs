//! The scheduling core: queue, machine, policies, one deterministic step.
//!
//! [`Machine`] is the whole of it for callers with real jobs: partitions of nodes, events in,
//! effects out, *why* a job waits and when it will start. Underneath, [`Core`] is the same
//! algorithm over any [`Pool`] of resources: the twin replays years with [`Processors`], a machine
//! places on [`Nodes`].
//!
//! Not here: jobs' scripts, a clock, input and output. Time is integer [`Second`]s and stands in
//! every call, so the same events always give the same effects.

mod blocks;
mod cap;
mod conservative;
mod core;
mod easy;
mod forecast;
mod gate;
mod holds;
mod limits;
mod machine;
mod nodes;
mod order;
mod plan;
mod pool;
mod priority;
mod profile;
mod rooms;
mod signal;
mod system;
mod tres;
mod waiting;

pub use crate::core::{Core, Policy, Task, Ticket};
pub use forecast::{Forecast, Overrequest};
pub use limits::{Bound, LimitCause, Limits, Owner};
pub use machine::{
    After, Cause, Condition, Effect, Event, Job, Machine, MachineError, NodePlacement, NodeSpec,
    PartitionSpec, Placement, Refusal, Request, Snapshot, Sooner, Why,
};
pub use nodes::{Amount, Nodes, NodesDemand, NodesGrant, Sharing};
pub use plan::{Plan, Timeline};
pub use pool::{Pool, Processors};
pub use priority::{Accounts, Association, FairShare, PriorityPolicy, Weights};
pub use profile::Profile;
pub use signal::{Deferral, Signal};
pub use system::{
    Backfill, History, Outcome, PoolSpec, Preempted, Qos, Reason, Refused, Reservation, Submission,
    System, SystemSpec, Throttle, WhenPreempted,
};
pub use tres::{Resource, Tres};

/// Seconds since an epoch that the caller chooses; the core only adds and compares them.
pub type Second = i64;
