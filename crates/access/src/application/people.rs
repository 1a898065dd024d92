//! What people have decided to grant, held to the rules as they stand at that moment.

use units::Work;

use super::check::reason;
use super::decide::{admit_but_for, weigh};
use super::{Award, Check, Draft, Reason, Situation};

/// The award of `hours` to an application that people have decided on. Everything is checked again
/// but whether the call is open: a change since the submission is caught here.
///
/// `partition_units` is how many units of the meter the partition has, when it is known.
///
/// # Errors
/// Every reason against it.
pub fn award_by_people(
    draft: &Draft,
    hours: u32,
    situation: &Situation<'_>,
    partition_units: Option<u64>,
) -> Result<Award, Vec<Reason>> {
    let meter = situation.mode.says.meter;
    if let Some(asked) = draft.hours.filter(|asked| hours > *asked) {
        let unit = meter.hour_name();
        let granted = Work::hours(i64::from(hours)).unwrap_or(Work::seconds(i64::MAX));
        let found = format!("{} would be granted", granted.display(meter));
        let allowed = format!("{asked} {unit} were asked, and no more is granted");
        let fits = Some(format!("{asked} {unit}"));
        return Err(vec![Reason { fits, ..reason(situation, Check::Hours, found, allowed) }]);
    }
    let granted = Draft { hours: Some(hours), ..draft.clone() };
    let admitted = admit_but_for(Some(Check::CallOpen), &granted, situation)?;
    weigh(&admitted, situation, partition_units)
}
