//! Reading charge rules from a policy file.

use std::num::NonZeroU32;

use jiff::{civil::Date, tz::TimeZone};
use serde::Deserialize;
use units::{Meter, Slug, Timestamp};

use super::{ChargeRule, Combine, Count, Over, Resource, Rounding, Timing};

/// A file of charge rules is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// It is not in the expected form; the text shows the place.
    #[error("the charge rules cannot be read: {0}")]
    Syntax(toml::de::Error),
    /// A rule contradicts itself or another.
    #[error("charge rule `{key}`: {problem}")]
    Rule {
        /// The rule's name.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No rule of this name holds at this time.
    #[error("no charge rule `{key}` holds at {at}")]
    NotInForce {
        /// The name asked for.
        key: Slug,
        /// The instant asked for.
        at: Timestamp,
    },
}

impl RulesError {
    /// What is wrong with `text`, and at which byte of it.
    pub fn fault_in(&self, text: &str) -> (usize, String) {
        match self {
            Self::Syntax(error) => {
                let at = error.span().map_or(0, |span| span.start);
                (at, error.message().to_owned())
            }
            Self::Rule { key, problem } => {
                let at = text.find(&format!("\"{key}\"")).unwrap_or_default();
                (at, format!("charge rule `{key}`: {problem}"))
            }
            Self::NotInForce { .. } => (0, self.to_string()),
        }
    }
}

/// The charge rules of a federation; of each name at most one holds at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRules(Vec<ChargeRule>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    key: String,
    meter: String,
    from: toml::value::Datetime,
    until: Option<toml::value::Datetime>,
    source: String,
    note: Option<String>,
    #[serde(default)]
    whole_nodes: bool,
    over: Option<RawOver>,
    combine: Option<RawCombine>,
    factor: Option<(NonZeroU32, NonZeroU32)>,
    time_step_seconds: Option<NonZeroU32>,
    time_past_limit: bool,
    rounding: RawRounding,
    count: Vec<RawCount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    resource: RawResource,
    each: NonZeroU32,
    worth: u32,
    whole_steps: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawOver {
    Job,
    Node,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawCombine {
    Largest,
    Sum,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawRounding {
    Up,
    Down,
    Nearest,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawResource {
    Nodes,
    Cores,
    MemoryGb,
    Gpus,
}

impl ChargeRules {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    /// When the text is not in the expected form, or a rule contradicts itself or another.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let raw: RawFile = toml::from_str(text).map_err(RulesError::Syntax)?;
        let rules = raw.rule.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        for (index, one) in rules.iter().enumerate() {
            let later = rules.iter().skip(index.saturating_add(1));
            if later.clone().any(|other| other.key == one.key && overlap(one, other)) {
                return Err(problem(one.key.as_str(), "two entries hold at the same time"));
            }
        }
        Ok(Self(rules))
    }

    /// The rule `key` that holds at `at`.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, key: &Slug, at: Timestamp) -> Result<&ChargeRule, RulesError> {
        let in_force = |rule: &&ChargeRule| {
            rule.key == *key && rule.from <= at && rule.until.is_none_or(|until| at < until)
        };
        let none = || RulesError::NotInForce { key: key.clone(), at };
        self.0.iter().find(in_force).ok_or_else(none)
    }

    /// All rules, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &ChargeRule> {
        self.0.iter()
    }
}

fn overlap(one: &ChargeRule, other: &ChargeRule) -> bool {
    one.until.is_none_or(|until| other.from < until)
        && other.until.is_none_or(|until| one.from < until)
}

fn problem(key: &str, problem: impl Into<String>) -> RulesError {
    RulesError::Rule { key: key.to_owned(), problem: problem.into() }
}

fn rule(raw: RawRule) -> Result<ChargeRule, RulesError> {
    let wrong = |text: String| problem(&raw.key, text);
    let key: Slug = raw.key.parse().map_err(|e: units::NotAKey| wrong(e.to_string()))?;
    let meter: Meter = raw.meter.parse().map_err(|e: units::NotAMeter| wrong(e.to_string()))?;
    let from = midnight(&raw.from).ok_or_else(|| wrong("`from` is not a date".to_owned()))?;
    let until = raw.until.as_ref().map(|date| midnight(date).ok_or(date)).transpose();
    let until = until.map_err(|_| wrong("`until` is not a date".to_owned()))?;
    if until.is_some_and(|until| until <= from) {
        return Err(wrong("`until` does not lie after `from`".to_owned()));
    }
    if raw.source.trim().is_empty() {
        return Err(wrong("`source` is empty".to_owned()));
    }
    let counts = raw.count.iter().map(count).collect::<Option<Vec<_>>>();
    let counts = counts.ok_or_else(|| wrong("a step of memory is too large".to_owned()))?;
    if counts.is_empty() {
        return Err(wrong("it counts no resource".to_owned()));
    }
    Ok(ChargeRule {
        key,
        meter,
        from,
        until,
        source: raw.source,
        note: raw.note,
        whole_nodes: raw.whole_nodes,
        over: match raw.over {
            Some(RawOver::Node) => Over::Node,
            Some(RawOver::Job) | None => Over::Job,
        },
        combine: match raw.combine {
            Some(RawCombine::Sum) => Combine::Sum,
            Some(RawCombine::Largest) | None => Combine::Largest,
        },
        counts,
        factor: raw.factor.unwrap_or((NonZeroU32::MIN, NonZeroU32::MIN)),
        timing: Timing { step_seconds: raw.time_step_seconds, past_limit: raw.time_past_limit },
        rounding: match raw.rounding {
            RawRounding::Up => Rounding::Up,
            RawRounding::Down => Rounding::Down,
            RawRounding::Nearest => Rounding::Nearest,
        },
    })
}

/// Memory steps are written in GB and counted in MB.
fn count(raw: &RawCount) -> Option<Count> {
    let (resource, each) = match raw.resource {
        RawResource::Nodes => (Resource::Nodes, raw.each),
        RawResource::Cores => (Resource::Cores, raw.each),
        RawResource::Gpus => (Resource::Gpus, raw.each),
        RawResource::MemoryGb => {
            (Resource::Memory, NonZeroU32::new(raw.each.get().checked_mul(1_024)?)?)
        }
    };
    Some(Count { resource, each, worth: raw.worth, whole_steps: raw.whole_steps })
}

/// Midnight UTC at the start of a date without a time.
fn midnight(date: &toml::value::Datetime) -> Option<Timestamp> {
    let (Some(date), None, None) = (date.date, date.time, date.offset) else {
        return None;
    };
    let year = i16::try_from(date.year).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    let date = Date::new(year, month, day).ok()?;
    TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}
