//! A population that behaves as a log does, and how well.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::synthesis::grown;
use super::{Crowd, Kind, Population, Sized, Span, Spread};
use crate::statistics::{distance, quantile, quantiles};
use crate::trace::{Entry, NameId, Trace};
use crate::workload::{Group, Size, Workload};

/// What tells the groups of a log apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Nothing: all are one group.
    Nothing,
    /// The class of the organisation.
    Class,
    /// The queue or partition.
    Queue,
    /// The account, project or virtual cluster.
    Account,
}

/// A description of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The description.
    pub population: Population,
    /// The days that the log covers.
    pub span: Span,
    /// How well jobs drawn from it agree with the log.
    pub lines: Vec<FitLine>,
}

/// One quantity of one group, in the log and as drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct FitLine {
    /// The group's key.
    pub group: String,
    /// The quantity, with its unit.
    pub what: &'static str,
    /// In the log: the 5th, 25th, 50th, 75th and 95th percentile.
    pub log: [i64; 5],
    /// As drawn: the same.
    pub drawn: [i64; 5],
    /// The greatest difference between the two distributions, from 0 to 1 (Kolmogorov and Smirnov).
    pub distance: f64,
}

/// So many sizes of a group are told apart; the others count as the nearest of these.
const SIZES_MAX: usize = 16;
/// So many quantiles describe a spread: one for every five percent.
const QUANTILES: usize = 21;
/// Jobs of a user that follow one another within this time are one batch.
const BATCH_SECONDS: i64 = 60;
/// Below this, instants are seconds since the log began and no dates.
const FIRST_DATE_SECONDS: i64 = 100_000_000;
/// A log shorter than this says nothing of growth.
const GROWTH_DAYS_MIN: i64 = 180;
/// With this seed the description is drawn to compare it.
const SEED: u64 = 1;

/// Describes `trace` as a population, one group for each name that `by` tells apart.
///
/// The hours of the day are those of UTC where the log has dates; else its second 0 counts as a
/// Monday's midnight.
pub fn fit(trace: &Trace, by: By) -> Fit {
    let first = trace.entries.first().map_or(0, |entry| entry.submit);
    let last = trace.entries.last().map_or(0, |entry| entry.submit);
    let midnight = first.div_euclid(86_400) * 86_400;
    let days = (last - midnight).div_euclid(86_400) + 1;
    let span = Span { start: day_of(midnight), days: u32::try_from(days).unwrap_or(u32::MAX) };
    let mut groups: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    for entry in &trace.entries {
        let name = match by {
            By::Nothing => NameId::NONE,
            By::Class => entry.class,
            By::Queue => entry.queue,
            By::Account => entry.account,
        };
        let entry = Entry { submit: entry.submit - midnight, ..*entry };
        groups.entry(trace.names.name(name)).or_default().push(entry);
    }
    let crowds: Vec<Crowd> =
        groups.iter().map(|(name, entries)| crowd(name, entries, span)).collect();
    let population = Population { crowds };
    let drawn = population.draw(span, SEED);
    let lines = groups.values().enumerate().flat_map(|(group, entries)| {
        let key = population.crowds.get(group).map_or("", |crowd| crowd.group.key.as_str());
        compare(key, entries, &drawn, group)
    });
    let lines = lines.collect();
    Fit { population, span, lines }
}

/// The day that begins at `midnight`; a Monday where the log has no dates.
fn day_of(midnight: i64) -> Date {
    let unknown = jiff::civil::date(2024, 1, 1);
    if midnight < FIRST_DATE_SECONDS {
        return unknown;
    }
    Timestamp::from_second(midnight).map_or(unknown, |at| at.to_zoned(TimeZone::UTC).date())
}

