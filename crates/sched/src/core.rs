//! The algorithm: a queue in order of priority, the jobs that run, and one pass over both.

use std::cmp::Reverse;

use crate::blocks::Blocks;
use crate::cap::Cap;
use crate::easy::Shadow;
use crate::gate::Gate;
use crate::holds::{Hold, View};
use crate::waiting::{Shortest, Waiting};
use crate::{Pool, Second};

/// Who may start before whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// In order; the first that does not fit holds up the rest.
    Fcfs,
    /// The first that does not fit is promised the earliest instant at which it can start if
    /// every job runs as long as it may; others pass it where they do not delay that.
    Easy,
    /// Every job is promised such an instant on arrival; others pass it where they delay nobody.
    Conservative,
}

/// What a job asks of a [`Core`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task<D> {
    /// What it needs to run.
    pub demand: D,
    /// How long it may run.
    pub estimate_seconds: Second,
    /// The highest goes first; within one priority, the first to arrive.
    pub priority: i64,
    /// Its group: it counts against every [cap](Core::cap) that names it.
    pub group: u32,
}

/// A job within one [`Core`] or [`System`](crate::System); numbers of jobs that are gone are given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u32);

impl Ticket {
    pub(crate) const MIN: Self = Self(0);
    pub(crate) const MAX: Self = Self(u32::MAX);

    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// A small number, below the greatest number of jobs that were there at once.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The place of a job in the queue: by priority, then by arrival.
pub(crate) type Key = (Reverse<i64>, u64);

#[derive(Clone, Debug)]
pub(crate) enum Slot<P: Pool> {
    Free,
    Waiting { task: Task<P::Demand>, arrival: u64, promise: Option<(Second, P::Grant)> },
    Running { task: Task<P::Demand>, grant: P::Grant, end: Second },
}

/// Jobs that wait for a pool of resources, and jobs that hold some of it.
#[derive(Clone, Debug)]
pub struct Core<P: Pool> {
    policy: Policy,
    pub(crate) pool: P,
    pub(crate) slots: Vec<Slot<P>>,
    vacant: Vec<Ticket>,
    pub(crate) queue: Blocks<Key, Waiting, Shortest>,
    /// What each holds, by the instant at which it must have ended.
    pub(crate) running: Blocks<(Second, Ticket), u32, u64>,
    arrivals: u64,
    pub(crate) caps: Vec<Cap>,
    /// Under [`Policy::Easy`], from the last pass, while nothing has ended since.
    pub(crate) shadow: Option<Shadow<P>>,
    /// Jobs that arrived since the last pass; most start at once and never enter the queue.
    pub(crate) fresh: Vec<(Key, Waiting)>,
    /// Under [`Policy::Conservative`], what is promised to whom.
    pub(crate) plan: Option<P::Plan>,
    /// Whether anything may have come free in the plan since the last pass.
    pub(crate) freed: bool,
    /// Under [`Policy::Conservative`], the promised start of every job in the queue, in seconds
    /// after `origin`.
    pub(crate) promises: Blocks<Key, Waiting, Shortest>,
    pub(crate) origin: Second,
    pub(crate) holds: Vec<Hold<P::Grant>>,
    pub(crate) views: Vec<View<P>>,
    pub(crate) horizon: Horizon,
    /// When groups of the jobs that run are expected to have ended, as of the last plan.
    pub(crate) ends: Vec<Second>,
}

/// How far and how finely promises are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Horizon {
    /// Nothing is promised that lies further ahead.
    pub(crate) window_seconds: Second,
    /// Promised instants are rounded up to multiples of this.
    pub(crate) resolution_seconds: Second,
    /// A promised start keeps its nodes from others altogether.
    pub(crate) whole_nodes: bool,
    /// Ends of running jobs that lie so close together are waited for together.
    pub(crate) ends_within_seconds: Second,
}

impl Horizon {
    /// Everything is promised, to the second.
    pub(crate) const ENDLESS: Self = Self {
        window_seconds: Second::MAX,
        resolution_seconds: 1,
        whole_nodes: false,
        ends_within_seconds: 0,
    };

