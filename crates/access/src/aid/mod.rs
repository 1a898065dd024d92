//! De minimis aid by Regulation (EU) 2023/2831: what hours are worth, and whether an award keeps a
//! single undertaking under the ceiling of a Member State in every period of three years.
//!
//! Not here: ceiling and prices, which are policy, and the register itself.

mod undertaking;

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;
use units::{AllocationId, Cents, CountryCode, OrganisationId, Work};

use crate::policy::{AidCeiling, Entry, HourPrice, RuleId};

pub use undertaking::single_undertaking;

/// One line of the register: aid that somebody was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AidLine {
    /// Who received it.
    pub beneficiary: OrganisationId,
    /// The Member State whose aid it is.
    pub state: CountryCode,
    /// The day on which the right to it was conferred (Article 3(3)).
    pub granted_on: Date,
    /// Its gross grant equivalent.
    pub amount: Cents,
    /// Who granted it.
    pub authority: String,
    /// In which form.
    pub instrument: String,
    /// The sector of the beneficiary, by NACE.
    pub sector: Option<String>,
    /// The hours that it consists of; nothing for aid of others that was declared.
    pub allocation: Option<AllocationId>,
}

impl fmt::Display for AidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} by {}", self.amount, self.granted_on, self.authority)
    }
}

/// Where an undertaking stands in a Member State that is about to grant it hours.
#[derive(Clone, Copy, Debug)]
pub struct AidStanding<'a> {
    /// The Member State.
    pub state: CountryCode,
    /// The ceiling in force.
    pub ceiling: &'a Entry<AidCeiling>,
    /// What an hour is worth there, when a price is known.
    pub price: Option<&'a Entry<HourPrice>>,
    /// What the undertaking was granted by this state, in any order.
    pub lines: &'a [AidLine],
}

/// Aid that may be granted. Only [`grant`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    amount: Cents,
    used: Cents,
    rule: RuleId,
}

impl Granted {
    /// Its gross grant equivalent.
    pub const fn amount(&self) -> Cents {
        self.amount
    }

    /// What was granted before, in the period of three years in which most was.
    pub const fn used(&self) -> Cents {
        self.used
    }

    /// The ceiling that it keeps to, with its version.
    pub const fn rule(&self) -> &RuleId {
        &self.rule
    }
}

/// Aid that would exceed the ceiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The ceiling, with its version.
    pub rule: RuleId,
    /// What would be granted.
    pub amount: Cents,
    /// What was granted in the period.
    pub used: Cents,
    /// What may be granted in any such period.
    pub ceiling: Cents,
    /// The first and the last day of the period.
    pub period: (Date, Date),
    /// The lines of the register within it, oldest first.
    pub lines: Vec<AidLine>,
}

impl Exceeded {
    /// What could still be granted.
    pub fn left(&self) -> Cents {
        self.ceiling.minus(self.used).unwrap_or(Cents::ZERO).max(Cents::ZERO)
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = self.period;
        write!(
            f,
            "the hours are worth {} of de minimis aid, on top of {} granted from {from} to {to}",
            self.amount, self.used
        )?;
        let lines: Vec<String> = self.lines.iter().map(AidLine::to_string).collect();
        if lines.is_empty() { Ok(()) } else { write!(f, ": {}", lines.join("; ")) }
    }
}

/// Whether `amount` may be granted on `day`, on top of `lines`.
///
/// The ceiling holds in every period of as many years as it says, not only in those that end on
/// `day`: what was entered for later days counts too (Article 3(2)).
///
/// # Errors
/// The period in which the ceiling would be exceeded by most.
pub fn grant(
    lines: &[AidLine],
    (amount, day): (Cents, Date),
    ceiling: &Entry<AidCeiling>,
) -> Result<Granted, Exceeded> {
    let says = &ceiling.says;
    let ends = lines.iter().map(|line| line.granted_on).chain([day]).filter(|end| *end >= day);
    let periods =
        ends.map(|end| (first_day(end, says.years), end)).filter(|(from, _)| *from <= day);
    let within = |(from, to): (Date, Date)| {
        let mut within: Vec<&AidLine> =
            lines.iter().filter(|line| from <= line.granted_on && line.granted_on <= to).collect();
        within.sort_by_key(|line| (line.granted_on, line.amount, line.beneficiary));
        within
    };
    let sum = |lines: &[&AidLine]| {
        lines
            .iter()
            .fold(Cents::ZERO, |sum, line| sum.plus(line.amount).unwrap_or(Cents::new(i64::MAX)))
    };
    let fullest = periods.map(|period| (sum(&within(period)), period)).max();
    let (used, period) = fullest.unwrap_or((Cents::ZERO, (day, day)));
    let total = used.plus(amount).unwrap_or(Cents::new(i64::MAX));
    let rule = ceiling.rule.clone();
    if total <= says.ceiling {
        return Ok(Granted { amount, used, rule });
    }
    let lines = within(period).into_iter().cloned().collect();
    Err(Exceeded { rule, amount, used, ceiling: says.ceiling, period, lines })
}

/// What `work` is worth at `price`, rounded up: aid is never put too low.
pub fn worth(work: Work, price: &HourPrice) -> Cents {
    const SECONDS_PRICED: i128 = 3_600_000;
    let cents = i128::from(work.count()).saturating_mul(i128::from(price.thousand_hours.count()));
    let up = cents.saturating_add(SECONDS_PRICED.saturating_sub(1)).div_euclid(SECONDS_PRICED);
    Cents::new(i64::try_from(up).unwrap_or(i64::MAX))
}

/// How many whole hours `amount` pays for at `price`.
pub fn hours_for(amount: Cents, price: &HourPrice) -> i64 {
    let thousandths = amount.count().saturating_mul(1_000);
    thousandths.checked_div(price.thousand_hours.count()).unwrap_or_default()
}

/// The first day of the period of `years` years that ends with `end`.
fn first_day(end: Date, years: u32) -> Date {
    let years = i64::from(years).min(1_000);
    end.saturating_sub(years.years()).saturating_add(1.day())
}

#[cfg(test)]
mod tests;
