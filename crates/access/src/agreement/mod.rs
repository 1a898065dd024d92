//! Hosting agreements: what the Union and the states pay, held to the law, and the hours that
//! follow from it.
//!
//! Not here: the ledger that keeps those hours, and the figures of the caps (`policy`).

mod law;
mod pools;

use std::fmt;

use jiff::civil::Date;
use units::{Cents, CountryCode, PartsPerMillion};

use crate::document::{Figure, Table, Value, word};
use crate::policy::Caps;

pub(crate) use law::divide;
pub use law::{Funding, Violation, check, funding, union_time};
pub use pools::{NoPools, Pool, Pools, pools};

/// What kind of machine an agreement is about; the law caps the Union's time by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MachineClass {
    /// An AI-optimised supercomputer (Article 12a).
    AiOptimised,
    /// A high-end supercomputer.
    HighEnd,
    /// A mid-range supercomputer.
    MidRange,
    /// A supercomputer for industrial use.
    Industrial,
    /// A quantum computer.
    Quantum,
}

impl MachineClass {
    /// The classes, by the words that files use.
    pub const WORDS: [(&str, Self); 5] = [
        ("ai-optimised", Self::AiOptimised),
        ("high-end", Self::HighEnd),
        ("mid-range", Self::MidRange),
        ("industrial", Self::Industrial),
        ("quantum", Self::Quantum),
    ];
}

impl fmt::Display for MachineClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}

/// Who pays what for a system, and how its time is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The kind of machine.
    pub class: Figure<MachineClass>,
    /// When it was signed.
    pub signed: Figure<Date>,
    /// What the machine costs.
    pub acquisition: Figure<Cents>,
    /// What running it costs until the end of its term, services included.
    pub operation: Figure<Cents>,
    /// Over how many years the cost of operation is counted.
    pub operation_years: Figure<u32>,
    /// The Union's part of the acquisition.
    pub union_acquisition: Figure<PartsPerMillion>,
    /// The Union's part of the operation.
    pub union_operation: Figure<PartsPerMillion>,
    /// The Union's part of the time, where the agreement states it.
    pub union_time: Option<Figure<PartsPerMillion>>,
    /// The part of the Union's time that is set aside for commercial use.
    pub commercial: Figure<PartsPerMillion>,
    /// How the states share the remaining time, as weights.
    pub remainder: Figure<Vec<(CountryCode, u32)>>,
    /// The part of its own time that a state volunteers beyond its duty.
    pub volunteered: Option<Figure<Vec<(CountryCode, PartsPerMillion)>>>,
}

/// Reads an agreement and refuses what the law of `caps` forbids.
pub(crate) fn read(table: &Table<'_>, caps: &Caps) -> Option<Agreement> {
    let percent = |key| table.required(key, |value| value.figure(Value::percent));
    let class =
        table.required("class", |value| value.figure(|value| value.choice(&MachineClass::WORDS)));
    let signed = table.required("signed", |value| value.figure(Value::date));
    let acquisition = table.required("acquisition_eur", |value| value.figure(Value::euros));
    let operation = table.required("operation_eur", |value| value.figure(Value::euros));
    let operation_years = table.required("operation_years", |value| value.figure(Value::count));
    let union_acquisition = percent("union_acquisition");
    let union_operation = percent("union_operation");
    let union_time = table.optional("union_time", |value| value.figure(Value::percent));
    let commercial = percent("commercial");
    let remainder =
        table.required("remainder", |value| value.figure(|value| value.map(Value::count)));
    let volunteered =
        table.optional("volunteered", |value| value.figure(|value| value.map(Value::percent)));
    let agreement = Agreement {
        class: class?,
        signed: signed?,
        acquisition: acquisition?,
        operation: operation?,
        operation_years: operation_years?,
        union_acquisition: union_acquisition?,
        union_operation: union_operation?,
        union_time,
        commercial: commercial?,
        remainder: remainder?,
        volunteered,
    };
    for violation in check(&agreement, caps) {
        table.fault_of::<()>(violation.key, violation.to_string());
    }
    Some(agreement)
}

#[cfg(test)]
mod tests;
