//! Replays against a textbook scheduler, written independently: no index, no shared code, the
//! queue rescanned and the future replanned at every second in which anything happens.

mod caps;
mod textbook;

use std::ops::ControlFlow;

use proptest::prelude::*;
use sched::Policy;
use twin::{Job, Replay};

fn replay(jobs: &[Job], procs: u32, policy: Policy) -> Replay {
    twin::replay(jobs, procs, policy, |_| ControlFlow::Continue(())).unwrap_or_else(|| {
        unreachable!("nobody stops it");
    })
}

/// Jobs on 64 processors, bursty enough that they queue.
fn workload() -> impl Strategy<Value = Vec<Job>> {
    let job = (0_i64..60, 1_i64..200, 0_i64..400, 1_u32..=64, 0_u32..4);
    proptest::collection::vec(job, 1..120).prop_map(|jobs| {
        let mut submit = 1;
        (1..)
            .zip(jobs)
            .map(|(id, (gap, run, slack, procs, shape))| {
                submit += if shape == 0 { 0 } else { gap };
                // Many small jobs, few large ones; some estimates exact, some far off.
                let procs = if shape < 3 { procs.div_ceil(8) } else { procs };
                let estimate = if shape == 1 { run } else { run + slack };
                Job { id, submit, run, estimate, procs, user: 1, group: 1, queue: 1 }
            })
            .collect()
    })
}

/// Jobs that may run past their estimates, as in a log that was not sanitised.
fn overrunning() -> impl Strategy<Value = Vec<Job>> {
    (workload(), proptest::collection::vec(-1_i64..300, 120)).prop_map(|(mut jobs, estimates)| {
        for (job, estimate) in jobs.iter_mut().zip(estimates) {
            job.estimate = estimate;
        }
        jobs
    })
}

/// No more than `procs` are ever busy, and nobody starts before arriving.
fn within_capacity(jobs: &[Job], starts: &[i64], procs: u32) -> Result<(), TestCaseError> {
    let mut changes: Vec<(i64, i64)> = Vec::new();
    for (job, &start) in jobs.iter().zip(starts) {
        prop_assert!(start >= job.submit, "job {} starts before it arrives", job.id);
        changes.push((start, i64::from(job.procs)));
        changes.push((start + job.run, -i64::from(job.procs)));
    }
    changes.sort_unstable();
    let mut busy = 0;
    for (at, change) in changes {
        busy += change;
        prop_assert!(busy <= i64::from(procs), "{busy} processors busy at {at}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn first_come_first_served_agrees_with_the_textbook(jobs in workload()) {
        let replayed = replay(&jobs, 64, Policy::Fcfs);
        within_capacity(&jobs, &replayed.starts, 64)?;
        prop_assert_eq!(replayed.starts, textbook::fcfs(&jobs, 64));
    }

    #[test]
    fn easy_backfill_agrees_with_the_textbook(jobs in workload()) {
        let replayed = replay(&jobs, 64, Policy::Easy);
        within_capacity(&jobs, &replayed.starts, 64)?;
        prop_assert_eq!(replayed.starts, textbook::easy(&jobs, 64));
    }

    #[test]
    fn easy_backfill_agrees_when_jobs_outlive_their_estimates(jobs in overrunning()) {
        let replayed = replay(&jobs, 64, Policy::Easy);
        within_capacity(&jobs, &replayed.starts, 64)?;
        prop_assert_eq!(replayed.starts, textbook::easy(&jobs, 64));
    }

    #[test]
    fn conservative_backfill_agrees_with_the_textbook(jobs in workload()) {
        let replayed = replay(&jobs, 64, Policy::Conservative);
        within_capacity(&jobs, &replayed.starts, 64)?;
        let (starts, promises) = textbook::conservative(&jobs, 64, &[]);
        prop_assert_eq!(&replayed.starts, &starts);
        for ((job, start), promise) in jobs.iter().zip(&starts).zip(promises) {
            prop_assert!(*start <= promise, "job {} was promised {promise}, started {start}", job.id);
        }
    }

    #[test]
    fn conservative_backfill_survives_jobs_that_outlive_their_estimates(jobs in overrunning()) {
        let replayed = replay(&jobs, 64, Policy::Conservative);
        within_capacity(&jobs, &replayed.starts, 64)?;
    }

    #[test]
    fn the_same_log_gives_the_same_schedule(jobs in workload()) {
        for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
            prop_assert_eq!(replay(&jobs, 64, policy), replay(&jobs, 64, policy));
        }
    }

    #[test]
    fn no_processors_idle_that_the_first_of_the_queue_could_use(jobs in workload()) {
        // Under conservative backfill a promise to a later job may stand in between.
        for policy in [Policy::Fcfs, Policy::Easy] {
            let starts = replay(&jobs, 64, policy).starts;
            let waits = |job: &Job, start: i64, at: i64| job.submit <= at && at < start;
            for (job, &at) in jobs.iter().zip(&starts) {
                // Each end is an instant at which somebody could start.
                let at = at + job.run;
                let first = jobs.iter().zip(&starts).find(|(job, start)| waits(job, **start, at));
                let busy: u32 = jobs.iter().zip(&starts)
                    .filter(|(job, start)| **start <= at && at < **start + job.run)
                    .map(|(job, _)| job.procs).sum();
                if let Some((first, _)) = first {
                    prop_assert!(busy + first.procs > 64, "job {} could start at {at}", first.id);
                }
            }
        }
    }
}

#[test]
fn a_replay_can_be_stopped() {
    let job =
        |id| Job { id, submit: id, run: 1, estimate: 1, procs: 1, user: 1, group: 1, queue: 1 };
    let jobs: Vec<Job> = (1..40_000).map(job).collect();
    let mut reports = 0;
    let stopped = twin::replay(&jobs, 4, Policy::Easy, |progress| {
        reports += 1;
        assert!(progress.started <= progress.jobs);
        ControlFlow::Break(())
    });
    assert_eq!((stopped, reports), (None, 1));
}
