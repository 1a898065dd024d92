//! The particulars of a notice, as they are stored: rendered only when somebody reads, in their
//! language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use units::{Meter, PartsPerMillion, Timestamp, Work};

use crate::StoreError;
use crate::db::{instant, micros};
use crate::scope::parsed;

/// The particulars of a notice by the names of the gaps that they fill.
pub type Facts = BTreeMap<String, Fact>;

/// One particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// As somebody wrote it, or as a rule says it.
    Text(String),
    /// A word that each language has its own for, by the key of its message.
    Word(String),
    /// A number of things.
    Count(i64),
    /// A day.
    Day(Timestamp),
    /// An instant, to the minute.
    Minute(Timestamp),
    /// A part of a whole.
    Share(PartsPerMillion),
    /// Hours of a unit.
    Amount(Work, Meter),
}

/// A particular as it stands in the database.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stored {
    Text(String),
    Word(String),
    Count(i64),
    Day(i64),
    Minute(i64),
    Share(u32),
    Amount { seconds: i64, meter: String },
}

impl From<&Fact> for Stored {
    fn from(fact: &Fact) -> Self {
        match fact {
            Fact::Text(text) => Self::Text(text.clone()),
            Fact::Word(key) => Self::Word(key.clone()),
            Fact::Count(count) => Self::Count(*count),
            Fact::Day(at) => Self::Day(micros(*at)),
            Fact::Minute(at) => Self::Minute(micros(*at)),
            Fact::Share(share) => Self::Share(share.parts()),
            Fact::Amount(work, meter) => {
                Self::Amount { seconds: work.count(), meter: meter.to_string() }
            }
        }
    }
}

impl Stored {
    fn fact(self) -> Result<Fact, StoreError> {
        Ok(match self {
            Self::Text(text) => Fact::Text(text),
            Self::Word(key) => Fact::Word(key),
            Self::Count(count) => Fact::Count(count),
            Self::Day(at) => Fact::Day(instant(at)?),
            Self::Minute(at) => Fact::Minute(instant(at)?),
            Self::Share(parts) => Fact::Share(PartsPerMillion::new(parts)),
            Self::Amount { seconds, meter } => {
                Fact::Amount(Work::seconds(seconds), parsed("unit of a notice", &meter)?)
            }
        })
    }
}

/// The particulars as one text.
pub(super) fn written(facts: &Facts) -> Result<String, StoreError> {
    let stored: BTreeMap<&str, Stored> =
        facts.iter().map(|(name, fact)| (name.as_str(), fact.into())).collect();
    serde_json::to_string(&stored).map_err(|error| StoreError::damaged("notice", error))
}

/// The particulars in a stored text.
pub(super) fn read(text: &str) -> Result<Facts, StoreError> {
    let stored: BTreeMap<String, Stored> =
        serde_json::from_str(text).map_err(|error| StoreError::damaged("notice", error))?;
    stored.into_iter().map(|(name, stored)| Ok((name, stored.fact()?))).collect()
}
