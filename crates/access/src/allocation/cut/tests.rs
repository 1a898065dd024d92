use units::Period;

use super::*;
use crate::testing::{allocation, day, policy};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Ten thousand hours of the Danish share for a year.
fn danish() -> Allocation {
    let period = Period::new(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).unwrap();
    Allocation { period, amount: hours(10_000), ..allocation() }
}

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

fn cut_of(allocation: &Allocation, used: i64, available: i64, now: &str) -> Option<Work> {
    let denmark = policy().cuts(
        &"regular".parse().unwrap(),
        &["state:DK".parse().unwrap()],
        day("2026-01-01"),
    );
    let [rule] = denmark.as_slice() else { panic!("{} rules", denmark.len()) };
    let its = Use { awarded: hours(10_000), used: hours(used), available: hours(available) };
    cut(allocation, &rule.says, its, at(now))
}

#[test]
fn less_than_forty_per_cent_in_six_months_is_cut_to_what_is_missing() {
    let year = danish();
    assert_eq!(cut_of(&year, 1_000, 9_000, "2026-06-30T23:59:59Z"), None);
    assert_eq!(cut_of(&year, 1_000, 9_000, "2026-07-01T00:00:00Z"), Some(hours(3_000)));
    assert_eq!(cut_of(&year, 3_999, 6_001, "2026-09-01T00:00:00Z"), Some(hours(1)));
    assert_eq!(cut_of(&year, 4_000, 6_000, "2026-07-01T00:00:00Z"), None);
}

#[test]
fn what_jobs_hold_is_not_cut_and_neither_is_what_may_not_be_used() {
    let mut year = danish();
    assert_eq!(cut_of(&year, 1_000, 500, "2026-07-01T00:00:00Z"), Some(hours(500)));
    assert_eq!(cut_of(&year, 1_000, 0, "2026-07-01T00:00:00Z"), None);
    year.suspended = Some(crate::allocation::Suspension {
        since: at("2026-05-01T00:00:00Z"),
        reason: "the report is overdue".to_owned(),
    });
    assert_eq!(cut_of(&year, 1_000, 9_000, "2026-07-01T00:00:00Z"), None);
    assert_eq!(cut_of(&danish(), 1_000, 9_000, "2027-01-01T00:00:00Z"), None);
}

#[test]
fn other_payers_cut_nothing() {
    let mode = "regular".parse().unwrap();
    assert!(policy().cuts(&mode, &[units::Payer::Union], day("2026-01-01")).is_empty());
}
