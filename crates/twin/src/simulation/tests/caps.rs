//! A floor and caps together, under every backfill, with and without Slurm's factors.

use proptest::prelude::*;

use super::*;

const FLOOR_PERCENT: u32 = 25;
const CAP_PERCENT: u32 = 60;

/// A floor for SMEs, and a cap on those whom the states pay: academia counts against both.
fn policies() -> impl Iterator<Item = String> {
    let factors = [
        "",
        "multifactor = { fair_share = 1000, age = 100, half_life_days = 7 }",
        "multifactor = { fair_share = 1000, backfill_depth = 2, backfill_interval_seconds = 600 }",
    ];
    let backfills = ["fcfs", "easy", "conservative"];
    backfills.into_iter().flat_map(move |backfill| {
        factors.map(|factors| {
            format!(
                "backfill = \"{backfill}\"\n{factors}\n\
                 floor = {{ classes = [\"sme\"], percent = {FLOOR_PERCENT} }}\n\
                 caps = [{{ payers = [\"states\"], percent = {CAP_PERCENT} }}, \
                 {{ classes = [\"sme\"], percent = {CAP_PERCENT} }}]"
            )
        })
    })
}

/// Of a machine with so many units, what each group may hold.
fn allowed(capacity: u32) -> [u32; 2] {
    let cap = capacity * CAP_PERCENT / 100;
    [cap, cap.min(capacity - capacity * FLOOR_PERCENT / 100)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_floor_and_caps_hold_together_under_every_policy_and_all_jobs_run(workload in jobs()) {
        for policy in policies() {
            let scenario = world(TWO, &policy);
            let run = run(&scenario, workload.clone());
            let all = || run.workload.jobs.iter().zip(&run.fates);
            for (job, fate) in all() {
                let Some(machine) = fate.machine else {
                    prop_assert!(matches!(job.size, Size::Gpus(9..)), "{job:?}");
                    continue;
                };
                prop_assert!(fate.units > 0 && fate.start >= job.submit, "{job:?} {policy}");
                let described = &scenario.machines[machine];
                let there = described.nodes_at(fate.start) * described.units_per_node;
                let allowed = allowed(there)[job.group];
                let held: u32 = all()
                    .filter(|(other, it)| it.machine == Some(machine)
                        && other.group == job.group
                        && it.start <= fate.start && fate.start < it.start + other.run_seconds)
                    .map(|(_, it)| it.units.min(allowed)).sum();
                prop_assert!(held <= allowed, "{held} of {allowed} at {}: {policy}", fate.start);
            }
            prop_assert_eq!(&run, &self::run(&scenario, workload.clone()));
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_floor_of_nothing_and_caps_on_nobody_change_nothing(workload in jobs()) {
        let none = "floor = { classes = [\"sme\"], percent = 0 }\n\
                    caps = [{ modes = [\"playground\"], percent = 1 }]";
        for policy in POLICIES.iter().filter(|policy| !policy.contains("percent")) {
            let with = run(&world(TWO, &format!("{policy}\n{none}")), workload.clone());
            prop_assert_eq!(with, run(&world(TWO, policy), workload.clone()));
        }
    }
}

#[test]
fn a_capped_payer_leaves_the_rest_to_others_however_shallow_the_backfill_is() {
    let hour = 3_600;
    // Academia has used nothing, so its many jobs stand first; the cap lets one of them run.
    let mut jobs: Vec<_> = (0..8).map(|_| (0, hour, 0, Size::Gpus(4), 1)).collect();
    jobs.push((0, hour, 0, Size::Gpus(2), 0));
    for backfill in ["fcfs", "easy", "conservative"] {
        let policy = format!(
            "backfill = \"{backfill}\"\npriorities = [{{ classes = [\"academia\"], points = 9 }}]\n\
             multifactor = {{ backfill_depth = 2 }}\n\
             caps = [{{ classes = [\"academia\"], percent = 50 }}]"
        );
        let starts = starts(&run(&world(ONE, &policy), workload(&jobs)));
        assert_eq!(starts, [0, 1, 2, 3, 4, 5, 6, 7, 0].map(|at| at * hour), "{backfill}");
    }
}
