//! A floor for some jobs: what it guarantees, and what it leaves unchanged.

use std::ops::ControlFlow;

use proptest::prelude::*;
use sched::Policy;
use twin::{FastLane, Job, Members, Waits};

fn workload() -> impl Strategy<Value = Vec<Job>> {
    let job = (0_i64..40, 1_i64..200, 0_i64..200, 1_u32..=32, 1_u32..4);
    proptest::collection::vec(job, 1..150).prop_map(|jobs| {
        let mut submit = 1;
        (1..)
            .zip(jobs)
            .map(|(id, (gap, run, slack, procs, queue))| {
                submit += gap;
                Job { id, submit, run, estimate: run + slack, procs, user: 1, group: 1, queue }
            })
            .collect()
    })
}

fn starts(jobs: &[Job], policy: Policy, percent: u32) -> (Vec<i64>, FastLane) {
    let members: Members = "queue:1".parse().unwrap_or_else(|_| unreachable!("it names one"));
    let lane = FastLane::new(members, percent, 64);
    let replay = twin::replay_with_lane(jobs, 64, policy, &lane, |_| ControlFlow::Continue(()));
    (replay.map(|replay| replay.starts).unwrap_or_default(), lane)
}

proptest! {
    #[test]
    fn others_never_hold_the_floor_and_all_start(jobs in workload(), percent in 0_u32..=100) {
        for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
            let (starts, lane) = starts(&jobs, policy, percent);
            prop_assert_eq!(starts.len(), jobs.len());
            for at in &starts {
                let running = || jobs.iter().zip(&starts)
                    .filter(|(job, start)| **start <= *at && *at < **start + job.run);
                let all: u32 = running().map(|(job, _)| job.procs).sum();
                let others: u32 = running()
                    .filter(|(job, _)| lane.binds(job))
                    .map(|(job, _)| job.procs).sum();
                prop_assert!(all <= 64);
                prop_assert!(others <= 64 - lane.floor_procs, "{others} at {at}");
            }
            prop_assert!(jobs.iter().zip(&starts).all(|(job, start)| *start >= job.submit));
        }
    }

    #[test]
    fn no_floor_changes_nothing(jobs in workload()) {
        for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
            let plain = twin::replay(&jobs, 64, policy, |_| ControlFlow::Continue(()));
            prop_assert_eq!(Some(starts(&jobs, policy, 0).0), plain.map(|replay| replay.starts));
        }
    }

    #[test]
    fn the_first_of_the_queue_waits_only_for_room_or_its_cap(jobs in workload()) {
        let (starts, lane) = starts(&jobs, Policy::Easy, 30);
        for (ended, start) in jobs.iter().zip(&starts) {
            let at = start + ended.run;
            let waits = |(job, start): &(&Job, &i64)| job.submit <= at && at < **start;
            let Some((first, _)) = jobs.iter().zip(&starts).find(waits) else { continue };
            let held = |bound: bool| -> u32 {
                jobs.iter().zip(&starts)
                    .filter(|(job, start)| **start <= at && at < **start + job.run)
                    .filter(|(job, _)| !bound || lane.binds(job))
                    .map(|(job, _)| job.procs).sum()
            };
            let fits = held(false) + first.procs <= 64;
            let capped = lane.binds(first) && held(true) + first.procs > lane.rest_procs;
            prop_assert!(!fits || capped, "job {} waits at {at}", first.id);
        }
    }
}

#[test]
fn a_floor_shortens_the_waits_of_its_members() {
    // The others keep the machine full for ever; a member comes by now and then.
    let job = |id, submit, queue| Job {
        id,
        submit,
        run: 100,
        estimate: 100,
        procs: 8,
        user: 1,
        group: 1,
        queue,
    };
    let mut jobs: Vec<Job> = (0..400).map(|i| job(i, 1 + i * 10, 2)).collect();
    jobs.extend((0..40).map(|i| job(1_000 + i, 5 + i * 100, 1)));
    jobs.sort_by_key(|job| (job.submit, job.id));
    let mean = |percent| {
        let (starts, lane) = starts(&jobs, Policy::Easy, percent);
        Waits::of(&jobs, &starts, |job| lane.members.contain(job)).seconds_mean
    };
    assert!(mean(0) > 100.0, "without a floor members wait: {}", mean(0));
    assert!(mean(20) < mean(0) / 5.0, "{} of {}", mean(20), mean(0));
}
