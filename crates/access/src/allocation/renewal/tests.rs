use units::{Meter, Payer};

use super::*;
use crate::allocation::Allocation;
use crate::allocation::change::Before;
use crate::policy::{AwardChanges, Entry};
use crate::testing::{allocation, day, policy};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

/// Half a year of development, which ends with April.
fn held() -> Allocation {
    let period = Period::new(at("2026-10-31T00:00:00Z"), at("2027-04-30T00:00:00Z")).unwrap();
    Allocation { period, amount: hours(4_000), meter: Meter::Node, ..allocation() }
}

fn rules() -> Vec<&'static Entry<AwardChanges>> {
    policy().award_changes(&"development".parse().unwrap(), &[Payer::Union], day("2026-11-21"))
}

const PLENTY: Source<'static> =
    Source { left: Work::seconds(i64::MAX), shares: &[], is_aid: false };

fn asked(
    change: impl FnOnce(&mut Renewing<'_>),
    (amount, months): (i64, u32),
    now: &str,
) -> Result<String, String> {
    let (held, rules) = (held(), rules());
    let award =
        Changing { allocation: &held, rules: &rules, before: Before::default(), now: at(now) };
    let report = ReportStage::Later { due: None };
    let mut renewing = Renewing { award, months: 6, report, renewals: 0, followed: false };
    change(&mut renewing);
    let told = |refusals: Vec<Refusal>| {
        refusals.iter().map(|it| format!("[{}] {it}", it.rule)).collect::<Vec<_>>().join("; ")
    };
    renew(&renewing, (hours(amount), months), &PLENTY).map(|it| it.to_string()).map_err(told)
}

#[test]
fn development_is_renewable_twice() {
    let next = asked(|_| {}, (4_000, 6), "2027-04-01T00:00:00Z");
    assert_eq!(next.unwrap(), "2027-04-30 to 2027-10-30");
    assert!(asked(|it| it.renewals = 1, (4_000, 6), "2027-04-01T00:00:00Z").is_ok());
    assert_eq!(
        asked(|it| it.renewals = 2, (4_000, 6), "2027-04-01T00:00:00Z").unwrap_err(),
        "[policy/awards.toml#development@2025-12-01] it was renewed 2 times; at most 2 are possible"
    );
}

#[test]
fn it_brings_no_more_than_was_awarded_and_begins_when_the_first_ends() {
    assert!(asked(|_| {}, (4_001, 6), "2027-04-01T00:00:00Z").is_err());
    assert!(asked(|_| {}, (4_000, 7), "2027-04-01T00:00:00Z").is_err());
    assert!(asked(|_| {}, (0, 6), "2027-04-01T00:00:00Z").is_err());
    assert!(asked(|it| it.followed = true, (10, 1), "2027-04-01T00:00:00Z").is_err());
    let came = |it: &mut Renewing<'_>| {
        it.report = ReportStage::HandedIn { at: at("2027-05-10T00:00:00Z") };
    };
    let late = asked(came, (2_000, 3), "2027-05-15T00:00:00Z");
    assert_eq!(late.unwrap(), "2027-05-15 to 2027-08-15");
    let missing = |it: &mut Renewing<'_>| it.report = ReportStage::Due { due: None };
    let refused = asked(missing, (2_000, 3), "2027-05-15T00:00:00Z").unwrap_err();
    assert_eq!(refused, "[allocation.report] its final report did not come; it is handed in first");
}
