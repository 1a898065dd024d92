//! Jobs that count against several caps at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use proptest::prelude::*;
use sched::{Core, Policy, Processors, Task};
use twin::Job;

use crate::textbook::{self, Cap};

const PROCS: u32 = 64;
/// Jobs of queue 2 count against two of them, those of queue 4 against none.
const CAPS: [Cap; 3] = [
    Cap { queues: &[1, 2], procs: 24 },
    Cap { queues: &[2, 3], procs: 20 },
    Cap { queues: &[1, 2, 3], procs: 48 },
];
const POLICIES: [Policy; 3] = [Policy::Fcfs, Policy::Easy, Policy::Conservative];

/// The start of every job; a queue is a group.
fn starts(jobs: &[Job], policy: Policy, caps: &[Cap]) -> Vec<i64> {
    let mut core = Core::new(Processors::new(PROCS), policy);
    for (number, cap) in (0..).zip(caps) {
        core.cap(number, cap.queues.iter().copied(), cap.procs);
    }
    let mut starts = vec![-1; jobs.len()];
    let mut arrivals = jobs.iter().enumerate().peekable();
    let mut ends = BinaryHeap::new();
    let mut holders = BTreeMap::new();
    let mut started = Vec::new();
    loop {
        let arrival = arrivals.peek().map(|(_, job)| job.submit);
        let end = ends.peek().map(|Reverse((end, _))| *end);
        let Some(now) = arrival.into_iter().chain(end).min() else { return starts };
        while let Some(&Reverse((end, ticket))) = ends.peek()
            && end <= now
        {
            ends.pop();
            core.remove(now, ticket);
        }
        while let Some((index, job)) = arrivals.next_if(|(_, job)| job.submit <= now) {
            let task = Task {
                demand: job.procs,
                estimate_seconds: job.estimate,
                priority: 0,
                group: job.queue,
            };
            holders.insert(core.submit(now, task), (index, job.run));
        }
        core.pass(now, &mut started);
        for ticket in started.drain(..) {
            let (index, run) = holders.get(&ticket).copied().unwrap_or_default();
            starts.get_mut(index).into_iter().for_each(|start| *start = now);
            ends.push(Reverse((now + run, ticket)));
        }
    }
}

fn workload() -> impl Strategy<Value = Vec<Job>> {
    (super::workload(), proptest::collection::vec(1_u32..=4, 120)).prop_map(|(mut jobs, queues)| {
        for (job, queue) in jobs.iter_mut().zip(queues) {
            job.queue = queue;
        }
        jobs
    })
}

proptest! {
    #[test]
    fn no_cap_is_crossed_and_every_job_runs_under_every_policy(jobs in workload()) {
        for policy in POLICIES {
            let starts = starts(&jobs, policy, &CAPS);
            super::within_capacity(&jobs, &starts, PROCS)?;
            for (job, &at) in jobs.iter().zip(&starts) {
                for cap in CAPS.iter().filter(|cap| cap.charge(job) > 0) {
                    let beside = jobs.iter().zip(&starts)
                        .filter(|(other, start)| **start <= at && at < **start + other.run);
                    let held: u32 = beside.map(|(other, _)| cap.charge(other)).sum();
                    prop_assert!(held <= cap.procs, "{policy:?}: {held} of {} at {at}", cap.procs);
                }
            }
        }
    }

    #[test]
    fn conservative_backfill_under_caps_agrees_with_the_textbook(jobs in workload()) {
        let (by_book, promises) = textbook::conservative(&jobs, PROCS, &CAPS);
        let starts = starts(&jobs, Policy::Conservative, &CAPS);
        prop_assert_eq!(&starts, &by_book);
        for ((job, start), promise) in jobs.iter().zip(&starts).zip(promises) {
            prop_assert!(*start <= promise, "job {} was promised {promise}, started {start}", job.id);
        }
    }

    #[test]
    fn caps_that_never_bind_change_nothing(jobs in workload()) {
        let all = [Cap { queues: &[1, 2, 3, 4], procs: PROCS }, Cap { queues: &[7], procs: 1 }];
        for policy in POLICIES {
            prop_assert_eq!(starts(&jobs, policy, &all), starts(&jobs, policy, &[]));
        }
    }
}

#[test]
fn a_wide_job_under_two_caps_does_not_starve_beside_small_ones_under_either() {
    let job = |submit, procs, run, queue| Job {
        id: submit,
        submit,
        run,
        estimate: run,
        procs,
        user: 1,
        group: 1,
        queue,
    };
    // Each cap is always full, and the two are never empty at once by themselves.
    let small = (0..600).map(|at| job(at, 10, 20, if at % 2 == 0 { 1 } else { 3 }));
    let mut jobs: Vec<Job> = small.chain([job(50, 20, 30, 2)]).collect();
    jobs.sort_by_key(|job| job.submit);
    for policy in POLICIES {
        let starts = starts(&jobs, policy, &CAPS);
        let wide = jobs.iter().zip(&starts).find(|(job, _)| job.queue == 2);
        let waited = wide.map(|(job, start)| start - job.submit);
        // Those before it in line hold up to 25 each of both caps, two at a time for 20 seconds.
        assert!(waited.is_some_and(|waited| waited <= 560), "{policy:?}: {waited:?}");
    }
}
