//! Starting jobs in the order of the queue.

use std::cmp::Reverse;

use crate::core::{Core, Key, Slot};
use crate::gate::Gate;
use crate::waiting::Waiting;
use crate::{Pool, Second, Ticket};

impl<P: Pool> Core<P> {
    /// Puts what has arrived into the queue.
    pub(crate) fn enqueue(&mut self) {
        for (key, job) in self.fresh.drain(..) {
            self.queue.insert(key, job);
        }
    }

    pub(crate) fn start_in_order(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) {
        if self.queue.len() == 0 && self.caps.is_empty() {
            self.start_fresh(now, gate, started);
        }
        self.enqueue();
        self.promise_groups();
        while let Some((at, _, head)) = self.head(now) {
            if !gate.admits(head.ticket) {
                self.queue.remove(at);
                continue;
            }
            let Some(grant) = self.place(now, &head) else { return };
            self.queue.remove(at);
            self.start(now, head.ticket, grant);
            gate.started(head.ticket);
            started.push(head.ticket);
        }
    }

    /// Starts, in order, what has just arrived, before a queue that is empty.
    fn start_fresh(&mut self, now: Second, gate: &mut impl Gate, started: &mut Vec<Ticket>) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable_by_key(|(key, _)| *key);
        let mut held_up = false;
        fresh.retain(|(_, job)| {
            if held_up {
                return true;
            }
            if !gate.admits(job.ticket) {
                return false;
            }
            let Some(grant) = self.place(now, job) else {
                held_up = true;
                return true;
            };
            self.start(now, job.ticket, grant);
            gate.started(job.ticket);
            started.push(job.ticket);
            false
        });
        self.fresh = fresh;
    }

    fn place(&self, now: Second, job: &Waiting) -> Option<P::Grant> {
        if job.size > self.pool.room() {
            return None;
        }
        let demand = &self.task(job.ticket)?.demand;
        match self.view(now.saturating_add(job.estimate_seconds)) {
            None => self.pool.place(demand),
            Some(view) => self.pool.place_within(&view, demand),
        }
    }

    /// Starts a waiting job with `grant`, whatever stands before it.
    pub(crate) fn start_at_once(&mut self, now: Second, ticket: Ticket, grant: P::Grant) {
        if let Some(Slot::Waiting { task, arrival, .. }) = self.slots.get(ticket.index()) {
            let key = (Reverse(task.priority), *arrival);
            self.leave_queue(key, ticket);
            self.start(now, ticket, grant);
            self.forget();
        }
    }

    pub(crate) fn leave_queue(&mut self, key: Key, ticket: Ticket) {
        match self.queue.find(key) {
            Some(at) => self.queue.remove(at),
            None => self.fresh.retain(|(_, job)| job.ticket != ticket),
        }
        self.withdraw_promise(key);
    }

    /// Lets a job run that has left the queue.
    pub(crate) fn start(&mut self, now: Second, ticket: Ticket, grant: P::Grant) {
        let Some(Slot::Waiting { task, .. }) = self.slots.get(ticket.index()) else { return };
        let end = now.saturating_add(task.estimate_seconds);
        let group = task.group;
        let held = self.pool.held(&grant);
        self.pool.take(&grant);
        self.count_in_views(now, end, &grant);
        self.running.insert((end, ticket), held);
        if let Some(slot) = self.slots.get_mut(ticket.index())
            && let Slot::Waiting { task, .. } = std::mem::replace(slot, Slot::Free)
        {
            *slot = Slot::Running { task, grant, end };
        }
        self.count(group, held, u32::saturating_add);
        self.promise_group(group);
    }
}
