use expect_test::{Expect, expect};
use units::Payer;

use super::*;
use crate::allocation::Suspension;
use crate::policy::RuleId;
use crate::testing::{allocation, day, policy};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rules(mode: &str, payers: &[Payer]) -> Vec<&'static Entry<AwardChanges>> {
    policy().award_changes(&mode.parse().unwrap(), payers, day("2026-11-21"))
}

fn changing<'a>(
    allocation: &'a Allocation,
    rules: &'a [&'a Entry<AwardChanges>],
    before: Before,
) -> Changing<'a> {
    Changing { allocation, rules, before, now: at("2026-12-01T00:00:00Z") }
}

fn told<T: std::fmt::Debug>(outcome: Result<T, Vec<Refusal>>, expected: Expect) {
    let refusals = outcome.unwrap_err();
    let lines = refusals.iter().map(|it| format!("[{}] {it}", it.rule));
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

/// Half a year of 5 000 hours, as a scientist has them.
fn half_a_year() -> Allocation {
    let period = Period::new(at("2026-10-31T00:00:00Z"), at("2027-04-30T00:00:00Z")).unwrap();
    Allocation { period, ..allocation() }
}

fn plenty() -> Source<'static> {
    Source { left: Work::hours(1_000_000).unwrap(), shares: &[], is_aid: false }
}

#[test]
fn ai_for_science_has_three_months_and_a_tenth_more() {
    let (held, rules) = (half_a_year(), rules("ai-for-science", &[Payer::Union]));
    let fresh = changing(&held, &rules, Before::default());
    let longer = extend(&fresh, 3).unwrap();
    assert_eq!(longer.to_string(), "2026-10-31 to 2027-07-30");
    assert!(supplement(&fresh, Work::hours(500).unwrap(), &plenty()).is_ok());
    told(
        extend(&fresh, 4),
        expect![
            "[policy/awards.toml#ai-for-science@2025-12-01] it would be extended by 4 months in all; at most 3 are possible"
        ],
    );
    let once = Before { months: 2, hours: Work::hours(400).unwrap(), ..Before::default() };
    let larger = Allocation { amount: Work::hours(5_400).unwrap(), ..half_a_year() };
    let again = changing(&larger, &rules, once);
    assert!(extend(&again, 1).is_ok());
    assert!(extend(&again, 2).is_err());
    assert!(supplement(&again, Work::hours(100).unwrap(), &plenty()).is_ok());
    told(
        supplement(&again, Work::hours(101).unwrap(), &plenty()),
        expect![
            "[policy/awards.toml#ai-for-science@2025-12-01] 501.00 GPU-h would be granted on top in all; at most 10 % of what was awarded, 500.00 GPU-h"
        ],
    );
}

#[test]
fn danish_hours_have_more_time_or_more_hours_within_a_year() {
    let (held, rules) = (half_a_year(), rules("regular", &["state:DK".parse().unwrap()]));
    let fresh = changing(&held, &rules, Before::default());
    assert!(extend(&fresh, 6).is_ok());
    told(
        extend(&fresh, 7),
        expect![
            "[policy/awards.toml#denmark@2025-12-01] it would last until 2027-11-30T00:00:00Z; it may last 12 months from 2026-10-31T00:00:00Z"
        ],
    );
    let supplemented = Before { hours: Work::hours(1).unwrap(), ..Before::default() };
    told(
        extend(&changing(&held, &rules, supplemented), 1),
        expect![
            "[policy/awards.toml#denmark@2025-12-01] it was given more hours before; more time or more hours is possible, not both"
        ],
    );
    let extended = Before { months: 1, ..Before::default() };
    let hour = Work::hours(1).unwrap();
    assert!(supplement(&changing(&held, &rules, extended), hour, &plenty()).is_err());
}

#[test]
fn a_supplement_keeps_to_pool_shares_and_the_rules_of_aid() {
    let held = half_a_year();
    let rule = RuleId { file: "f".to_owned(), entry: "share".to_owned(), from: day("2025-12-01") };
    let limit = PartsPerMillion::percent(10);
    let shares = [ShareLeft { rule, limit, remaining: Work::hours(20).unwrap() }];
    let source = Source { left: Work::hours(30).unwrap(), shares: &shares, is_aid: true };
    told(
        supplement(&changing(&held, &[], Before::default()), Work::hours(31).unwrap(), &source),
        expect![[r#"
            [pool] 31.00 GPU-h more are asked; 30.00 GPU-h are left in the pool
            [f#share@2025-12-01] 31.00 GPU-h more are asked; 20.00 GPU-h are left of 10 % of the Union's time
            [state-aid] the hours would be State aid; they have to be applied for under a call"#]],
    );
    let none = supplement(&changing(&held, &[], Before::default()), Work::ZERO, &plenty());
    assert!(none.is_err());
}

#[test]
fn only_what_lasts_can_be_changed() {
    let over = Allocation { closed_at: Some(at("2026-11-30T00:00:00Z")), ..half_a_year() };
    let now = at("2026-12-01T00:00:00Z");
    assert!(suspend(&over, now).is_err() && resume(&over, now).is_err());
    assert!(terminate(&over, now).is_err() && terminate(&half_a_year(), now).is_ok());
    told(
        extend(&changing(&over, &[], Before::default()), 0),
        expect![[r#"
            [allocation.period] it was closed on 2026-11-30T00:00:00Z; only what lasts can be changed
            [allocation.period] 0 more months are asked; at least one, within the calendar"#]],
    );
}

#[test]
fn what_is_suspended_cannot_be_used_until_it_is_resumed() {
    let now = at("2026-12-01T00:00:00Z");
    let mut held = half_a_year();
    assert!(suspend(&held, now).is_ok() && resume(&held, now).is_err());
    let reason = "the report is overdue".to_owned();
    held.suspended = Some(Suspension { since: now, reason });
    assert!(suspend(&held, now).is_err() && resume(&held, now).is_ok());
    assert_eq!(held.stage(now).name(), "suspended");
    let refused = held.usable(now).unwrap_err();
    expect!["the allocation is suspended since 2026-12-01T00:00:00Z: the report is overdue"]
        .assert_eq(&refused);
    assert_eq!(held.stage(at("2027-04-30T00:00:00Z")).name(), "expired");
}
