//! Hours that are released month by month.
//!
//! Each calendar month (UTC) has the part of the hours that its days have of the whole period; the
//! parts add up to the whole. What a month leaves over is carried on as far as policy says; what it
//! overdraws is taken from the next. With a half-life, use counts the less the longer it is ago. What is
//! advanced belongs to the month of the advance, and the later months have so much less.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use units::{Period, Timestamp, Work};

use super::Allocation;
use crate::policy::Release;

/// What may be used in the current month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tranche {
    /// The month, as far as the allocation lasts in it.
    pub period: Period,
    /// Its own part of the hours.
    pub quota: Work,
    /// What earlier months left for it; below zero when they were overdrawn.
    pub carried: Work,
    /// How far it may be overdrawn.
    pub grace: Work,
    /// What was used in it.
    pub used: Work,
    /// What later months have.
    pub later: Work,
}

/// What happened to an allocation, as far as its tranches depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Story<'a> {
    /// Charges, with the instants at which they were entered.
    pub charges: &'a [(Timestamp, Work)],
    /// What was released before its month, and when.
    pub advances: &'a [(Timestamp, Work)],
    /// What was added to it after the award, and when; below zero for what was taken.
    pub gains: &'a [(Timestamp, Work)],
}

impl Tranche {
    /// What may still be set aside in it, when `held` is set aside already; never below zero.
    pub fn left(&self, held: Work) -> Work {
        let released = self.quota.count().saturating_add(self.carried.count());
        let most = released.saturating_add(self.grace.count());
        let taken = self.used.count().saturating_add(held.count());
        Work::seconds(most.saturating_sub(taken).max(0))
    }
}

/// The tranche of the month around `now`. `None` when the allocation does not last at `now`.
pub fn tranche(
    allocation: &Allocation,
    release: &Release,
    story: Story<'_>,
    now: Timestamp,
) -> Option<Tranche> {
    if !allocation.period.contains(now) {
        return None;
    }
    let (charges, advances) = (by_month(story.charges), by_month(story.advances));
    let of = |sums: &BTreeMap<Date, i64>, month: &Period| {
        sums.get(&month_of(month.start())).copied().unwrap_or_default()
    };
    let gained = |until: Timestamp| {
        let gains = story.gains.iter().filter(|(at, _)| *at < until);
        gains.fold(0_i64, |sum, (_, work)| sum.saturating_add(work.count()))
    };
    let awarded = allocation.amount.count().saturating_sub(gained(Timestamp::MAX));
    let (mut carried, mut released) = (0_i64, 0_i64);
    for month in months(allocation.period) {
        // Of what is not released, its days have their part of all days that are left, so that no
        // rounding is lost over the months.
        let whole = awarded.saturating_add(gained(month.end()));
        let rest = whole.saturating_sub(released).max(0);
        let quota = part(rest, &month, allocation.period.end());
        let quota = quota.saturating_add(of(&advances, &month)).min(rest);
        released = released.saturating_add(quota);
        let used = of(&charges, &month);
        if month.contains(now) {
            return Some(Tranche {
                period: month,
                quota: Work::seconds(quota),
                carried: Work::seconds(carried),
                grace: Work::seconds(release.grace.of(quota)),
                used: Work::seconds(used),
                later: Work::seconds(whole.saturating_sub(released).max(0)),
            });
        }
        let counts = release.half_life_days.map_or(used, |days| decayed(used, &month, days));
        let over = quota.saturating_add(carried).saturating_sub(counts);
        carried = if over > 0 { release.carry_over.of(over) } else { over };
    }
    None
}

/// Sums of amounts by the month of their instants.
fn by_month(amounts: &[(Timestamp, Work)]) -> BTreeMap<Date, i64> {
    let mut sums: BTreeMap<Date, i64> = BTreeMap::new();
    for (at, work) in amounts {
        let sum = sums.entry(month_of(*at)).or_default();
        *sum = sum.saturating_add(work.count());
    }
    sums
}

/// What `used` counts for once `month` has passed: half after each half-life of `days`.
fn decayed(used: i64, month: &Period, days: u32) -> i64 {
    let half_life = i64::from(days).saturating_mul(86_400);
    let passed = month.seconds();
    let halvings = passed.checked_div(half_life).unwrap_or_default();
    let rest = passed.checked_rem(half_life).unwrap_or_default();
    let whole = used.checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX)).unwrap_or_default();
    // The rest of a half-life as a fraction in binary: each of its bits is a root of one half.
    let (mut scale, mut root) = (ONE, ONE.saturating_mul(ONE / 2).isqrt());
    let mut fraction = i128::from(rest);
    for _ in 0..20 {
        fraction = fraction.saturating_mul(2);
        if fraction >= i128::from(half_life) {
            fraction = fraction.saturating_sub(i128::from(half_life));
            scale = scale.saturating_mul(root).checked_div(ONE).unwrap_or_default();
        }
        root = root.saturating_mul(ONE).isqrt();
    }
    let counts = i128::from(whole).saturating_mul(scale).checked_div(ONE).unwrap_or_default();
    i64::try_from(counts).unwrap_or(i64::MAX)
}

/// One, with as many binary digits behind the point as its square leaves room for.
const ONE: i128 = 1 << 40;

/// The calendar months of a period, the first and the last as far as it lasts in them.
fn months(period: Period) -> Vec<Period> {
    let mut found = Vec::new();
    let mut start = period.start();
    while start < period.end() {
        let next = month_of(start).saturating_add(1.month());
        let next = TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
        let end = next.min(period.end());
        let Ok(month) = Period::new(start, end) else { break };
        found.push(month);
        start = end;
    }
    found
}

/// The first day of the month of `at`.
fn month_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

/// The part of `rest` that `month` has of the time from its beginning to `end`, rounded down.
fn part(rest: i64, month: &Period, end: Timestamp) -> i64 {
    let left = end.as_second().saturating_sub(month.start().as_second());
    let product = i128::from(rest).saturating_mul(i128::from(month.seconds()));
    i64::try_from(product.checked_div(i128::from(left)).unwrap_or_default()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
