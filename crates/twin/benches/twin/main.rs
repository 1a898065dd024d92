//! Replays against a textbook EASY that rescans its queue at every pass, in the same process.
//!
//! `cargo xtask bench twin [--quick] -- [LOG.swf[.gz]:PROCS:NODE_CORES …]`, and with
//! `--peer PYTHON SCRIPT` a simulator in Python beside it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run should say so and stop"
)]

mod load;
mod peer;
mod textbook;

use std::ops::ControlFlow;
use std::time::Instant;

use sched::Policy;
use twin::{Job, Metrics};

use load::{burst, synthetic};
use textbook::textbook;

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
    let peer = words.iter().position(|word| word == "--peer").map(|at| {
        let jobs = if quick { 5_000 } else { 10_000 };
        peer::beside(words[at + 1].as_ref(), words[at + 2].as_ref(), jobs, 4_096)
    });
    if let Some(beside) = &peer {
        beside.tell();
    }
    let slowest = rows.iter().map(Row::conservative_ratio).fold(0.0, f64::max);
    println!("conservative backfill costs at most {slowest:.1} times as much as EASY");
    let cells: Vec<String> = rows.iter().map(Row::json).collect();
    // The deepest queue is where schedulers differ; the line of each log has its own figures.
    let deepest = rows.iter().max_by_key(|row| row.queue_len_max).expect("there is a row");
    println!(
        "{{\"bench\":\"twin\",\"peer\":\"textbook\",\"ratio_to_peer\":{:.2},\
         \"jobs_per_second\":{:.0},\"ratio_conservative_to_easy_max\":{:.2},\"simulator\":{},\
         \"logs\":[{}]}}",
        deepest.textbook_seconds / deepest.easy_seconds,
        deepest.jobs as f64 / deepest.easy_seconds,
        slowest,
        peer.map_or_else(|| "null".to_owned(), |beside| beside.json()),
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
            self.conservative_ratio(),
        )
    }

    fn conservative_ratio(&self) -> f64 {
        self.conservative_seconds / self.easy_seconds
    }
}

/// Replays one log both ways, which must agree on every start.
fn measure(log: &str, jobs: &[Job], procs: u32) -> Row {
    let on = |policy| {
        let replay = twin::replay(jobs, procs, policy, |_| ControlFlow::Continue(()));
        replay.expect("nobody stops it")
    };
    let [(replay, easy_seconds), (_, conservative_seconds)] =
        timed([&|| on(Policy::Easy), &|| on(Policy::Conservative)]);
    let [(starts, textbook_seconds)] = timed([&|| textbook(jobs, procs)]);
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

/// What works give, and how long each takes: the least of several runs, where one is so short that
/// the first has to warm up. They take turns, so that what else the machine does slows all of them.
fn timed<T, const N: usize>(works: [&dyn Fn() -> T; N]) -> [(T, f64); N] {
    const SHORT_SECONDS: f64 = 0.1;
    let once = |work: &dyn Fn() -> T| {
        let began = Instant::now();
        let result = work();
        (result, began.elapsed().as_secs_f64())
    };
    let mut timed = works.map(once);
    if timed.iter().all(|(_, seconds)| *seconds < SHORT_SECONDS) {
        for _ in 0..29 {
            for ((_, least), work) in timed.iter_mut().zip(works) {
                *least = once(work).1.min(*least);
            }
        }
    }
    timed
}
