//! Who may have which hours: agreements, pools, organisations, calls, applications, allocations.
//!
//! Not here: input and output, a clock, identifiers out of thin air. Every decision is a function
//! of what is handed in, and carries its reasons.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]

pub mod agreement;
pub mod aid;
pub mod allocation;
pub mod application;
pub mod call;
pub mod capacity;
pub mod document;
pub mod estimate;
pub mod federation;
pub mod organisation;
pub mod policy;
pub mod project;
pub mod registration;
pub mod review;
pub mod sme;

#[cfg(test)]
mod testing;

/// The day in Brussels at `now`: policy and calls turn there.
pub fn day_in_brussels(now: units::Timestamp) -> jiff::civil::Date {
    // The zone is bundled with the program; should it be missing, UTC is at most two hours off.
    let zone = jiff::tz::TimeZone::get("Europe/Brussels").unwrap_or(jiff::tz::TimeZone::UTC);
    now.to_zoned(zone).date()
}

/// From `start` for as many calendar months, UTC.
pub fn months_from(start: units::Timestamp, months: u32) -> Option<units::Period> {
    let months = i64::from(months);
    let end =
        start.to_zoned(jiff::tz::TimeZone::UTC).checked_add(jiff::ToSpan::months(months)).ok()?;
    units::Period::new(start, end.timestamp()).ok()
}

/// The end of `day` in Brussels: the first instant of the next one.
pub fn end_of_day_in_brussels(day: jiff::civil::Date) -> Option<units::Timestamp> {
    let zone = jiff::tz::TimeZone::get("Europe/Brussels").unwrap_or(jiff::tz::TimeZone::UTC);
    zone.to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0)).ok()
}
