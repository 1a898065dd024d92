//! How fast an allocation is used, when it runs out, and what would be left over.
//!
//! The pace is looked at over the last four weeks, or since the allocation began if that is later.
//! Once two whole weeks can be seen, the least and the most used of them give the range; before
//! that there is one number and no range, for two days tell little about a quarter.

use jiff::SignedDuration;
use units::{Timestamp, Work};

use super::Allocation;

/// In seconds.
const DAY: i64 = 86_400;
const WEEK_DAYS: usize = 7;
/// Fewer tell nothing about how weeks differ.
const WEEKS_FOR_A_RANGE: usize = 2;
/// How far back the pace is looked at, in days.
pub const WINDOW_DAYS: usize = 28;

/// When the hours are gone, if use goes on as it did; `None` for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunsOut {
    /// If every week were as the most used one.
    pub earliest: Option<Timestamp>,
    /// At the mean pace.
    pub likely: Option<Timestamp>,
    /// If every week were as the least used one.
    pub latest: Option<Timestamp>,
}

/// Where an allocation is heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnDown {
    /// What is available or held.
    pub remaining: Work,
    /// Over how many days the pace was seen.
    pub seen_days: u32,
    /// What is used in a day.
    pub mean_per_day: Work,
    /// The same in the least and in the most used week, once there are two.
    pub weeks_per_day: Option<(Work, Work)>,
    /// When nothing is left.
    pub runs_out: RunsOut,
    /// What is left when the allocation ends, at the mean pace.
    pub left_at_end: Work,
}

impl BurnDown {
    /// Whether the hours are likely to be gone before the allocation ends.
    pub fn falls_short(&self, allocation: &Allocation) -> bool {
        self.runs_out.likely.is_some_and(|at| at < allocation.period.end())
    }
}

/// Looks ahead from `now`, by what was charged when. Charges of before the window do not count,
/// and an amount below zero, as a correction makes it, takes from the day on which it was made.
pub fn burn_down(
    allocation: &Allocation,
    remaining: Work,
    charges: &[(Timestamp, Work)],
    now: Timestamp,
) -> BurnDown {
    let since_start = seconds_between(allocation.period.start(), now).max(0);
    // A day that has begun counts: otherwise the first day would have no pace at all.
    let days = usize::try_from(since_start.div_euclid(DAY).saturating_add(1));
    let mut days = days.unwrap_or(WINDOW_DAYS).min(WINDOW_DAYS);
    if days >= WEEKS_FOR_A_RANGE.saturating_mul(WEEK_DAYS) {
        days = days.saturating_sub(days % WEEK_DAYS);
    }
    let mut by_day = vec![0_i64; days];
    for (at, work) in charges {
        let ago = seconds_between(*at, now).div_euclid(DAY);
        if let Some(day) = usize::try_from(ago).ok().and_then(|ago| by_day.get_mut(ago)) {
            *day = day.saturating_add(work.count());
        }
    }
    let mean = per_day(&by_day);
    let weeks: Vec<i64> = by_day.chunks_exact(WEEK_DAYS).map(per_day).collect();
    let extremes = match (weeks.iter().min(), weeks.iter().max()) {
        (Some(least), Some(most)) if weeks.len() >= WEEKS_FOR_A_RANGE => Some((*least, *most)),
        _ => None,
    };
    let gone = |pace: i64| gone_at(remaining, pace, now);
    let (latest, earliest) = extremes.unwrap_or((mean, mean));
    let to_come = seconds_between(now, allocation.period.end()).max(0);
    let to_use = i128::from(mean).saturating_mul(i128::from(to_come)).div_euclid(DAY.into());
    let left = i128::from(remaining.count()).saturating_sub(to_use).max(0);
    BurnDown {
        remaining,
        seen_days: u32::try_from(days).unwrap_or(u32::MAX),
        mean_per_day: Work::seconds(mean),
        weeks_per_day: extremes.map(|(least, most)| (Work::seconds(least), Work::seconds(most))),
        runs_out: RunsOut { earliest: gone(earliest), likely: gone(mean), latest: gone(latest) },
        left_at_end: Work::seconds(i64::try_from(left).unwrap_or(i64::MAX)),
    }
}

/// The mean of some days, in unit-seconds, rounded down; no days use nothing, and neither do days
/// on which more was given back than used.
fn per_day(days: &[i64]) -> i64 {
    let sum = days.iter().fold(0_i64, |sum, day| sum.saturating_add(*day));
    let count = i64::try_from(days.len()).unwrap_or(i64::MAX);
    sum.checked_div(count).unwrap_or_default().max(0)
}

