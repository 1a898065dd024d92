//! The project's chores: test set-up, checks, benchmarks, simulation.
fn main() {}
