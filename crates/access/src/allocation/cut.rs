//! Hours that are taken back because they are not used.

use units::{Timestamp, Work};

use super::change::later;
use super::{Allocation, Stage};
use crate::policy::Cut;

/// How an award is used, when a cut is considered.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// What was awarded, before any change.
    pub awarded: Work,
    /// What is used.
    pub used: Work,
    /// What could be taken back: neither used nor held.
    pub available: Work,
}

/// How much `rule` takes back at `now`: what is missing to the part that should be used by then, as
/// far as it is available. `None` when it is not time, enough is used, or the award is not in use.
pub fn cut(allocation: &Allocation, rule: &Cut, its: Use, now: Timestamp) -> Option<Work> {
    let Stage::Active { .. } = allocation.stage(now) else { return None };
    let due = later(allocation.period.start(), rule.after_months)?;
    if now < due {
        return None;
    }
    let mark = rule.used_below.of(its.awarded.count());
    let missing = mark.saturating_sub(its.used.count()).min(its.available.count());
    (missing > 0).then(|| Work::seconds(missing))
}

#[cfg(test)]
mod tests;
