use proptest::prelude::*;
use units::{Payer, Work};

use super::{Prospect, Score, Start, Term, Weights, score};

const POLICY: &str = include_str!("../../../../policy/placement.toml");

fn weights() -> Weights {
    Weights::parse(POLICY).unwrap()
}

/// A place where the job would start after `likely` seconds.
fn place(likely: u64) -> Prospect {
    Prospect {
        start: Some(Start { earliest: 0, likely, latest: likely }),
        transfer: Some(0),
        held: Work::seconds(3_600),
        available: Work::seconds(3_600_000),
        days_left: 90,
        payers: vec![Payer::Union],
        watt_hours: None,
        carbon_grams: None,
    }
}

fn scored(prospect: &Prospect) -> Score {
    score(prospect, &weights())
}

#[test]
fn the_earliest_start_wins_where_all_else_is_alike() {
    let (soon, late) = (scored(&place(60)), scored(&place(3_600)));
    assert!(soon < late);
    assert_eq!(soon.advantage(&late), Some((Term::Wait, 3_540)));
    assert_eq!(late.advantage(&soon), None);
}

#[test]
fn data_that_is_long_on_its_way_outweighs_an_earlier_start() {
    let near = place(600);
    let far = Prospect { transfer: Some(4_000), ..place(0) };
    assert!(scored(&near) < scored(&far));
    assert_eq!(scored(&near).advantage(&scored(&far)), Some((Term::Transfer, 4_000)));
}

#[test]
fn a_place_that_does_not_show_when_jobs_start_comes_last() {
    let unknown = Prospect { start: None, ..place(0) };
    assert!(scored(&place(1_000_000)) < scored(&unknown));
}

#[test]
fn hours_that_lapse_soon_are_used_first() {
    let lapsing = Prospect { days_left: 3, ..place(0) };
    assert_eq!(scored(&lapsing).advantage(&scored(&place(0))).unwrap().0, Term::Keeping);
}

#[test]
fn hours_that_somebody_bought_come_after_those_that_were_given() {
    let bought = Prospect { payers: vec![Payer::Union, Payer::Commercial], ..place(0) };
    assert_eq!(scored(&place(0)).advantage(&scored(&bought)).unwrap().0, Term::Payer);
}

#[test]
fn a_job_that_takes_all_that_is_left_counts_as_a_hundred_percent_and_no_more() {
    let weight = u64::from(weights().hours_seconds_per_percent) * 100;
    for available in [3_600, 1, 0, -5] {
        let greedy = Prospect { available: Work::seconds(available), ..place(0) };
        let hours = scored(&greedy).terms.into_iter().find(|(term, _)| *term == Term::Hours);
        assert_eq!(hours, Some((Term::Hours, weight)), "{available}");
    }
}

#[test]
fn a_policy_without_a_source_or_with_a_strange_key_is_refused_with_its_line() {
    let without = POLICY.replace("source", "sauce");
    let error = Weights::parse(&without).unwrap_err().to_string();
    assert!(error.contains("sauce"), "{error}");
    let error = Weights::parse("wait_percent = -1").unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
}

fn prospects() -> impl Strategy<Value = Prospect> {
    let times = (any::<u64>(), any::<u64>(), any::<u64>());
    let start = prop::option::of(times.prop_map(|(a, b, c)| {
        let mut times = [a, b, c];
        times.sort_unstable();
        let [earliest, likely, latest] = times;
        Start { earliest, likely, latest }
    }));
    let payers =
        prop::collection::vec(prop_oneof![Just(Payer::Union), Just(Payer::Commercial)], 0..3);
    let figures = (any::<Option<u64>>(), any::<Option<u64>>(), any::<Option<u64>>());
    (start, any::<i64>(), any::<i64>(), any::<u32>(), payers, figures).prop_map(
        |(start, held, available, days_left, payers, (transfer, watt_hours, carbon_grams))| {
            let (held, available) = (Work::seconds(held), Work::seconds(available));
            let (transfer, start) = (transfer, start);
            Prospect {
                start,
                transfer,
                held,
                available,
                days_left,
                payers,
                watt_hours,
                carbon_grams,
            }
        },
    )
}

proptest! {
    #[test]
    fn nothing_known_of_a_place_breaks_the_score(prospect in prospects()) {
        let score = scored(&prospect);
        prop_assert!(score.terms.iter().all(|(_, seconds)| *seconds > 0));
        prop_assert_eq!(score.advantage(&score), None);
    }

    #[test]
    fn a_later_start_is_never_better(prospect in prospects(), later in any::<u64>()) {
        if let Some(start) = prospect.start {
            let put_off = |time: u64| time.saturating_add(later);
            let put_off = Start {
                earliest: put_off(start.earliest),
                likely: put_off(start.likely),
                latest: put_off(start.latest),
            };
            // Doubt cannot shrink faster than the wait grows, for it weighs less.
            let late = Prospect { start: Some(put_off), ..prospect.clone() };
            prop_assert!(scored(&late).total() >= scored(&prospect).total());
        }
    }
}
