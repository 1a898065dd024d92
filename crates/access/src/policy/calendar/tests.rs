use proptest::prelude::*;

use super::*;
use crate::testing::{day, policy};

fn last(term: &str, from: &str) -> String {
    let term: Term = term.parse().unwrap();
    term.last_day(day(from), |day| policy().is_working_day(day)).unwrap().to_string()
}

#[test]
fn easter_falls_where_the_churches_of_the_west_keep_it() {
    let known = [
        "2000-04-23",
        "2008-03-23",
        "2019-04-21",
        "2023-04-09",
        "2024-03-31",
        "2026-04-05",
        "2027-03-28",
        "2038-04-25",
    ];
    for text in known {
        assert_eq!(easter_sunday(day(text).year()), Some(day(text)));
    }
}

#[test]
fn the_holidays_of_2023_are_those_that_the_commission_set_for_brussels() {
    let set = [
        "2023-01-02",
        "2023-04-06",
        "2023-04-07",
        "2023-04-10",
        "2023-05-01",
        "2023-05-09",
        "2023-05-18",
        "2023-05-19",
        "2023-05-29",
        "2023-07-21",
        "2023-08-15",
        "2023-11-01",
        "2023-11-02",
        "2023-12-25",
        "2023-12-26",
        "2023-12-27",
        "2023-12-28",
        "2023-12-29",
    ];
    let mut found = Vec::new();
    let mut at = day("2023-01-01");
    while at.year() == 2023 {
        let weekday = at.weekday().to_monday_zero_offset() < 5;
        if weekday && !policy().is_working_day(at) {
            found.push(at.to_string());
        }
        at = at.tomorrow().unwrap();
    }
    assert_eq!(found, set);
}

#[test]
fn working_days_are_counted_from_the_day_after() {
    // A Thursday.
    assert_eq!(last("2 working days", "2026-11-19"), "2026-11-23");
    assert_eq!(last("4 working days", "2026-11-20"), "2026-11-26");
    // Christmas and New Year lie between.
    assert_eq!(last("2 working days", "2026-12-23"), "2027-01-05");
    assert_eq!(last("10 working days after the cut-off", "2026-04-01"), "2026-04-20");
}

#[test]
fn other_terms_end_with_a_working_day_and_of_a_range_the_longer_counts() {
    assert_eq!(last("2 to 3 weeks", "2026-11-02"), "2026-11-23");
    assert_eq!(last("about 6 months", "2026-06-26"), "2027-01-04");
    assert_eq!(last("1 month", "2026-10-31"), "2026-11-30");
}

#[test]
fn what_is_no_term_is_refused() {
    for text in ["", "soon", "2 days", "two weeks", "a to 3 weeks", "-1 months", "3"] {
        assert!(text.parse::<Term>().is_err(), "{text}");
    }
    assert!("13-01".parse::<DayOfYear>().is_err() && "1-1".parse::<DayOfYear>().is_err());
}

proptest! {
    #[test]
    fn a_longer_term_never_ends_earlier_and_always_on_a_working_day(
        offset in 0i64..3_000, days in 0u32..200,
    ) {
        let from = day("2024-01-01").saturating_add(offset.days());
        let term = |days: u32| Term { length: Length::WorkingDays(days), text: String::new() };
        let end = |days| term(days).last_day(from, |day| policy().is_working_day(day)).unwrap();
        prop_assert!(policy().is_working_day(end(days)));
        prop_assert!(end(days) <= end(days.saturating_add(1)));
    }
}
