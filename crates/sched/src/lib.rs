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
mod machine;
mod nodes;
mod plan;
mod pool;
mod profile;
mod waiting;

pub use crate::core::{Core, Policy, Task, Ticket};
pub use forecast::{Forecast, Overrequest};
pub use machine::{
    After, Cause, Condition, Effect, Event, Job, Machine, MachineError, NodePlacement, NodeSpec,
    PartitionSpec, Placement, Refusal, Request, Sooner, Why,
};
pub use nodes::{Amount, Nodes, NodesDemand, NodesGrant, Sharing};
pub use plan::{Plan, Timeline};
pub use pool::{Pool, Processors};
pub use profile::Profile;

/// Seconds since an epoch that the caller chooses; the core only adds and compares them.
pub type Second = i64;
