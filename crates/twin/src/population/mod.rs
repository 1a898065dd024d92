//! A population of users, described well enough to draw its jobs from: who they are, when they
//! submit, how large and how long their jobs are, and how much they over-request.
//!
//! Everything is a whole number in TOML, with faults that point at file, line and key.
//! [`Population::draw`] makes a workload of it, the same for the same seed; [`fit()`] describes a
//! log in these terms and says how well.

mod fit;
mod print;
mod spread;
mod synthesis;

use access::document::{Diagnostics, Document, Reader, Table, Value};
use units::Slug;

use crate::workload::{Group, Size};

pub use fit::{By, Fit, FitLine, fit};
pub use spread::Spread;
pub use synthesis::Span;

/// Users of a federation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Population {
    /// Their groups.
    pub crowds: Vec<Crowd>,
}

/// A group of users who behave alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Who they are to a policy.
    pub group: Group,
    /// How many of them there are; a few submit much, many little, as everywhere.
    pub users: u32,
    /// Jobs they submit in the first week, sessions included.
    pub jobs_per_week: u32,
    /// By how much that grows in a year, in percent.
    pub growth_percent_per_year: u32,
    /// Jobs that one user submits at once, on average.
    pub jobs_per_batch: u32,
    /// How much happens in each hour of the day (UTC), relative to the others; empty for even.
    pub hours: Vec<u32>,
    /// How much happens on each day of the week from Monday, relative to the others; empty for even.
    pub weekdays: Vec<u32>,
    /// The data a job reads, in gigabytes.
    pub data_gb: Spread,
    /// Their batch jobs.
    pub jobs: Kind,
    /// Their sessions at the keyboard, and how many of a hundred jobs those are.
    pub sessions: Option<(u32, Kind)>,
}

/// Jobs of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// How long they run, where their size does not say.
    pub run_seconds: Option<Spread>,
    /// How much of what they ask they use, in percent.
    pub used_percent: Spread,
    /// The longest they may ask.
    pub limit_seconds_max: i64,
    /// How large they are.
    pub sizes: Vec<Sized>,
}

/// Jobs of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sized {
    /// What they ask.
    pub size: Size,
    /// How many they are, relative to the others.
    pub weight: u32,
    /// How long they run, where that differs from the others.
    pub run_seconds: Option<Spread>,
}

/// A week: no batch system lets jobs run longer without asking.
const LIMIT_SECONDS_MAX: u32 = 7 * 86_400;
/// The most groups of a population, and sizes of a group.
const ENTRIES_MAX: usize = 256;

impl Population {
    /// Reads a document of its own.
    ///
    /// # Errors
    /// All faults, each with its line and key.
    pub fn parse(document: &Document) -> Result<Self, Diagnostics> {
        Reader::read(document, Self::read)
    }

    /// As many percent of its jobs.
    #[must_use]
    pub fn scaled(&self, percent: u32) -> Self {
        let mut scaled = self.clone();
        for crowd in &mut scaled.crowds {
            let jobs = u64::from(crowd.jobs_per_week) * u64::from(percent) / 100;
            crowd.jobs_per_week = u32::try_from(jobs).unwrap_or(u32::MAX).max(1);
        }
        scaled
    }

    /// Reads the groups of `table`.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        Some(Self { crowds: some_tables(table, "groups", crowd)? })
    }
}

/// The tables of `key`, at least one and not too many.
pub(crate) fn some_tables<'r, T>(
    table: &Table<'r>,
    key: &'static str,
    parse: impl Fn(&Table<'r>) -> Option<T>,
) -> Option<Vec<T>> {
    table.required(key, |value| {
        let read = value.list(|item| item.table(&parse))?;
        if read.is_empty() || read.len() > ENTRIES_MAX {
            let count = read.len();
            return value
                .fault(format!("has {count} entries; from 1 to {ENTRIES_MAX} are expected"));
        }
        Some(read)
    })
}

fn crowd(table: &Table<'_>) -> Option<Crowd> {
    let slug = |value: &Value<'_>| value.parsed::<Slug>().map(|slug| slug.to_string());
    let class = table.required("class", slug);
    let key = table.optional("key", slug);
    let payer = table.optional("payer", slug).unwrap_or_else(|| "union".to_owned());
    let mode = table.optional("mode", slug);
    let home = table.optional("home", |value| value.list(slug)).unwrap_or_default();
    let users: Option<u32> = table.required("users", Value::count);
    let jobs_per_week: Option<u32> = table.required("jobs_per_week", Value::count);
    let growth = table.optional("growth_percent_per_year", Value::number);
    let batch: Option<u32> = table.optional("jobs_per_batch", Value::count);
    let hours = table.optional("hours", |value| weights(value, 24)).unwrap_or_default();
    let weekdays = table.optional("weekdays", |value| weights(value, 7)).unwrap_or_default();
    let data_gb = table.optional("data_gb", Spread::read);
    let jobs = kind(table);
    let sessions = table.optional("sessions", |value| {
        value.table(|table| {
            let percent: Option<u32> = table.required("percent", Value::count);
            if percent.is_some_and(|percent| percent > 100) {
                return table.fault_of("percent", "is more than all");
            }
            Some((percent?, kind(table)?))
        })
    });
    let class = class?;
    Some(Crowd {
        group: Group { key: key.unwrap_or_else(|| class.clone()), class, payer, mode, home },
        users: users?,
        jobs_per_week: jobs_per_week?,
        growth_percent_per_year: growth.unwrap_or(0),
        jobs_per_batch: batch.unwrap_or(1),
        hours,
        weekdays,
        data_gb: data_gb.unwrap_or(Spread::Quantiles(vec![0])),
        jobs: jobs?,
        sessions,
    })
}

/// As many numbers as there are, not all of them zero.
fn weights(value: &Value<'_>, count: usize) -> Option<Vec<u32>> {
    let weights = value.list(Value::number::<u32>)?;
    if weights.len() != count {
        return value.fault(format!("has {} numbers; {count} are expected", weights.len()));
    }
    if weights.iter().all(|weight| *weight == 0) {
        return value.fault("at least one must be more than 0");
    }
    Some(weights)
}

fn kind(table: &Table<'_>) -> Option<Kind> {
    let run_seconds = table.optional("run_seconds", Spread::read);
    let used_percent = table.required("used_percent", Spread::read);
    let limit: Option<u32> = table.optional("limit_seconds_max", Value::count);
    let sizes = some_tables(table, "sizes", |table| sized(table, run_seconds.is_some()));
    Some(Kind {
        run_seconds,
        used_percent: used_percent?,
        limit_seconds_max: i64::from(limit.unwrap_or(LIMIT_SECONDS_MAX)),
        sizes: sizes?,
    })
}

fn sized(table: &Table<'_>, has_default: bool) -> Option<Sized> {
    let gpus = table.optional("gpus", Value::count).map(Size::Gpus);
    let nodes = table.optional("nodes", Value::count).map(Size::Nodes);
    let cores = table.optional("cores", Value::count).map(Size::Cores);
    let weight = table.required("weight", Value::count);
    let run_seconds = table.optional("run_seconds", Spread::read);
    let mut stated = [gpus, nodes, cores].into_iter().flatten();
    let (Some(size), None) = (stated.next(), stated.next()) else {
        return table.fault("says how large in one way: gpus, nodes or cores");
    };
    if run_seconds.is_none() && !has_default {
        return table.fault_of("run_seconds", "is missing here, and above the sizes");
    }
    Some(Sized { size, weight: weight?, run_seconds })
}

#[cfg(test)]
mod tests;
