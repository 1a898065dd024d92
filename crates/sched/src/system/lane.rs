//! One partition, or reservation: the scheduling core, and the backlog behind it.
//!
//! Before the core stand only the jobs that may be considered now, no more than the backfill depth.
//! All others wait in their classes, and of each class the first stands in the backlog.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::class::{ClassId, Turn};
use super::jobs::{Jobs, Stage};
use super::rules::Rules;
use super::tally::Tallies;
use crate::gate::Gate;
use crate::{Core, Policy, Pool, Second, Task, Ticket, Tres};

#[derive(Clone, Debug)]
pub(super) struct Lane<P: Pool> {
    pub(super) core: Core<P>,
    /// The job that each ticket of the core stands for.
    holders: Vec<Ticket>,
    /// How many jobs wait before the core.
    pub(super) front: usize,
    /// The first of each class that no limit keeps back: the highest priority on top.
    backlog: BinaryHeap<Listed>,
    /// Whether anything happened since the last full pass.
    pub(super) changed: bool,
    /// When that was.
    pub(super) passed: Second,
    /// The period of the priorities in use.
    pub(super) period: Second,
    pub(super) whole: Tres,
    pub(super) priority_factor: u32,
    pub(super) billing_milli: Tres<u64>,
    /// The partition whose nodes they are.
    pub(super) partition: usize,
}

/// A priority, an arrival, and the class whose first job that is.
type Listed = (i64, Reverse<u64>, ClassId);

impl<P: Pool> Lane<P> {
    pub(super) fn new(core: Core<P>, spec: &super::spec::PoolSpec<P>, partition: usize) -> Self {
        Self {
            whole: core.pool().whole(),
            core,
            holders: Vec::new(),
            front: 0,
            backlog: BinaryHeap::new(),
            changed: false,
            passed: Second::MIN,
            period: Second::MIN,
            priority_factor: spec.priority_factor,
            billing_milli: spec.billing_milli,
            partition,
        }
    }

    /// Whether one waiting job stands before another.
    pub(super) fn has_rivals(&self) -> bool {
        self.front + self.backlog.len() > 1
    }

    /// Whether a pass may start anything.
    pub(super) fn is_due(&self, now: Second) -> bool {
        self.changed || self.core.policy() == Policy::Conservative || self.core.has_hold_due(now)
    }

    /// The job that a ticket of the core stands for.
    pub(super) fn holder(&self, seat: Ticket) -> Option<Ticket> {
        self.holders.get(seat.index()).copied()
    }

    /// Lets the first of a class stand in the backlog.
    pub(super) fn list(&mut self, id: ClassId, jobs: &Jobs<P::Demand>, rules: &Rules) {
        let Some(class) = jobs.classes.get(id).filter(|class| !class.parked) else { return };
        if let Some(first) = class.waiting.front() {
            let priority = rules.priority(class, first.since);
            self.backlog.push((priority, Reverse(first.arrival), id));
            self.changed = true;
        }
    }

    /// Brings the jobs with the highest priorities before the core, as many as may be considered.
    /// Those that a cap keeps back do not count.
    pub(super) fn fill(&mut self, now: Second, jobs: &mut Jobs<P::Demand>, rules: &mut Rules) {
        let mut kept_back = self.core.kept_back(now);
        while let Some(&(priority, Reverse(arrival), id)) = self.backlog.peek() {
            let first = jobs.classes.get(id).filter(|class| !class.parked).and_then(|class| {
                Some((class, *class.waiting.front().filter(|first| first.arrival == arrival)?))
            });
            let Some((class, turn)) = first else {
                self.backlog.pop();
                continue;
            };
            let seconds = jobs.get(turn.ticket).map_or(0, |job| job.estimate_seconds);
            if let Some((tally, _)) = rules.tallies.blocks(&class.chain, &class.alike.tres, seconds)
            {
                self.backlog.pop();
                rules.park(tally, id, jobs);
                continue;
            }
            while self.front.saturating_sub(kept_back) >= rules.backfill.depth {
                if !self.displace((priority, arrival), now, jobs, rules) {
                    return;
                }
                kept_back = self.core.kept_back(now);
            }
            if self.backlog.peek().is_some_and(|top| top.2 == id) {
                self.backlog.pop();
            }
            let seat = self.bring(now, turn, id, priority, jobs);
            let capped = seat.is_some_and(|seat| !self.core.is_within_caps(now, seat));
            kept_back += usize::from(capped);
            self.list(id, jobs, rules);
        }
    }

    /// Whether more may be brought before the core, for caps keep some back that stand there.
    fn has_place(&self, now: Second, rules: &Rules) -> bool {
        let kept_back = self.core.kept_back(now);
        kept_back > 0 && self.front.saturating_sub(kept_back) < rules.backfill.depth
    }

    /// Sends the last before the core back, if the job with this priority and arrival goes first.
    fn displace(
        &mut self,
        (priority, arrival): (i64, u64),
        now: Second,
        jobs: &mut Jobs<P::Demand>,
        rules: &Rules,
    ) -> bool {
        let Some((seat, last_priority, last_arrival)) = self.core.last() else { return false };
        if (Reverse(priority), arrival) >= (Reverse(last_priority), last_arrival) {
            return false;
        }
        if let Some(ticket) = self.holder(seat)
            && let Some(class) = self.send_back(now, ticket, jobs)
        {
            self.list(class, jobs, rules);
        }
        true
    }

