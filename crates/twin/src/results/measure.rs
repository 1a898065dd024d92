//! The figures of one run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pools;
use crate::scenario::Scenario;
use crate::simulation::{Fate, Run};
use crate::statistics::quantile;
use crate::workload::Job;

/// Of whom or of what a figure speaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
pub enum Scope {
    /// All jobs and machines.
    All,
    /// The jobs of one class of organisation.
    Class(String),
    /// The jobs of one band of sizes.
    Size(Band),
    /// Sessions at the keyboard.
    Sessions,
    /// A machine, and the jobs that ran there.
    Machine(String),
    /// The hours of a machine that belong to a payer.
    Pool(String, String),
}

/// How large jobs are, relative to the nodes they ran on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    /// A part of a node.
    Part,
    /// One node.
    Node,
    /// From 2 to 8 nodes.
    Few,
    /// More than 8 nodes.
    Many,
}

impl Band {
    const fn of(units: u32, per_node: u32) -> Self {
        match units.div_ceil(if per_node == 0 { 1 } else { per_node }) {
            0 | 1 if units < per_node => Self::Part,
            0 | 1 => Self::Node,
            2..=8 => Self::Few,
            9.. => Self::Many,
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// How many jobs.
    Jobs,
    /// From submission to the start that counted, on average, in seconds.
    WaitSecondsMean,
    /// Half of the jobs waited no longer.
    WaitSecondsMedian,
    /// Nineteen of twenty waited no longer.
    #[serde(rename = "wait-seconds-95th")]
    WaitSeconds95th,
    /// (wait + run) / max(run, 10 s), at least 1, on average.
    BoundedSlowdown,
    /// What was busy of what was there, from 0 to 1.
    Utilisation,
    /// Jobs that no machine that is up could run.
    JobsNotRun,
    /// Unit-hours of jobs that a failure cut off.
    LostHours,
    /// Unit-hours of a pool.
    PoolHours,
    /// Unit-hours that the payer's jobs used of it.
    UsedHours,
    /// Unit-hours of it that nobody asked for.
    UnusedHours,
    /// Unit-hours that were asked beyond it.
    OverGrantedHours,
    /// How evenly the payers got what their pools promise, from 1/n to 1: Jain's index of used
    /// over promised hours, where no payer counts for more than it asked.
    Fairness,
    /// Kilowatt-hours drawn.
    EnergyKwh,
    /// Kilograms of carbon dioxide emitted for that.
    CarbonKg,
}

pub(super) type Figures = BTreeMap<(Scope, Figure), f64>;

/// The least run that a slowdown is relative to, in seconds.
const SLOWDOWN_BOUND_SECONDS: i64 = 10;
pub(super) const DAY_SECONDS: i64 = 86_400;

/// All figures of `run`.
pub(super) fn measure(scenario: &Scenario, run: &Run) -> Figures {
    let from = i64::from(scenario.warm_up_days) * DAY_SECONDS;
    let mut waits: BTreeMap<Scope, Vec<(i64, f64)>> = BTreeMap::new();
    let mut not_run = 0_u32;
    for (job, fate) in run.workload.jobs.iter().zip(&run.fates) {
        if job.submit < from {
            continue;
        }
        let Some(machine) = fate.machine.and_then(|machine| scenario.machines.get(machine)) else {
            not_run += 1;
            continue;
        };
        let wait = fate.start - job.submit;
        let slowdown = slowdown(wait, job.run_seconds);
        let mut add = |scope| waits.entry(scope).or_default().push((wait, slowdown));
        add(Scope::All);
        if let Some(group) = run.workload.groups.get(job.group) {
            add(Scope::Class(group.class.clone()));
        }
        add(Scope::Size(Band::of(fate.units, machine.units_per_node)));
        add(Scope::Machine(machine.key.clone()));
        if job.interactive {
            add(Scope::Sessions);
        }
    }
    let mut figures = Figures::new();
    figures.insert((Scope::All, Figure::JobsNotRun), f64::from(not_run));
    for (scope, waits) in waits {
        wait_figures(&scope, waits, &mut figures);
    }
    machine_figures(scenario, run, &mut figures);
    pools::figures(scenario, run, &mut figures);
    figures
}

fn slowdown(wait: i64, run: i64) -> f64 {
    ((wait + run) as f64 / run.max(SLOWDOWN_BOUND_SECONDS) as f64).max(1.0)
}

fn wait_figures(scope: &Scope, waits: Vec<(i64, f64)>, figures: &mut Figures) {
    let count = waits.len().max(1) as f64;
    let slowdowns: f64 = waits.iter().map(|(_, slowdown)| slowdown).sum();
    let mut sorted: Vec<i64> = waits.into_iter().map(|(wait, _)| wait).collect();
    sorted.sort_unstable();
    let sum: f64 = sorted.iter().map(|wait| *wait as f64).sum();
    let told = [
        (Figure::Jobs, sorted.len() as f64),
        (Figure::WaitSecondsMean, sum / count),
        (Figure::WaitSecondsMedian, quantile(&sorted, 50) as f64),
        (Figure::WaitSeconds95th, quantile(&sorted, 95) as f64),
        (Figure::BoundedSlowdown, slowdowns / count),
    ];
    figures.extend(told.map(|(figure, value)| ((scope.clone(), figure), value)));
}

fn machine_figures(scenario: &Scenario, run: &Run, figures: &mut Figures) {
    let skipped = usize::try_from(scenario.warm_up_days).unwrap_or_default();
    let sum = |days: &[i64]| days.iter().skip(skipped).map(|day| *day as f64).sum::<f64>();
    let (mut all_busy, mut all_there, mut all_lost) = (0.0, 0.0, 0.0);
    let (mut energy, mut carbon) = (None, None);
    for (machine, days) in scenario.machines.iter().zip(&run.days) {
        let (busy, there) = (sum(&days.busy), sum(&days.capacity));
        let lost = days.lost as f64 / 3_600.0;
        let mut tell = |figure, value| {
            figures.insert((Scope::Machine(machine.key.clone()), figure), value);
        };
        if there > 0.0 {
            tell(Figure::Utilisation, busy / there);
        }
        if !machine.failures.is_empty() || !machine.upgrades.is_empty() {
            tell(Figure::LostHours, lost);
        }
        (all_busy, all_there, all_lost) = (all_busy + busy, all_there + there, all_lost + lost);
        let Some(power) = machine.power else { continue };
        let idle = sum(&days.nodes) * f64::from(power.idle_watts_per_node);
        let watt_seconds = idle + busy * f64::from(power.busy_watts_per_unit);
        let overhead = 1.0 + f64::from(power.overhead_percent) / 100.0;
        let kwh = watt_seconds * overhead / 3_600_000.0;
        tell(Figure::EnergyKwh, kwh);
        *energy.get_or_insert(0.0) += kwh;
        if let Some(grams) = power.carbon_grams_per_kwh {
            let kg = kwh * f64::from(grams) / 1_000.0;
            tell(Figure::CarbonKg, kg);
            *carbon.get_or_insert(0.0) += kg;
        }
    }
    figures.insert((Scope::All, Figure::Utilisation), all_busy / all_there.max(1.0));
    if all_lost > 0.0 {
        figures.insert((Scope::All, Figure::LostHours), all_lost);
    }
    // A sum over some of the machines would say less than nothing.
    let whole = scenario.machines.iter().all(|machine| machine.power.is_some());
    if let Some(energy) = energy.filter(|_| whole) {
        figures.insert((Scope::All, Figure::EnergyKwh), energy);
    }
    let known = |power: &crate::scenario::Power| power.carbon_grams_per_kwh.is_some();
    let whole = scenario.machines.iter().all(|it| it.power.as_ref().is_some_and(known));
    if let Some(carbon) = carbon.filter(|_| whole) {
        figures.insert((Scope::All, Figure::CarbonKg), carbon);
    }
}

/// The unit-seconds that a job held within the days that are measured.
pub(super) fn held_within(job: &Job, fate: &Fate, from: i64, until: i64) -> i64 {
    let end = fate.start.saturating_add(job.run_seconds).min(until);
    (end - fate.start.max(from)).max(0).saturating_mul(i64::from(fate.units))
}
