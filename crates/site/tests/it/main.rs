//! The agent as a whole: on a simulated engine within this process, and on this machine in a
//! process of its own that is killed again and again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod agent;
mod crash;
mod hub;
