//! `usine twin`: what a policy would have done.

mod fit;
mod floors;
mod scenario;
mod slurm;

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ::twin::{Job, LoadError, Metrics, Progress, Replay};
use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::{Failure, Told};
use crate::output::Audience;

/// Replays logs and runs scenarios, with the code that schedules real machines.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replay a log of the Standard Workload Format on identical processors.
    Replay(ReplayArguments),
    /// Run a scenario: machines, load, policy and what befalls them, with every seed.
    Run(scenario::RunArguments),
    /// Compare scenarios with the first of them, or floors of a fast lane for some of a log's jobs.
    Compare(scenario::CompareArguments),
    /// Describe a log as a population to draw jobs from; how well it fits goes to standard error.
    Fit(fit::FitArguments),
    /// Replay a Slurm's submissions on the machine that its files describe, beside what it did.
    Slurm(slurm::SlurmArguments),
}

/// A log, and the machine it is for.
#[derive(clap::Args)]
struct Log {
    /// The log, plain or packed with gzip.
    log: PathBuf,
    /// Processors of the machine.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    procs: u32,
    /// Cores of a node; what a job asks is rounded up to whole nodes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    node_cores: u32,
    /// Take the log as it is: no rounding to whole nodes, no renumbering, nothing dropped.
    #[arg(long)]
    as_is: bool,
}

#[derive(clap::Args)]
struct ReplayArguments {
    #[command(flatten)]
    log: Log,
    /// Who may start before whom.
    #[arg(long, value_enum, default_value_t = Policy::Easy)]
    policy: Policy,
    /// Write `id,submit,start,run,procs` for every job to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Policy {
    /// In order; the first that does not fit holds up the rest.
    Fcfs,
    /// Others pass the first where they do not delay it.
    Easy,
    /// Others pass where they delay nobody.
    Conservative,
}

impl From<Policy> for sched::Policy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Fcfs => Self::Fcfs,
            Policy::Easy => Self::Easy,
            Policy::Conservative => Self::Conservative,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, audience: Audience) -> Result<()> {
    match arguments.command {
        Command::Replay(arguments) => replay(&arguments, audience),
        Command::Run(arguments) => scenario::run(&arguments, audience),
        Command::Compare(arguments) => scenario::compare(&arguments, audience),
        Command::Fit(arguments) => fit::run(&arguments, audience),
        Command::Slurm(arguments) => slurm::run(&arguments, audience),
    }
}

fn replay(arguments: &ReplayArguments, audience: Audience) -> Result<()> {
    let began = Instant::now();
    let (jobs, dropped) =
        load(&arguments.log).map_err(|error| refused(&arguments.log.log, &error))?;
    let loaded = Instant::now();
    let Some(replay) = with_progress(&jobs, arguments) else { return Ok(()) };
    let replayed = Instant::now();
    if let Some(path) = &arguments.out {
        let file = File::create(path)
            .with_context(|| format!("cannot write the starts to {}", path.display()))?;
        ::twin::write_starts(file, &jobs, &replay.starts)
            .with_context(|| format!("cannot write the starts to {}", path.display()))?;
    }
    let told = Outcome {
        policy: arguments.policy,
        dropped,
        metrics: Metrics::of(&jobs, &replay, arguments.log.procs),
        load_seconds: (loaded - began).as_secs_f64(),
        replay_seconds: (replayed - loaded).as_secs_f64(),
    };
    audience.show(&told.json(), |_| print!("{}", told.text()))
}

fn load(asked: &Log) -> Result<(Vec<Job>, u64), LoadError> {
    let log = ::twin::open(&asked.log)?;
    if asked.as_is {
        return Ok((::twin::as_is(log, asked.procs)?, 0));
    }
    let sanitised = ::twin::sanitise(log, asked.procs, asked.node_cores)?;
    Ok((sanitised.jobs, sanitised.dropped))
}

/// What the log lacks is the caller's to put right.
fn refused(log: &Path, error: &LoadError) -> Told {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        message = format!("{message}: {deeper}");
        cause = deeper.source();
    }
    Told::new(Failure::Invalid, format!("{}: {message}", log.display()))
}

fn with_progress(jobs: &[Job], arguments: &ReplayArguments) -> Option<Replay> {
    let bar = ProgressBar::new(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} jobs started, {msg} waiting, {eta} left")
    {
        bar.set_style(style);
    }
    let replay =
        ::twin::replay(jobs, arguments.log.procs, arguments.policy.into(), |at: Progress| {
            bar.set_position(u64::try_from(at.started).unwrap_or(u64::MAX));
            bar.set_message(at.waiting.to_string());
            ControlFlow::Continue(())
        });
    bar.finish_and_clear();
    replay
}

/// What is told of a replay.
struct Outcome {
    policy: Policy,
    dropped: u64,
    metrics: Metrics,
    load_seconds: f64,
    replay_seconds: f64,
}

impl Outcome {
    fn policy_name(&self) -> String {
        self.policy.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "policy": self.policy_name(),
            "jobs": self.metrics.jobs,
            "jobs_dropped": self.dropped,
            "wait_seconds_mean": self.metrics.wait_seconds_mean,
            "bounded_slowdown_mean": self.metrics.bounded_slowdown_mean,
            "utilisation": self.metrics.utilisation,
            "makespan_seconds": self.metrics.makespan_seconds,
            "procs_busy_max": self.metrics.procs_busy_max,
            "queue_len_max": self.metrics.queue_len_max,
            "load_seconds": self.load_seconds,
            "replay_seconds": self.replay_seconds,
        })
    }

    fn text(&self) -> String {
        let m = &self.metrics;
        [
            ("policy", self.policy_name()),
            ("jobs", format!("{} ({} dropped)", m.jobs, self.dropped)),
            ("mean wait", format!("{:.3} s", m.wait_seconds_mean)),
            ("bounded slowdown", format!("{:.4}", m.bounded_slowdown_mean)),
            ("utilisation", format!("{:.5}", m.utilisation)),
            ("makespan", format!("{} s", m.makespan_seconds)),
            ("peak use", format!("{} processors", m.procs_busy_max)),
            ("longest queue", format!("{} jobs", m.queue_len_max)),
            ("time to load", format!("{:.3} s", self.load_seconds)),
            ("time to replay", format!("{:.3} s", self.replay_seconds)),
        ]
        .map(|(name, value)| format!("{name:<18}{value}\n"))
        .concat()
    }
}
