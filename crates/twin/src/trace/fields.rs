//! What fields of a table may hold: counts, durations and instants, as their programs print them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::table::FOUND_MAX;
use super::{SECONDS_MAX, TraceError};

/// The text of one field, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'t> {
    pub(crate) text: &'t str,
    pub(crate) line: u64,
    pub(crate) column: usize,
}

/// How long a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// So many seconds.
    Seconds(i64),
    /// As long as the partition lets it, or for ever.
    None,
}

impl<'t> Field<'t> {
    /// Says that something else belongs here.
    pub(crate) fn expected(&self, what: impl Into<String>) -> TraceError {
        TraceError::Unexpected {
            line: self.line,
            column: self.column,
            expected: what.into(),
            found: self.text.chars().take(FOUND_MAX).collect(),
        }
    }

    /// A count that fits, such as of nodes.
    pub(crate) fn count(&self) -> Result<u32, TraceError> {
        whole(self.text)
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count <= COUNT_MAX)
            .ok_or_else(|| self.expected(format!("a whole number up to {COUNT_MAX}")))
    }

    /// Seconds as a number, perhaps with a fraction, which is cut off.
    pub(crate) fn seconds(&self) -> Result<i64, TraceError> {
        let (before, after) = self.text.split_once('.').unwrap_or((self.text, "0"));
        whole(before)
            .filter(|_| !after.is_empty() && after.bytes().all(|digit| digit.is_ascii_digit()))
            .filter(|seconds| *seconds <= SECONDS_MAX)
            .ok_or_else(|| self.expected("a number of seconds"))
    }

    /// A duration of Slurm: `[days-]hours:minutes:seconds`, `minutes:seconds` with milliseconds.
    pub(crate) fn elapsed(&self) -> Result<i64, TraceError> {
        slurm_duration(self.text).ok_or_else(|| self.expected("a duration such as 1-02:03:04"))
    }

    /// A time limit of Slurm, which may be none.
    pub(crate) fn limit(&self) -> Result<Limit, TraceError> {
        match self.text {
            "UNLIMITED" | "INFINITE" | "Partition_Limit" => Ok(Limit::None),
            text => slurm_duration(text).map(Limit::Seconds).ok_or_else(|| {
                self.expected("a time limit such as 1-02:03:04, UNLIMITED or Partition_Limit")
            }),
        }
    }

    /// A time limit of Slurm in whole minutes, which may be none.
    pub(crate) fn limit_minutes(&self) -> Result<Limit, TraceError> {
        match self.text {
            "UNLIMITED" | "INFINITE" | "Partition_Limit" => Ok(Limit::None),
            text => whole(text)
                .and_then(|minutes| minutes.checked_mul(60))
                .filter(|seconds| *seconds <= SECONDS_MAX)
                .map(Limit::Seconds)
                .ok_or_else(|| self.expected("a time limit in minutes, or UNLIMITED")),
        }
    }

    /// An instant in seconds since 1970: a number, or a date and time, of UTC where it does not
    /// say otherwise.
    pub(crate) fn instant(&self) -> Result<i64, TraceError> {
        self.instant_in(&TimeZone::UTC)
    }

    /// As [`instant`](Self::instant), of `zone` where it does not say otherwise. Of an hour that
    /// comes twice, the first is meant.
    pub(crate) fn instant_in(&self, zone: &TimeZone) -> Result<i64, TraceError> {
        let seconds = whole(self.text).or_else(|| calendar(self.text, zone));
        seconds
            .filter(|seconds| (0..=SECONDS_MAX).contains(seconds))
            .ok_or_else(|| self.expected("an instant such as 2026-01-31T23:59:59"))
    }
}

/// The greatest count: as many cores as no machine has.
const COUNT_MAX: u32 = 100_000_000;

/// Digits and nothing else, as a number.
fn whole(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn calendar(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_second());
    }
    let civil: DateTime = text.parse().ok()?;
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}

fn slurm_duration(text: &str) -> Option<i64> {
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (whole(days)?, clock),
        None => (0, text),
    };
    let clock = clock.split_once('.').map_or(clock, |(before, _)| before);
    let mut parts = clock.split(':').map(whole);
    let (first, second, third) = (parts.next()??, parts.next(), parts.next());
    let (hours, minutes, seconds) = match (second, third, parts.next()) {
        (Some(minutes), Some(seconds), None) => (first, minutes?, seconds?),
        (Some(seconds), None, None) => (0, first, seconds?),
        _ => return None,
    };
    let minutes =
        days.checked_mul(24)?.checked_add(hours)?.checked_mul(60)?.checked_add(minutes)?;
    let total = minutes.checked_mul(60)?.checked_add(seconds)?;
    (total <= SECONDS_MAX).then_some(total)
}
