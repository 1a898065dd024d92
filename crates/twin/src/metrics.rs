//! How well a schedule served its jobs and its machine.

use crate::{Job, Replay};

/// The figures that schedulers are compared by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// How many jobs.
    pub jobs: usize,
    /// From submission to start, on average.
    pub wait_seconds_mean: f64,
    /// (wait + run) / max(run, 10 s), at least 1, on average.
    pub bounded_slowdown_mean: f64,
    /// Processor-seconds used, over the machine's from the first submission to the last end.
    pub utilisation: f64,
    /// From the first submission to the last end.
    pub makespan_seconds: i64,
    /// The most processors busy at once.
    pub procs_busy_max: u32,
    /// The longest queue.
    pub queue_len_max: usize,
}

/// Runs below this many seconds count as this long in the bounded slowdown.
const SLOWDOWN_BOUND_SECONDS: f64 = 10.0;

impl Metrics {
    /// Of `replay`, which is of `jobs` on `procs` processors.
    pub fn of(jobs: &[Job], replay: &Replay, procs: u32) -> Self {
        let (mut waits, mut slowdowns, mut area, mut last) = (0.0, 0.0, 0.0, i64::MIN);
        for (job, &start) in jobs.iter().zip(&replay.starts) {
            let (wait, run) = ((start - job.submit) as f64, job.run as f64);
            waits += wait;
            slowdowns += ((wait + run) / run.max(SLOWDOWN_BOUND_SECONDS)).max(1.0);
            area += run * f64::from(job.procs);
            last = last.max(start.saturating_add(job.run));
        }
        let first = jobs.iter().map(|job| job.submit).min().unwrap_or_default();
        let makespan_seconds = last.saturating_sub(first).max(0);
        let count = jobs.len().max(1) as f64;
        let whole = f64::from(procs) * (makespan_seconds.max(1) as f64);
        Self {
            jobs: jobs.len(),
            wait_seconds_mean: waits / count,
            bounded_slowdown_mean: slowdowns / count,
            utilisation: area / whole,
            makespan_seconds,
            procs_busy_max: replay.procs_busy_max,
            queue_len_max: replay.queue_len_max,
        }
    }
}
