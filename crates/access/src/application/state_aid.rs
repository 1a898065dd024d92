//! Whether free hours are State aid, and whether the state may still grant it.

use units::Work;

use super::check::reason;
use super::{Check, Draft, Outcome, Reason, Situation};
use crate::aid::{self, Granted};

/// Free hours that are State aid, within the ceiling of the state that grants them.
pub(super) fn state_aid(draft: &Draft, situation: &Situation<'_>) -> Outcome {
    let none = || Outcome::Passed("these hours are no State aid by policy".to_owned());
    let Some(standing) = situation.aid else { return none() };
    let Some(hours) = draft.hours else {
        return Outcome::Open("say how many hours to see what they are worth as aid".to_owned());
    };
    let work = Work::hours(i64::from(hours)).unwrap_or(Work::seconds(i64::MAX));
    match aid_of(work, situation) {
        Ok(Some(granted)) => Outcome::Passed(format!(
            "{} of de minimis aid of {}, on top of {} in three years; at most {} ({})",
            granted.amount(),
            standing.state,
            granted.used(),
            standing.ceiling.says.ceiling,
            granted.rule(),
        )),
        Ok(None) => none(),
        Err(reason) => Outcome::Failed(reason),
    }
}

/// The aid that `work` is, if it is any.
///
/// # Errors
/// Why it may not be granted: the ceiling with the lines of the register, or no price.
pub(super) fn aid_of(work: Work, situation: &Situation<'_>) -> Result<Option<Granted>, Reason> {
    let Some(standing) = situation.aid else { return Ok(None) };
    let Some(price) = standing.price else {
        let found = "these hours are State aid, and no price says what they are worth";
        return Err(reason(situation, Check::StateAid, found, "people must decide"));
    };
    let amount = aid::worth(work, &price.says);
    let granted = aid::grant(standing.lines, (amount, situation.today()), standing.ceiling);
    granted.map(Some).map_err(|exceeded| {
        let hours = aid::hours_for(exceeded.left(), &price.says);
        let unit = situation.mode.says.meter.hour_name();
        let (state, ceiling, left) = (standing.state, exceeded.ceiling, exceeded.left());
        Reason {
            rule: exceeded.rule.to_string(),
            check: Check::StateAid,
            found: exceeded.to_string(),
            allowed: format!(
                "{state} may grant one undertaking {ceiling} in three years; {left} are left"
            ),
            fits: (hours > 0).then(|| format!("{hours} {unit}")),
        }
    })
}
