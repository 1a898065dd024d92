//! Charge rules: what a second of a job costs on a partition.
//!
//! A rule is data ([`ChargeRules::parse`] reads `policy/charge-rules.toml`): which resources count,
//! in steps of what, whether the largest or the sum of them is taken, and in which [`Meter`]. What
//! is charged is what was *reserved*, for as long as it was held; nothing here measures use inside
//! a job. All arithmetic is in whole numbers and [`round_once`] is the only rounding.
//!
//! Not here: who pays, and whether they can.

use std::num::NonZeroU32;

use units::{Meter, Overflow, Slug, Timestamp, Work};

use crate::TimeLimit;
use crate::request::Request;

mod explain;
mod rules;

pub use explain::{Part, Rate, Ratio};
pub use rules::{ChargeRules, RulesError};

/// What a rule can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Whole nodes.
    Nodes,
    /// Cores.
    Cores,
    /// Memory, in MiB.
    Memory,
    /// GPUs, as the scheduler counts them.
    Gpus,
}

/// How one resource turns into units of the meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What is counted.
    pub resource: Resource,
    /// How much of it makes one step.
    pub each: NonZeroU32,
    /// How many units one step is worth.
    pub worth: u32,
    /// Whether a step that was begun counts in full.
    pub whole_steps: bool,
}

/// How the counted resources come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The one that claims most of the machine decides.
    Largest,
    /// All are added.
    Sum,
}

/// What the amounts are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The job as a whole.
    Job,
    /// Its fullest node, times the number of nodes.
    Node,
}

/// What happens to the fraction of a unit-second that is left at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// It counts in full.
    Up,
    /// It is dropped.
    Down,
    /// It counts from one half.
    Nearest,
}

/// Which seconds of a job count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// A span of so many seconds that was begun counts in full; without it, time is continuous.
    pub step_seconds: Option<NonZeroU32>,
    /// Whether time past the limit counts, which a scheduler takes to stop a job.
    pub past_limit: bool,
}

/// The rule of one or more partitions, between two dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRule {
    /// Its name in the policy.
    pub key: Slug,
    /// What is counted.
    pub meter: Meter,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when it holds, if a later rule replaces it.
    pub until: Option<Timestamp>,
    /// Where it is written.
    pub source: String,
    /// What the source leaves open and how it was read.
    pub note: Option<String>,
    /// Whether jobs get, and pay, whole nodes.
    pub whole_nodes: bool,
    /// What the amounts are taken from.
    pub over: Over,
    /// How the resources come together.
    pub combine: Combine,
    /// The resources that count; never empty.
    pub counts: Vec<Count>,
    /// Numerator and denominator that the units are multiplied by.
    pub factor: (NonZeroU32, NonZeroU32),
    /// Which seconds count.
    pub timing: Timing,
    /// What happens to the last fraction.
    pub rounding: Rounding,
}

/// A job cannot be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChargeError {
    /// The end lies before the start.
    #[error("the job ended before it started")]
    EndsBeforeStart,
    /// The amount exceeds 64 bits.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl ChargeRule {
    /// What must be set aside before the job may start: its whole time limit.
    ///
    /// # Errors
    /// When the amount exceeds 64 bits of unit-seconds.
    pub fn hold(&self, request: &Request) -> Result<Work, Overflow> {
        self.amount(request, i128::from(limit_micros(request)))
    }

    /// What the job costs that ran from `start` to `end`; at most [`Self::hold`] unless the rule
    /// counts time past the limit.
    ///
    /// # Errors
    /// When `end` lies before `start`, or the amount exceeds 64 bits.
    pub fn charge(
        &self,
        request: &Request,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Work, ChargeError> {
        let ran = end.as_microsecond().saturating_sub(start.as_microsecond());
        if ran < 0 {
            return Err(ChargeError::EndsBeforeStart);
        }
        let counted = if self.timing.past_limit { ran } else { ran.min(limit_micros(request)) };
        Ok(self.amount(request, i128::from(counted))?)
    }

    /// What a run costs that had `had` for `ran_seconds`, as a scheduler's accounting tells it: the
    /// time in which it was suspended, and had no more than its memory, is not among them.
    ///
    /// # Errors
    /// When the amount exceeds 64 bits of unit-seconds.
    pub fn charge_run(&self, had: &Request, ran_seconds: u32) -> Result<Work, Overflow> {
        let ran = i64::from(ran_seconds).saturating_mul(1_000_000);
        let counted = if self.timing.past_limit { ran } else { ran.min(limit_micros(had)) };
        self.amount(had, i128::from(counted))
    }

    /// The longest time limit, in place of the request's own, that `available` covers.
    pub fn time_that_fits(&self, request: &Request, available: Work) -> Option<TimeLimit> {
        let fits = |seconds: u32| {
            let limit = NonZeroU32::new(seconds)?;
            let held = self.hold(&Request { time_limit_seconds: limit, ..*request }).ok()?;
            (held <= available).then_some(limit)
        };
        let (mut low, mut high) = (0, u32::MAX);
        while low < high {
            let middle = high.midpoint(low).saturating_add(u32::from(high.abs_diff(low) == 1));
            match fits(middle) {
                Some(_) => low = middle,
                None => high = middle.saturating_sub(1),
            }
        }
        fits(low).map(TimeLimit::Seconds)
    }

    /// Units times time, rounded once.
    fn amount(&self, request: &Request, micros: i128) -> Result<Work, Overflow> {
        let rate = self.rate(request)?;
        let counted = self.counted_micros(micros).ok_or(Overflow)?;
        let numerator = rate.units.numerator.checked_mul(counted).ok_or(Overflow)?;
        let denominator = rate.units.denominator.checked_mul(MICROS_PER_SECOND).ok_or(Overflow)?;
        round_once(numerator, denominator, self.rounding).map(Work::seconds)
    }

    /// The time that counts, after steps that were begun are filled up.
    fn counted_micros(&self, micros: i128) -> Option<i128> {
        let Some(step) = self.timing.step_seconds else {
            return Some(micros);
        };
        let step = i128::from(step.get()).checked_mul(MICROS_PER_SECOND)?;
        divided_up(micros, step)?.checked_mul(step)
    }
}

const MICROS_PER_SECOND: i128 = 1_000_000;

fn limit_micros(request: &Request) -> i64 {
    i64::from(request.time_limit_seconds.get()).saturating_mul(1_000_000)
}

/// `numerator / denominator` of two amounts that are not negative, rounded up.
fn divided_up(numerator: i128, denominator: i128) -> Option<i128> {
    let whole = numerator.checked_div(denominator)?;
    let rest = numerator.checked_rem(denominator)?;
    whole.checked_add(i128::from(rest > 0))
}

/// The only place where a charge is rounded: `numerator / denominator` to whole unit-seconds.
fn round_once(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i64, Overflow> {
    let whole = numerator.checked_div(denominator).ok_or(Overflow)?;
    let rest = numerator.checked_rem(denominator).ok_or(Overflow)?;
    let up = match rounding {
        Rounding::Up => rest > 0,
        Rounding::Down => false,
        Rounding::Nearest => rest.checked_mul(2).is_none_or(|double| double >= denominator),
    };
    let rounded = whole.checked_add(i128::from(up)).ok_or(Overflow)?;
    i64::try_from(rounded).map_err(|_| Overflow)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "an overflow in a test fails it")]
mod tests;
