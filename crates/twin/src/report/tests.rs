use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::RowAccessor as _;

use super::*;
use crate::results::{Figure, Scope};
use crate::scenario::Scenario;
use crate::study::{Studied, Watch, study};
use crate::testing::scenario;

/// A small machine under two policies, with everything that a report can show.
pub(crate) fn two() -> Vec<Scenario> {
    let text = |name: &str, policy: &str| {
        format!(
            r#"
name = "{name}"
question = "What if <{name}> & so on?"
start = 2026-01-05
days = 14
warm_up_days = 1
seeds = 4

[[machines]]
key = "big"
nodes = 6
gpus_per_node = 4
pools = {{ union = "60 %", states = "40 %" }}
power = {{ idle_watts_per_node = 800, busy_watts_per_unit = 500, overhead_percent = 20, carbon_grams_per_kwh = 100 }}
failures = [{{ from = 2026-01-12, days = 1 }}]

[[loads]]
[[loads.groups]]
class = "sme"
users = 9
jobs_per_week = 200
run_seconds = [60, 3600, 20000]
used_percent = [5, 50, 100]
sizes = [{{ gpus = 1, weight = 4 }}, {{ gpus = 4, weight = 1 }}]
[loads.groups.sessions]
percent = 25
run_seconds = [600, 7200]
used_percent = [50]
sizes = [{{ gpus = 1, weight = 1 }}]
[[loads.groups]]
class = "academia"
payer = "states"
users = 30
jobs_per_week = 90
run_seconds = [60, 3600, 50000]
used_percent = [5, 50, 100]
sizes = [{{ gpus = 4, weight = 4 }}, {{ nodes = 3, weight = 1 }}]

[policy]
{policy}
"#
        )
    };
    vec![
        scenario(&text("in order", "backfill = \"fcfs\"")),
        scenario(&text(
            "lane",
            "backfill = \"easy\"\nfloor = { classes = [\"sme\"], percent = 25 }",
        )),
    ]
}

pub(crate) fn studied(scenarios: &[Scenario]) -> Vec<Studied> {
    study(scenarios, &Watch::default()).unwrap().unwrap()
}

fn results() -> Vec<Results> {
    studied(&two()).into_iter().map(|done| done.results).collect()
}

#[test]
fn a_fixed_seed_means_these_figures() {
    let mut told = String::new();
    for results in results() {
        told += &format!("{}\n", results.name);
        for line in &results.lines {
            let (whom, words) = (scope_in_words(&line.scope), Told(line.figure));
            told += &format!("  {whom}, {}: {}\n", words.name(), words.estimate(&line.estimate));
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn the_report_is_one_page_that_needs_nothing_else_and_says_it_in_words() {
    let page = html(&results());
    for strange in ["<script", "http:", "https:", "src=", "@import", "NaN", "inf"] {
        assert!(!page.contains(strange), "{strange}");
    }
    assert!(page.contains("What if &lt;lane&gt; &amp; so on?"));
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert_eq!(page.matches("aria-label").count(), page.matches("<svg").count());
    let body = page.split("</style>").nth(1).unwrap();
    insta::assert_snapshot!(body.replace("><", ">\n<"));
}

#[test]
fn programs_get_every_estimate_with_its_margin() {
    let results = results();
    let value = json(&results);
    let line = value.pointer("/scenarios/0/lines/0").unwrap();
    assert_eq!(line.pointer("/scope/kind").unwrap(), "all");
    assert!(line.pointer("/estimate/margin").unwrap().is_number());
    assert_eq!(value.pointer("/comparisons/0/other").unwrap(), "lane");
    let waits = results[0].line(&Scope::All, Figure::WaitSecondsMean).unwrap();
    assert_eq!(waits.samples.len(), 4);
}

#[test]
fn every_job_of_every_repetition_is_a_row_of_the_parquet_file() {
    let scenarios = two();
    let done = studied(&scenarios);
    let runs: Vec<_> =
        scenarios.iter().zip(&done).map(|(it, done)| (it, done.runs.as_slice())).collect();
    let mut file = tempfile::tempfile().unwrap();
    write_jobs(&mut file, &runs).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let jobs: usize = done.iter().flat_map(|it| &it.runs).map(|run| run.fates.len()).sum();
    let mut rows = 0;
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        if rows == 0 {
            let (job, fate) = (&done[0].runs[0].workload.jobs[0], &done[0].runs[0].fates[0]);
            assert_eq!(row.get_string(0).unwrap(), "in order");
            assert_eq!((row.get_long(1).unwrap(), row.get_long(2).unwrap()), (1, job.submit));
            assert_eq!(row.get_long(3).unwrap(), fate.start);
            assert_eq!(row.get_string(9).unwrap(), "big");
        }
        rows += 1;
    }
    assert_eq!(rows, jobs);
}
