//! `usine twin` as people type it: files in, tables, pages and data out; no hub is needed.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::expect;
use serde_json::Value;

use crate::cli::Terminal;

const SCENARIO: &str = r#"
name = "in order"
question = "What if nobody may pass?"
start = 2026-01-05
days = 10
warm_up_days = 1
seeds = 3

[[machines]]
key = "mill"
nodes = 4
gpus_per_node = 4

[[loads]]
[[loads.groups]]
class = "sme"
users = 10
jobs_per_week = 300
run_seconds = [60, 3600, 30000]
used_percent = [5, 50, 100]
sizes = [{ gpus = 1, weight = 4 }, { nodes = 2, weight = 1 }]

[policy]
backfill = "fcfs"
"#;

fn terminal(folder: &Path) -> Terminal<'_> {
    Terminal { folder, name: "any" }
}

/// A folder with two scenarios that differ in their policy alone.
fn scenarios() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let passing = SCENARIO.replace("in order", "passing").replace("\"fcfs\"", "\"easy\"");
    std::fs::write(folder.path().join("order.toml"), SCENARIO).unwrap();
    std::fs::write(folder.path().join("passing.toml"), passing).unwrap();
    folder
}

/// A figure of all jobs together, of the scenario at this place.
fn figure(told: &Value, scenario: usize, name: &str) -> f64 {
    let lines = told["scenarios"][scenario]["lines"].as_array().unwrap();
    let is = |line: &&Value| line["figure"] == name && line["scope"]["kind"] == "all";
    let line = lines.iter().find(is).unwrap_or_else(|| panic!("no {name} in {told:#}"));
    line["estimate"]["mean"].as_f64().unwrap()
}

#[test]
fn a_scenario_becomes_a_table_a_page_and_data() {
    let folder = scenarios();
    let terminal = terminal(folder.path());
    let files = ["--html", "report.html", "--parquet", "jobs.parquet"];
    let told = terminal.told(&[&["twin", "run", "order.toml"][..], &files].concat());
    assert!(told.contains("in order: What if nobody may pass?"), "{told}");
    assert!(told.contains("mill"), "{told}");
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("What if nobody may pass?"));
    let jobs = std::fs::read(folder.path().join("jobs.parquet")).unwrap();
    assert!(jobs.starts_with(b"PAR1") && jobs.ends_with(b"PAR1"));
}

#[test]
fn the_same_scenario_gives_the_same_json() {
    let folder = scenarios();
    let terminal = terminal(folder.path());
    let line = ["twin", "run", "order.toml", "--seeds", "2"];
    assert_eq!(terminal.json(&line), terminal.json(&line));
}

