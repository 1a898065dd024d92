//! Replays against a textbook EASY that rescans its queue at every pass, in the same process.
//!
//! `cargo xtask bench twin [--quick] -- [LOG.swf[.gz]:PROCS:NODE_CORES …]`

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run should say so and stop"
)]

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::ControlFlow;
use std::time::Instant;

use sched::Policy;
use twin::{Job, Metrics};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let quick = words.iter().any(|word| word == "--quick");
    let sizes: &[usize] = if quick { &[1_000, 10_000] } else { &[10_000, 100_000, 1_000_000] };
    println!(
        "{:<34}{:>9}{:>9}{:>10}{:>12}{:>16}{:>8}",
        "log", "jobs", "queue", "easy s", "textbook s", "conservative s", "ratio"
    );
    let mut rows = Vec::new();
    for &size in sizes {
        rows.push(measure(&format!("synthetic, {size} jobs"), &synthetic(size), 4_096));
    }
    let backlog = if quick { 2_000 } else { 20_000 };
    rows.push(measure("synthetic, deep queue", &burst(backlog), 4_096));
    for log in words.iter().filter(|word| word.contains(':')) {
        let (path, procs, node_cores) = parse(log);
        let jobs = twin::open(path.as_ref()).and_then(|log| twin::sanitise(log, procs, node_cores));
        rows.push(measure(path, &jobs.expect("the log can be read").jobs, procs));
    }
    let cells: Vec<String> = rows.iter().map(Row::json).collect();
    // The deepest queue is where schedulers differ; the line of each log has its own figures.
    let deepest = rows.iter().max_by_key(|row| row.queue_len_max).expect("there is a row");
    println!(
        "{{\"bench\":\"twin\",\"peer\":\"textbook\",\"ratio_to_peer\":{:.2},\
         \"jobs_per_second\":{:.0},\"logs\":[{}]}}",
        deepest.textbook_seconds / deepest.easy_seconds,
        deepest.jobs as f64 / deepest.easy_seconds,
        cells.join(","),
    );
}

fn parse(log: &str) -> (&str, u32, u32) {
    let mut parts = log.rsplitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).expect("LOG:PROCS:CORES");
    let (node_cores, procs) = (number(), number());
    (parts.next().expect("LOG:PROCS:CORES"), procs, node_cores)
}

struct Row {
    log: String,
    jobs: usize,
    queue_len_max: usize,
    easy_seconds: f64,
    textbook_seconds: f64,
    conservative_seconds: f64,
}

impl Row {
    fn json(&self) -> String {
        format!(
            "{{\"log\":{:?},\"jobs\":{},\"queue_len_max\":{},\"easy_seconds\":{:.6},\
             \"textbook_seconds\":{:.6},\"ratio_to_textbook\":{:.2},\"jobs_per_second\":{:.0},\
             \"conservative_seconds\":{:.6},\"ratio_conservative_to_easy\":{:.2}}}",
            self.log,
            self.jobs,
            self.queue_len_max,
            self.easy_seconds,
            self.textbook_seconds,
            self.textbook_seconds / self.easy_seconds,
            self.jobs as f64 / self.easy_seconds,
            self.conservative_seconds,
            self.conservative_seconds / self.easy_seconds,
        )
    }
}

/// Replays one log both ways, which must agree on every start.
fn measure(log: &str, jobs: &[Job], procs: u32) -> Row {
    let on = |policy| {
        let replay = || twin::replay(jobs, procs, policy, |_| ControlFlow::Continue(()));
        timed(|| replay().expect("nobody stops it"))
    };
    let (replay, easy_seconds) = on(Policy::Easy);
    let (_, conservative_seconds) = on(Policy::Conservative);
    let (starts, textbook_seconds) = timed(|| textbook(jobs, procs));
    assert!(replay.starts == starts, "{log}: the textbook starts some job at another time");
    let row = Row {
        log: log.to_owned(),
        jobs: jobs.len(),
        queue_len_max: Metrics::of(jobs, &replay, procs).queue_len_max,
        easy_seconds,
        textbook_seconds,
        conservative_seconds,
    };
    println!(
        "{:<34}{:>9}{:>9}{:>10.4}{:>12.4}{:>16.4}{:>8.2}",
        row.log.rsplit('/').next().unwrap_or_default(),
        row.jobs,
        row.queue_len_max,
        row.easy_seconds,
        row.textbook_seconds,
        row.conservative_seconds,
        row.textbook_seconds / row.easy_seconds,
    );
    row
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed().as_secs_f64())
}

