//! Slurm's own commands, spoken to a hub: `sbatch`, `squeue`, `scancel`, `sacct`, `sinfo`, with the
//! options, formats and exit codes that scripts rely on, across all sites.
//!
//! They stand as `usine sbatch …` and, by links that [`links`] makes, under their own names.

mod account;
mod job;
mod line;
mod links;
mod sacct;
mod sbatch;
mod scancel;
mod sinfo;
mod squeue;
mod table;
mod text;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::command::Session;
use crate::remote::{HubChoice, Remote};

pub(crate) use links::SlurmCommand;
pub(crate) use links::run as slurm;

/// One of Slurm's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Sacct,
    Sbatch,
    Scancel,
    Sinfo,
    Squeue,
    /// Not offered; it says what to use instead.
    Srun,
}

impl Program {
    /// All of them.
    const ALL: [Self; 6] =
        [Self::Sacct, Self::Sbatch, Self::Scancel, Self::Sinfo, Self::Squeue, Self::Srun];

    const fn name(self) -> &'static str {
        match self {
            Self::Sacct => "sacct",
            Self::Sbatch => "sbatch",
            Self::Scancel => "scancel",
            Self::Sinfo => "sinfo",
            Self::Squeue => "squeue",
            Self::Srun => "srun",
        }
    }

    /// The one that this process was called as, by the name of its link.
    pub(crate) fn called(path: &str) -> Option<Self> {
        let name = Path::new(path).file_name()?.to_str()?;
        Self::ALL.into_iter().find(|program| program.name() == name)
    }
}

/// The words behind the name of a command, as they were written.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Words {
    /// Options and operands, as Slurm's own command takes them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    words: Vec<String>,
}

/// Carries out a command under its own name, with the hub that the environment names.
pub(crate) fn by_name(program: Program, words: Vec<String>) -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let hub = HubChoice { hub: variable("USINE_HUB"), ca: variable("USINE_CA").map(Into::into) };
    run(program, &Words { words }, &Session { hub, ..Session::default() })
}

/// Carries out a command; errors stand on standard error as Slurm writes them.
pub(crate) fn run(program: Program, words: &Words, session: &Session) -> ExitCode {
    let remote = || session.remote();
    match carry_out(program, &words.words, remote) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let text = format!("{error:#}");
            for line in text.lines() {
                eprintln!("{}: error: {}", program.name(), line.trim_start_matches("  - "));
            }
            ExitCode::from(1)
        }
    }
}

fn carry_out(
    program: Program,
    words: &[String],
    remote: impl FnOnce() -> Result<Remote>,
) -> Result<u8> {
    if words.iter().any(|word| word == "--version" || word == "-V") {
        println!("usine {}", env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    match program {
        Program::Sacct => sacct::run(words, remote),
        Program::Sbatch => sbatch::run(words, remote),
        Program::Scancel => scancel::run(words, remote),
        Program::Sinfo => sinfo::run(words, remote),
        Program::Squeue => squeue::run(words, remote),
        Program::Srun => Err(anyhow::anyhow!(
            "not offered outside of a job: submit a script with sbatch, in which srun is Slurm's own"
        )),
    }
}
