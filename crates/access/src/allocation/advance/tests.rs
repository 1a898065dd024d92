use units::PartsPerMillion;

use super::*;
use crate::allocation::change::Before;
use crate::document::Figure;
use crate::policy::{AwardChanges, Entry};
use crate::testing::{allocation, day, policy};

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

#[test]
fn what_later_months_have_can_be_released_now_and_no_more() {
    let held = allocation();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let fresh = Changing { allocation: &held, rules: &[], before: Before::default(), now };
    assert!(advance(&fresh, hours(1_000), Some(hours(1_000))).is_ok());
    let told = |asked, later| {
        let refusals = advance(&fresh, asked, later).unwrap_err();
        refusals.iter().map(|it| format!("[{}] {it}", it.rule)).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        told(hours(1_001), Some(hours(1_000))),
        "[allocation.released] 1 001.00 GPU-h are asked; 1 000.00 GPU-h are left to later months"
    );
    assert_eq!(
        told(hours(1), None),
        "[allocation.released] its hours are not released month by month; \
         only what is released later can be released now"
    );
    assert!(told(hours(0), Some(hours(1))).contains("at least one hour"));
}

#[test]
fn policy_may_allow_a_part_of_the_award() {
    let entry = policy().award_changes(&"development".parse().unwrap(), &[], day("2026-11-21"))[0];
    let mut rule: Entry<AwardChanges> = entry.clone();
    let Figure::Known(_, evidence) = &entry.says.renewals_max else { panic!("no figure") };
    rule.says.advance_max = Figure::Known(PartsPerMillion::percent(10), evidence.clone());
    let held = allocation();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let before = Before { advanced: hours(400), ..Before::default() };
    let rules = [&rule];
    let again = Changing { allocation: &held, rules: &rules, before, now };
    assert!(advance(&again, hours(100), Some(hours(4_000))).is_ok());
    assert!(advance(&again, hours(101), Some(hours(4_000))).is_err());
}
