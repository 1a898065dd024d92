//! The project's chores: test set-up, checks, benchmarks.
//!
//! `cargo xtask test` installs what the tests need and runs all of them; `cargo xtask check` runs
//! format, lints, documentation, licences and the rules of the house; `cargo xtask bench NAME`
//! measures; `cargo xtask simulate` and `cargo xtask trial` let everything go wrong; `cargo xtask slurm up|down` brings up a real Slurm for tests, and `cargo xtask compare`
//! sets our answers beside another program's. Not here: anything a user of Usine runs.

mod bench;
mod check;
mod compare;
mod postgres;
mod setup;
mod shell;
mod simulate;
mod slurm;
mod test;
mod tidy;
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about, bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what the tests need and run all of them, on SQLite and on PostgreSQL.
    Test(test::Arguments),
    /// Run format, lints, documentation, licence and architecture checks.
    Check,
    /// Measure, beside a peer where there is one; the last line is JSON.
    Bench(bench::Arguments),
    /// Set our answers beside another program's; takes minutes.
    Compare(compare::Arguments),
    /// Let hub, agents and clusters live through faults that a seed chooses.
    Simulate(simulate::Arguments),
    /// Kill hub, agent and a real Slurm at random moments under hundreds of jobs; takes minutes.
    Trial(trial::Arguments),
    /// Bring up a real Slurm on loopback, or stop it.
    Slurm(slurm::Arguments),
    /// Install what the tests need and say where it is.
    Setup,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Check => check::run(),
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Compare(arguments) => compare::run(&arguments),
        Chore::Simulate(arguments) => simulate::run(&arguments),
        Chore::Trial(arguments) => trial::run(&arguments),
        Chore::Slurm(arguments) => slurm::run(&arguments),
        Chore::Setup => setup::Tools::install().map(|tools| setup::describe(&tools)),
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
