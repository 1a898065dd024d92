use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::testing::{federation, scenario};

const SCENARIO: &str = r#"
name = "two machines"
question = "What if the small one fails for a week?"
start = 2026-01-05
days = 28
warm_up_days = 7
seeds = 3
transfer_gbit_per_second = 10

[[machines]]
partition = "lumi.lumi-g"
key = "lumi"
nodes = 20
pools = { union = "50 %", FI = "25 %" }

[[machines]]
key = "small"
nodes = 4
gpus_per_node = 8
arrives = 2026-01-06
power = { idle_watts_per_node = 900, busy_watts_per_unit = 600, carbon_grams_per_kwh = 80 }
upgrades = [{ on = 2026-01-20, nodes = 8 }]
failures = [{ from = 2026-01-12, days = 7 }]

[[loads]]
percent = 50
[[loads.groups]]
class = "sme"
home = ["lumi"]
users = 10
jobs_per_week = 100
run_seconds = [60, 7200]
used_percent = [10, 100]
data_gb = [1, 1000]
sizes = [{ gpus = 1, weight = 1 }]

[[loads]]
trace = "log.swf"
format = "swf"
class = "academia"
by = "queue"
classes = { 2 = "industry" }

[policy]
backfill = "easy"
placement = "data-aware"
priorities = [{ classes = ["sme"], points = 100 }]
floor = { classes = ["sme"], percent = 10 }
"#;

fn check_broken(from: &str, to: &str, expected: Expect) {
    assert!(SCENARIO.contains(from), "there is no {from}");
    let document = Document::new("s.toml", SCENARIO.replacen(from, to, 1));
    let faults = Scenario::parse(&document, Path::new(""), &federation()).unwrap_err();
    expected.assert_eq(&faults.to_string());
}

