//! What is promised of a payer's part of a partition, and what that part delivers.

use units::{PartsPerMillion, Period, Timestamp, Work};

/// An award that has not ended, as far as a forecast of it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// From when until when it may be used.
    pub period: Period,
    /// What is used.
    pub used: Work,
    /// What is not.
    pub left: Work,
}

/// Younger awards are believed to use all that they have: the first weeks tell little.
const SEEN_SECONDS_MIN: i64 = 28 * 86_400;

impl Open {
    /// What it is likely to use between `now` and `until`: by its pace since it began, and at most
    /// what is left.
    pub fn likely(&self, now: Timestamp, until: Timestamp) -> Work {
        let until = until.min(self.period.end());
        let ahead = until.as_second().saturating_sub(now.as_second()).max(0);
        let seen = now.as_second().saturating_sub(self.period.start().as_second());
        let left = self.left.count().max(0);
        if ahead == 0 {
            return Work::ZERO;
        }
        if seen < SEEN_SECONDS_MIN {
            return Work::seconds(left);
        }
        let paced = i128::from(self.used.count().max(0)).saturating_mul(i128::from(ahead));
        let paced = paced.checked_div(i128::from(seen)).unwrap_or_default();
        Work::seconds(i64::try_from(paced).unwrap_or(i64::MAX).min(left))
    }
}

/// What is promised of a payer's part, and what it delivers, until an award ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// What open awards are likely to use of it until then.
    pub likely: Work,
    /// What it delivers until then.
    pub delivered: Work,
}

impl Promised {
    /// How much more may be promised, `factor` of what is delivered being allowed.
    pub fn left(&self, factor: PartsPerMillion) -> Work {
        let most = factor.of(self.delivered.count());
        Work::seconds(most.saturating_sub(self.likely.count()).max(0))
    }
}

/// What a part that has `opened` hours in `quarter` delivers over `period`.
pub fn delivered(opened: Work, quarter: Period, period: Period) -> Work {
    let product = i128::from(opened.count()).saturating_mul(i128::from(period.seconds()));
    let share = product.checked_div(i128::from(quarter.seconds().max(1))).unwrap_or_default();
    Work::seconds(i64::try_from(share).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
