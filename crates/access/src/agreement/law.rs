//! The law that binds every agreement: Regulation (EU) 2021/1173, Articles 12a, 17 and 18.

use std::fmt;

use units::{Cents, CountryCode, Overflow, PartsPerMillion};

use super::{Agreement, MachineClass};
use crate::document::Figure;
use crate::policy::{Cap, Caps, RuleId};

/// A term of an agreement that the law forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The key of the agreement that is at fault.
    pub key: &'static str,
    /// The article that forbids it.
    pub article: String,
    /// The entry of policy that holds the article's figure.
    pub rule: RuleId,
    /// What is wrong and what would be allowed.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}; {})", self.message, self.article, self.rule)
    }
}

/// What each side pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// The Union's money for the acquisition.
    pub union_acquisition: Cents,
    /// The Union's money for the operation.
    pub union_operation: Cents,
    /// The participating states' money for the acquisition.
    pub states_acquisition: Cents,
    /// The participating states' money for the operation.
    pub states_operation: Cents,
}

impl Funding {
    /// The Union's part of the total cost of ownership.
    ///
    /// # Errors
    /// When the sum exceeds 64 bits of cents.
    pub fn union(&self) -> Result<Cents, Overflow> {
        self.union_acquisition.plus(self.union_operation)
    }

    /// The states' part of the total cost of ownership.
    ///
    /// # Errors
    /// When the sum exceeds 64 bits of cents.
    pub fn states(&self) -> Result<Cents, Overflow> {
        self.states_acquisition.plus(self.states_operation)
    }
}

/// Every term of `agreement` that the law of `caps` forbids.
pub fn check(agreement: &Agreement, caps: &Caps) -> Vec<Violation> {
    let mut violations = Vec::new();
    let limits = [
        ("union_acquisition", &agreement.union_acquisition, &caps.union_acquisition),
        ("union_operation", &agreement.union_operation, &caps.union_operation),
        ("commercial", &agreement.commercial, &caps.commercial),
    ];
    for (key, figure, cap) in limits {
        violations.extend(above(key, figure, cap));
    }
    if let Some(stated) = &agreement.union_time {
        // An unknown class is held to the cap that holds for every class.
        let class = agreement.class.known().copied().unwrap_or(MachineClass::HighEnd);
        let cap = caps.union_time(class);
        violations.extend(above("union_time", stated, cap));
        violations.extend(out_of_proportion(agreement, stated, cap));
    }
    violations.extend(remainder_without_owner(agreement, caps));
    violations
}

/// What the Union and the states pay under `agreement`, to the cent.
///
/// # Errors
/// Every figure that is not known.
pub fn funding(agreement: &Agreement) -> Result<Funding, Vec<String>> {
    let acquisition = agreement.acquisition.require("the cost of acquisition");
    let operation = agreement.operation.require("the cost of operation");
    let for_acquisition = agreement.union_acquisition.require("the Union's part of acquisition");
    let for_operation = agreement.union_operation.require("the Union's part of operation");
    match (acquisition, operation, for_acquisition, for_operation) {
        (Ok(acquisition), Ok(operation), Ok(for_acquisition), Ok(for_operation)) => {
            let (union_acquisition, states_acquisition) = divide(*acquisition, *for_acquisition);
            let (union_operation, states_operation) = divide(*operation, *for_operation);
            Ok(Funding { union_acquisition, union_operation, states_acquisition, states_operation })
        }
        (a, b, c, d) => {
            let unknown = [a.err(), b.err(), c.err(), d.err()];
            Err(unknown.into_iter().flatten().collect())
        }
    }
}

/// The Union's part of the time: in proportion to its part of the total cost of ownership
/// (Article 17(1)), or less where the agreement says so, never above the cap of its class.
///
/// # Errors
/// Why it cannot be computed.
pub fn union_time(agreement: &Agreement, caps: &Caps) -> Result<PartsPerMillion, Vec<String>> {
    let funding = funding(agreement)?;
    let class = agreement.class.require("the class of the machine").map_err(|it| vec![it])?;
    let cap = caps.union_time(*class).limit;
    let proportional = proportion(&funding).map_err(|reason| vec![reason])?;
    let stated = agreement.union_time.as_ref().and_then(Figure::known);
    Ok(stated.map_or(proportional, |stated| (*stated).min(proportional)).min(cap))
}

/// `union / (union + states)`, rounded down to a millionth.
fn proportion(funding: &Funding) -> Result<PartsPerMillion, String> {
    let large = |_: Overflow| "the total cost of ownership is too large to be counted".to_owned();
    let union = funding.union().map_err(large)?;
    let total = union.plus(funding.states().map_err(large)?).map_err(large)?;
    PartsPerMillion::ratio(union.count(), total.count())
        .ok_or_else(|| "the total cost of ownership is nothing".to_owned())
}

/// The part of `amount` that `part` names, rounded down to the cent, and the rest.
pub(crate) fn divide(amount: Cents, part: PartsPerMillion) -> (Cents, Cents) {
    let union = part.of(amount.count());
    (Cents::new(union), Cents::new(amount.count().saturating_sub(union)))
}

fn above(key: &'static str, figure: &Figure<PartsPerMillion>, cap: &Cap) -> Option<Violation> {
    let stated = *figure.known()?;
    (stated > cap.limit).then(|| Violation {
        key,
        article: cap.article.clone(),
        rule: cap.rule.clone(),
        message: format!("is {stated}; at most {} is allowed", cap.limit),
    })
}

fn out_of_proportion(
    agreement: &Agreement,
    stated: &Figure<PartsPerMillion>,
    cap: &Cap,
) -> Option<Violation> {
    let stated = *stated.known()?;
    let due = proportion(&funding(agreement).ok()?).ok()?.min(cap.limit);
    (stated != due).then(|| Violation {
        key: "union_time",
        article: cap.article.clone(),
        rule: cap.rule.clone(),
        message: format!(
            "is {stated}; the Union's part of the total cost of ownership gives exactly {due}"
        ),
    })
}

/// Article 17(4): what is left belongs to somebody.
fn remainder_without_owner(agreement: &Agreement, caps: &Caps) -> Option<Violation> {
    let owners = agreement.remainder.known()?;
    let stranger = agreement.volunteered.as_ref().and_then(Figure::known).and_then(|volunteers| {
        let known = |state: &CountryCode| owners.iter().any(|(owner, _)| owner == state);
        volunteers.iter().map(|(state, _)| state).find(|state| !known(state))
    });
    let violation = |key, message| Violation {
        key,
        article: caps.remainder.article.clone(),
        rule: caps.remainder.rule.clone(),
        message,
    };
    if owners.is_empty() {
        let message = "names no state; the remaining time belongs to the hosting state or is \
                       shared as the states agreed";
        return Some(violation("remainder", message.to_owned()));
    }
    stranger.map(|state| {
        violation("volunteered", format!("{state} volunteers time but has none of the remainder"))
    })
}

impl Caps {
    /// The cap on the Union's part of the time of a machine of `class`.
    pub const fn union_time(&self, class: MachineClass) -> &Cap {
        match class {
            MachineClass::MidRange | MachineClass::Industrial => &self.union_time_mid_range,
            MachineClass::AiOptimised | MachineClass::HighEnd | MachineClass::Quantum => {
                &self.union_time
            }
        }
    }
}
