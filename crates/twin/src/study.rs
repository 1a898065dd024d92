//! Scenarios with all their seeds, on all cores of this machine.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::results::Results;
use crate::scenario::{Logs, Scenario, ScenarioError};
use crate::simulation::{Run, simulate};
use crate::workload::Workload;

/// A scenario that was run: what it comes to, and each run.
#[derive(Clone, Debug, PartialEq)]
pub struct Studied {
    /// What it comes to.
    pub results: Results,
    /// The runs, in the order of their seeds.
    pub runs: Vec<Run>,
}

/// Who watches a study, and may stop it.
#[derive(Debug, Default)]
pub struct Watch {
    stopped: AtomicBool,
    /// Jobs that have been submitted, over all runs.
    submitted: AtomicUsize,
    /// Runs that have ended.
    runs: AtomicUsize,
}

impl Watch {
    /// Lets every run end as soon as it can.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// The jobs submitted so far, and the runs that have ended.
    pub fn progress(&self) -> (usize, usize) {
        (self.submitted.load(Ordering::Relaxed), self.runs.load(Ordering::Relaxed))
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Runs every scenario with every seed; `None` when it was stopped.
///
/// # Errors
/// When a log cannot be read.
pub fn study(scenarios: &[Scenario], watch: &Watch) -> Result<Option<Vec<Studied>>, ScenarioError> {
    let logs = scenarios.iter().map(Scenario::logs).collect::<Result<Vec<Logs>, _>>()?;
    let workload = |index: usize, seed: u64| match (scenarios.get(index), logs.get(index)) {
        (Some(scenario), Some(logs)) => scenario.workload(logs, seed),
        _ => Workload::default(),
    };
    Ok(study_of(scenarios, workload, watch))
}

/// Runs every scenario with every seed on the jobs that `workload` gives for its place and the
/// seed; `None` when it was stopped.
pub fn study_of(
    scenarios: &[Scenario],
    workload: impl Fn(usize, u64) -> Workload + Sync,
    watch: &Watch,
) -> Option<Vec<Studied>> {
    let tasks: Vec<(usize, u64)> = scenarios
        .iter()
        .enumerate()
        .flat_map(|(index, scenario)| scenario.seeds.iter().map(move |seed| (index, *seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(&(index, seed)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(scenario) = scenarios.get(index) else { continue };
            let jobs = || workload(index, seed);
            done.extend(once(scenario, jobs, seed, watch).map(|run| (index, run)));
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut runs: Vec<(usize, Run)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(tasks.len())).map(|_| scope.spawn(work)).collect();
        // A worker that panicked has said why already; then the study has no result.
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    if runs.len() < tasks.len() {
        return None;
    }
    runs.sort_by_key(|(index, run)| (*index, run.seed));
    let mut runs = runs.into_iter().map(|(_, run)| run);
    let studied = scenarios.iter().map(|scenario| {
        let runs: Vec<Run> = runs.by_ref().take(scenario.seeds.len()).collect();
        Studied { results: Results::of(scenario, &runs), runs }
    });
    Some(studied.collect())
}

fn once(
    scenario: &Scenario,
    workload: impl FnOnce() -> Workload,
    seed: u64,
    watch: &Watch,
) -> Option<Run> {
    if watch.is_stopped() {
        return None;
    }
    let workload = workload();
    let mut told = 0;
    let run = simulate(scenario, workload, seed, |submitted| {
        watch.submitted.fetch_add(submitted - told, Ordering::Relaxed);
        told = submitted;
        if watch.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    watch.submitted.fetch_add(run.workload.jobs.len() - told, Ordering::Relaxed);
    watch.runs.fetch_add(1, Ordering::Relaxed);
    Some(run)
}
