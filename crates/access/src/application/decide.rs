//! From a complete draft to a decision.

use units::{CallId, Meter, PartitionKey, Payer, Period, Timestamp, Work};

use super::check::{beyond_commitment, beyond_share, reason};
use super::state_aid::aid_of;
use super::{Check, Draft, Outcome, Reason, Situation, check};
use crate::aid::Granted;
use crate::policy::{DecidedBy, RuleId};

/// Proof that an application is complete and may be decided. Only [`admit`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    call: CallId,
    partition: PartitionKey,
    meter: Meter,
    amount: Work,
    months: u32,
    at: Timestamp,
}

impl Admitted {
    /// When it was admitted.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What is asked.
    pub const fn amount(&self) -> Work {
        self.amount
    }
}

/// Hours that are granted. Only [`decide`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    partition: PartitionKey,
    meter: Meter,
    amount: Work,
    payer: Payer,
    period: Period,
    rule: RuleId,
    aid: Option<Granted>,
}

impl Award {
    /// Where.
    pub const fn partition(&self) -> &PartitionKey {
        &self.partition
    }

    /// What is counted.
    pub const fn meter(&self) -> Meter {
        self.meter
    }

    /// How much.
    pub const fn amount(&self) -> Work {
        self.amount
    }

    /// Out of whose pool.
    pub const fn payer(&self) -> Payer {
        self.payer
    }

    /// From when until when they may be used.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The State aid that it is, if it is any.
    pub const fn aid(&self) -> Option<&Granted> {
        self.aid.as_ref()
    }

    /// The entry of policy it rests on.
    pub const fn rule(&self) -> &RuleId {
        &self.rule
    }
}

/// What comes of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is granted.
    Awarded(Award),
    /// It is refused.
    Refused(Vec<Reason>),
    /// People decide in this mode.
    Referred,
}

/// Lets a draft in when every check is fulfilled.
///
/// # Errors
/// Every reason against it; what is still to be written counts as one.
pub fn admit(draft: &Draft, situation: &Situation<'_>) -> Result<Admitted, Vec<Reason>> {
    admit_but_for(None, draft, situation)
}

/// Lets a draft in when every check but `moot` is fulfilled.
pub(super) fn admit_but_for(
    moot: Option<Check>,
    draft: &Draft,
    situation: &Situation<'_>,
) -> Result<Admitted, Vec<Reason>> {
    let mut reasons = Vec::new();
    for finding in check(draft, situation) {
        match finding.outcome {
            _ if Some(finding.check) == moot => {}
            Outcome::Passed(_) => {}
            Outcome::Open(text) => {
                reasons.push(reason(situation, finding.check, "this is still open", text));
            }
            Outcome::Failed(reason) => reasons.push(reason),
        }
    }
    let amount = draft.hours.and_then(|hours| Work::hours(i64::from(hours)).ok());
    match (&draft.partition, amount, draft.months) {
        (Some(partition), Some(amount), Some(months)) if reasons.is_empty() => Ok(Admitted {
            call: situation.call.id,
            partition: partition.clone(),
            meter: situation.mode.says.meter,
            amount,
            months,
            at: situation.now,
        }),
        _ => Err(reasons),
    }
}

/// Decides on `admitted`: the technical check, and what is left of the pool at this instant.
///
/// `partition_units` is how many units of the meter the partition has, when it is known.
pub fn decide(
    admitted: &Admitted,
    situation: &Situation<'_>,
    partition_units: Option<u64>,
) -> Decision {
    if situation.mode.says.decided_by == DecidedBy::People {
        return Decision::Referred;
    }
    match weigh(admitted, situation, partition_units) {
        Ok(award) => Decision::Awarded(award),
        Err(reasons) => Decision::Refused(reasons),
    }
}

/// The award, unless the machine, the pool, a share or the ceiling of aid stands against it.
pub(super) fn weigh(
    admitted: &Admitted,
    situation: &Situation<'_>,
    partition_units: Option<u64>,
) -> Result<Award, Vec<Reason>> {
    let mut reasons = Vec::new();
    if admitted.call != situation.call.id || admitted.at > situation.now {
        reasons.push(reason(
            situation,
            Check::CallOpen,
            "it was admitted to another call, or later",
            "an application is decided in its own call",
        ));
    }
    let period = crate::months_from(situation.now, admitted.months);
    if period.is_none() {
        let found = format!("{} months lead beyond the calendar", admitted.months);
        reasons.push(reason(situation, Check::Months, found, "a shorter time is possible"));
    }
    reasons.extend(period.and_then(|it| technical(admitted, situation, partition_units, it)));
    reasons.extend(still_there(admitted, situation));
    reasons.extend(beyond_commitment(admitted.amount, situation));
    reasons.extend(beyond_share(admitted.amount, situation));
    let aid = aid_of(admitted.amount, situation).unwrap_or_else(|reason| {
        reasons.push(reason);
        None
    });
    match period {
        Some(period) if reasons.is_empty() => Ok(Award {
            partition: admitted.partition.clone(),
            meter: admitted.meter,
            amount: admitted.amount,
            payer: situation.mode.says.draws_on,
            period,
            rule: situation.mode.rule.clone(),
            aid,
        }),
        _ => Err(reasons),
    }
}

/// Whether the whole partition, used for nothing else, could do it in the time.
fn technical(
    admitted: &Admitted,
    situation: &Situation<'_>,
    units: Option<u64>,
    period: Period,
) -> Option<Reason> {
    let units = i64::try_from(units?).unwrap_or(i64::MAX);
    let most = Work::seconds(units.saturating_mul(period.seconds()));
    (admitted.amount > most).then(|| {
        let shown = |work: Work| work.display(admitted.meter).to_string();
        let found = format!("{} are asked for {} months", shown(admitted.amount), admitted.months);
        let allowed = format!("the whole partition delivers {} in that time", shown(most));
        reason(situation, Check::Technical, found, allowed)
    })
}

/// Whether the pool still has the hours; it may have changed since the draft was checked.
fn still_there(admitted: &Admitted, situation: &Situation<'_>) -> Option<Reason> {
    let left = situation.offer.map_or(Work::ZERO, |offer| offer.remaining);
    (admitted.amount > left).then(|| {
        let shown = |work: Work| work.display(admitted.meter).to_string();
        let found = format!("{} are asked", shown(admitted.amount));
        let allowed = format!("{} are left in this period", shown(left));
        reason(situation, Check::Pool, found, allowed)
    })
}
