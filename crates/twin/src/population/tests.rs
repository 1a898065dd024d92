use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::trace::{self, Format};
use crate::workload::Workload;

const POPULATION: &str = r#"
[[groups]]
class = "sme"
mode = "playground"
home = ["north", "south"]
users = 40
jobs_per_week = 700
jobs_per_batch = 2
hours = [1, 1, 1, 1, 1, 1, 2, 4, 8, 9, 9, 8, 6, 8, 9, 9, 8, 6, 4, 3, 2, 2, 1, 1]
weekdays = [10, 10, 10, 10, 9, 3, 2]
run_seconds = [30, 300, 1800, 7200, 86400]
used_percent = [2, 10, 30, 70, 100]
data_gb = { median = 50, ninety_fifth = 2000 }
sizes = [{ gpus = 1, weight = 6 }, { gpus = 8, weight = 1, run_seconds = [3600, 86400] }]

[groups.sessions]
percent = 30
run_seconds = [600, 14400]
used_percent = [50, 100]
limit_seconds_max = 28800
sizes = [{ gpus = 1, weight = 1 }]

[[groups]]
class = "academia"
payer = "states"
users = 200
jobs_per_week = 350
growth_percent_per_year = 100
run_seconds = { median = 3600, ninety_fifth = 80000 }
used_percent = [10, 100]
sizes = [{ nodes = 4, weight = 1 }]
"#;

fn population() -> Population {
    Population::parse(&Document::new("p.toml", POPULATION)).unwrap()
}

fn span(days: u32) -> Span {
    Span { start: "2026-01-05".parse().unwrap(), days }
}

fn check_broken(from: &str, to: &str, expected: Expect) {
    assert!(POPULATION.contains(from), "there is no {from}");
    let document = Document::new("p.toml", POPULATION.replacen(from, to, 1));
    expected.assert_eq(&Population::parse(&document).unwrap_err().to_string());
}

