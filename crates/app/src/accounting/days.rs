//! Days of a site: what its people call a day, in exact instants.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use units::Timestamp;

/// The time zone with this name.
///
/// # Errors
/// With the reason, for people, when there is none.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("`{name}` is not a time zone, such as Europe/Vienna"))
}

/// When `date` begins in `zone`, and when the next day does. A day in which the clock changes is
/// an hour longer or shorter, and no instant is in two days or in none.
pub(super) fn bounds(date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begins =
        |date: Date| Some(date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?.timestamp());
    Some((begins(date)?, begins(date.tomorrow().ok()?)?))
}

/// The day of `zone` in which an instant lies.
pub(super) fn of(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(date: &str, name: &str) -> i64 {
        let (from, to) = bounds(date.parse().unwrap(), &zone(name).unwrap()).unwrap();
        (to.as_second() - from.as_second()) / 3_600
    }

    #[test]
    fn a_day_is_as_long_as_the_clock_of_the_site_makes_it() {
        for (date, name, expected) in [
            ("2026-03-28", "Europe/Berlin", 24),
            ("2026-03-29", "Europe/Berlin", 23),
            ("2026-10-25", "Europe/Berlin", 25),
            ("2026-10-25", "UTC", 24),
            ("2026-03-29", "Europe/Lisbon", 23),
            // Where midnight itself is skipped.
            ("2026-03-08", "America/Havana", 23),
        ] {
            assert_eq!(hours(date, name), expected, "{date} in {name}");
        }
        assert!(zone("Europe/Berlin ").is_err());
    }

    #[test]
    fn days_follow_each_other_without_a_gap_through_every_month_of_a_leap_year() {
        for name in ["Europe/Berlin", "Europe/Helsinki", "America/Havana", "Asia/Kolkata", "UTC"] {
            let zone = zone(name).unwrap();
            let mut date: Date = "2027-12-30".parse().unwrap();
            let mut end = bounds(date, &zone).unwrap().0;
            while date < "2029-03-02".parse().unwrap() {
                let (from, to) = bounds(date, &zone).unwrap();
                assert_eq!(from, end, "{date} in {name}");
                assert_eq!(of(from, &zone), date);
                assert_eq!(of(Timestamp::from_second(to.as_second() - 1).unwrap(), &zone), date);
                end = to;
                date = date.tomorrow().unwrap();
            }
        }
    }
}
