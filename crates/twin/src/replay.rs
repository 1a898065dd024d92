//! Running a log through the scheduling core.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use sched::{Core, Policy, Pool as _, Processors, Task, Ticket};

use crate::{FastLane, Job};

/// When each job of a log would have started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The start of every job, in the order of the log.
    pub starts: Vec<i64>,
    /// The most jobs that waited after any pass.
    pub queue_len_max: usize,
    /// The most processors that were busy after any pass.
    pub procs_busy_max: u32,
    /// How often the scheduler was asked.
    pub passes: u64,
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Jobs that have started.
    pub started: usize,
    /// Jobs in the log.
    pub jobs: usize,
    /// Jobs that wait.
    pub waiting: usize,
}

const PASSES_BETWEEN_REPORTS: u64 = 1 << 14;

/// Replays `jobs`, in order of submission, on `procs` identical processors.
///
/// All that happens in one second is taken in first, ends before arrivals, then the scheduler
/// passes once. `report` is called now and then, and may stop the replay; then there is no result.
pub fn replay(
    jobs: &[Job],
    procs: u32,
    policy: Policy,
    report: impl FnMut(Progress) -> ControlFlow<()>,
) -> Option<Replay> {
    Run::new(jobs, procs, policy, None).finish(report)
}

/// As [`replay`], with a floor for some of the jobs.
pub fn replay_with_lane(
    jobs: &[Job],
    procs: u32,
    policy: Policy,
    lane: &FastLane,
    report: impl FnMut(Progress) -> ControlFlow<()>,
) -> Option<Replay> {
    Run::new(jobs, procs, policy, Some(lane)).finish(report)
}

/// The group of jobs that must leave the floor alone.
const OTHERS: u32 = 1;

struct Run<'a> {
    jobs: &'a [Job],
    lane: Option<&'a FastLane>,
    core: Core<Processors>,
    procs: u32,
    arrived: usize,
    ends: BinaryHeap<Reverse<(i64, Ticket)>>,
    /// The job that each ticket stands for.
    holders: Vec<usize>,
    started: Vec<Ticket>,
    starts: Vec<i64>,
    queue_len_max: usize,
    procs_busy_max: u32,
    passes: u64,
}

impl<'a> Run<'a> {
    fn new(jobs: &'a [Job], procs: u32, policy: Policy, lane: Option<&'a FastLane>) -> Self {
        let mut core = Core::new(Processors::new(procs), policy);
        if let Some(lane) = lane.filter(|lane| lane.floor_procs > 0) {
            core.cap(0, [OTHERS], lane.rest_procs);
        }
        Self {
            jobs,
            lane,
            core,
            procs,
            arrived: 0,
            ends: BinaryHeap::new(),
            holders: Vec::new(),
            started: Vec::new(),
            starts: vec![0; jobs.len()],
            queue_len_max: 0,
            procs_busy_max: 0,
            passes: 0,
        }
    }

    fn finish(mut self, mut report: impl FnMut(Progress) -> ControlFlow<()>) -> Option<Replay> {
        while self.next_second() {
            if self.passes.is_multiple_of(PASSES_BETWEEN_REPORTS)
                && report(self.progress()).is_break()
            {
                return None;
            }
        }
        Some(Replay {
            starts: self.starts,
            queue_len_max: self.queue_len_max,
            procs_busy_max: self.procs_busy_max,
            passes: self.passes,
        })
    }

    fn progress(&self) -> Progress {
        let waiting = self.core.queue_len();
        Progress { started: self.arrived - waiting, jobs: self.jobs.len(), waiting }
    }

    /// Takes in the next second in which anything happens; says whether there was one.
    fn next_second(&mut self) -> bool {
        let arrival = self.jobs.get(self.arrived).map(|job| job.submit);
        let end = self.ends.peek().map(|Reverse((end, _))| *end);
        let Some(now) = arrival.into_iter().chain(end).min() else { return false };
        while let Some(&Reverse((end, ticket))) = self.ends.peek()
            && end <= now
        {
            self.ends.pop();
            self.core.remove(now, ticket);
        }
        while let Some(job) = self.jobs.get(self.arrived)
            && job.submit <= now
        {
            let task = Task {
                demand: job.procs,
                estimate_seconds: job.estimate,
                priority: 0,
                group: match self.lane {
                    Some(lane) if lane.binds(job) => OTHERS,
                    _ => 0,
                },
            };
            let ticket = self.core.submit(now, task);
            if ticket.index() >= self.holders.len() {
                self.holders.resize(ticket.index() + 1, 0);
            }
            if let Some(holder) = self.holders.get_mut(ticket.index()) {
                *holder = self.arrived;
            }
            self.arrived += 1;
        }
        self.pass(now);
        true
    }

    fn pass(&mut self, now: i64) {
        self.core.pass(now, &mut self.started);
        self.passes += 1;
        for ticket in self.started.drain(..) {
            let Some(&index) = self.holders.get(ticket.index()) else { continue };
            if let (Some(job), Some(start)) = (self.jobs.get(index), self.starts.get_mut(index)) {
                *start = now;
                self.ends.push(Reverse((now.saturating_add(job.run), ticket)));
            }
        }
        self.queue_len_max = self.queue_len_max.max(self.core.queue_len());
        self.procs_busy_max = self.procs_busy_max.max(self.procs - self.core.pool().room());
    }
}
