#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

use proptest::prelude::*;
use units::PartsPerMillion;

use super::*;
use crate::policy::Beyond;
use crate::testing::{allocation, day, policy};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn year() -> Allocation {
    let period = Period::new(at("2027-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z")).unwrap();
    Allocation { period, amount: Work::hours(36_500).unwrap(), ..allocation() }
}

fn release(carry_over: u32, grace: u32) -> Release {
    let percent = |share: u32| PartsPerMillion::new(share * 10_000);
    Release {
        systems: Vec::new(),
        carry_over: percent(carry_over),
        grace: percent(grace),
        half_life_days: None,
        beyond: Beyond::Refused,
    }
}

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

fn charged(charges: &[(Timestamp, Work)]) -> Story<'_> {
    Story { charges, ..Story::default() }
}

fn of(charges: &[(&str, i64)], release: &Release, now: &str) -> Tranche {
    let charges: Vec<_> = charges.iter().map(|(day, work)| (at(day), hours(*work))).collect();
    tranche(&year(), release, charged(&charges), at(now)).unwrap()
}

#[test]
fn meluxina_grants_by_the_days_of_the_month_and_begins_anew_each_month() {
    let rule = policy().release(&"meluxina.gpu".parse().unwrap(), day("2026-11-21")).unwrap();
    let used = [("2027-01-10T00:00:00Z", 1_000)];
    let january = of(&used, &rule.says, "2027-01-20T00:00:00Z");
    assert_eq!((january.quota, january.used), (hours(3_100), hours(1_000)));
    assert_eq!(january.left(hours(600)), hours(1_500));
    let february = of(&used, &rule.says, "2027-02-01T00:00:00Z");
    assert_eq!(
        (february.quota, february.carried, february.used),
        (hours(2_800), Work::ZERO, Work::ZERO)
    );
    assert_eq!(february.period.to_string(), "2027-02-01 to 2027-03-01");
    assert!(policy().release(&"meluxina-ai.gpu".parse().unwrap(), day("2026-11-21")).is_none());
}

#[test]
fn what_is_left_is_carried_over_as_far_as_policy_says() {
    let used = [("2027-01-10T00:00:00Z", 1_100)];
    assert_eq!(of(&used, &release(100, 0), "2027-02-01T00:00:00Z").carried, hours(2_000));
    assert_eq!(of(&used, &release(50, 0), "2027-02-01T00:00:00Z").carried, hours(1_000));
    // Half of what January left and February did not use: (2 800 + 1 000) / 2.
    assert_eq!(of(&used, &release(50, 0), "2027-03-01T00:00:00Z").carried, hours(1_900));
}

#[test]
fn a_month_may_be_overdrawn_by_its_grace_at_the_cost_of_the_next() {
    let rule = release(0, 20);
    let used = [("2027-01-10T00:00:00Z", 3_100)];
    assert_eq!(of(&used, &rule, "2027-01-20T00:00:00Z").left(Work::ZERO), hours(620));
    let used = [("2027-01-10T00:00:00Z", 3_700)];
    let february = of(&used, &rule, "2027-02-10T00:00:00Z");
    assert_eq!((february.carried, february.left(Work::ZERO)), (hours(-600), hours(2_760)));
}

#[test]
fn months_at_the_edges_have_their_days_alone() {
    let period = Period::new(at("2027-01-16T00:00:00Z"), at("2027-03-02T00:00:00Z")).unwrap();
    let short = Allocation { period, amount: hours(450), ..allocation() };
    let quota = |now| tranche(&short, &release(0, 0), Story::default(), at(now)).unwrap().quota;
    assert_eq!(quota("2027-01-16T00:00:00Z"), hours(160));
    assert_eq!(quota("2027-02-28T00:00:00Z"), hours(280));
    assert_eq!(quota("2027-03-01T23:59:59Z"), hours(10));
    assert_eq!(tranche(&short, &release(0, 0), Story::default(), at("2027-03-02T00:00:00Z")), None);
}

