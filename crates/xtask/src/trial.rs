//! The trial with the real parts: hub, agent and Slurm, killed at random moments.

use anyhow::{Context as _, Result};

use crate::shell;
use crate::slurm::Cluster;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many jobs.
    #[arg(long, default_value_t = 300)]
    jobs: u32,
    /// Repeats the moments of a run, as far as real processes let them be repeated.
    #[arg(long)]
    seed: Option<u64>,
}

/// Brings a cluster up, lets everything fail on it, and takes it down again.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let cluster = Cluster::for_tests()?.context("the trial takes a cluster")?;
    let test = ["-p", "usine", "--no-capture", "-E", "test(trial::)"];
    let mut command = shell::cargo(["nextest", "run"]);
    command.args(test).envs(cluster.environment()?);
    command.env("USINE_TRIAL_JOBS", arguments.jobs.to_string());
    if let Some(seed) = arguments.seed {
        command.env("USINE_CRASH_SEED", seed.to_string());
    }
    let done = shell::step("trial", &mut command);
    cluster.down(true)?;
    done
}
