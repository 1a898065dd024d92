//! An award that follows another, without an application.

use units::{Period, Timestamp, Work};

use super::change::{Changing, Refusal, Source, later, shown};
use super::{ReportStage, Stage};
use crate::document::Figure;

/// What is known of an award that is to be followed by another.
#[derive(Clone, Copy, Debug)]
pub struct Renewing<'a> {
    /// The award.
    pub award: Changing<'a>,
    /// For how many months it was awarded.
    pub months: u32,
    /// Where its final report stands.
    pub report: ReportStage,
    /// How many awards it follows itself.
    pub renewals: u32,
    /// Whether another follows it already.
    pub followed: bool,
}

/// The period of the award that follows: from the end of this one, or from now when that is past,
/// for `months`; with `hours` out of `source`.
///
/// # Errors
/// Every rule against it.
pub fn renew(
    renewing: &Renewing<'_>,
    (hours, months): (Work, u32),
    source: &Source<'_>,
) -> Result<Period, Vec<Refusal>> {
    let award = &renewing.award;
    let (allocation, now) = (award.allocation, award.now);
    let mut refusals = against(renewing, now);
    let mut refuse = |rule: &str, found: String, allowed: String| {
        refusals.push(Refusal::new(rule, found, allowed));
    };
    if months == 0 || months > renewing.months {
        let found = format!("{months} months are asked");
        let allowed = format!("1 to {}, as it was awarded for", renewing.months);
        refuse("allocation.period", found, allowed);
    }
    let awarded = award.awarded();
    if hours <= Work::ZERO || hours > awarded {
        let found = format!("{} are asked", shown(hours, allocation.meter));
        let allowed = format!("at most {}, as was awarded", shown(awarded, allocation.meter));
        refuse("allocation.hours", found, allowed);
    }
    let start = allocation.period.end().max(now);
    let period = later(start, months).and_then(|end| Period::new(start, end).ok());
    refusals.extend(source.refuses(hours, allocation.meter));
    match period {
        Some(period) if refusals.is_empty() => Ok(period),
        _ => Err(refusals),
    }
}

/// What stands against it whatever is asked.
fn against(renewing: &Renewing<'_>, now: Timestamp) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if let Stage::Closed { at } = renewing.award.allocation.stage(now) {
        let found = format!("it was closed on {at}");
        let allowed = "what was ended is applied for again";
        refusals.push(Refusal::new("allocation.period", found, allowed));
    }
    if renewing.followed {
        let found = "another award follows it already".to_owned();
        refusals.push(Refusal::new("allocation.renewal", found, "that one can be renewed"));
    }
    if matches!(renewing.report, ReportStage::Due { .. } | ReportStage::Overdue { .. }) {
        let found = "its final report did not come".to_owned();
        refusals.push(Refusal::new("allocation.report", found, "it is handed in first"));
    }
    for rule in renewing.award.rules {
        if let Figure::Known(most, _) = &rule.says.renewals_max
            && renewing.renewals >= *most
        {
            let found = format!("it was renewed {} times", renewing.renewals);
            refusals.push(Refusal::new(&rule.rule, found, format!("at most {most} are possible")));
        }
    }
    refusals
}

#[cfg(test)]
mod tests;
