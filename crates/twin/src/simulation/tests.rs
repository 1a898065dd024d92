use std::ops::ControlFlow;

use proptest::prelude::*;

mod caps;

use super::*;
use crate::testing::scenario;
use crate::workload::{Group, Size};

const GROUPS: [(&str, &str); 2] = [("sme", "union"), ("academia", "states")];

fn workload(jobs: &[(i64, i64, i64, Size, usize)]) -> Workload {
    let group = |(class, payer): (&str, &str)| Group {
        key: class.to_owned(),
        class: class.to_owned(),
        payer: payer.to_owned(),
        mode: None,
        home: Vec::new(),
    };
    let job = |(index, job): (u32, &(i64, i64, i64, Size, usize))| Job {
        submit: job.0,
        run_seconds: job.1,
        limit_seconds: job.1 + job.2,
        size: job.3,
        group: job.4,
        user: 0,
        data_gb: 0,
        interactive: false,
        lot: index.wrapping_mul(2_654_435_761),
    };
    let mut jobs: Vec<Job> = (0..).zip(jobs).map(job).collect();
    jobs.sort_by_key(|job| job.submit);
    Workload { groups: GROUPS.map(group).to_vec(), jobs }
}

/// A scenario of these machines, with this in its policy.
fn world(machines: &str, policy: &str) -> Scenario {
    scenario(&format!(
        "name = \"t\"\nquestion = \"?\"\nstart = 2026-01-05\ndays = 10\nseeds = 1\n{machines}\n\
         [[loads]]\n[[loads.groups]]\nclass = \"none\"\nusers = 1\njobs_per_week = 1\n\
         run_seconds = [1]\nused_percent = [100]\nsizes = [{{ gpus = 1, weight = 1 }}]\n\
         [policy]\n{policy}\n"
    ))
}

const ONE: &str = "[[machines]]\nkey = \"one\"\nnodes = 2\ngpus_per_node = 4";
const TWO: &str = "[[machines]]\nkey = \"one\"\nnodes = 2\ngpus_per_node = 4\n\
     failures = [{ from = 2026-01-06, days = 1 }]\n\
     [[machines]]\nkey = \"two\"\nnodes = 1\ngpus_per_node = 4\narrives = 2026-01-06\n\
     upgrades = [{ on = 2026-01-07, nodes = 3 }, { on = 2026-01-08, nodes = 1 }]";

fn run(scenario: &Scenario, workload: Workload) -> Run {
    simulate(scenario, workload, 1, |_| ControlFlow::Continue(())).unwrap()
}

fn starts(run: &Run) -> Vec<i64> {
    run.fates.iter().map(|fate| fate.start).collect()
}

fn jobs() -> impl Strategy<Value = Workload> {
    let size = prop_oneof![(1_u32..12).prop_map(Size::Gpus), (1_u32..3).prop_map(Size::Nodes)];
    let job = (0_i64..400_000, 1_i64..90_000, 0_i64..40_000, size, 0_usize..2);
    proptest::collection::vec(job, 1..60).prop_map(|jobs| workload(&jobs))
}

const POLICIES: [&str; 6] = [
    "backfill = \"easy\"\nmultifactor = { fair_share = 1000, age = 100, half_life_days = 7 }",
    "backfill = \"fcfs\"\nplacement = \"random\"",
    "backfill = \"easy\"\nplacement = \"least-loaded\"",
    "backfill = \"easy\"\nplacement = \"forecast\"\nfloor = { classes = [\"sme\"], percent = 25 }",
    "backfill = \"conservative\"\nplacement = \"data-aware\"",
    "backfill = \"easy\"\npriorities = [{ payers = [\"union\"], points = 9 }]\n\
     caps = [{ classes = [\"academia\"], percent = 50 }]",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_machine_ever_holds_more_than_it_has_and_all_jobs_run(workload in jobs()) {
        for policy in POLICIES {
            let scenario = world(TWO, policy);
            let run = run(&scenario, workload.clone());
            for (job, fate) in run.workload.jobs.iter().zip(&run.fates) {
                let Some(machine) = fate.machine else {
                    // Three nodes of four GPUs, for a day, are the most there ever is together.
                    prop_assert!(matches!(job.size, Size::Gpus(9..)), "{job:?}");
                    continue;
                };
                prop_assert!(fate.start >= job.submit);
                let described = &scenario.machines[machine];
                prop_assert!(!described.is_down(fate.start));
                let held: u32 = run.workload.jobs.iter().zip(&run.fates)
                    .filter(|(other, it)| it.machine == Some(machine)
                        && it.start <= fate.start && fate.start < it.start + other.run_seconds)
                    .map(|(_, it)| it.units).sum();
                let there = described.nodes_at(fate.start) * described.units_per_node;
                prop_assert!(held <= there, "{held} of {there} at {}", fate.start);
            }
            prop_assert_eq!(&run, &self::run(&scenario, workload.clone()));
        }
    }

    #[test]
    fn one_shared_node_schedules_as_counted_processors_do(workload in jobs()) {
        let node = "[[machines]]\nkey = \"one\"\nnodes = 1\ngpus_per_node = 12";
        let policies = [
            (sched::Policy::Fcfs, "backfill = \"fcfs\""),
            (sched::Policy::Easy, "backfill = \"easy\""),
            (sched::Policy::Easy, "backfill = \"easy\"\nmultifactor = {}"),
            (sched::Policy::Conservative, "backfill = \"conservative\""),
        ];
        for (policy, words) in policies {
            let scenario = world(node, words);
            let fits = |size| !matches!(size, Size::Nodes(2..));
            let mut workload = workload.clone();
            workload.jobs.retain(|job| fits(job.size));
            let log: Vec<crate::Job> = (1..).zip(&workload.jobs).map(|(id, job)| crate::Job {
                id,
                submit: job.submit,
                run: job.run_seconds,
                estimate: job.limit_seconds,
                procs: match job.size {
                    Size::Gpus(gpus) => gpus,
                    Size::Nodes(_) | Size::Cores(_) => 12,
                },
                user: 1,
                group: 1,
                queue: 1,
            }).collect();
            let replay = crate::replay(&log, 12, policy, |_| ControlFlow::Continue(()));
            let run = run(&scenario, workload);
            prop_assert_eq!(starts(&run), replay.map(|it| it.starts).unwrap_or_default());
        }
    }
}

