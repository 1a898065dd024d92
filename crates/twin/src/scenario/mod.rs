//! A question to the twin: machines, load, policy and what befalls them, as TOML.
//!
//! Faults point at file, line and key. What the federation does not know of a machine, the scenario
//! must state; nothing is filled in.

mod load;
mod machine;
mod policy;
mod words;

use std::path::{Path, PathBuf};

use access::document::{Diagnostics, Document, Reader, Table, Value};
use access::federation::Federation;

use crate::population::{Span, some_tables};
use crate::trace::TraceError;

pub use load::{Load, LoadSource, Logs, TraceLoad};
pub use machine::{Failure, Machine, Pool, Power, Unit, Upgrade};
pub use policy::{Cap, Multifactor, Placement, Policy, Whom};

pub(crate) use policy::BACKFILLS;

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, as it stands in comparisons.
    pub name: String,
    /// What it asks, in a sentence for people.
    pub question: String,
    /// The days that are simulated.
    pub span: Span,
    /// Days at the beginning that only fill the machines, and are not measured.
    pub warm_up_days: u32,
    /// The seeds, one repetition each.
    pub seeds: Vec<u64>,
    /// The machines.
    pub machines: Vec<Machine>,
    /// Where the jobs come from.
    pub loads: Vec<Load>,
    /// Who may run what where, and when.
    pub policy: Policy,
    /// How fast data moves between machines; `None` where no data moves.
    pub transfer_gbit_per_second: Option<u32>,
}

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Its description, or that of a population, is at fault.
    #[error(transparent)]
    Faults(#[from] Diagnostics),
    /// A file is not readable.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A trace is not what it is said to be.
    #[error("{path}:{source}")]
    Trace {
        /// The file.
        path: String,
        /// What is wrong, from its line on.
        source: TraceError,
    },
    /// A trace does not say what a replay must know.
    #[error("{path}: {what}")]
    Lacking {
        /// The file.
        path: String,
        /// What it lacks and what to do.
        what: String,
    },
}

/// A hundred years: beyond this nobody asks.
const DAYS_MAX: u32 = 36_525;
/// More repetitions say nothing more.
const SEEDS_MAX: usize = 1_000;

impl Scenario {
    /// Reads the scenario at `path`; machines may be named by the partitions of `federation`.
    ///
    /// # Errors
    /// When the file cannot be read, or with all its faults.
    pub fn open(path: &Path, federation: &Federation) -> Result<Self, ScenarioError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: name.clone(), source })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self::parse(&Document::new(name, text), &folder, federation)?)
    }

    /// Reads a scenario whose files stand in `folder`.
    ///
    /// # Errors
    /// All its faults.
    pub fn parse(
        document: &Document,
        folder: &Path,
        federation: &Federation,
    ) -> Result<Self, Diagnostics> {
        Reader::read(document, |table| read(table, folder, federation))
    }
}

fn read(table: &Table<'_>, folder: &Path, federation: &Federation) -> Option<Scenario> {
    let name = table.required("name", Value::text);
    let question = table.required("question", Value::text);
    let start = table.required("start", Value::date);
    let days = table.required("days", Value::count);
    let warm_up_days = table.optional("warm_up_days", Value::number).unwrap_or(0);
    let seeds = table.required("seeds", seeds);
    let machines = some_tables(table, "machines", |table| machine::read(table, start, federation));
    let folder: PathBuf = folder.to_path_buf();
    let loads = some_tables(table, "loads", |table| load::read(table, &folder));
    let policy = table.required("policy", |value| value.table(policy::read));
    let transfer = table.optional("transfer_gbit_per_second", Value::count);
    let days: u32 = days?;
    if days > DAYS_MAX {
        return table.fault_of("days", format!("is more than {DAYS_MAX}"));
    }
    if warm_up_days >= days {
        return table.fault_of("warm_up_days", "leaves no day that is measured");
    }
    let scenario = Scenario {
        name: name?,
        question: question?,
        span: Span { start: start?, days },
        warm_up_days,
        seeds: seeds?,
        machines: machines?,
        loads: loads?,
        policy: policy?,
        transfer_gbit_per_second: transfer,
    };
    consistent(table, scenario)
}

/// `seeds = 5` for the seeds 1 to 5, or a list of them.
fn seeds(value: &Value<'_>) -> Option<Vec<u64>> {
    if !value.is_list() {
        let count: u64 = value.count()?;
        if count > SEEDS_MAX as u64 {
            return value.fault(format!("is more than {SEEDS_MAX} repetitions"));
        }
        return Some((1..=count).collect());
    }
    let mut seeds = value.list(Value::number::<u64>)?;
    seeds.sort_unstable();
    seeds.dedup();
    if seeds.is_empty() || seeds.len() > SEEDS_MAX {
        return value.fault(format!("names from 1 to {SEEDS_MAX} seeds"));
    }
    Some(seeds)
}

/// What one part of a scenario says about another.
fn consistent(table: &Table<'_>, scenario: Scenario) -> Option<Scenario> {
    let mut keys: Vec<&str> = scenario.machines.iter().map(|it| it.key.as_str()).collect();
    keys.sort_unstable();
    let twice = keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next);
    if let Some((twice, _)) = twice {
        return table.fault_of("machines", format!("two are called `{twice}`"));
    }
    let jobs: f64 = scenario.loads.iter().map(|load| load.jobs(scenario.span.days)).sum();
    if jobs > crate::trace::JOBS_MAX as f64 {
        return table.fault_of("loads", format!("some {jobs:.0} jobs would be drawn, too many"));
    }
    let mut moves = false;
    for crowd in scenario.loads.iter().flat_map(Load::crowds) {
        moves |= crowd.data_gb != crate::population::Spread::Quantiles(vec![0]);
        let strange = crowd.group.home.iter().find(|home| !keys.contains(&home.as_str()));
        if let Some(home) = strange {
            let (group, known) = (&crowd.group.key, keys.join(", "));
            return table.fault_of(
                "loads",
                format!("the group `{group}` has data at `{home}`; the machines are {known}"),
            );
        }
    }
    if moves && keys.len() > 1 && scenario.transfer_gbit_per_second.is_none() {
        return table.fault_of(
            "transfer_gbit_per_second",
            "is missing here: jobs have data, and there is more than one machine",
        );
    }
    Some(scenario)
}

#[cfg(test)]
mod tests;