fn crowd(name: &str, entries: &[Entry], span: Span) -> Crowd {
    let mut users: Vec<NameId> = entries.iter().map(|entry| entry.user).collect();
    users.sort_unstable();
    users.dedup();
    let growth_percent_per_year = growth(entries, span);
    let days = i64::from(span.days);
    let grown_days: f64 = (0..days).map(|day| grown(growth_percent_per_year, day)).sum();
    let per_week = entries.len() as f64 / grown_days * 7.0;
    let key = slug(name);
    Crowd {
        group: Group {
            class: key.clone(),
            key,
            payer: "union".to_owned(),
            mode: None,
            home: Vec::new(),
        },
        users: u32::try_from(users.len()).unwrap_or(u32::MAX),
        jobs_per_week: (per_week.round().max(1.0)) as u32,
        growth_percent_per_year,
        jobs_per_batch: batch(entries),
        hours: shape(entries, 24, |at| at.div_euclid(3_600)),
        weekdays: weekdays(entries, span),
        data_gb: Spread::Quantiles(vec![0]),
        jobs: kind(entries),
        sessions: None,
    }
}

/// How much more is submitted a year later, from the two halves of a log that is long enough.
fn growth(entries: &[Entry], span: Span) -> u32 {
    let days = i64::from(span.days);
    if days < GROWTH_DAYS_MIN {
        return 0;
    }
    let middle = days * 86_400 / 2;
    let before = entries.partition_point(|entry| entry.submit < middle);
    let (before, after) = (before as f64, (entries.len() - before) as f64);
    let years = days as f64 / 2.0 / 365.25;
    let yearly = libm::pow(after / before.max(1.0), 1.0 / years);
    ((yearly - 1.0) * 100.0).round().clamp(0.0, 1_000.0) as u32
}

fn batch(entries: &[Entry]) -> u32 {
    let mut last: BTreeMap<NameId, i64> = BTreeMap::new();
    let mut batches = 0_usize;
    for entry in entries {
        let before = last.insert(entry.user, entry.submit);
        let follows = before.is_some_and(|before| entry.submit - before <= BATCH_SECONDS);
        batches += usize::from(!follows);
    }
    let mean = (entries.len() as f64 / batches.max(1) as f64).round();
    (mean as u32).max(1)
}

/// How many of a thousand submissions fall into each of `slots`.
fn shape(entries: &[Entry], slots: usize, slot: impl Fn(i64) -> i64) -> Vec<u32> {
    let mut counts = vec![0_usize; slots];
    for entry in entries {
        let index = slot(entry.submit).rem_euclid(i64::try_from(slots).unwrap_or(1));
        if let Some(count) = usize::try_from(index).ok().and_then(|index| counts.get_mut(index)) {
            *count += 1;
        }
    }
    let total = entries.len().max(1);
    let part = |count: usize| u32::try_from((count * 1_000).div_ceil(total)).unwrap_or(1_000);
    counts.into_iter().map(part).collect()
}

/// The days of the week, unless the log does not cover one.
fn weekdays(entries: &[Entry], span: Span) -> Vec<u32> {
    if span.days < 7 {
        return Vec::new();
    }
    let first = i64::from(span.start.weekday().to_monday_zero_offset());
    shape(entries, 7, |at| at.div_euclid(86_400) + first)
}

fn kind(entries: &[Entry]) -> Kind {
    let used: Vec<i64> = entries.iter().filter_map(used_percent).collect();
    let longest = |entry: &Entry| entry.run_seconds.max(entry.limit_seconds.unwrap_or(0));
    let used_percent = if used.is_empty() { vec![100] } else { quantiles(used, QUANTILES) };
    Kind {
        run_seconds: None,
        used_percent: Spread::Quantiles(used_percent),
        limit_seconds_max: entries.iter().map(longest).max().unwrap_or(1),
        sizes: sizes(entries),
    }
}

/// How much of its limit a job used; none where the log does not know the limit.
fn used_percent(entry: &Entry) -> Option<i64> {
    let limit = entry.limit_seconds?;
    Some((entry.run_seconds.saturating_mul(100) / limit).clamp(1, 100))
}

fn size_of(entry: &Entry) -> Size {
    match (entry.gpus, entry.cores, entry.nodes) {
        (0, 0, nodes) => Size::Nodes(nodes.max(1)),
        (0, cores, _) => Size::Cores(cores),
        (gpus, _, _) => Size::Gpus(gpus),
    }
}

