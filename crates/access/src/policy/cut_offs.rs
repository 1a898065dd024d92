//! When applications are taken: at any time, or until instants of Brussels' clocks.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use units::Timestamp;

use crate::document::{Table, Value};

/// How many months ahead a monthly cut-off is looked for; a day such as the 31st is not in each.
const MONTHS_AHEAD: i64 = 13;

/// When applications are taken. What was submitted before a cut-off is decided after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutOffs {
    /// At any time.
    AlwaysOpen,
    /// Until each of these days.
    Days {
        /// The days, in order.
        days: Vec<Date>,
        /// The time of day in Brussels; none when the whole day counts.
        at: Option<Time>,
    },
    /// Until these days of every month.
    Monthly {
        /// The days of the month, in order.
        days: Vec<i8>,
        /// The time of day in Brussels; none when the whole day counts.
        at: Option<Time>,
    },
}

impl CutOffs {
    /// The first cut-off after `now`: the first instant at which nothing is taken any more. None
    /// when applications are always taken, or when the last day that is known has passed.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let (days, at) = match self {
            Self::AlwaysOpen => return None,
            Self::Days { days, at } => (days.clone(), *at),
            Self::Monthly { days, at } => (coming(days, crate::day_in_brussels(now)), *at),
        };
        days.into_iter().filter_map(|day| instant(day, at)).find(|instant| now < *instant)
    }
}

impl fmt::Display for CutOffs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, at) = match self {
            Self::AlwaysOpen => return f.write_str("always open"),
            Self::Days { days, at } => (joined(days), at),
            Self::Monthly { days, at } => (format!("day {} of every month", joined(days)), at),
        };
        match at {
            Some(at) => write!(f, "{days}, {} Brussels", at.strftime("%H:%M")),
            None => write!(f, "{days}, end of the day in Brussels"),
        }
    }
}

fn joined<T: ToString>(days: &[T]) -> String {
    days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The days of this month and the following ones that are among `of_month`, in order.
fn coming(of_month: &[i8], today: Date) -> Vec<Date> {
    let first = today.first_of_month();
    let months = (0..MONTHS_AHEAD).map(|ahead| first.saturating_add(ahead.months()));
    let days = months.flat_map(|month| {
        of_month.iter().filter_map(move |day| Date::new(month.year(), month.month(), *day).ok())
    });
    days.collect()
}

/// `at` on `day` in Brussels, or the end of the day there. A time that daylight saving skips is
/// taken as if the clock had not been changed, one that it repeats as the first of the two.
fn instant(day: Date, at: Option<Time>) -> Option<Timestamp> {
    let zone = TimeZone::get("Europe/Brussels").unwrap_or(TimeZone::UTC);
    match at {
        Some(at) => Some(day.to_datetime(at).to_zoned(zone).ok()?.timestamp()),
        None => crate::end_of_day_in_brussels(day),
    }
}

/// `"always"`, `{ days = [2026-03-30], at = "10:00" }` or `{ monthly = [1], at = "10:00" }`.
pub(super) fn read(value: &Value<'_>) -> Option<CutOffs> {
    if value.is_text() {
        return value.choice(&[("always", ())]).map(|()| CutOffs::AlwaysOpen);
    }
    value.table(|table| {
        let at = table.optional("at", Value::parsed);
        let days = table.optional("days", |value| value.list(Value::date));
        let monthly = table.optional("monthly", |value| value.list(day_of_month));
        match (days, monthly) {
            (Some(days), None) => {
                in_order(table, "days", &days).then_some(CutOffs::Days { days, at })
            }
            (None, Some(days)) => {
                in_order(table, "monthly", &days).then_some(CutOffs::Monthly { days, at })
            }
            _ => table.fault("needs either `days` or `monthly`"),
        }
    })
}

fn day_of_month(value: &Value<'_>) -> Option<i8> {
    match value.count::<u8>().and_then(|day| i8::try_from(day).ok()) {
        Some(day) if day <= 31 => Some(day),
        Some(_) => value.fault("no month has that many days"),
        None => None,
    }
}

fn in_order<T: PartialOrd>(table: &Table<'_>, key: &str, days: &[T]) -> bool {
    let ordered = days.windows(2).all(|pair| matches!(pair, [one, next] if one < next));
    if !ordered || days.is_empty() {
        table.fault_of::<()>(key, "needs days, each once, the earliest first");
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::day;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn next(cut_offs: &CutOffs, now: &str) -> Option<String> {
        cut_offs.next(at(now)).map(|instant| instant.to_string())
    }

    #[test]
    fn a_cut_off_at_ten_is_nine_utc_in_winter_and_eight_in_summer() {
        let monthly = CutOffs::Monthly { days: vec![1], at: Some(jiff::civil::time(10, 0, 0, 0)) };
        assert_eq!(next(&monthly, "2026-11-21T09:00:00Z").unwrap(), "2026-12-01T09:00:00Z");
        assert_eq!(next(&monthly, "2026-03-01T08:59:59Z").unwrap(), "2026-03-01T09:00:00Z");
        assert_eq!(next(&monthly, "2026-03-01T09:00:00Z").unwrap(), "2026-04-01T08:00:00Z");
    }

    #[test]
    fn a_day_without_a_time_counts_until_its_midnight_in_brussels() {
        let days = CutOffs::Days { days: vec![day("2026-03-28"), day("2026-03-29")], at: None };
        assert_eq!(next(&days, "2026-03-01T00:00:00Z").unwrap(), "2026-03-28T23:00:00Z");
        // The clocks go forward on the 29th.
        assert_eq!(next(&days, "2026-03-28T23:00:00Z").unwrap(), "2026-03-29T22:00:00Z");
        assert_eq!(next(&days, "2026-03-29T22:00:00Z"), None);
    }

    #[test]
    fn a_month_without_the_day_is_passed_over() {
        let monthly = CutOffs::Monthly { days: vec![31], at: None };
        assert_eq!(next(&monthly, "2026-02-01T00:00:00Z").unwrap(), "2026-03-31T22:00:00Z");
        assert_eq!(CutOffs::AlwaysOpen.next(at("2026-02-01T00:00:00Z")), None);
    }
}
