//! Our answers beside another program's, where what counts is not speed.

mod load;
mod slurm;

use anyhow::Result;
use clap::Subcommand;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    with: With,
}

#[derive(Subcommand)]
enum With {
    /// Predicted starts of jobs beside those on a real Slurm, brought up for it.
    Slurm(slurm::Arguments),
}

/// Runs one comparison.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.with {
        With::Slurm(arguments) => slurm::run(arguments),
    }
}