#[test]
fn a_machine_that_fails_loses_what_runs_and_the_other_takes_it_over() {
    let day = 86_400;
    // Twelve hours before the first machine fails, which leaves the second from the second day on.
    let scenario = world(TWO, "backfill = \"easy\"");
    let run = run(&scenario, workload(&[(day / 2, day, 0, Size::Gpus(4), 0)]));
    let fate = run.fates.first().unwrap();
    assert_eq!((fate.machine, fate.start, fate.lost), (Some(1), day, 1));
    let days = run.days.first().unwrap();
    assert_eq!(days.lost, 4 * day / 2);
    assert_eq!(days.capacity.get(..3).unwrap(), [8 * day, 0, 8 * day]);
    let other = run.days.get(1).unwrap();
    assert_eq!(other.capacity.get(..4).unwrap(), [0, 4 * day, 12 * day, 4 * day]);
    assert_eq!(other.busy.get(..3).unwrap(), [0, 4 * day, 0]);
}

#[test]
fn who_has_priority_goes_first_and_who_has_a_floor_finds_room() {
    let hour = 3_600;
    // The others fill the machine for hours; then one member and one other come.
    let mut jobs: Vec<_> = (0..4).map(|_| (0, 4 * hour, 0, Size::Gpus(2), 1)).collect();
    jobs.extend([(10, hour, 0, Size::Gpus(8), 1), (20, hour, 0, Size::Gpus(8), 0)]);
    let starts = |policy: &str| {
        starts(&run(&world(ONE, policy), workload(&jobs))).get(4..).unwrap().to_vec()
    };
    assert_eq!(starts("backfill = \"fcfs\""), [4 * hour, 5 * hour]);
    let priority = "backfill = \"fcfs\"\npriorities = [{ classes = [\"sme\"], points = 1 }]";
    assert_eq!(starts(priority), [5 * hour, 4 * hour]);
    let mut small = jobs.clone();
    small.push((30, hour, 0, Size::Gpus(2), 0));
    let floor = "backfill = \"easy\"\nfloor = { classes = [\"sme\"], percent = 25 }";
    let floored = run(&world(ONE, floor), workload(&small));
    let others = floored.fates.iter().zip(&floored.workload.jobs).filter(|(_, job)| job.group == 1);
    let at_once: u32 = others.filter(|(it, _)| it.start == 0).map(|(it, _)| it.units).sum();
    assert_eq!(at_once, 6, "a quarter of eight is left alone");
    assert_eq!(floored.fates.last().unwrap().start, 30);
}

#[test]
fn fair_share_lets_a_payer_who_has_used_little_go_before_one_who_has_used_much() {
    let hour = 3_600;
    // The union's users come first and often; one job of the states' comes last.
    let mut jobs: Vec<_> = (0..6).map(|at| (at, hour, 0, Size::Nodes(2), 0)).collect();
    jobs.push((10, hour, 0, Size::Nodes(2), 1));
    let last = |policy: &str| {
        let machine = format!("{ONE}\npools = {{ union = \"50 %\", states = \"50 %\" }}");
        starts(&run(&world(&machine, policy), workload(&jobs))).last().copied()
    };
    assert_eq!(last("backfill = \"easy\""), Some(6 * hour));
    let fair = "backfill = \"easy\"\nmultifactor = { fair_share = 1000, half_life_days = 7 }";
    assert_eq!(last(fair), Some(hour));
}

#[test]
fn data_aware_placement_waits_for_the_machine_that_has_the_data() {
    let both = "transfer_gbit_per_second = 1\n[[machines]]\nkey = \"a\"\nnodes = 1\ngpus_per_node = 1\n\
         [[machines]]\nkey = \"b\"\nnodes = 1\ngpus_per_node = 1";
    let fates = |placement: &str| {
        let mut workload =
            workload(&[(0, 600, 0, Size::Gpus(1), 0), (1, 600, 0, Size::Gpus(1), 1)]);
        for job in &mut workload.jobs {
            job.lot = 0;
            job.data_gb = 1_000;
        }
        for group in &mut workload.groups {
            group.home = vec!["a".to_owned()];
        }
        let scenario = world(both, &format!("backfill = \"easy\"\nplacement = \"{placement}\""));
        let run = run(&scenario, workload);
        run.fates.iter().map(|fate| (fate.machine, fate.start)).collect::<Vec<_>>()
    };
    // A terabyte at a gigabit a second takes 8 000 seconds.
    assert_eq!(fates("forecast"), [(Some(0), 0), (Some(1), 8_001)]);
    assert_eq!(fates("data-aware"), [(Some(0), 0), (Some(0), 600)]);
}

#[test]
fn a_run_can_be_stopped() {
    let jobs: Vec<_> = (0..20_000).map(|at| (at * 30, 10, 0, Size::Gpus(1), 0)).collect();
    let scenario = world(ONE, "backfill = \"easy\"");
    assert_eq!(simulate(&scenario, workload(&jobs), 1, |_| ControlFlow::Break(())), None);
}
