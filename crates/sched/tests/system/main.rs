//! Whole systems under random loads: whatever is configured, these hold.

mod load;
mod run;

use load::{Job, RESERVED, nodes_system, rules, workload};
use proptest::prelude::*;
use run::{Run, alone, with_core};
use sched::{Backfill, Policy, PriorityPolicy, Tres, Weights};

const POLICIES: [Policy; 3] = [Policy::Fcfs, Policy::Easy, Policy::Conservative];

fn multifactor() -> PriorityPolicy {
    PriorityPolicy {
        weights: Weights {
            age: 500,
            fair_share: 1_000,
            size: 100,
            partition: 10,
            qos: 300,
            tres: Tres::all(7),
        },
        age_seconds_max: 400,
        half_life_seconds: Some(300),
        period_seconds: 20,
        ..PriorityPolicy::ARRIVAL
    }
}

fn backfill() -> impl Strategy<Value = Backfill> {
    let slurm = Backfill {
        depth: 4,
        window_seconds: 200,
        resolution_seconds: 10,
        interval_seconds: 15,
        whole_nodes: false,
        ends_within_seconds: 0,
    };
    prop_oneof![
        Just(Backfill::UNLIMITED),
        Just(Backfill { depth: 3, ..Backfill::UNLIMITED }),
        Just(Backfill { whole_nodes: true, ..Backfill::UNLIMITED }),
        Just(Backfill { whole_nodes: true, ends_within_seconds: 30, ..Backfill::UNLIMITED }),
        Just(slurm),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The run itself checks, after every pass, that no node holds more than it has, that nothing
    /// starts on a node that is down or would run into what is set aside, that no limit is crossed,
    /// that jobs make room only for those that may ask for it, and at the end that all have run.
    #[test]
    fn nothing_is_overbooked_no_limit_crossed_and_every_job_runs(
        jobs in workload(),
        backfill in backfill(),
        failures in proptest::collection::vec((0_i64..400, 0_usize..6), 0..4),
    ) {
        for policy in POLICIES {
            let system = nodes_system(policy, multifactor(), backfill, rules(true));
            let starts = Run::new(system, &jobs).failing(&failures).reserving().finish()?;
            let again = nodes_system(policy, multifactor(), backfill, rules(true));
            let again = Run::new(again, &jobs).failing(&failures).reserving().finish()?;
            prop_assert_eq!(starts, again, "the same input gives another result");
        }
    }

    #[test]
    fn without_rules_a_system_decides_as_its_core_does(jobs in workload()) {
        let jobs: Vec<Job> = jobs.into_iter().filter(|job| job.partition != RESERVED).map(|job| Job {
            deferral: None,
            partition: 0,
            qos: 0,
            ..job
        }).collect();
        for policy in POLICIES {
            // A core promises to each as it arrives, a system to all of an instant in order.
            let nice = |job: &Job| if policy == Policy::Conservative { 0 } else { job.nice };
            let jobs: Vec<Job> = jobs.iter().map(|job| Job { nice: nice(job), ..*job }).collect();
            let system = nodes_system(policy, PriorityPolicy::ARRIVAL, Backfill::UNLIMITED, rules(false));
            let starts = Run::new(system, &jobs).finish()?;
            prop_assert_eq!(starts, with_core(policy, &jobs));
        }
    }

    #[test]
    fn in_order_nobody_starts_while_a_job_of_higher_priority_could_not(jobs in workload()) {
        let system = nodes_system(Policy::Fcfs, multifactor(), Backfill::UNLIMITED, rules(false));
        Run::new(system, &jobs).in_order().finish()?;
    }

    #[test]
    fn in_order_it_does_not_matter_how_far_is_looked(jobs in workload()) {
        let starts = |depth| {
            let backfill = Backfill { depth, ..Backfill::UNLIMITED };
            let system = nodes_system(Policy::Fcfs, multifactor(), backfill, rules(false));
            Run::new(system, &jobs).finish()
        };
        prop_assert_eq!(starts(1)?, starts(usize::MAX)?);
    }

    #[test]
    fn a_job_that_is_alone_starts_at_once_unless_it_waits_for_the_signal(jobs in workload()) {
        for job in jobs.iter().filter(|job| job.partition != RESERVED) {
            let (start, opens) = alone(nodes_system(
                Policy::Easy,
                multifactor(),
                Backfill::SLURM,
                rules(true),
            ), job)?;
            prop_assert_eq!(start, opens);
        }
    }
}
