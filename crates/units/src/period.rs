//! Half-open spans of time.

use std::fmt;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

/// The end does not lie after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the end must lie after the start")]
pub struct EmptyPeriod;

/// From `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

impl Period {
    /// The span between two instants.
    ///
    /// # Errors
    /// When `end` is not after `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, EmptyPeriod> {
        if start < end { Ok(Self { start, end }) } else { Err(EmptyPeriod) }
    }

    /// The calendar quarter (UTC) that `at` falls into.
    pub fn quarter_of(at: Timestamp) -> Self {
        let day = at.to_zoned(TimeZone::UTC).date();
        let month = match day.month() {
            1..=3 => 1,
            4..=6 => 4,
            7..=9 => 7,
            _ => 10,
        };
        let first = Date::new(day.year(), month, 1).unwrap_or(day);
        let next = first.saturating_add(3.months());
        Self { start: midnight(first), end: midnight(next) }
    }

    /// The first instant inside.
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant after.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The length in whole seconds, rounded down.
    pub fn seconds(&self) -> i64 {
        self.end.as_second().saturating_sub(self.start.as_second())
    }

    /// Whether the two have an instant in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Midnight UTC at the start of `day`.
fn midnight(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        write!(f, "{} to {}", day(self.start), day(self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_meet_without_gap() {
        let fourth = Period::quarter_of("2026-11-21T09:00:00Z".parse().unwrap());
        assert_eq!(fourth.to_string(), "2026-10-01 to 2027-01-01");
        assert_eq!(fourth.seconds(), 92 * 86_400);
        assert_eq!(Period::quarter_of(fourth.end()).start(), fourth.end());
        assert!(!fourth.contains(fourth.end()));
    }
}
