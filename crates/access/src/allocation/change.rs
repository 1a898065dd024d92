//! What may be changed of an allocation: whether, and what it would be then.
//!
//! Not here: who may ask for it, and the books.

use std::fmt;

use jiff::{ToSpan, tz::TimeZone};
use units::{Meter, PartsPerMillion, Period, Timestamp, Work};

use super::{Allocation, Stage};
use crate::application::ShareLeft;
use crate::document::Figure;
use crate::policy::{AwardChanges, Entry};

/// Why something cannot be done with an allocation: the rule, what it saw and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The entry of policy with its version, or what stands in its place.
    pub rule: String,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
}

impl Refusal {
    pub(super) fn new(rule: impl fmt::Display, found: String, allowed: impl Into<String>) -> Self {
        Self { rule: rule.to_string(), found, allowed: allowed.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.found, self.allowed)
    }
}

/// What was changed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// By how many months it was extended.
    pub months: u32,
    /// By how much it was supplemented.
    pub hours: Work,
    /// How much came to it from other awards.
    pub moved_in: Work,
    /// How much of it went to other awards.
    pub moved_out: Work,
    /// How much was released before its month.
    pub advanced: Work,
    /// How much was cut.
    pub cut: Work,
}

/// An allocation that is to be changed.
#[derive(Clone, Copy, Debug)]
pub struct Changing<'a> {
    /// Which.
    pub allocation: &'a Allocation,
    /// The entries of policy that concern it.
    pub rules: &'a [&'a Entry<AwardChanges>],
    /// What was changed before.
    pub before: Before,
    /// The instant.
    pub now: Timestamp,
}

impl Changing<'_> {
    /// What was awarded at first, before any change.
    pub fn awarded(&self) -> Work {
        let Before { hours, moved_in, moved_out, cut, .. } = self.before;
        let gained = hours.count().saturating_add(moved_in.count());
        let lost = moved_out.count().saturating_add(cut.count());
        let now = self.allocation.amount.count();
        Work::seconds(now.saturating_sub(gained).saturating_add(lost))
    }

    /// What stands against `total` of a sort where a rule allows a `part` of what was awarded.
    pub(super) fn beyond_part(
        &self,
        total: Work,
        what: &str,
        part: fn(&AwardChanges) -> &Figure<PartsPerMillion>,
    ) -> Vec<Refusal> {
        let meter = self.allocation.meter;
        let mut refusals = Vec::new();
        for rule in self.rules {
            let Figure::Known(most, _) = part(&rule.says) else { continue };
            let bound = Work::seconds(most.of(self.awarded().count()));
            if total > bound {
                let found = format!("{} {what} in all", shown(total, meter));
                let bound = shown(bound, meter);
                let allowed = format!("at most {most} of what was awarded, {bound}");
                refusals.push(Refusal::new(&rule.rule, found, allowed));
            }
        }
        refusals
    }
}

/// Where the hours of a supplement would come from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What the pool has left.
    pub left: Work,
    /// What is left of the shares of the Union's time that the mode is part of.
    pub shares: &'a [ShareLeft],
    /// Whether the hours would be State aid.
    pub is_aid: bool,
}

impl Source<'_> {
    /// What stands against granting `hours` out of it.
    pub(super) fn refuses(&self, hours: Work, meter: Meter) -> Vec<Refusal> {
        let shown = |work: Work| shown(work, meter);
        let mut refusals = Vec::new();
        if hours > self.left {
            let found = format!("{} more are asked", shown(hours));
            let allowed = format!("{} are left in the pool", shown(self.left));
            refusals.push(Refusal::new("pool", found, allowed));
        }
        for share in self.shares.iter().filter(|share| hours > share.remaining) {
            let found = format!("{} more are asked", shown(hours));
            let left = shown(share.remaining);
            let allowed = format!("{left} are left of {} of the Union's time", share.limit);
            refusals.push(Refusal::new(&share.rule, found, allowed));
        }
        if self.is_aid {
            let found = "the hours would be State aid".to_owned();
            let allowed = "they have to be applied for under a call";
            refusals.push(Refusal::new("state-aid", found, allowed));
        }
        refusals
    }
}

/// Whether nothing more may be submitted against it for now.
///
/// # Errors
/// When it is over or suspended.
pub fn suspend(allocation: &Allocation, now: Timestamp) -> Result<(), Refusal> {
    not_over(allocation, now)?;
    match &allocation.suspended {
        None => Ok(()),
        Some(it) => {
            let found = format!("it is suspended since {}", it.since);
            Err(Refusal::new("allocation.suspended", found, "it can be resumed"))
        }
    }
}

