//! A scenario, second by second: arrivals, placement, starts, ends, failures and upgrades.
//!
//! All that happens in one second is taken in first, ends before changes before arrivals, then
//! every machine that was touched schedules once, with the code that schedules real machines.

mod placement;
mod queue;
mod site;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::ControlFlow;

use crate::scenario::Scenario;
use crate::workload::{Job, Workload};
use site::Site;

pub use site::Days;

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The machine it ran on, by its place in the scenario; `None` when none that is large enough
    /// was up.
    pub machine: Option<usize>,
    /// When it started for the last time, in seconds after the start of the scenario.
    pub start: i64,
    /// The units it held.
    pub units: u32,
    /// How often a failure made it start anew.
    pub lost: u32,
}

/// A scenario that was run once.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// The jobs and who submitted them.
    pub workload: Workload,
    /// What became of each job, in their order.
    pub fates: Vec<Fate>,
    /// What each machine did, day by day.
    pub days: Vec<Days>,
}

/// What happens; in one second, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A job ends, unless it was lost since it started.
    End { job: usize, attempt: u32 },
    /// A machine looks again at what waits, for priorities have changed.
    Wake { machine: usize },
    /// A machine arrives, fails, comes back or is upgraded.
    Change { machine: usize },
    /// A job, with its data, reaches the machine it was placed on.
    Arrive { job: usize, machine: usize, attempt: u32 },
}

/// How often progress is told, in events.
const EVENTS_BETWEEN_REPORTS: u64 = 1 << 12;

/// Runs `workload` under `scenario`. `report` hears how many jobs have been submitted, and may stop
/// the run; then there is no result.
pub fn simulate(
    scenario: &Scenario,
    workload: Workload,
    seed: u64,
    report: impl FnMut(usize) -> ControlFlow<()>,
) -> Option<Run> {
    let mut run = World::new(scenario, &workload);
    run.finish(report)?;
    let (fates, days) = run.outcome();
    Some(Run { seed, workload, fates, days })
}

