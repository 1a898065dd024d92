//! The simulation of hub, agents and clusters under faults.

use anyhow::Result;

use crate::shell;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The seed of the first run; each further one takes the next. Replays a run that was printed.
    #[arg(long)]
    seed: Option<u64>,
    /// How many steps things go wrong for in each run [default: 1000000].
    #[arg(long)]
    steps: Option<u64>,
    /// Begin runs for so long; one alone when absent.
    #[arg(long)]
    seconds: Option<u64>,
    /// Handed on to the simulation: `--twice`, `--show N`, `--sabotage WHAT`, `--log`.
    #[arg(last = true)]
    more: Vec<String>,
}

/// Builds it, optimised, and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut command = shell::cargo(["run", "-q", "--release", "-p", "sim", "--"]);
    let Arguments { seed, steps, seconds, more } = arguments;
    for (name, value) in [("--seed", seed), ("--steps", steps), ("--seconds", seconds)] {
        if let Some(value) = value {
            command.args([name, &value.to_string()]);
        }
    }
    shell::step("simulate", command.args(more))
}
