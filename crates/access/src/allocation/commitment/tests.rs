use proptest::prelude::*;

use super::*;
use crate::testing::{day, policy};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> Work {
    Work::hours(count).unwrap()
}

fn period(from: &str, to: &str) -> Period {
    Period::new(at(from), at(to)).unwrap()
}

#[test]
fn an_award_is_expected_to_go_on_as_it_did_once_it_was_seen_for_four_weeks() {
    let open = Open {
        period: period("2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        used: hours(600),
        left: hours(2_000),
    };
    // 600 hours in 30 days, 61 days to come.
    let until = at("2027-01-01T00:00:00Z");
    assert_eq!(open.likely(at("2026-10-31T00:00:00Z"), until), hours(62 * 20));
    assert_eq!(open.likely(at("2026-10-31T00:00:00Z"), at("2026-11-10T00:00:00Z")), hours(200));
    assert_eq!(open.likely(at("2026-10-20T00:00:00Z"), until), hours(2_000));
    let quick = Open { used: hours(6_000), ..open };
    assert_eq!(quick.likely(at("2026-10-31T00:00:00Z"), until), hours(2_000));
    assert_eq!(open.likely(at("2027-02-01T00:00:00Z"), at("2027-03-01T00:00:00Z")), Work::ZERO);
}

#[test]
fn a_fifth_more_is_promised_than_a_part_delivers() {
    let house = policy().commitment(&"meluxina-ai.gpu".parse().unwrap(), day("2026-11-21"));
    let factor = house.unwrap().says.factor;
    let quarter = period("2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let month = period("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
    let delivered = delivered(hours(92_000), quarter, month);
    assert_eq!(delivered, hours(30_000));
    let promised = |likely| Promised { likely: hours(likely), delivered };
    assert_eq!(promised(20_000).left(factor), hours(16_000));
    assert_eq!(promised(40_000).left(factor), Work::ZERO);
}

proptest! {
    #[test]
    fn nothing_is_expected_beyond_what_is_left(
        used in 0i64..1_000_000_000, left in 0i64..1_000_000_000,
        now in 0i64..40_000_000, until in 0i64..80_000_000,
    ) {
        let start = Timestamp::from_second(1_000_000).unwrap();
        let end = Timestamp::from_second(30_000_000).unwrap();
        let period = Period::new(start, end).unwrap();
        let open = Open { period, used: Work::seconds(used), left: Work::seconds(left) };
        let (now, until) = (Timestamp::from_second(now).unwrap(), Timestamp::from_second(until).unwrap());
        let likely = open.likely(now, until);
        prop_assert!(likely >= Work::ZERO && likely <= open.left);
    }
}
