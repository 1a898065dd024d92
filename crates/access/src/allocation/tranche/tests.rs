#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

use proptest::prelude::*;
use units::PartsPerMillion;

use super::*;
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
    Release { systems: Vec::new(), carry_over: percent(carry_over), grace: percent(grace) }
}

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

fn of(charges: &[(&str, i64)], release: &Release, now: &str) -> Tranche {
    let charges: Vec<_> = charges.iter().map(|(day, work)| (at(day), hours(*work))).collect();
    tranche(&year(), release, &charges, at(now)).unwrap()
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
    let quota = |now| tranche(&short, &release(0, 0), &[], at(now)).unwrap().quota;
    assert_eq!(quota("2027-01-16T00:00:00Z"), hours(160));
    assert_eq!(quota("2027-02-28T00:00:00Z"), hours(280));
    assert_eq!(quota("2027-03-01T23:59:59Z"), hours(10));
    assert_eq!(tranche(&short, &release(0, 0), &[], at("2027-03-02T00:00:00Z")), None);
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
            .map(|month| tranche(&held, &rule, &[], month.start()).unwrap().quota.count())
            .sum();
        prop_assert_eq!(sum, amount);

        // Whoever always takes what is left at most never has more than the whole and one grace.
        let mut takes = takes;
        takes.sort();
        let mut charges: Vec<(Timestamp, Work)> = Vec::new();
        for (day, wish) in takes {
            let now = start + jiff::SignedDuration::from_hours(day * 24);
            let Some(found) = tranche(&held, &rule, &charges, now) else { continue };
            charges.push((now, Work::seconds(wish.min(found.left(Work::ZERO).count()))));
        }
        let used: i64 = charges.iter().map(|(_, work)| work.count()).sum();
        let most = amount + rule.grace.of(amount);
        prop_assert!(used <= most, "{used} of {amount}");
    }
}