    /// An instant at or after `at` that can be promised, unless it is too far from `now`. Of what
    /// is to end, `ends` says when groups have ended.
    pub(crate) fn promised(self, now: Second, at: Second, ends: &[Second]) -> Option<Second> {
        let group = ends.get(ends.partition_point(|end| *end < at)).copied().unwrap_or(at);
        let step = self.resolution_seconds;
        let at = if at <= now {
            at
        } else if step > 1 {
            group.saturating_add(step - 1).div_euclid(step).saturating_mul(step)
        } else {
            group
        };
        (at.saturating_sub(now) <= self.window_seconds).then_some(at)
    }
}

impl<P: Pool> Core<P> {
    /// Nobody waits and all of `pool` is free.
    pub const fn new(pool: P, policy: Policy) -> Self {
        Self {
            policy,
            pool,
            slots: Vec::new(),
            vacant: Vec::new(),
            queue: Blocks::new(),
            running: Blocks::new(),
            arrivals: 0,
            caps: Vec::new(),
            shadow: None,
            fresh: Vec::new(),
            plan: None,
            freed: true,
            promises: Blocks::new(),
            origin: 0,
            holds: Vec::new(),
            views: Vec::new(),
            horizon: Horizon::ENDLESS,
            ends: Vec::new(),
        }
    }

    /// Who may start before whom.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// What is free now.
    pub const fn pool(&self) -> &P {
        &self.pool
    }

    /// The number of jobs that wait.
    pub const fn queue_len(&self) -> usize {
        self.queue.len() + self.fresh.len()
    }

    /// What the job holds, if it runs.
    pub fn grant(&self, ticket: Ticket) -> Option<&P::Grant> {
        match self.slots.get(ticket.index()) {
            Some(Slot::Running { grant, .. }) => Some(grant),
            _ => None,
        }
    }

    /// The jobs that wait, first to last; those that arrived since the last pass stand behind.
    pub fn waiting(&self) -> impl Iterator<Item = (Ticket, &Task<P::Demand>)> {
        let jobs = self.queue.iter().map(|(_, job)| job);
        let jobs = jobs.chain(self.fresh.iter().map(|(_, job)| job));
        jobs.filter_map(|job| Some((job.ticket, self.task(job.ticket)?)))
    }

    /// The jobs that run and when they must have ended, in that order.
    pub fn running(&self) -> impl Iterator<Item = (Ticket, Second)> {
        self.running.iter().map(|(&(end, ticket), _)| (ticket, end))
    }

    /// Takes in a job; it starts at the next [`pass`](Core::pass) at the earliest.
    pub fn submit(&mut self, now: Second, task: Task<P::Demand>) -> Ticket {
        self.arrivals += 1;
        self.submit_as(now, task, self.arrivals)
    }

    /// Takes in a job that stands among its equals as if it were number `arrival` to arrive.
    pub(crate) fn submit_as(
        &mut self,
        now: Second,
        mut task: Task<P::Demand>,
        arrival: u64,
    ) -> Ticket {
        let mut promise = None;
        if self.policy == Policy::Conservative {
            task.estimate_seconds = task.estimate_seconds.max(1);
            // A plan of whole nodes is made anew before every pass.
            if !self.horizon.whole_nodes {
                promise = self.promise(now, &task);
            }
        }
        let key = (Reverse(task.priority), arrival);
        let size = self.pool.size(&task.demand);
        let estimate_seconds = task.estimate_seconds;
        let ticket = self.admit(Slot::Waiting { task, arrival, promise });
        self.fresh.push((key, Waiting { ticket, size, estimate_seconds }));
        ticket
    }

    /// Takes in a job that has run since `started` and holds `grant`.
    pub fn adopt(&mut self, started: Second, task: Task<P::Demand>, grant: P::Grant) -> Ticket {
        self.pool.take(&grant);
        let end = started.saturating_add(task.estimate_seconds);
        let held = self.pool.held(&grant);
        self.count(task.group, held, u32::saturating_add);
        let ticket = self.admit(Slot::Running { task, grant, end });
        self.running.insert((end, ticket), held);
        self.forget();
        ticket
    }