#[test]
fn scenarios_side_by_side_say_who_waits_less() {
    let folder = scenarios();
    let terminal = terminal(folder.path());
    let line = ["twin", "compare", "order.toml", "passing.toml"];
    let told = terminal.told(&line);
    assert!(told.contains("“passing” is better than “in order” for all jobs together"), "{told}");
    let told = terminal.json(&line);
    assert!(figure(&told, 1, "wait-seconds-mean") < figure(&told, 0, "wait-seconds-mean"));
    assert!(figure(&told, 1, "wait-seconds-95th") < figure(&told, 0, "wait-seconds-95th"));
    assert_eq!(told["comparisons"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_scenario_that_cannot_be_meant_is_refused_with_file_line_and_key() {
    let folder = scenarios();
    let broken = SCENARIO.replace("\"fcfs\"", "\"magic\"");
    std::fs::write(folder.path().join("broken.toml"), broken).unwrap();
    let (code, complaint) = terminal(folder.path()).refused(&["twin", "run", "broken.toml"]);
    assert_eq!(code, 2);
    expect![[r#"
        error: broken.toml:24:12: policy.backfill: `magic` is not known; allowed: fcfs, easy, conservative
    "#]].assert_eq(&complaint);
    let (code, complaint) = terminal(folder.path()).refused(&["twin", "run", "nowhere.toml"]);
    assert_eq!(code, 2);
    assert!(complaint.contains("nowhere.toml"), "{complaint}");
}

/// `sacct -P` of a hundred jobs of two accounts.
fn sacct() -> String {
    let mut log = "JobID|Submit|Elapsed|State|Timelimit|AllocTRES|User|Account\n".to_owned();
    for job in 0..100_u32 {
        let (minute, account) = (job * 7, if job % 3 == 0 { "lab" } else { "firm" });
        let (hour, minute) = (minute / 60, minute % 60);
        writeln!(
            log,
            "{job}|2026-01-05T{hour:02}:{minute:02}:00|00:{:02}:00|COMPLETED|01:00:00|cpu=4,gres/gpu={},node=1|u{}|{account}",
            10 + job % 40,
            1 + job % 4,
            job % 5,
        )
        .unwrap();
    }
    log
}

#[test]
fn a_log_becomes_a_population_that_a_scenario_takes() {
    let folder = scenarios();
    let terminal = terminal(folder.path());
    std::fs::write(folder.path().join("log.txt"), sacct()).unwrap();
    let line = ["twin", "fit", "log.txt", "--format", "sacct", "--by", "account"];
    let population = terminal.told(&line);
    assert_eq!(population.matches("[[groups]]").count(), 2, "{population}");
    std::fs::write(folder.path().join("population.toml"), population).unwrap();
    let (before, _) = SCENARIO.split_once("[[loads]]").unwrap();
    let fitted = format!(
        "{before}[[loads]]\npopulation = \"population.toml\"\n\n[policy]\nbackfill = \"easy\"\n"
    );
    std::fs::write(folder.path().join("fitted.toml"), fitted).unwrap();
    assert!(figure(&terminal.json(&["twin", "run", "fitted.toml"]), 0, "jobs") > 100.0);
    let fit = terminal.json(&line);
    let distances = fit["fit"].as_array().unwrap().iter().map(|line| line["distance"].as_f64());
    assert!(distances.flatten().all(|distance| (0.0..=1.0).contains(&distance)), "{fit:#}");
}

#[test]
fn a_log_that_cannot_be_meant_is_refused_with_file_line_and_column() {
    let folder = scenarios();
    let log = sacct().replace("COMPLETED", "DREAMING");
    std::fs::write(folder.path().join("log.txt"), log).unwrap();
    let line = ["twin", "fit", "log.txt", "--format", "sacct"];
    let (code, complaint) = terminal(folder.path()).refused(&line);
    assert_eq!(code, 2);
    expect![[r#"
        error: log.txt:2:32: a state of Slurm, such as COMPLETED is expected, not `DREAMING`
    "#]]
    .assert_eq(&complaint);
}

#[test]
fn a_slurms_own_files_foretell_its_starts() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../twin/src/slurm/recorded");
    let terminal = terminal(&recorded);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("starts.csv").display().to_string();
    let files = ["--associations", "associations.txt", "--qos", "qos.txt", "--jobs", "jobs.txt"];
    let line = [&["twin", "slurm", "--conf", "slurm.conf"][..], &files].concat();
    let told = terminal.json(&[&line[..], &["--out", &out]].concat());
    assert_eq!(told["agreement"]["jobs"], 300);
    assert!(told["agreement"]["kendall_tau"].as_f64().unwrap() > 0.9, "{told:#}");
    expect!["slurm.conf:33: batch_sched_delay=1 of SchedulerParameters is not taken into account"]
        .assert_eq(told["notes"][0].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(out).unwrap().lines().count(), 301);
    let wrong = [&["twin", "slurm", "--conf", "qos.txt"][..], &files].concat();
    let (code, complaint) = terminal.refused(&wrong);
    assert_eq!(code, 2);
    expect![[r#"
        error: qos.txt:1:1: a setting such as Name=Value is expected, not `Name|Priority|GraceTime|Preempt|PreemptE`
    "#]].assert_eq(&complaint);
}
