//! Benchmarks, each a program of the crate it measures.

use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde_json::Value;

use crate::{postgres::Server, setup, shell, slurm::Cluster};

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
    /// Latency of pages and routes over a hundred thousand organisations.
    Access,
    /// Time to the first page, and idle memory.
    Start,
    /// Submissions to a real Slurm against Slurm's own ways in, and what an agent takes.
    Slurm,
    /// Reading and posting years of a site's accounting, against the ledger and the database alone.
    Import,
    /// The digital twin against a textbook scheduler and a simulator in Python, and a year of a
    /// federation.
    Twin,
    /// Assigning reviewers to applications, against OR-Tools.
    Review,
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
            Self::Access => ("usine", "access"),
            Self::Start => ("usine", "start"),
            Self::Slurm => ("usine", "slurm"),
            Self::Import => ("usine", "import"),
            Self::Twin => ("twin", "twin"),
            Self::Review => ("access", "assign"),
            Self::Lm => ("lm", "lm"),
            Self::All => ("", ""),
        }
    }
}

/// Builds and runs one benchmark, or all.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match arguments.name {
        Name::All => {
            let every = [
                Name::Start,
                Name::Api,
                Name::Access,
                Name::Ledger,
                Name::Import,
                Name::Slurm,
                Name::Twin,
                Name::Review,
                Name::Lm,
            ];
            every.into_iter().try_for_each(|name| one(name, arguments))
        }
        name => one(name, arguments),
    }
}

fn one(name: Name, arguments: &Arguments) -> Result<()> {
    let (package, bench) = name.target();
    let mut command = program(package, bench, arguments.quick);
    // What is bound by the database is measured on both in the same run.
    let server = match name {
        Name::Ledger | Name::Access => Some(Server::start(&setup::postgres()?)?),
        _ => None,
    };
    if let Some(server) = &server {
        command.args(["--postgres", &server.url()]);
    }
    if let Name::Import = name {
        command.args(limits(arguments.quick)?);
    }
    if let Name::Slurm = name {
        return on_a_cluster(command.args(&arguments.more));
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
    if let (Name::Review, false) = (name, arguments.quick) {
        let script = crate::root().join("tests/review/assign_ortools.py");
        command.arg("--peer").args([setup::ortools()?, script]);
    }
    shell::step(&format!("bench {bench}"), command.args(&arguments.more))
}

/// What the ledger alone and bare rows come to when as many are committed together as an import
/// sends in a message.
fn limits(quick: bool) -> Result<[String; 4]> {
    const RUNS_A_MESSAGE: &str = "400";
    let mut command = program("store", "ledger", quick);
    let printed = shell::quiet("bench ledger", command.args(["--size", RUNS_A_MESSAGE]))?;
    let figures: Value = serde_json::from_str(printed.lines().last().unwrap_or_default())?;
    let figure = |name: &str| {
        let found = figures.get(name).with_context(|| format!("no {name} in {figures}"))?;
        anyhow::Ok(found.to_string())
    };
    let (entries, bare) = (figure("entries_per_second")?, figure("bare_inserts_per_second")?);
    Ok(["--entries".to_owned(), entries, "--bare".to_owned(), bare])
}

/// Measures on a cluster that is there for that alone.
fn on_a_cluster(command: &mut Command) -> Result<()> {
    let Some(cluster) = Cluster::for_bench()? else { return Ok(()) };
    let done = shell::step("bench slurm", command.envs(cluster.environment()?));
    cluster.down(true)?;
    done
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