    /// The job has ended, or is taken out of the queue; a ticket that is gone is ignored.
    pub fn remove(&mut self, now: Second, ticket: Ticket) {
        let Some(slot) = self.slots.get_mut(ticket.index()) else { return };
        match std::mem::replace(slot, Slot::Free) {
            Slot::Free => return,
            Slot::Waiting { task, arrival, promise } => {
                let key = (Reverse(task.priority), arrival);
                self.leave_queue(key, ticket);
                if let Some((start, grant)) = promise {
                    let end = start.saturating_add(task.estimate_seconds);
                    self.release(start, end, task.group, &grant);
                    self.freed = true;
                }
            }
            Slot::Running { task, grant, end } => {
                if let Some(at) = self.running.find((end, ticket)) {
                    self.running.remove(at);
                }
                self.pool.give(&grant);
                let held = self.pool.held(&grant);
                self.count(task.group, held, u32::saturating_sub);
                if now <= end {
                    self.release(now, end, task.group, &grant);
                    self.freed |= now < end;
                } else {
                    // It outlived its estimate, so others could not have what they were promised.
                    self.plan = None;
                }
            }
        }
        self.shadow = None;
        self.vacant.push(ticket);
    }

    /// Lets a waiting job ask something else, without losing its place.
    pub(crate) fn change(&mut self, ticket: Ticket, asked: P::Demand, seconds: Second) {
        let Some(Slot::Waiting { task, arrival, .. }) = self.slots.get_mut(ticket.index()) else {
            return;
        };
        let key = (Reverse(task.priority), *arrival);
        let size = self.pool.size(&asked);
        task.demand = asked;
        task.estimate_seconds = seconds;
        if let Some(at) = self.queue.find(key) {
            self.queue.remove(at);
            self.queue.insert(key, Waiting { ticket, size, estimate_seconds: seconds });
        }
        self.forget();
    }

    /// Gives every waiting job another priority; says whether anybody's turn changed.
    pub(crate) fn reorder(&mut self, priority: impl Fn(Ticket) -> i64) -> bool {
        let fresh = !self.fresh.is_empty();
        self.enqueue();
        let slots = &mut self.slots;
        let moved = self.queue.rekey(|(_, arrival), job| {
            let priority = priority(job.ticket);
            if let Some(Slot::Waiting { task, .. }) = slots.get_mut(job.ticket.index()) {
                task.priority = priority;
            }
            (Reverse(priority), arrival)
        });
        if moved || fresh || self.policy == Policy::Conservative {
            self.forget();
        }
        moved
    }

    /// The job that is last in order, with its priority and its arrival.
    pub(crate) fn last(&self) -> Option<(Ticket, i64, u64)> {
        let fresh = self.fresh.iter().max_by_key(|(key, _)| *key);
        let queued = self.queue.last().and_then(|key| self.queue.get(self.queue.find(key)?));
        let queued = queued.map(|(_, key, job)| (key, job.ticket));
        let last = fresh.map(|(key, job)| (*key, job.ticket)).into_iter().chain(queued).max()?;
        Some((last.1, last.0.0.0, last.0.1))
    }

    /// Changes the pool itself, as when a node fails; all promises are made anew.
    pub fn amend(&mut self, change: impl FnOnce(&mut P)) {
        change(&mut self.pool);
        self.forget();
    }

    /// Starts what may start at `now` and adds it to `started`, in order of starting.
    pub fn pass(&mut self, now: Second, started: &mut Vec<Ticket>) {
        self.pass_through(now, &mut (), started);
    }

    /// As [`pass`](Core::pass), where `gate` has a say; jobs it did not admit must be removed
    /// before the next pass.
    pub(crate) fn pass_through(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) {
        self.turn_holds(now);
        match self.policy {
            Policy::Fcfs => self.start_in_order(now, gate, started),
            Policy::Easy => self.backfill(now, gate, started),
            Policy::Conservative => self.keep_promises(now, gate, started),
        }
    }

    /// Starts what is first in order, and lets nobody pass.
    pub(crate) fn pass_in_order(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) {
        self.turn_holds(now);
        self.start_in_order(now, gate, started);
        self.forget();
    }

    pub(crate) fn forget(&mut self) {
        self.plan = None;
        self.shadow = None;
    }

    fn admit(&mut self, slot: Slot<P>) -> Ticket {
        if let Some(ticket) = self.vacant.pop()
            && let Some(vacant) = self.slots.get_mut(ticket.index())
        {
            *vacant = slot;
            return ticket;
        }
        let ticket = Ticket::new(self.slots.len());
        self.slots.push(slot);
        ticket
    }

    pub(crate) fn task(&self, ticket: Ticket) -> Option<&Task<P::Demand>> {
        match self.slots.get(ticket.index()) {
            Some(Slot::Waiting { task, .. } | Slot::Running { task, .. }) => Some(task),
            _ => None,
        }
    }
}
