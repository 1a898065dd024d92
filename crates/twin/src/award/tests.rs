use std::path::Path;

use expect_test::{Expect, expect};

use super::*;
use crate::comparison::Verdict;
use crate::results::{Figure, Scope};
use crate::scenario::Unit;
use crate::testing::federation;
use crate::trace::{Entry, NameId};

/// The project's own assumptions, made small.
fn settings() -> Settings {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/what-if.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let document = access::document::Document::new("policy/what-if.toml", text);
    let settings = Settings::parse(&document).unwrap_or_else(|faults| panic!("{faults}"));
    Settings { days: 14, warm_up_days: 3, seeds: vec![1, 2, 3], ..settings }
}

/// 16 nodes of 4 GPUs.
fn machine() -> Machine {
    let partition = federation();
    let (.., partition) = partition.partition(&"meluxina-ai.gpu".parse().unwrap()).unwrap();
    Machine { nodes: 16, ..Machine::of(partition).unwrap() }
}

fn asked(percent_of_machine: i64) -> Vec<Award> {
    let work_per_day = 64 * 86_400 * percent_of_machine / 100;
    vec![Award { class: "sme".to_owned(), payer: "union".to_owned(), work_per_day }]
}

fn ask(machine: &Machine, base: &Base, asked: &[Award], settings: &Settings) -> Answer {
    ask_beside(&[], machine, base, asked, settings)
}

fn ask_beside(
    granted: &[Award],
    machine: &Machine,
    base: &Base,
    asked: &[Award],
    settings: &Settings,
) -> Answer {
    let start = "2026-11-23".parse().unwrap();
    let question = Question { machine, base, granted, asked, settings, start };
    answer(&question, &Watch::default()).unwrap()
}

fn all(answer: &Answer, figure: Figure) -> (f64, f64, Verdict) {
    let change = answer.comparison.changes.iter();
    let change = change.clone().find(|it| it.scope == Scope::All && it.figure == figure).unwrap();
    (change.before, change.after, change.verdict)
}

/// Four jobs of 2 GPUs and six hours in every six hours of five weeks: half of the machine's 16.
fn history(weeks: i64) -> Trace {
    let mut trace = Trace::default();
    let class = trace.names.id("academia");
    for at in (0..weeks * 7 * 4).map(|quarter| quarter * 21_600) {
        for _ in 0..4 {
            trace.entries.push(Entry {
                submit: 1_700_000_000 + at,
                run_seconds: 21_600,
                limit_seconds: Some(43_200),
                nodes: 1,
                cores: 0,
                gpus: 2,
                user: NameId::NONE,
                account: NameId::NONE,
                queue: NameId::NONE,
                class,
            });
        }
    }
    trace
}

#[test]
fn the_assumed_population_keeps_the_machine_as_busy_as_it_says_and_more_makes_all_wait() {
    let (machine, settings) = (machine(), settings());
    let answer = ask(&machine, &Base::Population, &asked(20), &settings);
    let (before, after, _) = all(&answer, Figure::Utilisation);
    assert!((0.55..0.9).contains(&before), "{before}");
    assert!(after > before + 0.08, "{before} to {after}");
    let (before, after, verdict) = all(&answer, Figure::WaitSecondsMean);
    assert!(after > before, "{before} to {after}");
    assert_ne!(verdict, Verdict::Better);
}

#[test]
fn nothing_asked_changes_nothing() {
    let answer = ask(&machine(), &Base::Population, &[], &settings());
    assert_eq!(answer.before.lines, answer.after.lines);
    assert!(answer.comparison.changes.iter().all(|change| change.difference.mean == 0.0));
}

#[test]
fn asked_hours_become_as_much_work_as_they_are_beside_the_history() {
    let machine = Machine { nodes: 4, ..machine() };
    let base = Base::History(history(5));
    let settings = settings();
    let work_per_day = 2 * 86_400;
    let asked = [Award { class: "sme".to_owned(), payer: "union".to_owned(), work_per_day }];
    let answer = ask(&machine, &base, &asked, &settings);
    let (before, after, _) = all(&answer, Figure::Utilisation);
    assert!((before - 0.5).abs() < 0.02, "{before}");
    // 2 of 16 GPUs more, to the last job.
    assert!((after - before - 0.125).abs() < 0.03, "{before} to {after}");
    let newcomers = Scope::Class(APPLICANTS.to_owned());
    assert!(answer.before.line(&newcomers, Figure::Jobs).is_none());
    assert!(answer.after.line(&newcomers, Figure::Jobs).unwrap().estimate.mean > 0.0);
    let academia = Scope::Class("academia".to_owned());
    let jobs = |results: &Results| results.line(&academia, Figure::Jobs).unwrap().estimate.mean;
    assert!((jobs(&answer.before) - jobs(&answer.after)).abs() < f64::EPSILON);
}

