//! `usine twin run` and `usine twin compare`: scenarios, watched while they run.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::twin::comparison::Comparison;
use ::twin::report::{self, Told as Words, scope_in_words};
use ::twin::results::{Figure, Results, Scope};
use ::twin::scenario::Scenario;
use ::twin::simulation::Run;
use ::twin::study::{Studied, Watch, study};
use access::federation::Federation;
use access::policy::Policy;
use anyhow::{Context, Result};
use app::{Clock as _, SystemClock};

use super::{Log, floors};
use crate::exit::{Failure, Told};
use crate::folders;
use crate::output::{self, Audience};

/// Runs one scenario.
#[derive(clap::Args)]
pub(super) struct RunArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
    #[command(flatten)]
    settings: Settings,
}

/// Compares scenarios, or floors on one log.
#[derive(clap::Args)]
pub(super) struct CompareArguments {
    /// The scenarios, each to be compared with the first; or with `--procs`, one log.
    #[arg(value_name = "SCENARIO.toml", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Processors of the machine, for a log.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    procs: Option<u32>,
    /// Cores of a node; what a job of the log asks is rounded up to whole nodes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(requires = "procs")]
    node_cores: u32,
    /// Take the log as it is: no rounding to whole nodes, no renumbering, nothing dropped.
    #[arg(long, requires = "procs")]
    as_is: bool,
    #[command(flatten)]
    floors: floors::FloorArguments,
}

/// What scenarios are read with, and where their results go.
#[derive(clap::Args)]
struct Settings {
    /// Write a report for people to this file.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Write every job of every repetition to this file.
    #[arg(long, value_name = "FILE.parquet")]
    parquet: Option<PathBuf>,
    /// Repeat with the seeds from 1 to this, whatever the scenarios say.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// The folder that describes the federation; the built-in one when none is named.
    #[arg(long, value_name = "DIR")]
    federation: Option<PathBuf>,
}

pub(super) fn run(arguments: &RunArguments, audience: Audience) -> Result<()> {
    carry_out(std::slice::from_ref(&arguments.scenario), &arguments.settings, audience)
}

pub(super) fn compare(arguments: &CompareArguments, audience: Audience) -> Result<()> {
    let Some(procs) = arguments.procs else {
        return carry_out(&arguments.files, &arguments.settings, audience);
    };
    let [log] = arguments.files.as_slice() else {
        return Err(Told::new(Failure::Invalid, "with --procs, name one log").into());
    };
    let log =
        Log { log: log.clone(), procs, node_cores: arguments.node_cores, as_is: arguments.as_is };
    floors::run(&log, &arguments.floors, audience)
}

fn carry_out(files: &[PathBuf], settings: &Settings, audience: Audience) -> Result<()> {
    let federation = federation(settings.federation.as_deref())?;
    let open = |file: &PathBuf| {
        let mut scenario = Scenario::open(file, &federation).map_err(|error| refused(&error))?;
        if let Some(seeds) = settings.seeds {
            scenario.seeds = (1..=seeds).collect();
        }
        Ok(scenario)
    };
    let scenarios = files.iter().map(open).collect::<Result<Vec<Scenario>>>()?;
    let studied = watched(&scenarios)?;
    let runs: Vec<(&Scenario, &[Run])> =
        scenarios.iter().zip(&studied).map(|(it, done)| (it, done.runs.as_slice())).collect();
    let results: Vec<Results> = studied.iter().map(|done| done.results.clone()).collect();
    if let Some(path) = &settings.html {
        let mut file = create(path)?;
        file.write_all(report::html(&results).as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &settings.parquet {
        report::write_jobs(create(path)?, &runs)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    audience.show(&report::json(&results), |_| tell(&results))
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// What a scenario lacks is the caller's to put right.
fn refused(error: &dyn std::error::Error) -> Told {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let message = causes.fold(error.to_string(), |message, cause| {
        let cause = cause.to_string();
        if message.contains(&cause) { message } else { format!("{message}: {cause}") }
    });
    Told::new(Failure::Invalid, message)
}

fn federation(folder: Option<&Path>) -> Result<Federation> {
    let documents = folders::federation(folder)?;
    let policy = folders::access_policy(None)?;
    let today = access::day_in_brussels(SystemClock.now());
    let read = Policy::parse(&policy)
        .and_then(|policy| policy.caps_in_force(today))
        .and_then(|caps| Federation::parse(&documents, &caps));
    read.map_err(|faults| Told::new(Failure::Invalid, faults.to_string()).into())
}

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(100);

/// Runs all scenarios on all cores; Ctrl-C stops them.
fn watched(scenarios: &[Scenario]) -> Result<Vec<Studied>> {
    let total: usize = scenarios.iter().map(|scenario| scenario.seeds.len()).sum();
    let bar = output::step_bar(u64::try_from(total).unwrap_or(u64::MAX), "runs");
    let watch = Watch::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = std::thread::scope(|scope| {
        let work = scope.spawn(|| study(scenarios, &watch));
        runtime.block_on(async {
            let mut tick = tokio::time::interval(TICK);
            while !work.is_finished() {
                tokio::select! {
                    _ = tick.tick() => {
                        let (jobs, runs) = watch.progress();
                        bar.set_position(u64::try_from(runs).unwrap_or(u64::MAX));
                        bar.set_message(format!("{jobs} jobs"));
                    }
                    _ = tokio::signal::ctrl_c() => watch.stop(),
                }
            }
        });
        work.join()
    });
    bar.finish_and_clear();
    let Ok(outcome) = outcome else { anyhow::bail!("a run failed; its message stands above") };
    let studied = outcome.map_err(|error| refused(&error))?;
    studied.ok_or_else(|| Told::new(Failure::Failed, "stopped; nothing was written").into())
}

const COLUMNS: [Figure; 5] = [
    Figure::WaitSecondsMean,
    Figure::WaitSecondsMedian,
    Figure::WaitSeconds95th,
    Figure::BoundedSlowdown,
    Figure::Utilisation,
];

fn tell(results: &[Results]) {
    for results in results {
        println!("{}: {}", results.name, results.question);
        let header = [
            "",
            "jobs",
            "mean wait",
            "half at most",
            "19 of 20 at most",
            "slowdown",
            "utilisation",
        ];
        let scopes = results.scopes().into_iter().filter(|scope| !matches!(scope, Scope::Pool(..)));
        let mut table = output::table(header, scopes.map(|scope| row(results, &scope)));
        output::right(&mut table, &[1, 2, 3, 4, 5, 6]);
        println!("{table}");
        for line in results.lines.iter().filter(|line| !told_above(line.figure)) {
            let (whom, words) = (scope_in_words(&line.scope), Words(line.figure));
            println!("{whom}, {}: {}", words.name(), words.estimate(&line.estimate));
        }
    }
    for sentence in ::twin::comparison::compare(results).iter().flat_map(Comparison::sentences) {
        println!("{sentence}");
    }
}

fn told_above(figure: Figure) -> bool {
    figure == Figure::Jobs || COLUMNS.contains(&figure)
}

fn row(results: &Results, scope: &Scope) -> [String; 7] {
    let told = |figure| {
        let line = results.line(scope, figure);
        line.map(|line| Words(figure).estimate(&line.estimate)).unwrap_or_default()
    };
    let [mean, median, most, slowdown, used] = COLUMNS.map(told);
    [scope_in_words(scope), told(Figure::Jobs), mean, median, most, slowdown, used]
}
