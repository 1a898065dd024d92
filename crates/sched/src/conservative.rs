//! Conservative backfill: every waiting job holds a promise, and no job is started that would
//! break one.
//!
//! A promise is made on arrival, at the earliest instant that the plan allows, and it is only ever
//! bettered: when capacity comes free early, the jobs that can start at once do so, in the order
//! of the queue. All promises are made anew only when the plan itself was wrong: a job outlives
//! its estimate, or the pool changes.

use std::cell::Cell;

use crate::blocks::At;
use crate::core::{Core, Key, Slot};
use crate::gate::Gate;
use crate::plan::Plan as _;
use crate::rooms::promise;
use crate::waiting::{Gap, Limits, Waiting};
use crate::{Pool, Second, Task, Ticket};

impl<P: Pool> Core<P> {
    /// Promises a start to a job that arrives.
    pub(crate) fn promise(
        &mut self,
        now: Second,
        task: &Task<P::Demand>,
    ) -> Option<(Second, P::Grant)> {
        let horizon = self.horizon;
        self.plan(now);
        let plan = self.plan.as_mut()?;
        promise((&self.pool, plan), &mut self.caps, (horizon, &[]), now, task)
    }

    /// The plan as it stands, made anew if need be.
    fn plan(&mut self, now: Second) -> &mut P::Plan {
        let plan = self.plan.take().unwrap_or_else(|| {
            self.freed = true;
            self.replan(now)
        });
        self.plan.insert(plan)
    }

    /// A plan of what runs, and of what waits in the order of the queue.
    fn replan(&mut self, now: Second) -> P::Plan {
        let mut plan = P::Plan::new(now, self.pool.clone());
        for (&(end, ticket), _) in self.running.iter() {
            if let Some(Slot::Running { grant, .. }) = self.slots.get(ticket.index()) {
                plan.release(end.max(now.saturating_add(1)), Second::MAX, grant);
            }
        }
        for hold in &self.holds {
            hold.reserve::<P>(now, &mut plan);
        }
        self.ends = self.groups_of_ends(now);
        self.plan_caps(now);
        self.promises = crate::blocks::Blocks::new();
        self.origin = now;
        let queued = self.queue.iter().map(|(key, job)| (Some(*key), job));
        for (key, job) in queued.chain(self.fresh.iter().map(|(_, job)| (None, job))) {
            let slot = self.slots.get_mut(job.ticket.index());
            if let Some(Slot::Waiting { task, promise: promised, .. }) = slot {
                let pool = (&self.pool, &mut plan);
                let ends = (self.horizon, self.ends.as_slice());
                *promised = promise(pool, &mut self.caps, ends, now, task);
                if let (Some(key), Some((start, _))) = (key, promised) {
                    let estimate_seconds = start.saturating_sub(now);
                    self.promises.insert(key, Waiting { estimate_seconds, ..*job });
                }
            }
        }
        plan
    }

    /// When groups of jobs that end close together are expected to have ended: each group spans
    /// twice what the one before does.
    fn groups_of_ends(&self, now: Second) -> Vec<Second> {
        let mut within = self.horizon.ends_within_seconds;
        if within == 0 {
            return Vec::new();
        }
        let mut groups: Vec<(Second, Second)> = Vec::new();
        for (&(end, _), _) in self.running.iter() {
            let end = end.max(now.saturating_add(1));
            match groups.last_mut() {
                Some((first, last)) if end <= first.saturating_add(within) => *last = end,
                Some(_) => {
                    within = within.saturating_mul(2);
                    groups.push((end, end));
                }
                None => groups.push((end, end)),
            }
        }
        groups.into_iter().map(|(_, last)| last).collect()
    }

    pub(crate) fn keep_promises(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) {
        if self.horizon.whole_nodes {
            self.enqueue();
            self.forget();
        }
        if self.running().next().is_some_and(|(_, end)| end <= now) {
            self.plan = None;
        }
        let grown = self.plan(now).advance(now);
        let grown = self.advance_caps(now) || grown;
        let due = self.next_promise().is_some_and(|start| start <= now);
        if self.freed || grown || due {
            self.enqueue_promised();
            while self.start_promised(now, gate, started) {}
            self.freed = false;
        } else {
            self.start_due(now, gate, started);
        }
    }

    /// Puts what has arrived into the queue, with what it was promised.
    fn enqueue_promised(&mut self) {
        for (key, job) in &self.fresh {
            if let Some(Slot::Waiting { promise: Some((start, _)), .. }) =
                self.slots.get(job.ticket.index())
            {
                let estimate_seconds = start.saturating_sub(self.origin);
                self.promises.insert(*key, Waiting { estimate_seconds, ..*job });
            }
        }
        self.enqueue();
    }

