//! Working days: on which days nobody works, and how long a term of them lasts.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Entry, entries};
use crate::document::{Table, Value};

/// Days of each year on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holidays {
    /// Month and day of the month.
    pub fixed: Vec<DayOfYear>,
    /// In days from Easter Sunday.
    pub easter: Vec<i32>,
}

/// A day of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayOfYear {
    month: i8,
    day: i8,
}

/// The text names no day of the year.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day of every year, such as 07-21")]
pub struct NotADayOfYear(String);

impl FromStr for DayOfYear {
    type Err = NotADayOfYear;

    fn from_str(text: &str) -> Result<Self, NotADayOfYear> {
        let wrong = || NotADayOfYear(text.to_owned());
        // A leap year has all days there are.
        let date: Date = format!("2024-{text}").parse().map_err(|_| wrong())?;
        if text.len() == 5 {
            Ok(Self { month: date.month(), day: date.day() })
        } else {
            Err(wrong())
        }
    }
}

impl Holidays {
    fn has(&self, day: Date) -> bool {
        let fixed = |it: &DayOfYear| (it.month, it.day) == (day.month(), day.day());
        if self.fixed.iter().any(fixed) {
            return true;
        }
        let Some(easter) = easter_sunday(day.year()) else { return false };
        let movable = self.easter.iter().filter_map(|days| easter.checked_add(days.days()).ok());
        movable.into_iter().any(|date| date == day)
    }
}

/// The entries of `calendar.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Vec<Entry<Holidays>>> {
    entries(root, "holidays", |table| {
        let fixed = table.required("fixed", |value| value.list(Value::parsed));
        let easter = table.required("easter", |value| value.list(Value::whole));
        Some(Holidays { fixed: fixed?, easter: easter? })
    })
}

/// Easter Sunday of a year in the Gregorian calendar (Meeus, Jones and Butcher's computation).
#[expect(clippy::arithmetic_side_effects, reason = "the figures of a calendar are small")]
fn easter_sunday(year: i16) -> Option<Date> {
    let y = i32::from(year);
    if y < 1_583 {
        return None;
    }
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Whether people work on `day`.
pub(super) fn is_working(holidays: &[Entry<Holidays>], day: Date) -> bool {
    let weekend =
        matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday);
    let holding = holidays.iter().filter(|entry| entry.holds_on(day));
    !weekend && !holding.into_iter().any(|entry| entry.says.has(day))
}

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many working days.
    WorkingDays(u32),
    /// So many weeks.
    Weeks(u32),
    /// So many months.
    Months(u32),
}

/// How long a decision takes, as the programme says it; of a range the longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    length: Length,
    text: String,
}

/// The text is not a term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a term, such as \"10 working days after the cut-off\", \"2 to 3 weeks\" or \
     \"about 6 months\""
)]
pub struct NotATerm(String);

impl FromStr for Term {
    type Err = NotATerm;

    fn from_str(text: &str) -> Result<Self, NotATerm> {
        let wrong = || NotATerm(text.to_owned());
        let bare = text.strip_prefix("about ").unwrap_or(text);
        let bare = bare.strip_suffix(" after the cut-off").unwrap_or(bare);
        let bare = match bare.split_once(" to ") {
            Some((least, rest)) if least.parse::<u32>().is_ok() => rest,
            Some(_) => return Err(wrong()),
            None => bare,
        };
        let (count, unit) = bare.split_once(' ').ok_or_else(wrong)?;
        let count: u32 = count.parse().map_err(|_| wrong())?;
        let length = match unit {
            "working day" | "working days" => Length::WorkingDays(count),
            "week" | "weeks" => Length::Weeks(count),
            "month" | "months" => Length::Months(count),
            _ => return Err(wrong()),
        };
        Ok(Self { length, text: text.to_owned() })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Term {
    /// The last day of the term after something that happened on `day`, which is not counted
    /// itself; a term that would end on a day on which nobody works ends with the next working day
    /// (Regulation (EEC, Euratom) No 1182/71, Article 3). `None` beyond the calendar.
    pub fn last_day(&self, day: Date, is_working: impl Fn(Date) -> bool) -> Option<Date> {
        let mut last = match self.length {
            Length::Weeks(weeks) => day.checked_add(i64::from(weeks).weeks()).ok()?,
            Length::Months(months) => day.checked_add(i64::from(months).months()).ok()?,
            Length::WorkingDays(mut left) => {
                let mut last = day;
                while left > 0 {
                    last = last.tomorrow().ok()?;
                    if is_working(last) {
                        left = left.saturating_sub(1);
                    }
                }
                last
            }
        };
        while !is_working(last) {
            last = last.tomorrow().ok()?;
        }
        Some(last)
    }
}

#[cfg(test)]
mod tests;
