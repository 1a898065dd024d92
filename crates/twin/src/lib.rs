//! The digital twin: traces, replay over the scheduling core, metrics.
//!
//! A log becomes [`Job`]s ([`swf`], then [`sanitise`] or [`as_is`]), [`replay()`] runs them through
//! [`sched::Core`], the code that schedules real machines, and [`Metrics`] says how it went.
//!
//! Not here: the hub, and any scheduling decision.

pub mod award;
pub mod comparison;
mod lane;
mod load;
mod metrics;
pub mod population;
mod random;
mod replay;
pub mod report;
pub mod results;
pub mod scenario;
pub mod simulation;
pub mod slurm;
mod starts;
pub mod statistics;
pub mod study;
pub mod swf;
#[cfg(test)]
mod testing;
pub mod trace;
pub mod workload;

pub use lane::{FastLane, Members, NotMembers};
pub use load::{Job, LoadError, Sanitised, as_is, open, sanitise};
pub use metrics::{Metrics, Waits};
pub use replay::{Progress, Replay, replay, replay_with_lane};
pub use starts::write_starts;
