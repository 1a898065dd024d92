//! One algorithm, two kinds of pool: where they mean the same, they decide the same.
#![expect(clippy::indexing_slicing, reason = "a test that is wrong should fail loudly")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use proptest::prelude::*;
use sched::{
    Amount, Core, Nodes, NodesDemand, Policy, Pool, Processors, Second, Sharing, Task, Ticket,
};

/// A job: when it arrives, how long it runs, how long it may, its size, its priority.
type Job = (Second, Second, Second, u32, i64);

const SIZE: u32 = 24;

/// Runs jobs to the end; returns when each started and checks the machine after every pass.
fn starts<P: Pool>(
    pool: P,
    policy: Policy,
    jobs: &[Job],
    demand: impl Fn(u32) -> P::Demand,
) -> Result<Vec<Second>, TestCaseError> {
    run(Core::new(pool, policy), jobs, demand)
}

fn run<P: Pool>(
    mut core: Core<P>,
    jobs: &[Job],
    demand: impl Fn(u32) -> P::Demand,
) -> Result<Vec<Second>, TestCaseError> {
    let policy = core.policy();
    let mut arrivals = jobs.iter().enumerate().peekable();
    let mut ends: BinaryHeap<Reverse<(Second, usize, Ticket)>> = BinaryHeap::new();
    let mut holders: BTreeMap<Ticket, usize> = BTreeMap::new();
    let mut starts = vec![Second::MIN; jobs.len()];
    let mut last = Second::MIN;
    loop {
        let arrival = arrivals.peek().map(|(_, job)| job.0);
        let end = ends.peek().map(|Reverse((end, ..))| *end);
        let hold = core.next_hold(last).filter(|_| core.queue_len() > 0);
        let Some(now) = arrival.into_iter().chain(end).chain(hold).min() else { break };
        last = now;
        while ends.peek().is_some_and(|Reverse((end, ..))| *end <= now) {
            let Some(Reverse((_, _, ticket))) = ends.pop() else { break };
            core.remove(now, ticket);
        }
        while let Some((index, job)) = arrivals.next_if(|(_, job)| job.0 <= now) {
            let task =
                Task { demand: demand(job.3), estimate_seconds: job.2, priority: job.4, group: 0 };
            holders.insert(core.submit(now, task), index);
        }
        // Whoever arrives with a higher priority is not bound by the promise.
        let head = core.waiting().next().map(|(ticket, task)| (ticket, task.priority));
        let outranked = core.waiting().any(|(_, task)| head.is_some_and(|h| h.1 < task.priority));
        let promised = core.promised_start().filter(|_| policy == Policy::Easy && !outranked);
        let mut started = Vec::new();
        core.pass(now, &mut started);
        if let (Some(before), Some(head)) = (promised, head)
            && core.waiting().next().is_some_and(|(ticket, _)| ticket == head.0)
        {
            let after = core.promised_start();
            prop_assert!(after.is_some_and(|at| at <= before), "{before} became {after:?}");
        }
        for ticket in started {
            let index = holders[&ticket];
            starts[index] = now;
            ends.push(Reverse((now + jobs[index].1, index, ticket)));
        }
    }
    Ok(starts)
}

fn jobs() -> impl Strategy<Value = Vec<Job>> {
    let job = (0_i64..30, 1_i64..60, 0_i64..90, 1..=SIZE, 0_i64..3);
    proptest::collection::vec(job, 1..80).prop_map(|jobs| {
        let mut now = 0;
        jobs.into_iter()
            .map(|(gap, run, slack, size, priority)| {
                now += gap;
                (now, run, run + slack, size, priority)
            })
            .collect()
    })
}

fn on_processors(policy: Policy, jobs: &[Job]) -> Result<Vec<Second>, TestCaseError> {
    starts(Processors::new(SIZE), policy, jobs, |size| size)
}

fn on_nodes(sharing: Sharing, policy: Policy, jobs: &[Job]) -> Result<Vec<Second>, TestCaseError> {
    // Either nodes of one core given whole, or one node whose cores are shared.
    let one = Amount { cores: 1, memory_mb: 1, gpus: 0 };
    let all = Amount { cores: SIZE, memory_mb: 1_000, gpus: 2 };
    match sharing {
        Sharing::Whole => {
            let nodes = Nodes::new(sharing, (0..SIZE).map(|_| (one, 0)));
            starts(nodes, policy, jobs, |nodes| NodesDemand { nodes, each: one, features: 0 })
        }
        Sharing::Shared => {
            let each = |cores| Amount { cores, memory_mb: 1, gpus: 0 };
            let nodes = Nodes::new(sharing, [(all, 0)]);
            starts(nodes, policy, jobs, |cores| NodesDemand {
                nodes: 1,
                each: each(cores),
                features: 0,
            })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nodes_and_processors_schedule_alike(jobs in jobs()) {
        for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
            let counted = on_processors(policy, &jobs)?;
            prop_assert!(counted.iter().zip(&jobs).all(|(start, job)| *start >= job.0));
            prop_assert_eq!(&on_nodes(Sharing::Shared, policy, &jobs)?, &counted);
            // Promises on named nodes bind more than promises on a number of processors.
            if policy != Policy::Conservative {
                prop_assert_eq!(&on_nodes(Sharing::Whole, policy, &jobs)?, &counted);
            }
        }
    }

    /// The run checks that what passes the first never delays what it is promised.
    #[test]
    fn nobody_runs_into_a_hold_and_the_first_keeps_its_promise(
        jobs in jobs(),
        holds in proptest::collection::vec((0_i64..600, 1_i64..200, 1..=SIZE), 0..4),
    ) {
        for policy in [Policy::Fcfs, Policy::Easy, Policy::Conservative] {
            let mut counted = Core::new(Processors::new(SIZE), policy);
            let one = Amount { cores: 1, memory_mb: 1, gpus: 0 };
            let nodes = Nodes::new(Sharing::Whole, (0..SIZE).map(|_| (one, 0)));
            let mut named = Core::new(nodes.clone(), policy);
            let mut from = 0;
            let mut held: Vec<(Second, Second, u32)> = Vec::new();
            for &(gap, seconds, size) in &holds {
                from += gap;
                let until = from + seconds;
                counted.hold(from, until, size);
                named.hold(from, until, nodes.named(0..size as usize));
                held.push((from, until, size));
                from = until;
            }
            let counted = run(counted, &jobs, |size| size)?;
            let named = run(named, &jobs, |nodes| NodesDemand { nodes, each: one, features: 0 })?;
            for starts in [&counted, &named] {
                for (from, until, size) in &held {
                    let held_back = (*from..*until).step_by(7).find(|at| {
                        let busy = jobs.iter().zip(starts)
                            .filter(|(job, start)| **start <= *at && *at < **start + job.1);
                        busy.map(|(job, _)| job.3).sum::<u32>() + size > SIZE
                    });
                    prop_assert_eq!(held_back, None, "{:?} run into {:?}", starts, held);
                }
            }
        }
    }

    #[test]
    fn in_order_nobody_starts_before_a_waiting_job_of_higher_priority(jobs in jobs()) {
        let starts = on_processors(Policy::Fcfs, &jobs)?;
        for (first, start) in jobs.iter().zip(&starts) {
            for (other, other_start) in jobs.iter().zip(&starts) {
                let ahead = other.4 > first.4 && other.0 <= *start;
                prop_assert!(!ahead || other_start <= start, "{first:?} before {other:?}");
            }
        }
    }
}
