//! Hours that are released before their month.

use units::Work;

use super::change::{Changing, Refusal, not_over, shown};

/// Whether `hours` of later months may be used in this one. `later` is what later months have;
/// `None` where all hours are released at once.
///
/// # Errors
/// Every rule against it.
pub fn advance(
    changing: &Changing<'_>,
    hours: Work,
    later: Option<Work>,
) -> Result<(), Vec<Refusal>> {
    let Changing { allocation, before, now, .. } = *changing;
    let mut refusals: Vec<Refusal> = not_over(allocation, now).err().into_iter().collect();
    let asked = format!("{} are asked", shown(hours, allocation.meter));
    if hours <= Work::ZERO {
        let allowed = "at least one hour is released";
        refusals.push(Refusal::new("allocation.hours", asked.clone(), allowed));
    }
    match later {
        None => {
            let found = "its hours are not released month by month".to_owned();
            let allowed = "only what is released later can be released now";
            refusals.push(Refusal::new("allocation.released", found, allowed));
        }
        Some(later) if hours > later => {
            let allowed = format!("{} are left to later months", shown(later, allocation.meter));
            refusals.push(Refusal::new("allocation.released", asked, allowed));
        }
        Some(_) => {}
    }
    let total = before.advanced.count().saturating_add(hours.count());
    refusals.extend(
        changing.beyond_part(Work::seconds(total), "would be advanced", |says| &says.advance_max),
    );
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

#[cfg(test)]
mod tests;