#[test]
fn faults_point_at_file_line_and_key() {
    check_broken("users = 40", "", expect!["p.toml:2:1: groups[0].users: is missing here"]);
    check_broken(
        "weekdays = [10, ",
        "weekdays = [",
        expect!["p.toml:10:12: groups[0].weekdays: has 6 numbers; 7 are expected"],
    );
    check_broken(
        "gpus = 1, weight = 6",
        "gpus = 1, nodes = 1, weight = 6",
        expect![
            "p.toml:14:10: groups[0].sizes[0]: says how large in one way: gpus, nodes or cores"
        ],
    );
    check_broken(
        "run_seconds = [600, 14400]",
        "run_seconds = [600, 60]",
        expect![[r#"
            p.toml:18:15: groups[0].sessions.run_seconds: quantiles must not fall: the least stands first
            p.toml:21:10: groups[0].sessions.sizes[0].run_seconds: is missing here, and above the sizes"#]],
    );
    check_broken(
        "ninety_fifth = 80000",
        "ninety_fifth = 80",
        expect![[r#"
            p.toml:29:32: groups[1].run_seconds.ninety_fifth: is less than the median
            p.toml:31:10: groups[1].sizes[0].run_seconds: is missing here, and above the sizes"#]],
    );
    check_broken(
        "percent = 30",
        "percent = 130\nhow = 1",
        expect![[r#"
            p.toml:17:1: groups[0].sessions.percent: is more than all
            p.toml:18:1: groups[0].sessions.how: is not a key here; allowed: percent
            p.toml:19:1: groups[0].sessions.run_seconds: is not a key here; allowed: percent
            p.toml:20:1: groups[0].sessions.used_percent: is not a key here; allowed: percent
            p.toml:21:1: groups[0].sessions.limit_seconds_max: is not a key here; allowed: percent
            p.toml:22:1: groups[0].sessions.sizes: is not a key here; allowed: percent"#]],
    );
}

#[test]
fn a_population_survives_printing_and_reading() {
    let printed = population().to_string();
    assert_eq!(Population::parse(&Document::new("again.toml", printed)).unwrap(), population());
}

#[test]
fn as_many_jobs_come_as_are_described_and_when() {
    let workload = population().draw(span(70), 1);
    let of = |group| workload.jobs.iter().filter(move |job| job.group == group);
    let (sme, academia) = (of(0).count(), of(1).count());
    assert!((6_500..7_500).contains(&sme), "{sme} of 7000");
    // Ten weeks in which the rate doubles within a year: some seven percent more.
    assert!((3_550..3_950).contains(&academia), "{academia} of 3744");
    let sessions = of(0).filter(|job| job.interactive).count() * 100 / sme;
    assert!((26..35).contains(&sessions), "{sessions} of 30 %");
    let sunday = of(0).filter(|job| job.submit.div_euclid(86_400) % 7 == 6).count() * 100 / sme;
    assert!((2..7).contains(&sunday), "{sunday} %, a share of 2 of 54");
    let night = of(0).filter(|job| job.submit % 86_400 < 6 * 3_600).count() * 100 / sme;
    assert!((3..9).contains(&night), "{night} %, a share of 6 of 105");
}

#[test]
fn a_few_users_submit_much_and_many_little() {
    let workload = population().draw(span(140), 1);
    let of = |user| workload.jobs.iter().filter(|job| job.group == 0 && job.user == user).count();
    assert!(of(0) > 2 * of(9), "{} and {}", of(0), of(9));
    assert!(of(9) > of(39) && of(39) > 0, "{} and {}", of(9), of(39));
}

#[test]
fn a_change_to_one_group_leaves_the_others_alone() {
    let academia = |population: &Population| {
        let Workload { jobs, .. } = population.draw(span(30), 4);
        jobs.into_iter().filter(|job| job.group == 1).collect::<Vec<_>>()
    };
    let mut more = population();
    if let Some(crowd) = more.crowds.first_mut() {
        crowd.jobs_per_week = 7_000;
    }
    assert_eq!(academia(&population()), academia(&more));
}

#[test]
fn a_description_fitted_to_a_log_draws_jobs_like_it() {
    let drawn = population().draw(span(60), 9);
    let mut text = String::from("submit_time,duration,gpu_num,user,vc\n");
    for job in drawn.jobs.iter().filter(|job| job.group == 0) {
        let gpus = fit::units(job.size);
        text += &format!("{},{},{gpus},u{},sme\n", job.submit, job.run_seconds, job.user);
    }
    let log = trace::read(text.as_bytes(), Format::Gpu).unwrap();
    let fit = fit(&log, By::Account);
    let crowd = &fit.population.crowds[0];
    assert_eq!((crowd.group.key.as_str(), crowd.jobs_per_batch, fit.span.days), ("sme", 2, 60));
    assert!((600..800).contains(&crowd.jobs_per_week), "{}", crowd.jobs_per_week);
    for line in &fit.lines {
        assert!(line.distance < 0.06, "{line:?}");
    }
    assert_eq!(fit.lines.len(), 4);
}

proptest! {
    #[test]
    fn every_draw_can_run(seed in any::<u64>()) {
        let workload = population().draw(span(10), seed);
        prop_assert!(workload.jobs.is_sorted_by_key(|job| job.submit));
        for job in &workload.jobs {
            prop_assert!(job.run_seconds >= 1 && job.run_seconds <= job.limit_seconds);
            prop_assert!(job.limit_seconds <= 7 * 86_400);
            prop_assert!(!job.interactive || job.limit_seconds <= 28_800);
            prop_assert!((0..10 * 86_400).contains(&job.submit));
        }
        prop_assert_eq!(&workload, &population().draw(span(10), seed));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[\\[groups\\]\\]|sizes|run_seconds|[a-z_]+|[0-9]+|[=\\[\\]{},\"\n ]){0,40}") {
        let _ = Population::parse(&Document::new("x", text));
    }
}
