//! Where the jobs of a scenario come from: populations, and logs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use access::document::{Document, Table, Value};
use units::Slug;

use super::{Scenario, ScenarioError};
use crate::population::{By, Crowd, Population};
use crate::random::Dice;
use crate::trace::{self, Entry, Format, Trace};
use crate::workload::{Group, Job, Size, Workload};

/// One source of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// How many jobs it brings, in percent of what is described.
    pub percent: u32,
    /// What is described.
    pub source: LoadSource,
}

/// What jobs are made of.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadSource {
    /// Drawn from a population, another draw for each seed.
    Population(Population),
    /// The jobs of a log.
    Trace(TraceLoad),
}

/// A log, and what it does not say itself.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceLoad {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub format: Format,
    /// What tells its classes of users apart.
    pub by: By,
    /// The class of each name that is told apart.
    pub classes: BTreeMap<String, String>,
    /// The class of all others.
    pub class: String,
    /// Whose hours they use.
    pub payer: String,
    /// What jobs ask of which the log does not know it.
    pub limit_seconds: Option<i64>,
    /// Whether whole weeks of the log are drawn, with repetition, for each seed.
    pub resample: bool,
}

const WEEK_SECONDS: i64 = 7 * 86_400;

impl Load {
    /// About how many jobs it draws in so many days; a log's are bounded where it is read.
    pub(super) fn jobs(&self, days: u32) -> f64 {
        let crowds = self.crowds().iter().map(|crowd| crowd.jobs(days));
        crowds.sum::<f64>() * f64::from(self.percent) / 100.0
    }

    /// The groups of users it describes, if it does.
    pub(super) fn crowds(&self) -> &[Crowd] {
        match &self.source {
            LoadSource::Population(population) => &population.crowds,
            LoadSource::Trace(_) => &[],
        }
    }
}

const BYS: [(&str, By); 4] = [
    ("nothing", By::Nothing),
    ("class", By::Class),
    ("queue", By::Queue),
    ("account", By::Account),
];

pub(super) fn read(table: &Table<'_>, folder: &Path) -> Option<Load> {
    let percent: u32 = table.optional("percent", Value::count).unwrap_or(100);
    let path = table.optional("trace", Value::text);
    let file = table.optional("population", Value::text);
    let source = match (path, file) {
        (Some(path), None) => LoadSource::Trace(trace_load(table, folder.join(path))?),
        (None, Some(file)) => LoadSource::Population(population(table, &folder.join(file))?),
        (None, None) => LoadSource::Population(Population::read(table)?),
        (Some(_), Some(_)) => return table.fault_of("trace", "stands beside a population"),
    };
    if percent > 100 && matches!(source, LoadSource::Trace(_)) {
        return table.fault_of("percent", "a log has no more than 100 % of its jobs");
    }
    Some(Load { percent, source })
}

fn population(table: &Table<'_>, path: &Path) -> Option<Population> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let path = path.display();
            return table.fault_of("population", format!("cannot read {path}: {error}"));
        }
    };
    match Population::parse(&Document::new(path.display().to_string(), text)) {
        Ok(population) => Some(population),
        Err(faults) => table.fault_of("population", format!("has faults:\n{faults}")),
    }
}

fn trace_load(table: &Table<'_>, path: PathBuf) -> Option<TraceLoad> {
    let format = table.required("format", |value| value.choice(&Format::WORDS));
    let by = table.optional("by", |value| value.choice(&BYS)).unwrap_or(By::Nothing);
    let slug = |value: &Value<'_>| value.parsed::<Slug>().map(|slug| slug.to_string());
    let classes: Vec<(String, String)> =
        table.optional("classes", |value| value.map(slug)).unwrap_or_default();
    let class = table.required("class", slug);
    let payer = table.optional("payer", Value::text).unwrap_or_else(|| "union".to_owned());
    let limit: Option<u32> = table.optional("limit_seconds", Value::count);
    let resample = table.optional("resample_weeks", Value::boolean).unwrap_or(false);
    Some(TraceLoad {
        path,
        format: format?,
        by,
        classes: classes.into_iter().collect(),
        class: class?,
        payer,
        limit_seconds: limit.map(i64::from),
        resample,
    })
}

/// The logs of a scenario, read once for all seeds; empty where its loads are populations.
pub struct Logs(Vec<Option<Trace>>);

impl Scenario {
    /// Reads the logs.
    ///
    /// # Errors
    /// When one is not what it is said to be, or does not say what a replay must know.
    pub fn logs(&self) -> Result<Logs, ScenarioError> {
        let logs = self.loads.iter().map(|load| match &load.source {
            LoadSource::Population(_) => Ok(None),
            LoadSource::Trace(load) => load.open().map(Some),
        });
        logs.collect::<Result<_, _>>().map(Logs)
    }