/// What a size counts.
pub(super) const fn units(size: Size) -> u32 {
    match size {
        Size::Gpus(count) | Size::Nodes(count) | Size::Cores(count) => count,
    }
}

/// The sizes that occur most, each with the run times of its jobs.
fn sizes(entries: &[Entry]) -> Vec<Sized> {
    let mut runs: BTreeMap<Size, Vec<i64>> = BTreeMap::new();
    for entry in entries {
        runs.entry(size_of(entry)).or_default().push(entry.run_seconds);
    }
    let mut often: Vec<(usize, Size)> =
        runs.iter().map(|(size, runs)| (runs.len(), *size)).collect();
    often.sort_unstable_by(|a, b| b.cmp(a));
    often.truncate(SIZES_MAX);
    let kept: Vec<Size> = often.into_iter().map(|(_, size)| size).collect();
    let mut merged: BTreeMap<Size, Vec<i64>> = BTreeMap::new();
    for (size, runs) in runs {
        let far = |kept: &&Size| {
            let ratio = f64::from(units(**kept)) / f64::from(units(size));
            (libm::fabs(libm::log(ratio)) * 1e6) as u64
        };
        let nearest = kept.iter().min_by_key(far).copied().unwrap_or(size);
        merged.entry(nearest).or_default().extend(runs);
    }
    let sized = |(size, runs): (Size, Vec<i64>)| Sized {
        size,
        weight: u32::try_from(runs.len()).unwrap_or(u32::MAX),
        run_seconds: Some(Spread::Quantiles(quantiles(runs, QUANTILES))),
    };
    merged.into_iter().map(sized).collect()
}

fn compare(key: &str, entries: &[Entry], drawn: &Workload, group: usize) -> Vec<FitLine> {
    let jobs = || drawn.jobs.iter().filter(|job| job.group == group);
    let gaps = |submits: Vec<i64>| -> Vec<i64> {
        let pairs = submits.iter().zip(submits.iter().skip(1));
        pairs.map(|(before, after)| after - before).collect()
    };
    let line = |what, mut log: Vec<i64>, mut drawn: Vec<i64>| {
        log.sort_unstable();
        drawn.sort_unstable();
        let five = |sorted: &[i64]| [5, 25, 50, 75, 95].map(|percent| quantile(sorted, percent));
        FitLine {
            group: key.to_owned(),
            what,
            log: five(&log),
            drawn: five(&drawn),
            distance: distance(&log, &drawn),
        }
    };
    let size = |entry: &Entry| i64::from(units(size_of(entry)));
    let used = |run: i64, limit: i64| (run * 100 / limit.max(1)).clamp(1, 100);
    let known = entries.iter().any(|entry| entry.limit_seconds.is_some());
    let mut lines = vec![
        line(
            "run, s",
            entries.iter().map(|entry| entry.run_seconds).collect(),
            jobs().map(|job| job.run_seconds).collect(),
        ),
        line(
            "size",
            entries.iter().map(size).collect(),
            jobs().map(|job| i64::from(units(job.size))).collect(),
        ),
        line(
            "work, unit-minutes",
            entries.iter().map(|entry| size(entry) * entry.run_seconds / 60).collect(),
            jobs().map(|job| i64::from(units(job.size)) * job.run_seconds / 60).collect(),
        ),
        line(
            "gap between submissions, s",
            gaps(entries.iter().map(|entry| entry.submit).collect()),
            gaps(jobs().map(|job| job.submit).collect()),
        ),
    ];
    if known {
        lines.push(line(
            "used of the limit, %",
            entries.iter().filter_map(used_percent).collect(),
            jobs().map(|job| used(job.run_seconds, job.limit_seconds)).collect(),
        ));
    }
    lines
}

/// A name that may stand as a key.
fn slug(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(letter).take(40).collect();
    match slug.trim_matches('-') {
        "" => "all".to_owned(),
        slug if slug.starts_with(|c: char| c.is_ascii_digit()) => format!("n{slug}"),
        slug => slug.to_owned(),
    }
}