/// When `remaining` is gone at a pace in unit-seconds a day; never at none.
fn gone_at(remaining: Work, pace: i64, now: Timestamp) -> Option<Timestamp> {
    let seconds = i128::from(remaining.count().max(0)).saturating_mul(i128::from(DAY));
    let seconds = i64::try_from(seconds.checked_div(i128::from(pace))?).ok()?;
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second().saturating_sub(from.as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use units::Period;

    use super::*;
    use crate::testing::allocation;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(count: i64) -> Work {
        Work::hours(count).unwrap()
    }

    /// 5 000 hours over the first quarter of 2027.
    fn quarter() -> Allocation {
        let period = Period::new(at("2027-01-01T00:00:00Z"), at("2027-04-01T00:00:00Z")).unwrap();
        Allocation { period, ..allocation() }
    }

    fn daily(days: std::ops::Range<i64>, each: Work) -> Vec<(Timestamp, Work)> {
        let first = at("2027-01-01T12:00:00Z");
        let day =
            |n: i64| first.checked_add(SignedDuration::from_hours(n.saturating_mul(24))).unwrap();
        days.map(|n| (day(n), each)).collect()
    }

    #[test]
    fn a_steady_pace_gives_one_date() {
        let now = at("2027-01-29T00:00:00Z");
        let found = burn_down(&quarter(), hours(1_000), &daily(0..28, hours(100)), now);
        assert_eq!((found.seen_days, found.weeks_per_day), (28, Some((hours(100), hours(100)))));
        let ten_days_on = Some(at("2027-02-08T00:00:00Z"));
        let RunsOut { earliest, likely, latest } = found.runs_out;
        assert_eq!([earliest, likely, latest], [ten_days_on; 3]);
        assert!(found.falls_short(&quarter()));
        assert_eq!(found.left_at_end, Work::ZERO);
    }

    #[test]
    fn uneven_weeks_give_a_range() {
        let now = at("2027-01-28T23:59:59Z");
        let mut charges = daily(0..14, hours(20));
        charges.extend(daily(14..28, hours(60)));
        let found = burn_down(&quarter(), hours(1_200), &charges, now);
        assert_eq!(found.mean_per_day, hours(40));
        assert_eq!(found.weeks_per_day, Some((hours(20), hours(60))));
        let days = |it: Option<Timestamp>| seconds_between(now, it.unwrap()) / DAY;
        let RunsOut { earliest, likely, latest } = found.runs_out;
        assert_eq!((days(earliest), days(likely), days(latest)), (20, 30, 60));
    }

    #[test]
    fn what_is_not_used_never_runs_out_and_is_left_at_the_end() {
        let found = burn_down(&quarter(), hours(5_000), &[], at("2027-02-01T00:00:00Z"));
        assert_eq!(found.runs_out, RunsOut { earliest: None, likely: None, latest: None });
        assert_eq!(found.left_at_end, hours(5_000));
        assert!(!found.falls_short(&quarter()));
    }

    #[test]
    fn a_young_allocation_has_a_pace_and_no_range() {
        let now = at("2027-01-03T12:00:00Z");
        let found = burn_down(&quarter(), hours(4_700), &daily(0..3, hours(100)), now);
        assert_eq!((found.seen_days, found.mean_per_day), (3, hours(100)));
        assert_eq!(found.weeks_per_day, None);
        assert_eq!(found.runs_out.earliest, found.runs_out.latest);
    }

    proptest! {
        /// The range holds the likely date, and using more never makes hours last longer.
        #[test]
        fn more_use_is_never_gone_later(
            uses in prop::collection::vec((0_i64..60, 0_i64..1 << 40), 0..80),
            remaining in 0_i64..1 << 50,
            more in 1_i64..1 << 40,
            day in 1..=31,
        ) {
            let now = at(&format!("2027-01-{day:02}T07:00:00Z"));
            let charge = |(day, work): &(i64, i64)| {
                (now.checked_sub(SignedDuration::from_hours(day.saturating_mul(24))).unwrap(), Work::seconds(*work))
            };
            let mut charges: Vec<_> = uses.iter().map(charge).collect();
            let remaining = Work::seconds(remaining);
            let before = burn_down(&quarter(), remaining, &charges, now);
            let never = Timestamp::MAX;
            let RunsOut { earliest, likely, latest } = before.runs_out;
            prop_assert!(earliest.unwrap_or(never) <= likely.unwrap_or(never));
            prop_assert!(likely.unwrap_or(never) <= latest.unwrap_or(never));
            charges.push((now, Work::seconds(more)));
            let after = burn_down(&quarter(), remaining, &charges, now);
            prop_assert!(after.runs_out.likely.unwrap_or(never) <= likely.unwrap_or(never));
            prop_assert!(after.left_at_end <= before.left_at_end);
        }
    }
}
