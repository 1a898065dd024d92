//! Benchmarks, each a program of the crate it measures.

use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::{postgres::Server, setup, shell};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure.
    name: Name,
    /// A short run, to see that it works.
    #[arg(long)]
    quick: bool,
    /// Of the twin: how time grows from ten thousand to ten million jobs; takes minutes.
    #[arg(long)]
    curve: bool,
    /// Handed on to the benchmark.
    #[arg(last = true)]
    more: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Entries per second against the database's own inserts.
    Ledger,
    /// Requests per second and latency of the hub.
    Api,
    /// Time to the first page, and idle memory.
    Start,
    /// The digital twin against a textbook scheduler and a simulator in Python, and a year of a
    /// federation.
    Twin,
    /// Tokens per second of training, and the fraction of the machine's peak.
    Lm,
    /// All of them.
    All,
}

impl Name {
    /// The crate and the name of its benchmark.
    const fn target(self) -> (&'static str, &'static str) {
        match self {
            Self::Ledger => ("store", "ledger"),
            Self::Api => ("usine", "api"),
            Self::Start => ("usine", "start"),
            Self::Twin => ("twin", "twin"),
            Self::Lm => ("lm", "lm"),
            Self::All => ("", ""),
        }
    }
}

/// Builds and runs one benchmark, or all.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match arguments.name {
        Name::All => {
            let every = [Name::Start, Name::Api, Name::Ledger, Name::Twin, Name::Lm];
            every.into_iter().try_for_each(|name| one(name, arguments))
        }
        name => one(name, arguments),
    }
}

fn one(name: Name, arguments: &Arguments) -> Result<()> {
    let (package, bench) = name.target();
    let mut command = program(package, bench, arguments.quick);
    // The ledger is measured on both databases in the same run.
    let server = match name {
        Name::Ledger => Some(Server::start(&setup::postgres()?)?),
        _ => None,
    };
    if let Some(server) = &server {
        command.args(["--postgres", &server.url()]);
    }
    if let Name::Twin = name {
        year(arguments)?;
        match setup::accasim() {
            Ok(python) => {
                let script = crate::root().join("tests/twin/accasim_easy.py");
                command.arg("--peer").args([python, script]);
            }
            Err(error) => println!("no simulator in Python beside ours: {error:#}"),
        }
    }
    shell::step(&format!("bench {bench}"), command.args(&arguments.more))
}

/// A year of a federation, and on request how its time grows with the number of jobs.
fn year(arguments: &Arguments) -> Result<()> {
    const JOBS: &str = "5000000";
    let mut command = program("twin", "year", arguments.quick);
    if !arguments.quick && !arguments.curve {
        command.arg(JOBS);
    }
    shell::step("bench year", &mut command)
}

fn program(package: &str, bench: &str, quick: bool) -> Command {
    let mut command = shell::cargo(["bench", "-q", "-p", package, "--bench", bench, "--"]);
    if quick {
        command.arg("--quick");
    }
    command
}
