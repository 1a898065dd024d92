//! Capacity ahead: the hours of each pool, what is granted out of them, and what of them is likely
//! to be used before their quarter is over.
//!
//! Not here: how fast an allocation is used (`allocation::burn_down`), and the ledger's balances.

use units::{Payer, Period, Timestamp, Work};

use crate::agreement::Pool;
use crate::allocation::BurnDown;

/// In seconds.
const DAY: i128 = 86_400;

/// An amount that is not known yet: at the pace of the least used, of all, and of the most used of
/// the last weeks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub least: Work,
    /// At the mean pace.
    pub likely: Work,
    /// The most.
    pub most: Work,
}

impl Range {
    /// What is used in a day, by how an allocation was used so far.
    pub fn pace(heading: &BurnDown) -> Self {
        let likely = heading.mean_per_day;
        let (least, most) = heading.weeks_per_day.unwrap_or((likely, likely));
        Self { least: least.min(likely), likely, most: most.max(likely) }
    }

    /// What `part` makes of each amount.
    fn each(self, part: impl Fn(Work) -> Work) -> Self {
        Self { least: part(self.least), likely: part(self.likely), most: part(self.most) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            least: sum(self.least, other.least),
            likely: sum(self.likely, other.likely),
            most: sum(self.most, other.most),
        }
    }

    /// What is left of `hours` when this is used; least where most is used.
    fn left_of(self, hours: Work) -> Self {
        let left = |used: Work| Work::seconds(hours.count().saturating_sub(used.count()).max(0));
        Self { least: left(self.most), likely: left(self.likely), most: left(self.least) }
    }
}

/// The hours that one payer put behind one allocation, out of a pool of one quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Who pays.
    pub payer: Payer,
    /// The quarter of the pool.
    pub quarter: Period,
    /// When they may be used.
    pub usable: Period,
    /// What was charged so far.
    pub used: Work,
    /// What is set aside for jobs.
    pub held: Work,
    /// What can still be set aside.
    pub available: Work,
    /// What is used in a day.
    pub per_day: Range,
}

impl Commitment {
    fn remaining(&self) -> Work {
        sum(self.held, self.available)
    }

    /// What is likely to be used from `now` until `until`.
    fn used_until(&self, now: Timestamp, until: Timestamp) -> Range {
        let from = now.max(self.usable.start());
        let until = until.min(self.usable.end());
        let seconds = until.as_second().saturating_sub(from.as_second()).max(0);
        let remaining = self.remaining();
        self.per_day.each(|pace| {
            let used = i128::from(pace.count()).saturating_mul(i128::from(seconds));
            let used = i64::try_from(used.div_euclid(DAY)).unwrap_or(i64::MAX);
            Work::seconds(used).min(remaining)
        })
    }
}

/// One payer's hours of a partition in one quarter, and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolAhead {
    /// Whose.
    pub payer: Payer,
    /// How many there are.
    pub hours: Work,
    /// What stands behind allocations.
    pub granted: Work,
    /// The part of it that is set aside for jobs.
    pub held: Work,
    /// The part of it that was used so far.
    pub used: Work,
    /// What will be used of it when the quarter is over, at the pace of its allocations.
    pub expected_used: Range,
    /// What nobody will have used by then, granted or not.
    pub expected_unused: Range,
    /// What allocations out of earlier quarters may still use in this one.
    pub carried_in: Work,
}

/// What becomes of the `pools` of `quarter`, seen from `now`.
///
/// What is granted counts with the quarter of its pool, though its allocation may last longer; what
/// such an allocation can still use in a later quarter is that one's `carried_in`.
pub fn ahead(
    (quarter, pools): (Period, &[Pool]),
    commitments: &[Commitment],
    now: Timestamp,
) -> Vec<PoolAhead> {
    let of_pool = |pool: &Pool| {
        let mine = || commitments.iter().filter(|it| it.payer == pool.payer);
        let mut line = PoolAhead {
            payer: pool.payer,
            hours: pool.amount,
            granted: Work::ZERO,
            held: Work::ZERO,
            used: Work::ZERO,
            expected_used: Range::default(),
            expected_unused: Range::default(),
            carried_in: Work::ZERO,
        };
        for one in mine().filter(|it| it.quarter == quarter) {
            line.used = sum(line.used, one.used);
            line.held = sum(line.held, one.held);
            line.granted = sum(line.granted, sum(one.used, one.remaining()));
            let by_end = one.used_until(now, quarter.end()).each(|more| sum(one.used, more));
            line.expected_used = line.expected_used.plus(by_end);
        }
        line.expected_unused = line.expected_used.left_of(pool.amount);
        for one in mine().filter(|it| it.quarter.end() <= quarter.start()) {
            line.carried_in = sum(line.carried_in, left_at(one, now, quarter.start()));
        }
        line
    };
    pools.iter().map(of_pool).collect()
}

/// What a commitment is likely to have left at `at`, if it may be used after it.
fn left_at(one: &Commitment, now: Timestamp, at: Timestamp) -> Work {
    if one.usable.end() <= at.max(now) {
        return Work::ZERO;
    }
    let used = one.used_until(now, at).likely;
    Work::seconds(one.remaining().count().saturating_sub(used.count()))
}

