//! The engines from outside: what all must do, and what jobs of this machine must not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod adoption;
mod conformance;
mod isolation;
mod limits;
mod machine;
mod modelled;
mod slurm;
