//! `usine twin compare LOG`: one log under several floors of a fast lane, side by side.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::twin::{FastLane, Job, Members, Metrics, Waits};
use anyhow::Result;
use serde_json::{Value, json};

use super::{Log, load, refused};
use crate::output::{self, Audience};

/// Which floors, for whom.
#[derive(clap::Args)]
pub(super) struct FloorArguments {
    /// Whose jobs the floor is for: `user:`, `group:` or `queue:` and the log's numbers.
    #[arg(long, value_name = "FIELD:N,N", default_value = "queue:1", requires = "procs")]
    members: Members,
    /// The floors to compare, in percent of the machine.
    #[arg(long, value_name = "PERCENT,…", value_delimiter = ',', default_value = "0,5,10,20")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100), requires = "procs")]
    floors: Vec<u32>,
}

/// What one floor does.
struct Outcome {
    percent: u32,
    floor_procs: u32,
    members: Waits,
    others: Waits,
    metrics: Metrics,
}

pub(super) fn run(log: &Log, arguments: &FloorArguments, audience: Audience) -> Result<()> {
    let (jobs, _) = load(log).map_err(|error| refused(&log.log, &error))?;
    let outcomes = replayed(&jobs, log.procs, arguments);
    let floors: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
    let value = json!({ "members": arguments.members.to_string(), "floors": floors });
    audience.show(&value, |_| {
        println!("{}", table(&outcomes));
        for sentence in verdicts(&outcomes) {
            println!("{sentence}");
        }
    })
}

/// Replays under every floor, on all cores of this machine.
fn replayed(jobs: &[Job], procs: u32, arguments: &FloorArguments) -> Vec<Outcome> {
    let floors = &arguments.floors;
    let bar = output::step_bar(u64::try_from(floors.len()).unwrap_or_default(), "floors");
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(&percent) = floors.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.extend(outcome(jobs, procs, arguments, percent));
            bar.inc(1);
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(floors.len())).map(|_| scope.spawn(work)).collect();
        // A worker that panicked has said why already; its floors are missing from the table.
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    bar.finish_and_clear();
    outcomes.sort_by_key(|outcome| outcome.percent);
    outcomes
}

fn outcome(jobs: &[Job], procs: u32, arguments: &FloorArguments, percent: u32) -> Option<Outcome> {
    let lane = FastLane::new(arguments.members.clone(), percent, procs);
    let policy = sched::Policy::Easy;
    let replay =
        ::twin::replay_with_lane(jobs, procs, policy, &lane, |_| ControlFlow::Continue(()))?;
    let waits =
        |members| Waits::of(jobs, &replay.starts, |job| lane.members.contain(job) == members);
    Some(Outcome {
        percent,
        floor_procs: lane.floor_procs,
        members: waits(true),
        others: waits(false),
        metrics: Metrics::of(jobs, &replay, procs),
    })
}

impl Outcome {
    fn json(&self) -> Value {
        let waits = |waits: &Waits| {
            json!({
                "jobs": waits.jobs,
                "wait_seconds_mean": waits.seconds_mean,
                "wait_seconds_median": waits.seconds_median,
                "wait_seconds_95th": waits.seconds_95th,
            })
        };
        json!({
            "floor_percent": self.percent,
            "floor_procs": self.floor_procs,
            "members": waits(&self.members),
            "others": waits(&self.others),
            "utilisation": self.metrics.utilisation,
            "bounded_slowdown_mean": self.metrics.bounded_slowdown_mean,
        })
    }
}

fn table(outcomes: &[Outcome]) -> comfy_table::Table {
    let rows = outcomes.iter().map(|outcome| {
        [
            format!("{} % ({})", outcome.percent, outcome.floor_procs),
            format!("{:.0}", outcome.members.seconds_mean),
            outcome.members.seconds_95th.to_string(),
            format!("{:.0}", outcome.others.seconds_mean),
            outcome.others.seconds_95th.to_string(),
            format!("{:.1} %", outcome.metrics.utilisation * 100.0),
        ]
    });
    let header =
        ["floor (processors)", "members wait, s", "95th", "others wait, s", "95th", "utilisation"];
    let mut table = output::table(header, rows);
    output::right(&mut table, &[1, 2, 3, 4, 5]);
    table
}

/// Says of each floor for whom it is better, against the smallest.
fn verdicts(outcomes: &[Outcome]) -> Vec<String> {
    let Some((base, floors)) = outcomes.split_first() else { return Vec::new() };
    let change = |before: f64, after: f64| match after.total_cmp(&before) {
        std::cmp::Ordering::Less => format!("{:.0} s less", before - after),
        std::cmp::Ordering::Greater => format!("{:.0} s more", after - before),
        std::cmp::Ordering::Equal => "as long".to_owned(),
    };
    let sentence = |floor: &Outcome| {
        format!(
            "Against {} %, a floor of {} % lets members wait {} and others {} on average.",
            base.percent,
            floor.percent,
            change(base.members.seconds_mean, floor.members.seconds_mean),
            change(base.others.seconds_mean, floor.others.seconds_mean),
        )
    };
    floors.iter().map(sentence).collect()
}
