//! What a job is: a script with directives, what it asks for, how it lives and what it costs.
//!
//! Read in this order: [`script`] (what people write), [`directive`] (what the lines mean),
//! [`request`] (what that asks of a partition), [`template`] (services that write the script for
//! people), [`life`] (from submission to every possible end), [`charge`] (what use costs).
//!
//! Not here: how a job is carried out, where it waits, who may submit it, and any clock.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]

pub mod charge;
pub mod life;
mod memory;
pub mod request;
mod time_limit;

pub use memory::{Memory, NotAMemory};
pub use time_limit::{NotATimeLimit, TimeLimit};
