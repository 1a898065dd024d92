//! Hours that are released month by month.
//!
//! Each calendar month (UTC) has the part of the hours that its days have of the whole period; the
//! parts add up to the whole. What a month leaves over is carried on as far as policy says; what it
//! overdraws is taken from the next.

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

/// The tranche of the month around `now`, after `charges` with the instants at which they were
/// entered. `None` when the allocation does not last at `now`.
pub fn tranche(
    allocation: &Allocation,
    release: &Release,
    charges: &[(Timestamp, Work)],
    now: Timestamp,
) -> Option<Tranche> {
    if !allocation.period.contains(now) {
        return None;
    }
    let mut used: BTreeMap<Date, i64> = BTreeMap::new();
    for (at, work) in charges {
        let sum = used.entry(month_of(*at)).or_default();
        *sum = sum.saturating_add(work.count());
    }
    let (mut carried, mut released) = (0_i64, 0_i64);
    for month in months(allocation.period) {
        // By what is released up to its end, so that no rounding is lost over the months.
        let so_far = part(allocation, month.end());
        let quota = so_far.saturating_sub(released);
        released = so_far;
        let used = used.get(&month_of(month.start())).copied().unwrap_or_default();
        if month.contains(now) {
            return Some(Tranche {
                period: month,
                quota: Work::seconds(quota),
                carried: Work::seconds(carried),
                grace: Work::seconds(release.grace.of(quota)),
                used: Work::seconds(used),
            });
        }
        let over = quota.saturating_add(carried).saturating_sub(used);
        carried = if over > 0 { release.carry_over.of(over) } else { over };
    }
    None
}

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

/// How much is released from the beginning until `until`: by time, rounded down.
fn part(allocation: &Allocation, until: Timestamp) -> i64 {
    let elapsed = until.as_second().saturating_sub(allocation.period.start().as_second());
    let whole = i128::from(allocation.period.seconds().max(1));
    let product = i128::from(allocation.amount.count()).saturating_mul(i128::from(elapsed));
    i64::try_from(product.checked_div(whole).unwrap_or_default()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