    /// Starts, in order, those that were promised on arrival to start at once: where nothing has
    /// come free since the last pass, nobody else can.
    fn start_due(&mut self, now: Second, gate: &mut impl Gate, started: &mut Vec<Ticket>) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable_by_key(|(key, _)| *key);
        fresh.retain(|(_, job)| {
            let Some(Slot::Waiting { promise: Some((start, grant)), .. }) =
                self.slots.get(job.ticket.index())
            else {
                return true;
            };
            if *start > now || !gate.admits(job.ticket) {
                return true;
            }
            let grant = grant.clone();
            self.start(now, job.ticket, grant);
            gate.started(job.ticket);
            started.push(job.ticket);
            false
        });
        self.fresh = fresh;
        self.enqueue_promised();
    }

    /// Starts, in order, what is promised for now or can be brought forward; says whether that
    /// leaves a gap that others may use.
    fn start_promised(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) -> bool {
        let mut opened: Option<Second> = None;
        let mut from = Place { queued: At::START, promised: At::START };
        while let Some((ticket, place)) = self.next_movable(now, from) {
            from = Place { queued: place.queued.next(), ..place };
            let Some(Slot::Waiting { task, promise: Some((start, grant)), .. }) =
                self.slots.get(ticket.index())
            else {
                continue;
            };
            from.promised = place.promised.next();
            if !gate.admits(ticket) {
                continue;
            }
            let (start, mut grant, seconds) = (*start, grant.clone(), task.estimate_seconds);
            let (group, demand) = (task.group, task.demand.clone());
            if start > now {
                // It was made just now, and cannot be bettered.
                if self.horizon.whole_nodes {
                    continue;
                }
                let end = start.saturating_add(seconds);
                self.release(start, end, group, &grant);
                let earlier = self.plan.as_ref().and_then(|it| it.fits(now, seconds, &demand));
                let Some(earlier) = earlier else {
                    self.reserve(start, end, group, &grant);
                    continue;
                };
                self.reserve(now, now.saturating_add(seconds), group, &earlier);
                grant = earlier;
                let gap = start.max(now.saturating_add(seconds));
                opened = Some(opened.map_or(gap, |opened| opened.min(gap)));
            }
            self.queue.remove(place.queued);
            self.promises.remove(place.promised);
            from = place;
            self.start(now, ticket, grant);
            gate.started(ticket);
            started.push(ticket);
        }
        opened.is_some_and(|from| self.has_room_until(now, from))
    }

    /// Whether the smallest job that waits might have room from now until after `until`.
    fn has_room_until(&self, now: Second, until: Second) -> bool {
        let smallest = self.queue.summary().smallest();
        let plan = self.plan.as_ref().zip(smallest);
        plan.is_some_and(|(plan, smallest)| plan.room_until(now, smallest) > until)
    }

    /// The first promised start of any waiting job.
    pub(crate) fn next_promise(&self) -> Option<Second> {
        let seconds = self.promises.summary().least()?;
        Some(self.origin.saturating_add(seconds))
    }

    pub(crate) fn withdraw_promise(&mut self, key: Key) {
        if let Some(at) = self.promises.find(key) {
            self.promises.remove(at);
        }
    }

    /// The first job, at or after `from` in the queue, for which there is room from now on until
    /// it must end or its own promise begins; what it holds by that it needs not find free.
    fn next_movable(&self, now: Second, from: Place) -> Option<(Ticket, Place)> {
        let any = Gap { room: self.pool.room(), seconds: Second::MAX, spare: 0 };
        let plan = self.plan.as_ref().filter(|_| any.may()(&self.queue.summary()))?;
        let until =
            |size, least| plan.room_until(now.saturating_add(least), size).saturating_sub(now);
        let smallest = self.queue.summary().smallest()?;
        let limits = plan.rooms_until(now, Limits::sizes(smallest));
        let limits = Limits::new(limits.map(|until| until.saturating_sub(now)));
        let since = now.saturating_sub(self.origin);
        let starts_within = limits.since_earlier(since);
        // Neighbours in the queue are often of one size.
        let last = Cell::new((0, Second::MAX));
        let takes = |job: &Waiting, seconds: Second| {
            if last.get().0 != job.size {
                let room_until = match limits.exactly(job.size) {
                    Some(seconds) => seconds,
                    None => until(job.size, limits.least(job.size)),
                };
                last.set((job.size, room_until));
            }
            seconds <= last.get().1 && self.caps_have_room(now, job, seconds)
        };
        let ends = |job: &Waiting| limits.takes(job) && takes(job, job.estimate_seconds);
        let begins =
            |job: &Waiting| starts_within.takes(job) && takes(job, job.estimate_seconds - since);
        let by_end = self.queue.search(from.queued, limits.may(), ends);
        let by_start = self.promises.search(from.promised, starts_within.may(), begins);
        let by_end = by_end.and_then(|at| self.queue.get(at));
        let by_start = by_start.and_then(|at| self.promises.get(at));
        match (by_end, by_start) {
            (Some((queued, key, job)), by_start)
                if by_start.is_none_or(|(_, other, _)| key <= other) =>
            {
                Some((job.ticket, Place { queued, promised: self.promises.at_or_after(key) }))
            }
            (_, by_start) => {
                let (promised, key, job) = by_start?;
                Some((job.ticket, Place { queued: self.queue.at_or_after(key), promised }))
            }
        }
    }
}

/// Where a job stands among those that wait, and among those that hold promises.
#[derive(Clone, Copy, Debug)]
struct Place {
    queued: At,
    promised: At,
}