#[test]
fn use_counts_half_after_a_half_life_when_what_it_left_is_carried_over() {
    let rule = |days| Release { half_life_days: Some(days), ..release(100, 0) };
    // A month of 31 days: one half-life, two, and half of one (the root of a half is 0.7071).
    let used = [("2027-01-10T00:00:00Z", 2_000)];
    let carried = |days| of(&used, &rule(days), "2027-02-10T00:00:00Z").carried;
    assert_eq!(carried(31), hours(3_100 - 1_000));
    let quarter = decayed(hours(2_000).count(), &months(year().period)[0], 15);
    assert!((470..=480).contains(&(quarter / 3_600)), "{quarter}");
    let root = decayed(1_000_000_000, &months(year().period)[0], 62);
    assert!((707_106_000..=707_107_000).contains(&root), "{root}");
    // By the month there are 3 100 hours, and 1 000 too many were used: half of them are forgiven.
    let used = [("2027-01-10T00:00:00Z", 8_200)];
    assert_eq!(of(&used, &rule(31), "2027-02-10T00:00:00Z").carried, hours(-1_000));
}

#[test]
fn what_is_advanced_belongs_to_its_month_and_later_months_have_less() {
    let advances = [(at("2027-03-05T00:00:00Z"), hours(2_750))];
    let story = Story { advances: &advances, ..Story::default() };
    let rule = release(0, 0);
    let quota = |now| tranche(&year(), &rule, story, at(now)).unwrap();
    assert_eq!(quota("2027-02-01T00:00:00Z").quota, hours(2_800));
    assert_eq!(quota("2027-03-10T00:00:00Z").quota, hours(3_100 + 2_750));
    // 275 days are left with 30 600 - 3 100 - 2 750 hours: 90 a day.
    assert_eq!(quota("2027-04-01T00:00:00Z").quota, hours(2_700));
    assert_eq!(quota("2027-04-01T00:00:00Z").later, hours(24_750 - 2_700));
}

#[test]
fn what_is_added_or_cut_changes_the_months_from_then_on() {
    let gains = [(at("2027-04-10T00:00:00Z"), hours(-2_750))];
    let story = Story { gains: &gains, ..Story::default() };
    let held = Allocation { amount: hours(36_500 - 2_750), ..year() };
    let rule = release(0, 0);
    let quota = |now| tranche(&held, &rule, story, at(now)).unwrap().quota;
    assert_eq!(quota("2027-03-10T00:00:00Z"), hours(3_100));
    // 27 500 - 2 750 hours for 275 days.
    assert_eq!(quota("2027-04-20T00:00:00Z"), hours(2_700));
    assert_eq!(quota("2027-05-20T00:00:00Z"), hours(2_790));
}

proptest! {
    #[test]
    fn the_parts_of_all_months_are_the_whole_and_no_use_within_them_exceeds_it(
        amount in 1i64..1_000_000_000, days in 1i64..800, offset in 0i64..400,
        carry_over in 0u32..=100, grace in 0u32..=50,
        takes in prop::collection::vec((0i64..1_000, 0i64..200_000_000), 0..30),
    ) {
        let start = at("2027-01-01T00:00:00Z") + jiff::SignedDuration::from_hours(offset * 24);
        let end = start + jiff::SignedDuration::from_hours(days * 24);
        let period = Period::new(start, end).unwrap();
        let held = Allocation { period, amount: Work::seconds(amount), ..allocation() };
        let rule = release(carry_over, grace);
        let sum: i64 = months(period)
            .iter()
            .map(|month| tranche(&held, &rule, Story::default(), month.start()).unwrap().quota.count())
            .sum();
        prop_assert_eq!(sum, amount);

        // Whoever always takes what is left at most never has more than the whole and one grace.
        let mut takes = takes;
        takes.sort();
        let mut charges: Vec<(Timestamp, Work)> = Vec::new();
        for (day, wish) in takes {
            let now = start + jiff::SignedDuration::from_hours(day * 24);
            let Some(found) = tranche(&held, &rule, charged(&charges), now) else { continue };
            charges.push((now, Work::seconds(wish.min(found.left(Work::ZERO).count()))));
        }
        let used: i64 = charges.iter().map(|(_, work)| work.count()).sum();
        let most = amount + rule.grace.of(amount);
        prop_assert!(used <= most, "{used} of {amount}");
    }
}
