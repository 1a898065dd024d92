//! `sim`: runs of the simulation, one seed after the other.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use sim::{Plan, Sabotage, Steps, Verdict};

/// Lets hub, agents and clusters live through faults that a seed chooses, and says what must not be.
#[derive(Parser)]
struct Arguments {
    /// The seed of the first run; each further one takes the next [default: by the clock].
    #[arg(long)]
    seed: Option<u64>,
    /// How many steps things go wrong for in each run.
    #[arg(long, default_value_t = 1_000_000)]
    steps: u64,
    /// Begins runs for so long; one alone when absent.
    #[arg(long)]
    seconds: Option<u64>,
    /// Runs each seed twice, and says whether both did the same.
    #[arg(long)]
    twice: bool,
    /// How many of the last steps are shown when a run ends badly, or in any case when given.
    #[arg(long)]
    show: Option<usize>,
    /// Writes every step of the last run to this file.
    #[arg(long, value_name = "FILE")]
    story: Option<PathBuf>,
    /// Breaks something on purpose.
    #[arg(long, value_enum, default_value = "none")]
    sabotage: Broken,
    /// Shows what hub and agents log.
    #[arg(long)]
    log: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Broken {
    None,
    Keys,
    Disks,
    Fence,
}

impl From<Broken> for Sabotage {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::None => Self::None,
            Broken::Keys => Self::Keys,
            Broken::Disks => Self::Disks,
            Broken::Fence => Self::Fence,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.log {
        tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    }
    match all(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every run ended well.
fn all(arguments: &Arguments) -> Result<bool> {
    let begun = Instant::now();
    let length = arguments.seconds.map(Duration::from_secs);
    let mut seed = arguments.seed.unwrap_or_else(fresh_seed);
    loop {
        if !one(arguments, seed)? {
            return Ok(false);
        }
        seed = seed.wrapping_add(1);
        if length.is_none_or(|length| begun.elapsed() >= length) {
            return Ok(true);
        }
    }
}

/// Whether the run of a seed ended well, and both of them the same.
fn one(arguments: &Arguments, seed: u64) -> Result<bool> {
    const SHOWN: usize = 60;
    let plan = Plan {
        seed,
        steps: arguments.steps,
        sabotage: arguments.sabotage.into(),
        story: arguments.story.clone(),
    };
    let begun = Instant::now();
    let verdict = sim::run(&plan)?;
    tell(seed, &verdict, begun.elapsed());
    let shown = arguments.show.or(verdict.violation.as_ref().map(|_| SHOWN)).unwrap_or_default();
    for line in verdict.last.iter().skip(verdict.last.len().saturating_sub(shown)) {
        println!("  {line}");
    }
    if let Some(violation) = &verdict.violation {
        println!("seed {seed} ends badly: {violation}");
        println!("again: cargo xtask simulate --seed {seed} --steps {}", arguments.steps);
        return Ok(false);
    }
    if arguments.twice {
        let again = sim::run(&plan)?;
        let same = again.digest == verdict.digest;
        println!(
            "  once more: digest {}, {}",
            again.digest,
            if same { "the same" } else { "ANOTHER" }
        );
        return Ok(same);
    }
    Ok(true)
}

fn tell(seed: u64, verdict: &Verdict, took: Duration) {
    let Verdict { steps, jobs, elapsed, digest, .. } = verdict;
    let Steps { statements, writes, questions, told } = steps;
    let (hours, minutes) = (elapsed.as_secs() / 3_600, elapsed.as_secs() / 60 % 60);
    println!(
        "seed {seed}: {} steps ({statements} statements, {writes} writes, {questions} questions, \
         {told} told), {jobs} jobs, {hours} h {minutes:02} min in {:.1} s, digest {digest}",
        steps.total(),
        took.as_secs_f64()
    );
}

/// A seed that differs from run to run; it is printed.
fn fresh_seed() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map(|since| since.as_secs())
        .unwrap_or_default()
}
