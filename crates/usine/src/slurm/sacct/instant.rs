//! Instants as `sacct` takes them.

use anyhow::{Result, bail};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Reads an instant: `now`, `today`, `midnight`, `noon`, `YYYY-MM-DD[THH:MM[:SS]]`, `HH:MM[:SS]`,
/// `MMDD` and `MM/DD[/YY]`, each of `now` with `+` or `-` and a count of units behind it, such as
/// `now-2days`.
pub(super) fn read(text: &str, now: &Zoned) -> Result<Timestamp> {
    let word = text.to_lowercase();
    if let Some(rest) = word.strip_prefix("now") {
        return Ok(shifted(now, rest, text)?.timestamp());
    }
    let day =
        |at: Time| Ok(now.date().to_datetime(at).to_zoned(now.time_zone().clone())?.timestamp());
    match word.as_str() {
        "today" | "midnight" => return day(Time::midnight()),
        "noon" => return day(Time::constant(12, 0, 0, 0)),
        _ => {}
    }
    let zone = now.time_zone().clone();
    if let Ok(at) = text.parse::<DateTime>().or_else(|_| minute(text)) {
        return Ok(at.to_zoned(zone)?.timestamp());
    }
    if let Ok(date) = text.parse::<Date>().or_else(|_| written(text, now)) {
        return Ok(date.to_datetime(Time::midnight()).to_zoned(zone)?.timestamp());
    }
    for format in ["%H:%M:%S", "%H:%M"] {
        if let Ok(time) = Time::strptime(format, text) {
            return day(time);
        }
    }
    bail!("Invalid time specification (pos=0): {text}")
}

fn minute(text: &str) -> Result<DateTime, jiff::Error> {
    DateTime::strptime("%Y-%m-%dT%H:%M", text)
}

/// A date in one of the short forms.
fn written(text: &str, now: &Zoned) -> Result<Date, jiff::Error> {
    let year = now.year();
    Date::strptime("%m/%d/%y", text)
        .or_else(|_| Date::strptime("%Y/%m/%d", format!("{year}/{text}")))
        .or_else(|_| Date::strptime("%Y%m%d", format!("{year}{text}")))
}

fn shifted(now: &Zoned, rest: &str, text: &str) -> Result<Zoned> {
    let wrong = || anyhow::anyhow!("Invalid time specification (pos=0): {text}");
    if rest.is_empty() {
        return Ok(now.clone());
    }
    let (sign, amount) = match rest.split_at_checked(1) {
        Some(("+", amount)) => (1_i64, amount),
        Some(("-", amount)) => (-1, amount),
        _ => return Err(wrong()),
    };
    let unit = amount.trim_start_matches(|mark: char| mark.is_ascii_digit());
    let digits = amount.get(..amount.len().saturating_sub(unit.len())).unwrap_or_default();
    let count: i64 = digits.parse().map_err(|_| wrong())?;
    if count > 1_000_000 {
        return Err(wrong());
    }
    let count = count * sign;
    let span = match unit.trim_end_matches('s') {
        "" | "second" | "econd" => count.seconds(),
        "minute" => count.minutes(),
        "hour" => count.hours(),
        "day" => count.days(),
        "week" => count.weeks(),
        _ => return Err(wrong()),
    };
    Ok(now.checked_add(span)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_slurm_is_read() {
        let now: Zoned = "2026-11-21T15:00:00[UTC]".parse().unwrap();
        let read = |text: &str| read(text, &now).map(|at| at.to_string()).unwrap_or_default();
        let table = [
            ("now", "2026-11-21T15:00:00Z"),
            ("now-2days", "2026-11-19T15:00:00Z"),
            ("now+1hour", "2026-11-21T16:00:00Z"),
            ("now-90", "2026-11-21T14:58:30Z"),
            ("midnight", "2026-11-21T00:00:00Z"),
            ("noon", "2026-11-21T12:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T09:30", "2026-11-01T09:30:00Z"),
            ("2026-11-01T09:30:15", "2026-11-01T09:30:15Z"),
            ("09:30", "2026-11-21T09:30:00Z"),
            ("1101", "2026-11-01T00:00:00Z"),
            ("11/01", "2026-11-01T00:00:00Z"),
            ("11/01/25", "2025-11-01T00:00:00Z"),
            ("banana", ""),
            ("now*2", ""),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