/// Pseudo-random numbers, the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % bound).unwrap_or_default()
    }
}

/// A job as they come: small sizes and powers of two, run times over five orders of magnitude,
/// estimates in round numbers.
fn job(dice: &mut Dice, id: i64, submit: i64) -> Job {
    let procs = 1_u32 << dice.below(9).min(dice.below(9));
    let magnitude = 4 + dice.below(13);
    let run = 1 + dice.below(1 << magnitude);
    let estimate = (run * (1 + dice.below(6)) + 899) / 900 * 900;
    Job { id, submit, run, estimate, procs, user: 1, group: 1, queue: 1 }
}

/// Arrivals at about nine tenths of what 4096 processors can do.
fn synthetic(jobs: usize) -> Vec<Job> {
    let mut dice = Dice(7);
    let mut submit = 1;
    (1..)
        .take(jobs)
        .map(|id| {
            submit += dice.below(52);
            job(&mut dice, id, submit)
        })
        .collect()
}

/// Ten times as many arrivals as the machine can take.
fn burst(jobs: usize) -> Vec<Job> {
    let mut dice = Dice(11);
    let mut submit = 1;
    (1..)
        .take(jobs)
        .map(|id| {
            submit += dice.below(5);
            job(&mut dice, id, submit)
        })
        .collect()
}

/// EASY as textbooks tell it: sets and lists, and a look at every waiting job in every pass.
fn textbook(jobs: &[Job], procs: u32) -> Vec<i64> {
    let mut starts = vec![0; jobs.len()];
    let mut free = procs;
    let mut ends: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    let mut due: BTreeSet<(i64, usize)> = BTreeSet::new();
    let mut queue: Vec<usize> = Vec::new();
    let mut arrivals = jobs.iter().enumerate().peekable();
    loop {
        let arrival = arrivals.peek().map(|(_, job)| job.submit);
        let end = ends.peek().map(|Reverse((end, _))| *end);
        let Some(now) = arrival.into_iter().chain(end).min() else { return starts };
        while let Some(Reverse((end, index))) = ends.peek().copied()
            && end <= now
        {
            ends.pop();
            free += jobs[index].procs;
            due.remove(&(starts[index] + jobs[index].estimate, index));
        }
        while let Some((index, _)) = arrivals.next_if(|(_, job)| job.submit <= now) {
            queue.push(index);
        }
        let mut promise: Option<(i64, u32)> = None;
        let mut held_up = false;
        queue.retain(|&index| {
            let job = &jobs[index];
            if job.procs > free || (held_up && free == 0) {
                if !held_up {
                    held_up = true;
                    promise = shadow(jobs, &due, free, job.procs);
                }
                return true;
            }
            if held_up {
                let Some((at, extra)) = &mut promise else { return true };
                let short = now + job.estimate <= *at;
                if !short && job.procs > *extra {
                    return true;
                }
                if !short {
                    *extra -= job.procs;
                }
            }
            starts[index] = now;
            free -= job.procs;
            ends.push(Reverse((now + job.run, index)));
            due.insert((now + job.estimate, index));
            false
        });
    }
}

/// When `wanted` processors are free if every job runs as long as it may, and how many beyond.
fn shadow(
    jobs: &[Job],
    due: &BTreeSet<(i64, usize)>,
    free: u32,
    wanted: u32,
) -> Option<(i64, u32)> {
    let mut free = free;
    let mut found = None;
    for &(end, index) in due {
        if found.is_some_and(|(at, _)| at < end) {
            break;
        }
        free += jobs[index].procs;
        if free >= wanted {
            found = Some((end, free - wanted));
        }
    }
    found
}