/// Whether it may be used again.
///
/// # Errors
/// When it is over or not suspended.
pub fn resume(allocation: &Allocation, now: Timestamp) -> Result<(), Refusal> {
    not_over(allocation, now)?;
    if allocation.suspended.is_some() {
        return Ok(());
    }
    let found = "it is not suspended".to_owned();
    Err(Refusal::new("allocation.suspended", found, "only what is suspended can be resumed"))
}

/// Whether it may end now, before its time.
///
/// # Errors
/// When it is over.
pub fn terminate(allocation: &Allocation, now: Timestamp) -> Result<(), Refusal> {
    not_over(allocation, now)
}

/// The period that it would have with `months` more.
///
/// # Errors
/// Every rule against it.
pub fn extend(changing: &Changing<'_>, months: u32) -> Result<Period, Vec<Refusal>> {
    let Changing { allocation, rules, before, now } = *changing;
    let mut refusals: Vec<Refusal> = not_over(allocation, now).err().into_iter().collect();
    let total = before.months.saturating_add(months);
    let period = later(allocation.period.end(), months)
        .and_then(|end| Period::new(allocation.period.start(), end).ok())
        .filter(|_| months > 0);
    if period.is_none() {
        let found = format!("{months} more months are asked");
        refusals.push(Refusal::new(
            "allocation.period",
            found,
            "at least one, within the calendar",
        ));
    }
    for rule in rules {
        let says = &rule.says;
        if let Figure::Known(most, _) = says.extension_months_max
            && total > most
        {
            let found = format!("it would be extended by {total} months in all");
            refusals.push(Refusal::new(&rule.rule, found, format!("at most {most} are possible")));
        }
        if let (Figure::Known(most, _), Some(period)) = (&says.months_total_max, period)
            && later(allocation.period.start(), *most).is_some_and(|last| last < period.end())
        {
            let found = format!("it would last until {}", period.end());
            let allowed = format!("it may last {most} months from {}", allocation.period.start());
            refusals.push(Refusal::new(&rule.rule, found, allowed));
        }
        if !says.together && before.hours > Work::ZERO {
            let found = "it was given more hours before".to_owned();
            refusals.push(Refusal::new(&rule.rule, found, EITHER));
        }
    }
    match period {
        Some(period) if refusals.is_empty() => Ok(period),
        _ => Err(refusals),
    }
}

/// Whether `hours` more may be granted to it.
///
/// # Errors
/// Every rule against it.
pub fn supplement(
    changing: &Changing<'_>,
    hours: Work,
    source: &Source<'_>,
) -> Result<(), Vec<Refusal>> {
    let Changing { allocation, rules, before, now } = *changing;
    let mut refusals: Vec<Refusal> = not_over(allocation, now).err().into_iter().collect();
    let shown = |work: Work| shown(work, allocation.meter);
    if hours <= Work::ZERO {
        let found = format!("{} more are asked", shown(hours));
        refusals.push(Refusal::new("allocation.hours", found, "at least one hour is granted"));
    }
    let total = Work::seconds(before.hours.count().saturating_add(hours.count()));
    refusals.extend(
        changing.beyond_part(total, "would be granted on top", |says| &says.supplement_max),
    );
    for rule in rules {
        if !rule.says.together && before.months > 0 {
            let found = "it was given more time before".to_owned();
            refusals.push(Refusal::new(&rule.rule, found, EITHER));
        }
    }
    refusals.extend(source.refuses(hours, allocation.meter));
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

const EITHER: &str = "more time or more hours is possible, not both";

pub(super) fn not_over(allocation: &Allocation, now: Timestamp) -> Result<(), Refusal> {
    let (found, at) = match allocation.stage(now) {
        Stage::Expired { at } => ("it ended", at),
        Stage::Closed { at } => ("it was closed", at),
        Stage::Granted { .. } | Stage::Active { .. } | Stage::Suspended { .. } => return Ok(()),
    };
    let found = format!("{found} on {at}");
    Err(Refusal::new("allocation.period", found, "only what lasts can be changed"))
}

pub(super) fn later(from: Timestamp, months: u32) -> Option<Timestamp> {
    let end = from.to_zoned(TimeZone::UTC).checked_add(i64::from(months).months()).ok()?;
    Some(end.timestamp())
}

pub(super) fn shown(work: Work, meter: Meter) -> String {
    work.display(meter).to_string()
}

#[cfg(test)]
mod tests;
