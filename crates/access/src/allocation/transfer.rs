//! Hours that move from one award to another.

use units::{Slug, Work};

use super::Allocation;
use super::change::{Changing, Refusal, not_over, shown};

/// Two awards between which hours are to move.
#[derive(Clone, Copy, Debug)]
pub struct Between<'a> {
    /// The one that gives.
    pub giver: Changing<'a>,
    /// Under which access mode.
    pub giver_mode: &'a Slug,
    /// The one that receives.
    pub taker: &'a Allocation,
    /// Under which access mode.
    pub taker_mode: &'a Slug,
    /// Whether both belong to one organisation.
    pub one_organisation: bool,
    /// What the giver has available.
    pub available: Work,
}

/// Whether `hours` may move. They stay what they were awarded as: of their partition, their access
/// mode and their organisation, on which eligibility, shares of the Union's time and State aid rest.
///
/// # Errors
/// Every rule against it.
pub fn transfer(between: &Between<'_>, hours: Work) -> Result<(), Vec<Refusal>> {
    let Between { giver, taker, .. } = between;
    let (from, now) = (giver.allocation, giver.now);
    let mut refusals: Vec<Refusal> = not_over(from, now).err().into_iter().collect();
    refusals.extend(not_over(taker, now).err());
    let mut refuse = |rule: &str, found: String, allowed: String| {
        refusals.push(Refusal::new(rule, found, allowed));
    };
    let asked = shown(hours, from.meter);
    if hours <= Work::ZERO {
        refuse(
            "allocation.hours",
            format!("{asked} are to move"),
            "at least one hour moves".into(),
        );
    }
    if hours > between.available {
        let left = shown(between.available, from.meter);
        let found = format!("{asked} are to move");
        refuse("allocation.hours", found, format!("{left} are available"));
    }
    if from.id == taker.id {
        let allowed = "hours move from one allocation to another".to_owned();
        refuse("allocation.transfer", "both are the same".to_owned(), allowed);
    }
    if from.partition != taker.partition {
        let found = format!("one is on {}, the other on {}", from.partition, taker.partition);
        let allowed = "each hour belongs to the payers of its partition".to_owned();
        refuse("allocation.partition", found, allowed);
    }
    if between.giver_mode != between.taker_mode {
        let (giver, taker) = (between.giver_mode, between.taker_mode);
        let found = format!("one was awarded under {giver}, the other under {taker}");
        refuse("allocation.mode", found, "hours stay in their access mode".to_owned());
    }
    if !between.one_organisation {
        let found = "they belong to two organisations".to_owned();
        let allowed =
            "hours are awarded to an organisation; another applies for its own".to_owned();
        refuse("allocation.organisation", found, allowed);
    }
    let total = giver.before.moved_out.count().saturating_add(hours.count());
    refusals.extend(giver.beyond_part(
        Work::seconds(total),
        "would move to other awards",
        |says| &says.transfer_max,
    ));
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

#[cfg(test)]
mod tests;