#[test]
fn a_scenario_is_told_in_words_as_it_was_written() {
    let told: Vec<String> = scenario(SCENARIO)
        .described()
        .into_iter()
        .map(|(name, words)| format!("{name}: {words}"))
        .collect();
    expect![[r#"
        days: 28 from 2026-01-05, of which the first 7 are not measured
        machine lumi: 20 nodes of 4 GPUs
        machine small: 4 nodes of 8 GPUs, from day 2, 8 nodes from day 16, lost from day 8 to day 14
        load: drawn for sme (100 jobs a week), at 50 %
        load: the log log.swf
        backfill: easy
        placement: data-aware
        priority: 100 points for sme
        floor: 10 % of each machine for sme alone"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn machines_take_from_the_federation_what_the_scenario_does_not_say() {
    let scenario = scenario(SCENARIO);
    let lumi = scenario.machines.first().unwrap();
    assert_eq!((lumi.nodes, lumi.units_per_node, lumi.unit), (20, 4, Unit::Gpu));
    let small = scenario.machines.last().unwrap();
    let week = 7 * 86_400;
    assert_eq!([0, week, 2 * week + 86_400].map(|at| small.nodes_at(at)), [0, 4, 8]);
    assert_eq!([week - 1, week, 2 * week].map(|at| small.is_down(at)), [false, true, false]);
}

#[test]
fn what_the_federation_does_not_know_must_be_stated() {
    check_broken(
        "partition = \"lumi.lumi-g\"",
        "partition = \"hammerhai-ai.gpu\"",
        expect![
            "s.toml:10:1: machines[0].gpus_per_node: is missing here, and the federation does not know it: not found in the public sources consulted"
        ],
    );
    check_broken(
        "partition = \"lumi.lumi-g\"",
        "partition = \"lumi.lumi-x\"",
        expect![[r#"
            s.toml:10:1: machines[0].cores_per_node: is missing here
            s.toml:11:1: machines[0].partition: the federation has no partition `lumi.lumi-x`; it has marenostrum-5.acc, marenostrum-5-upgrade.training, marenostrum-5-upgrade.inference, bsc-experimental.experimental, hammerhai-ai.gpu, leonardo.booster, lisa.gpu, it4lia-ai.gpu, it4lia-ai.inference, lumi.lumi-g, lumi-ai.gpu, lumi-experimental.experimental, meluxina-ai.gpu, meluxina.gpu, meluxina-q.qpu, mimer-ai.gpu, arrhenius.gpu, daedalus.gpu"#]],
    );
}

#[test]
fn faults_point_at_file_line_and_key() {
    check_broken(
        "days = 28",
        "days = 28\nday = 1",
        expect![
            "s.toml:6:1: day: is not a key here; allowed: sources, name, question, start, days, warm_up_days, seeds, machines, loads, policy, transfer_gbit_per_second"
        ],
    );
    check_broken(
        "warm_up_days = 7",
        "warm_up_days = 28",
        expect!["s.toml:6:1: warm_up_days: leaves no day that is measured"],
    );
    check_broken(
        "seeds = 3",
        "seeds = 0",
        expect!["s.toml:7:9: seeds: must be at least 1; leave it `unknown` when it is not known"],
    );
    check_broken(
        "on = 2026-01-20",
        "on = 2025-01-20",
        expect![
            "s.toml:22:20: machines[1].upgrades[0].on: `on` is before the start of the scenario, 2026-01-05"
        ],
    );
}

#[test]
fn what_one_part_says_of_another_is_checked_too() {
    check_broken(
        "jobs_per_week = 100",
        "jobs_per_week = 4000000000",
        expect!["s.toml:25:3: loads: some 8000000000 jobs would be drawn, too many"],
    );
    check_broken(
        "trace = \"log.swf\"",
        "trace = \"log.swf\"\npercent = 101",
        expect!["s.toml:39:1: loads[1].percent: a log has no more than 100 % of its jobs"],
    );
    check_broken(
        "FI = \"25 %\"",
        "FI = \"60 %\"",
        expect!["s.toml:14:9: machines[0].pools: the shares are more than the whole machine"],
    );
    check_broken(
        "home = [\"lumi\"]",
        "home = [\"luna\"]",
        expect![
            "s.toml:25:3: loads: the group `sme` has data at `luna`; the machines are lumi, small"
        ],
    );
    check_broken(
        "transfer_gbit_per_second = 10",
        "",
        expect![
            "s.toml:1:1: transfer_gbit_per_second: is missing here: jobs have data, and there is more than one machine"
        ],
    );
    check_broken(
        "key = \"small\"",
        "key = \"lumi\"",
        expect!["s.toml:10:3: machines: two are called `lumi`"],
    );
    check_broken(
        "format = \"swf\"",
        "format = \"csv\"",
        expect![
            "s.toml:39:10: loads[1].format: `csv` is not known; allowed: swf, sacct, gpu-trace, history"
        ],
    );
    check_broken(
        "floor = { classes = [\"sme\"], percent = 10 }",
        "floor = { percent = 110 }",
        expect![[r#"
            s.toml:48:9: policy.floor: says of nobody: name classes, payers or modes
            s.toml:48:21: policy.floor.percent: is more than the whole machine"#]],
    );
}

#[test]
fn a_log_serves_as_load_by_the_classes_that_the_scenario_gives_its_queues() {
    let folder = tempfile::tempdir().unwrap();
    let log = "1 100 0 10 4 -1 -1 8 60 -1 1 3 2 -1 1 -1 -1 -1\n\
               2 160 0 20 4 -1 -1 4 -1 -1 1 3 2 -1 2 -1 -1 -1\n";
    std::fs::write(folder.path().join("log.swf"), log).unwrap();
    let read = |text: &str| {
        let document = Document::new("s.toml", text);
        Scenario::parse(&document, folder.path(), &federation()).unwrap()
    };
    let lacking = read(SCENARIO).logs().map(|_| ()).unwrap_err();
    assert!(
        lacking.to_string().ends_with(
            "it does not say how long 1 jobs asked to run: state limit_seconds in the load"
        ),
        "{lacking}"
    );
    let scenario = read(&SCENARIO.replace("by = \"queue\"", "by = \"queue\"\nlimit_seconds = 90"));
    let workload = scenario.workload(&scenario.logs().unwrap(), 1);
    let classes: Vec<&str> = workload.groups.iter().map(|group| group.class.as_str()).collect();
    assert_eq!(classes, ["sme", "academia", "industry"]);
    let logged = workload.jobs.iter().filter(|job| job.group > 0);
    let told: Vec<_> = logged.map(|job| (job.submit, job.run_seconds, job.limit_seconds)).collect();
    assert_eq!(told, [(0, 10, 60), (60, 20, 90)]);
    let half = workload.jobs.iter().filter(|job| job.group == 0).count();
    assert!((150..250).contains(&half), "{half}: half of a hundred jobs a week for four weeks");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(at in 0..SCENARIO.len(), noise in "[\\[\\]{}=\"a-z0-9 \n.-]{0,12}") {
        let text = format!("{}{noise}{}", &SCENARIO[..at], &SCENARIO[at..]);
        let _ = Scenario::parse(&Document::new("x", text), Path::new(""), &federation());
    }
}
