//! The algorithm: a queue in order of priority, the jobs that run, and one pass over both.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::plan::Timeline;
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
}

/// A job within one [`Core`]; numbers of jobs that are gone are given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u32);

impl Ticket {
    /// A small number, below the greatest number of jobs that were in the core at once.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

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
    pub(crate) policy: Policy,
    pub(crate) pool: P,
    pub(crate) slots: Vec<Slot<P>>,
    vacant: Vec<Ticket>,
    pub(crate) queue: BTreeMap<Key, Ticket>,
    /// By the instant at which each must have ended.
    pub(crate) running: BTreeMap<(Second, Ticket), ()>,
    pub(crate) plan: Option<Timeline<P>>,
    arrivals: u64,
}

impl<P: Pool> Core<P> {
    /// Nobody waits and all of `pool` is free.
    pub const fn new(pool: P, policy: Policy) -> Self {
        Self {
            policy,
            pool,
            slots: Vec::new(),
            vacant: Vec::new(),
            queue: BTreeMap::new(),
            running: BTreeMap::new(),
            plan: None,
            arrivals: 0,
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

    /// What the job holds, if it runs.
    pub fn grant(&self, ticket: Ticket) -> Option<&P::Grant> {
        match self.slots.get(ticket.index()) {
            Some(Slot::Running { grant, .. }) => Some(grant),
            _ => None,
        }
    }

    /// The jobs that wait, first to last.
    pub fn waiting(&self) -> impl Iterator<Item = (Ticket, &Task<P::Demand>)> {
        self.queue.values().filter_map(|ticket| match self.slots.get(ticket.index()) {
            Some(Slot::Waiting { task, .. }) => Some((*ticket, task)),
            _ => None,
        })
    }

    /// The jobs that run and when they must have ended, in that order.
    pub fn running(&self) -> impl Iterator<Item = (Ticket, Second)> {
        self.running.keys().map(|(end, ticket)| (*ticket, *end))
    }

    /// Takes in a job; it starts at the next [`pass`](Core::pass) at the earliest.
    pub fn submit(&mut self, now: Second, mut task: Task<P::Demand>) -> Ticket {
        let arrival = self.arrivals;
        self.arrivals += 1;
        let mut promise = None;
        if self.policy == Policy::Conservative {
            task.estimate_seconds = task.estimate_seconds.max(1);
            promise = self.plan(now).promise(now, &task);
        }
        let key = (Reverse(task.priority), arrival);
        let ticket = self.admit(Slot::Waiting { task, arrival, promise });
        self.queue.insert(key, ticket);
        ticket
    }

    /// Takes in a job that has run since `started` and holds `grant`.
    pub fn adopt(&mut self, started: Second, task: Task<P::Demand>, grant: P::Grant) -> Ticket {
        self.pool.take(&grant);
        let end = started.saturating_add(task.estimate_seconds);
        let ticket = self.admit(Slot::Running { task, grant, end });
        self.running.insert((end, ticket), ());
        self.plan = None;
        ticket
    }

    /// The job has ended, or is taken out of the queue; a ticket that is gone is ignored.
    pub fn remove(&mut self, now: Second, ticket: Ticket) {
        let Some(slot) = self.slots.get_mut(ticket.index()) else { return };
        match std::mem::replace(slot, Slot::Free) {
            Slot::Free => return,
            Slot::Waiting { task, arrival, promise } => {
                self.queue.remove(&(Reverse(task.priority), arrival));
                if let (Some(plan), Some((start, grant))) = (&mut self.plan, promise) {
                    plan.release(start, start.saturating_add(task.estimate_seconds), &grant);
                }
            }
            Slot::Running { grant, end, .. } => {
                self.running.remove(&(end, ticket));
                self.pool.give(&grant);
                if let Some(plan) = &mut self.plan {
                    plan.release(now, end, &grant);
                }
            }
        }
        self.vacant.push(ticket);
    }

    /// Lets a waiting job ask something else, without losing its place.
    pub(crate) fn change(&mut self, ticket: Ticket, asked: P::Demand, seconds: Second) {
        if let Some(Slot::Waiting { task, .. }) = self.slots.get_mut(ticket.index()) {
            task.demand = asked;
            task.estimate_seconds = seconds;
            self.plan = None;
        }
    }

    /// Changes the pool itself, as when a node fails; all promises are made anew.
    pub fn amend(&mut self, change: impl FnOnce(&mut P)) {
        change(&mut self.pool);
        self.plan = None;
    }

    /// Starts what may start at `now` and adds it to `started`, in order of starting.
    pub fn pass(&mut self, now: Second, started: &mut Vec<Ticket>) {
        match self.policy {
            Policy::Fcfs => self.start_in_order(now, started),
            Policy::Easy => self.backfill(now, started),
            Policy::Conservative => self.keep_promises(now, started),
        }
    }

    /// The instant that the first waiting job is promised, and what stays free from then on.
    pub fn shadow(&self) -> Option<(Second, P)> {
        let (_, head) = self.waiting().next()?;
        let mut pool = self.pool.clone();
        let mut ends = self.running().peekable();
        while let Some((ticket, end)) = ends.next() {
            self.grant(ticket).inspect(|grant| pool.give(grant));
            if ends.peek().is_some_and(|(_, next)| *next == end) {
                continue;
            }
            if let Some(grant) = pool.place(&head.demand) {
                pool.take(&grant);
                return Some((end, pool));
            }
        }
        None
    }

    fn admit(&mut self, slot: Slot<P>) -> Ticket {
        if let Some(ticket) = self.vacant.pop()
            && let Some(vacant) = self.slots.get_mut(ticket.index())
        {
            *vacant = slot;
            return ticket;
        }
        let ticket = Ticket(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push(slot);
        ticket
    }

    fn start_in_order(&mut self, now: Second, started: &mut Vec<Ticket>) {
        while let Some((&key, &ticket)) = self.queue.first_key_value() {
            let Some(grant) = self.task(ticket).and_then(|task| self.pool.place(&task.demand))
            else {
                return;
            };
            self.start(now, key, grant);
            started.push(ticket);
        }
    }

    fn backfill(&mut self, now: Second, started: &mut Vec<Ticket>) {
        self.start_in_order(now, started);
        let Some((shadow, mut spare)) = self.shadow() else { return };
        let keys: Vec<(Key, Ticket)> =
            self.queue.iter().skip(1).map(|(key, ticket)| (*key, *ticket)).collect();
        for (key, ticket) in keys {
            let Some(task) = self.task(ticket) else { continue };
            if now.saturating_add(task.estimate_seconds) <= shadow {
                if let Some(grant) = self.pool.place(&task.demand) {
                    self.start(now, key, grant);
                    started.push(ticket);
                }
            } else if let Some(grant) = self.pool.place_within(&spare, &task.demand) {
                spare.take(&grant);
                self.start(now, key, grant);
                started.push(ticket);
            }
        }
    }

    pub(crate) fn task(&self, ticket: Ticket) -> Option<&Task<P::Demand>> {
        match self.slots.get(ticket.index()) {
            Some(Slot::Waiting { task, .. } | Slot::Running { task, .. }) => Some(task),
            _ => None,
        }
    }

    pub(crate) fn start(&mut self, now: Second, key: Key, grant: P::Grant) {
        let Some(ticket) = self.queue.remove(&key) else { return };
        let Some(slot) = self.slots.get_mut(ticket.index()) else { return };
        if let Slot::Waiting { task, .. } = std::mem::replace(slot, Slot::Free) {
            let end = now.saturating_add(task.estimate_seconds);
            self.pool.take(&grant);
            *slot = Slot::Running { task, grant, end };
            self.running.insert((end, ticket), ());
        }
    }
}
