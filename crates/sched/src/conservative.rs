//! Conservative backfill: every waiting job holds a promise, and no job is started that would
//! break one.
//!
//! A promise is made on arrival, at the earliest instant that the plan allows, and it is only ever
//! bettered: when capacity comes free early, the jobs that can start at once do so, in the order
//! of the queue. All promises are made anew only when the plan itself was wrong: a job outlives
//! its estimate, or the pool changes.

use crate::core::{Core, Key, Slot};
use crate::plan::Timeline;
use crate::{Pool, Second, Ticket};

impl<P: Pool> Core<P> {
    /// The plan as it stands, made anew if need be.
    pub(crate) fn plan(&mut self, now: Second) -> &mut Timeline<P> {
        if self.plan.is_none() {
            let plan = self.replan(now);
            self.plan = Some(plan);
        }
        self.plan.get_or_insert_with(|| Timeline::new(now, self.pool.clone()))
    }

    /// A plan of what runs, and of what waits in the order of the queue.
    fn replan(&mut self, now: Second) -> Timeline<P> {
        let mut plan = Timeline::new(now, self.pool.clone());
        for (&(end, ticket), _) in self.running.iter() {
            if let Some(Slot::Running { grant, .. }) = self.slots.get(ticket.index()) {
                plan.release(end.max(now.saturating_add(1)), Second::MAX, grant);
            }
        }
        for (_, job) in self.queue.iter() {
            let slot = self.slots.get_mut(job.ticket.index());
            if let Some(Slot::Waiting { task, promise, .. }) = slot {
                *promise = plan.promise(now, task);
            }
        }
        plan
    }

    pub(crate) fn keep_promises(&mut self, now: Second, started: &mut Vec<Ticket>) {
        if self.running().next().is_some_and(|(_, end)| end <= now) {
            self.plan = None;
        }
        self.plan(now).advance(now);
        while self.start_promised(now, started) {}
    }

    /// Starts, in order, what is promised for now or can be brought forward; says whether anything
    /// was brought forward, for that leaves a gap that others may use.
    fn start_promised(&mut self, now: Second, started: &mut Vec<Ticket>) -> bool {
        let mut moved = false;
        let jobs: Vec<(Key, Ticket)> =
            self.queue.iter().map(|(key, job)| (*key, job.ticket)).collect();
        for (key, ticket) in jobs {
            let Some(at) = self.queue.find(key) else { continue };
            let Some(Slot::Waiting { task, promise: Some((start, grant)), .. }) =
                self.slots.get(ticket.index())
            else {
                continue;
            };
            let (start, grant, seconds) = (*start, grant.clone(), task.estimate_seconds);
            if start <= now {
                self.queue.remove(at);
                self.start(now, ticket, grant);
                started.push(ticket);
                continue;
            }
            let Some(plan) = &mut self.plan else { return false };
            plan.release(start, start.saturating_add(seconds), &grant);
            match plan.fits(now, seconds, &task.demand) {
                Some(earlier) => {
                    plan.reserve(now, now.saturating_add(seconds), &earlier);
                    self.queue.remove(at);
                    self.start(now, ticket, earlier);
                    started.push(ticket);
                    moved = true;
                }
                None => plan.reserve(start, start.saturating_add(seconds), &grant),
            }
        }
        moved
    }
}