    /// All jobs of one repetition.
    pub fn workload(&self, logs: &Logs, seed: u64) -> Workload {
        let mut all = Workload::default();
        for (index, (load, log)) in (0_u64..).zip(self.loads.iter().zip(&logs.0)) {
            let mut workload = match (&load.source, log) {
                (LoadSource::Population(population), _) => {
                    // Loads of one scenario have nothing in common but the seed.
                    population.scaled(load.percent).draw(self.span, seed ^ (index << 32))
                }
                (LoadSource::Trace(described), Some(trace)) => {
                    described.workload(trace, i64::from(self.span.days) * 86_400, seed)
                }
                (LoadSource::Trace(_), None) => continue,
            };
            if log.is_some() && load.percent < 100 {
                workload.jobs.retain(|job| job.lot % 100 < load.percent);
            }
            all.extend(workload);
        }
        all
    }
}

impl TraceLoad {
    fn open(&self) -> Result<Trace, ScenarioError> {
        let path = || self.path.display().to_string();
        let trace = trace::read_file(&self.path, self.format)
            .map_err(|source| ScenarioError::Trace { path: path(), source })?;
        let unlimited = trace.entries.iter().filter(|entry| entry.limit_seconds.is_none()).count();
        if unlimited > 0 && self.limit_seconds.is_none() {
            return Err(ScenarioError::Lacking {
                path: path(),
                what: format!(
                    "it does not say how long {unlimited} jobs asked to run: \
                     state limit_seconds in the load"
                ),
            });
        }
        Ok(trace)
    }

    /// The jobs of the first so many seconds, or of weeks drawn for the seed.
    pub(crate) fn workload(&self, trace: &Trace, seconds: i64, seed: u64) -> Workload {
        let mut dice = Dice::new(seed, u64::MAX);
        let mut workload = Workload::default();
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        let first = trace.entries.first().map_or(0, |entry| entry.submit);
        for (entry, submit) in self.chosen(trace, first, seconds, &mut dice) {
            let class = self.class_of(trace, entry);
            let group = *groups.entry(class).or_insert_with(|| {
                workload.groups.push(self.group(class));
                workload.groups.len() - 1
            });
            let limit = entry.limit_seconds.or(self.limit_seconds).unwrap_or(entry.run_seconds);
            workload.jobs.push(Job {
                submit,
                run_seconds: entry.run_seconds,
                limit_seconds: limit.max(entry.run_seconds),
                size: match (entry.gpus, entry.cores) {
                    (0, 0) => Size::Nodes(entry.nodes.max(1)),
                    (0, cores) => Size::Cores(cores),
                    (gpus, _) => Size::Gpus(gpus),
                },
                group,
                user: u32::try_from(entry.user.index()).unwrap_or(u32::MAX),
                data_gb: 0,
                interactive: false,
                lot: dice.bits(),
            });
        }
        workload.jobs.sort_by_key(|job| job.submit);
        workload
    }

    /// The jobs of the log that are replayed, and when each is submitted.
    fn chosen<'t>(
        &self,
        trace: &'t Trace,
        first: i64,
        seconds: i64,
        dice: &mut Dice,
    ) -> Vec<(&'t Entry, i64)> {
        let from = |start: i64, at: i64, length: i64| {
            let low = trace.entries.partition_point(|entry| entry.submit < start);
            let entries = trace.entries.get(low..).unwrap_or_default().iter();
            let entries = entries.take_while(move |entry| entry.submit < start + length);
            entries.map(move |entry| (entry, entry.submit - start + at))
        };
        if !self.resample {
            return from(first, 0, seconds).collect();
        }
        let last = trace.entries.last().map_or(first, |entry| entry.submit);
        let weeks = u64::try_from((last - first) / WEEK_SECONDS + 1).unwrap_or(1);
        let mut chosen = Vec::new();
        for week in 0..(seconds + WEEK_SECONDS - 1) / WEEK_SECONDS {
            let drawn = i64::try_from(dice.below(weeks)).unwrap_or_default();
            let at = week * WEEK_SECONDS;
            let length = WEEK_SECONDS.min(seconds - at);
            chosen.extend(from(first + drawn * WEEK_SECONDS, at, length));
        }
        chosen
    }

    fn class_of<'a>(&'a self, trace: &'a Trace, entry: &Entry) -> &'a str {
        let name = match self.by {
            By::Nothing => return &self.class,
            By::Class => entry.class,
            By::Queue => entry.queue,
            By::Account => entry.account,
        };
        self.classes.get(trace.names.name(name)).unwrap_or(&self.class)
    }

    fn group(&self, class: &str) -> Group {
        Group {
            key: class.to_owned(),
            class: class.to_owned(),
            payer: self.payer.clone(),
            mode: None,
            home: Vec::new(),
        }
    }
}