    /// Brings the first of a class before the core, and says where it then sits.
    fn bring(
        &mut self,
        now: Second,
        turn: Turn,
        id: ClassId,
        priority: i64,
        jobs: &mut Jobs<P::Demand>,
    ) -> Option<Ticket> {
        let class = jobs.classes.get_mut(id)?;
        class.waiting.pop_front();
        let group = class.alike.association.group();
        let job = jobs.get_mut(turn.ticket)?;
        let task = Task {
            demand: job.demand.clone(),
            estimate_seconds: job.estimate_seconds,
            priority,
            group,
        };
        let seat = self.core.submit_as(now, task, turn.arrival);
        job.stage = Stage::Front(seat);
        if seat.index() >= self.holders.len() {
            self.holders.resize(seat.index() + 1, turn.ticket);
        }
        if let Some(holder) = self.holders.get_mut(seat.index()) {
            *holder = turn.ticket;
        }
        self.front += 1;
        Some(seat)
    }

    /// Takes a job from before the core back to its class.
    pub(super) fn send_back(
        &mut self,
        now: Second,
        ticket: Ticket,
        jobs: &mut Jobs<P::Demand>,
    ) -> Option<ClassId> {
        let job = jobs.get_mut(ticket)?;
        let Stage::Front(seat) = job.stage else { return None };
        job.stage = Stage::Backlog;
        let (turn, id) = (job.turn(ticket), job.class);
        self.core.remove(now, seat);
        self.front -= 1;
        jobs.classes.get_mut(id)?.insert(turn);
        Some(id)
    }

    /// Gives every job the priority it has now.
    pub(super) fn reorder(&mut self, jobs: &Jobs<P::Demand>, rules: &Rules) {
        let holders = &self.holders;
        let moved = self.core.reorder(|seat| {
            let job = holders.get(seat.index()).and_then(|ticket| jobs.get(*ticket));
            let of =
                job.and_then(|job| Some(rules.priority(jobs.classes.get(job.class)?, job.since)));
            of.unwrap_or_default()
        });
        self.changed |= moved || !self.backlog.is_empty();
        let mut listed = std::mem::take(&mut self.backlog).into_vec();
        listed.retain_mut(|(priority, arrival, id)| {
            let Some(class) = jobs.classes.get(*id).filter(|class| !class.parked) else {
                return false;
            };
            let first = class.waiting.front().filter(|first| first.arrival == arrival.0);
            let Some(first) = first else { return false };
            *priority = rules.priority(class, first.since);
            true
        });
        self.backlog = listed.into();
    }

    /// Passes once; returns the jobs that started, and lets those wait that a limit keeps back.
    pub(super) fn pass(
        &mut self,
        now: Second,
        full: bool,
        jobs: &mut Jobs<P::Demand>,
        rules: &mut Rules,
    ) -> Vec<Ticket> {
        let mut all = Vec::new();
        let mut seats = Vec::new();
        loop {
            self.fill(now, jobs, rules);
            let mut gate = Limiting {
                tallies: &mut rules.tallies,
                jobs: &*jobs,
                holders: &self.holders,
                denied: Vec::new(),
            };
            if full {
                self.core.pass_through(now, &mut gate, &mut seats);
            } else {
                self.core.pass_in_order(now, &mut gate, &mut seats);
            }
            let denied = gate.denied;
            // Those that started have made room before the core for others.
            let done = seats.is_empty() && !self.has_place(now, rules) || self.backlog.is_empty();
            self.front -= seats.len();
            for seat in seats.drain(..) {
                let Some(ticket) = self.holder(seat) else { continue };
                if let Some(job) = jobs.get_mut(ticket) {
                    job.stage = Stage::Running { seat, started: now };
                    all.push(ticket);
                }
            }
            if denied.is_empty() && done {
                return all;
            }
            for ticket in denied {
                if let Some(id) = self.send_back(now, ticket, jobs) {
                    rules.park_if_blocked(id, ticket, jobs);
                    self.list(id, jobs, rules);
                }
            }
        }
    }
}

/// Lets jobs start as far as limits go.
struct Limiting<'a, D> {
    tallies: &'a mut Tallies,
    jobs: &'a Jobs<D>,
    holders: &'a [Ticket],
    denied: Vec<Ticket>,
}

impl<D> Gate for Limiting<'_, D> {
    fn admits(&mut self, seat: Ticket) -> bool {
        let Some((ticket, job, class)) = self.jobs.held_by(self.holders, seat) else { return true };
        if class.chain.is_empty() {
            return true;
        }
        let blocked = self.tallies.blocks(&class.chain, &class.alike.tres, job.estimate_seconds);
        if blocked.is_some() {
            self.denied.push(ticket);
        }
        blocked.is_none()
    }

    fn started(&mut self, seat: Ticket) {
        if let Some((_, job, class)) = self.jobs.held_by(self.holders, seat) {
            self.tallies.started(&class.chain, &class.alike.tres, job.estimate_seconds);
        }
    }
}