fn sum(one: Work, other: Work) -> Work {
    Work::seconds(one.count().saturating_add(other.count()))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the figures of the stories are small")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(count: i64) -> Work {
        Work::hours(count).unwrap()
    }

    fn steady(per_day: i64) -> Range {
        let pace = hours(per_day);
        Range { least: pace, likely: pace, most: pace }
    }

    /// The last quarter of 2026, and of the Union a pool of 10 000 hours.
    fn quarter() -> (Period, [Pool; 1]) {
        let pool = Pool { payer: Payer::Union, amount: hours(10_000) };
        (Period::quarter_of(at("2026-11-21T00:00:00Z")), [pool])
    }

    /// 5 000 hours for three months from 21 November, of which 1 000 were used by 11 December.
    fn granted() -> Commitment {
        Commitment {
            payer: Payer::Union,
            quarter: quarter().0,
            usable: Period::new(at("2026-11-21T00:00:00Z"), at("2027-02-21T00:00:00Z")).unwrap(),
            used: hours(1_000),
            held: hours(200),
            available: hours(3_800),
            per_day: Range { least: hours(20), likely: hours(50), most: hours(100) },
        }
    }

    fn now() -> Timestamp {
        at("2026-12-11T00:00:00Z")
    }

    fn of(commitments: &[Commitment]) -> PoolAhead {
        let (quarter, pools) = quarter();
        ahead((quarter, &pools), commitments, now())[0]
    }

    #[test]
    fn use_goes_on_at_its_pace_until_the_quarter_is_over() {
        let found = of(&[granted()]);
        assert_eq!(
            (found.granted, found.held, found.used),
            (hours(5_000), hours(200), hours(1_000))
        );
        let used = |days: i64| hours(1_000 + 21 * days);
        let Range { least, likely, most } = found.expected_used;
        assert_eq!([least, likely, most], [used(20), used(50), used(100)]);
        let unused = |days: i64| hours(9_000 - 21 * days);
        let Range { least, likely, most } = found.expected_unused;
        assert_eq!([least, likely, most], [unused(100), unused(50), unused(20)]);
        assert_eq!(found.carried_in, Work::ZERO);
    }

    #[test]
    fn nobody_uses_more_than_they_have_or_after_they_may() {
        let fast = Commitment { per_day: steady(1_000), ..granted() };
        assert_eq!(of(&[fast]).expected_used.likely, hours(5_000));
        let until = Period::new(at("2026-11-21T00:00:00Z"), at("2026-12-13T00:00:00Z")).unwrap();
        let brief = Commitment { usable: until, ..granted() };
        assert_eq!(of(&[brief]).expected_used.likely, hours(1_100));
    }

    #[test]
    fn what_was_granted_before_a_quarter_and_lasts_into_it_is_carried_in() {
        let next = Period::quarter_of(quarter().0.end());
        let pools = quarter().1;
        let found = ahead((next, &pools), &[granted()], now())[0];
        assert_eq!(found.carried_in, hours(4_000 - 21 * 50));
        assert_eq!((found.granted, found.expected_unused.likely), (Work::ZERO, hours(10_000)));
        let after = Period::quarter_of(next.end());
        assert_eq!(ahead((after, &pools), &[granted()], now())[0].carried_in, Work::ZERO);
        let earlier =
            Commitment { quarter: Period::quarter_of(at("2026-09-01T00:00:00Z")), ..granted() };
        let found = of(&[earlier]);
        assert_eq!((found.granted, found.carried_in), (Work::ZERO, hours(4_000)));
    }

    #[test]
    fn each_payer_has_a_line_of_its_own() {
        let (quarter, _) = quarter();
        let lu = Payer::State("LU".parse().unwrap());
        let pools = [Payer::Union, lu].map(|payer| Pool { payer, amount: hours(6_000) });
        let found = ahead((quarter, &pools), &[Commitment { payer: lu, ..granted() }], now());
        assert_eq!(
            found.iter().map(|it| it.granted).collect::<Vec<_>>(),
            [Work::ZERO, hours(5_000)]
        );
    }

    proptest! {
        /// Hours are used or not: the two ranges mirror each other, and the likely lies within.
        #[test]
        fn what_is_not_used_is_left(
            drawn in prop::collection::vec((0_i64..1_000, 0_i64..1_000, 0_i64..1_000, 0_i64..90), 0..9),
            least in 0_i64..50,
            more in 0_i64..50,
        ) {
            let per_day = Range { least: hours(least), likely: hours(least + more), most: hours(least + 2 * more) };
            let start = quarter().0.start();
            let commitments: Vec<_> = drawn.iter().map(|(used, held, available, days)| {
                let end = start.checked_add(jiff::SignedDuration::from_hours(24 * (days + 1))).unwrap();
                Commitment {
                    usable: Period::new(start, end).unwrap(),
                    used: hours(*used), held: hours(*held), available: hours(*available), per_day,
                    ..granted()
                }
            }).collect();
            let found = of(&commitments);
            let (used, unused) = (found.expected_used, found.expected_unused);
            prop_assert!(found.used <= used.least && used.least <= used.likely && used.likely <= used.most);
            prop_assert!(used.most <= found.granted);
            for (one, other) in [(used.least, unused.most), (used.likely, unused.likely), (used.most, unused.least)] {
                prop_assert_eq!(other, Work::seconds((found.hours.count() - one.count()).max(0)));
            }
        }
    }
}