#[test]
fn what_was_granted_earlier_comes_in_both_runs_and_in_the_class_of_its_holder() {
    let machine = Machine { nodes: 4, ..machine() };
    let (base, settings) = (Base::History(history(5)), settings());
    let award = |class: &str, gpus: i64| Award {
        class: class.to_owned(),
        payer: "union".to_owned(),
        work_per_day: gpus * 86_400,
    };
    let granted = [award("sme", 4)];
    let answer = ask_beside(&granted, &machine, &base, &[award("industry", 2)], &settings);
    let (before, after, _) = all(&answer, Figure::Utilisation);
    // 8 of 16 GPUs are busy anyway, 4 were granted, 2 are asked.
    assert!((before - 0.75).abs() < 0.04, "{before}");
    assert!((after - before - 0.125).abs() < 0.04, "{before} to {after}");
    let jobs = |results: &Results, class: &str| {
        results.line(&Scope::Class(class.to_owned()), Figure::Jobs).map(|it| it.estimate.mean)
    };
    assert!(jobs(&answer.before, "sme").is_some_and(|count| count > 0.0));
    assert_eq!(jobs(&answer.before, "sme"), jobs(&answer.after, "sme"));
    assert_eq!(jobs(&answer.before, APPLICANTS), None);
}

#[test]
fn too_large_a_question_is_refused_before_it_runs_and_a_stopped_one_has_no_answer() {
    let (machine, base) = (machine(), Base::Population);
    let small = Settings { jobs_max: 10, ..settings() };
    let start = "2026-11-23".parse().unwrap();
    let (asked, settings) = (asked(1), settings());
    let question = Question {
        machine: &machine,
        base: &base,
        granted: &[],
        asked: &asked,
        settings: &small,
        start,
    };
    let refused = answer(&question, &Watch::default()).unwrap_err();
    assert!(matches!(refused, Unanswered::TooManyJobs { most: 10, .. }), "{refused}");
    let watch = Watch::default();
    watch.stop();
    let question = Question { settings: &settings, ..question };
    assert_eq!(answer(&question, &watch), Err(Unanswered::Stopped));
}

#[test]
fn a_history_of_which_the_machine_can_run_nothing_is_no_load() {
    let machine = Machine { unit: Unit::Core, ..machine() };
    let base = Base::History(history(5));
    let settings = settings();
    let start = "2026-11-23".parse().unwrap();
    let asked = asked(1);
    let question = Question {
        machine: &machine,
        base: &base,
        granted: &[],
        asked: &asked,
        settings: &settings,
        start,
    };
    let refused = answer(&question, &Watch::default()).unwrap_err();
    assert_eq!(refused, Unanswered::NoLoad("meluxina-ai.gpu".to_owned()));
}

#[test]
fn a_partition_of_which_figures_are_missing_makes_no_machine_and_says_which() {
    let federation = federation();
    let of = |key: &str, expected: Expect| {
        let (.., partition) = federation.partition(&key.parse().unwrap()).unwrap();
        expected.assert_eq(&Machine::of(partition).unwrap_err().join("; "));
    };
    of(
        "meluxina.gpu",
        expect![
            "the number of nodes of meluxina.gpu is unknown: not found in the public sources consulted"
        ],
    );
    of(
        "meluxina-q.qpu",
        expect![
            "the number of nodes of meluxina-q.qpu is unknown: not found in the public sources consulted; the GPUs in a node of meluxina-q.qpu is unknown: not found in the public sources consulted"
        ],
    );
}

fn check_broken(from: &str, to: &str, expected: Expect) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/what-if.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "no {from}");
    let document = access::document::Document::new("what-if.toml", text.replacen(from, to, 1));
    expected.assert_eq(&Settings::parse(&document).unwrap_err().to_string());
}

#[test]
fn assumptions_that_cannot_be_meant_are_refused() {
    check_broken(
        "seeds = 5",
        "seeds = 1",
        expect!["what-if.toml:9:1: seeds: from 2 to 100 tell chance apart"],
    );
    check_broken(
        "weeks_min = 4",
        "weeks_min = 40",
        expect!["what-if.toml:20:1: history.weeks_min: asks for more weeks than are read"],
    );
}
