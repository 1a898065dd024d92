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

/// How long some of the jobs waited.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Waits {
    /// How many jobs.
    pub jobs: usize,
    /// On average.
    pub seconds_mean: f64,
    /// Half of them waited no longer.
    pub seconds_median: i64,
    /// Nineteen of twenty waited no longer.
    pub seconds_95th: i64,
}

impl Waits {
    /// Of those `jobs` that are `wanted`, which started at `starts`.
    pub fn of(jobs: &[Job], starts: &[i64], wanted: impl Fn(&Job) -> bool) -> Self {
        let some = jobs.iter().zip(starts).filter(|(job, _)| wanted(job));
        let mut waits: Vec<i64> = some.map(|(job, start)| start - job.submit).collect();
        waits.sort_unstable();
        // The nearest rank: the smallest wait that so many of a hundred do not exceed.
        let rank = |percent: usize| (waits.len() * percent).div_ceil(100).saturating_sub(1);
        let percentile = |percent| waits.get(rank(percent)).copied().unwrap_or_default();
        let sum: f64 = waits.iter().map(|&wait| wait as f64).sum();
        Self {
            jobs: waits.len(),
            seconds_mean: sum / waits.len().max(1) as f64,
            seconds_median: percentile(50),
            seconds_95th: percentile(95),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: i64, submit: i64, run: i64, procs: u32) -> Job {
        Job { id, submit, run, estimate: run, procs, user: 1, group: 1, queue: 1 }
    }

    #[test]
    fn metrics_are_those_of_a_schedule_worked_out_by_hand() {
        let jobs = [job(1, 0, 100, 4), job(2, 0, 5, 2), job(3, 10, 50, 2)];
        let replay =
            Replay { starts: vec![0, 100, 100], queue_len_max: 2, procs_busy_max: 4, passes: 5 };
        let metrics = Metrics::of(&jobs, &replay, 4);
        assert_eq!(metrics.makespan_seconds, 150);
        assert!((metrics.wait_seconds_mean - 190.0 / 3.0).abs() < 1e-9);
        // 1; (100 + 5) / 10, for short runs count as ten seconds; (90 + 50) / 50.
        assert!((metrics.bounded_slowdown_mean - (1.0 + 10.5 + 2.8) / 3.0).abs() < 1e-9);
        assert!((metrics.utilisation - 510.0 / 600.0).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let jobs: Vec<Job> = (1..=20).map(|id| job(id, 0, 1, 1)).collect();
        let starts: Vec<i64> = (1..=20).rev().collect();
        let waits = Waits::of(&jobs, &starts, |_| true);
        assert_eq!((waits.jobs, waits.seconds_median, waits.seconds_95th), (20, 10, 19));
        assert_eq!(Waits::of(&jobs, &starts, |_| false), Waits::default());
    }
}
