//! Jobs through a real Slurm, which `cargo xtask test` brings up.

mod answers;
mod cluster;
mod conformance;
mod crash;
mod health;
mod person;