struct World<'a> {
    scenario: &'a Scenario,
    workload: &'a Workload,
    sites: Vec<Site<'a>>,
    fates: Vec<Fate>,
    events: BinaryHeap<Reverse<(i64, Event)>>,
    submitted: usize,
    /// Jobs that no machine that is up can run.
    parked: Vec<usize>,
    /// The machines to schedule in this second.
    touched: Vec<bool>,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, workload: &'a Workload) -> Self {
        let mut events = BinaryHeap::new();
        for (machine, described) in scenario.machines.iter().enumerate() {
            let failures = described.failures.iter().flat_map(|it| [it.from, it.until]);
            let upgrades = described.upgrades.iter().map(|upgrade| upgrade.at);
            for at in failures.chain(upgrades).chain([described.arrives]) {
                events.push(Reverse((at, Event::Change { machine })));
            }
        }
        let fate = Fate { machine: None, start: 0, units: 0, lost: 0 };
        let users: BTreeSet<(usize, u32)> =
            workload.jobs.iter().map(|job| (job.group, job.user)).collect();
        let users: Vec<(usize, u32)> = users.into_iter().collect();
        let sites = scenario.machines.iter().map(|it| Site::new(it, scenario, workload, &users));
        Self {
            scenario,
            workload,
            sites: sites.collect(),
            fates: vec![fate; workload.jobs.len()],
            events,
            submitted: 0,
            parked: Vec::new(),
            touched: vec![false; scenario.machines.len()],
        }
    }

    fn finish(&mut self, mut report: impl FnMut(usize) -> ControlFlow<()>) -> Option<()> {
        let mut steps = 0_u64;
        while self.next_second() {
            steps += 1;
            if steps.is_multiple_of(EVENTS_BETWEEN_REPORTS) && report(self.submitted).is_break() {
                return None;
            }
        }
        Some(())
    }

    fn outcome(self) -> (Vec<Fate>, Vec<Days>) {
        (self.fates, self.sites.into_iter().map(Site::finish).collect())
    }

    /// Takes in the next second in which anything happens; says whether there was one.
    fn next_second(&mut self) -> bool {
        let submit = self.workload.jobs.get(self.submitted).map(|job| job.submit);
        let event = self.events.peek().map(|Reverse((at, _))| *at);
        let Some(now) = submit.into_iter().chain(event).min() else { return false };
        self.take_events(now);
        while let Some(job) = self.workload.jobs.get(self.submitted)
            && job.submit <= now
        {
            self.place(self.submitted, now);
            self.submitted += 1;
        }
        // Jobs whose data is there already have arrived in this very second.
        self.take_events(now);
        for machine in 0..self.sites.len() {
            if self.touched.get_mut(machine).is_some_and(std::mem::take) {
                self.pass(machine, now);
            }
        }
        true
    }

    fn take_events(&mut self, now: i64) {
        while let Some(&Reverse((at, event))) = self.events.peek()
            && at <= now
        {
            self.events.pop();
            match event {
                Event::End { job, attempt } => self.end(job, attempt, now),
                Event::Wake { machine } => self.touch(machine),
                Event::Change { machine } => self.change(machine, now),
                Event::Arrive { job, machine, attempt } => self.arrive(job, machine, attempt, now),
            }
        }
    }

    fn touch(&mut self, machine: usize) {
        if let Some(touched) = self.touched.get_mut(machine) {
            *touched = true;
        }
    }

    fn attempt_of(&self, job: usize) -> u32 {
        self.fates.get(job).map_or(0, |fate| fate.lost)
    }

    fn end(&mut self, job: usize, attempt: u32, now: i64) {
        let Some(machine) = self.fates.get(job).and_then(|fate| fate.machine) else { return };
        if attempt == self.attempt_of(job)
            && let Some(site) = self.sites.get_mut(machine)
        {
            site.end(job, now);
            self.touch(machine);
        }
    }

    /// Lets a machine have the nodes that it has now; what it cannot keep is placed anew.
    fn change(&mut self, machine: usize, now: i64) {
        let Some(site) = self.sites.get_mut(machine) else { return };
        let (lost, evicted) = site.change(now);
        self.touch(machine);
        for job in &lost {
            if let Some(fate) = self.fates.get_mut(*job) {
                fate.lost += 1;
            }
        }
        for job in lost.iter().chain(&evicted) {
            if let Some(fate) = self.fates.get_mut(*job) {
                fate.machine = None;
            }
        }
        let parked = std::mem::take(&mut self.parked);
        for job in parked.into_iter().chain(lost).chain(evicted) {
            self.place(job, now);
        }
    }

    /// Chooses a machine for a job and sends it there with its data.
    fn place(&mut self, index: usize, now: i64) {
        let Some(job) = self.workload.jobs.get(index) else { return };
        let chosen = placement::choose(self.scenario, self.workload, &self.sites, job, now);
        let Some((machine, arrives)) = chosen else {
            self.parked.push(index);
            return;
        };
        if let Some(fate) = self.fates.get_mut(index) {
            fate.machine = Some(machine);
        }
        let attempt = self.attempt_of(index);
        self.events.push(Reverse((arrives, Event::Arrive { job: index, machine, attempt })));
    }

    fn arrive(&mut self, index: usize, machine: usize, attempt: u32, now: i64) {
        let (Some(job), Some(site)) = (self.workload.jobs.get(index), self.sites.get_mut(machine))
        else {
            return;
        };
        if attempt == self.fates.get(index).map_or(0, |fate| fate.lost) {
            site.submit(index, job, now);
            self.touch(machine);
        }
    }

    fn pass(&mut self, machine: usize, now: i64) {
        let Some(site) = self.sites.get_mut(machine) else { return };
        for (job, units) in site.pass(now) {
            let run = self.workload.jobs.get(job).map_or(1, |job: &Job| job.run_seconds);
            if let Some(fate) = self.fates.get_mut(job) {
                (fate.start, fate.units) = (now, units);
                let attempt = fate.lost;
                self.events.push(Reverse((now.saturating_add(run), Event::End { job, attempt })));
            }
        }
        if let Some(next) = site.wakes(now) {
            self.events.push(Reverse((next, Event::Wake { machine })));
        }
    }
}

#[cfg(test)]
mod tests;
