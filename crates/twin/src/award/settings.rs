//! What an award what-if assumes: how long, under which policy, and which load where the history is
//! too short. It is data with a source, as all policy.

use access::document::{Diagnostics, Document, Reader, Source, Table, Value};
use jiff::civil::Date;
use units::PartsPerMillion;

use crate::population::Population;
use crate::scenario::BACKFILLS;

/// The assumptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file and the day from which it holds, as `policy/what-if.toml@2026-11-01`.
    pub rule: String,
    /// Where they were read.
    pub source: Source,
    /// Who may start before whom.
    pub backfill: sched::Policy,
    /// The days that are measured.
    pub days: u32,
    /// The days before them, which fill the machine.
    pub warm_up_days: u32,
    /// The seeds, one pair of repetitions each.
    pub seeds: Vec<u64>,
    /// How long all of it may take, by the clock.
    pub seconds_max: u32,
    /// How many jobs may be simulated, over all repetitions.
    pub jobs_max: usize,
    /// When the hub's own history is enough.
    pub history: HistoryNeed,
    /// How busy the population keeps the machine.
    pub busy: PartsPerMillion,
    /// The users whose load is assumed where the history is too short.
    pub population: Population,
}

/// When a history tells enough of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryNeed {
    /// How far back it is read, in weeks.
    pub weeks: u32,
    /// How many weeks it must cover.
    pub weeks_min: u32,
    /// How many jobs it must hold that the machine can run.
    pub jobs_min: usize,
}

/// More repetitions take longer than somebody waits.
const SEEDS_MAX: u64 = 100;

impl Settings {
    /// Reads the document.
    ///
    /// # Errors
    /// All its faults.
    pub fn parse(document: &Document) -> Result<Self, Diagnostics> {
        Reader::read(document, read)
    }
}

fn read(table: &Table<'_>) -> Option<Settings> {
    let from: Option<Date> = table.required("from", Value::date);
    let source = table.required("source", Value::source);
    let backfill = table.required("backfill", |value| value.choice(&BACKFILLS));
    let days = table.required("days", Value::count);
    let warm_up_days = table.required("warm_up_days", Value::number);
    let seeds: Option<u64> = table.required("seeds", Value::count);
    let seconds_max = table.required("seconds_max", Value::count);
    let jobs_max = table.required("jobs_max", Value::count);
    let history = table.required("history", |value| value.table(history));
    let population = table.required("population", |value| {
        value.table(|table| {
            let busy = table.required("busy", Value::percent);
            Some((busy?, Population::read(table)?))
        })
    });
    let seeds = seeds?;
    if !(2..=SEEDS_MAX).contains(&seeds) {
        return table.fault_of("seeds", format!("from 2 to {SEEDS_MAX} tell chance apart"));
    }
    let (busy, population) = population?;
    Some(Settings {
        rule: format!("{}@{}", table.file(), from?),
        source: source?,
        backfill: backfill?,
        days: days?,
        warm_up_days: warm_up_days?,
        seeds: (1..=seeds).collect(),
        seconds_max: seconds_max?,
        jobs_max: jobs_max?,
        history: history?,
        busy,
        population,
    })
}

fn history(table: &Table<'_>) -> Option<HistoryNeed> {
    let weeks = table.required("weeks", Value::count);
    let weeks_min = table.required("weeks_min", Value::count);
    let jobs_min = table.required("jobs_min", Value::count);
    let need = HistoryNeed { weeks: weeks?, weeks_min: weeks_min?, jobs_min: jobs_min? };
    if need.weeks_min > need.weeks {
        return table.fault_of("weeks_min", "asks for more weeks than are read");
    }
    Some(need)
}
