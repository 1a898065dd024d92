//! Caps: how much the running jobs of a group may hold together.
//!
//! A cap is a machine within the machine. The first waiting job of a group that its cap holds back
//! is promised the instant at which enough of its group must have ended, and others of the group
//! pass it only where they do not delay that, so none starves.

use crate::blocks::{At, Summary as _};
use crate::core::{Core, Key};
use crate::waiting::{Shortest, Waiting};
use crate::{Policy, Pool, Second};

/// The cap of one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    group: u32,
    size_max: u32,
    held: u32,
    promise: Option<Promise>,
}

/// What is promised to the first job of a group that its cap holds back.
#[derive(Clone, Copy, Debug)]
struct Promise {
    start: Second,
    /// What the group may hold from then on, besides that job.
    spare: u32,
}

impl<P: Pool> Core<P> {
    /// Lets the running jobs of `group` hold no more than `size_max` together, in the units of
    /// [`Pool::size`]; a job that alone asks more is not held to it, for it would never start. What
    /// the caps of all others leave is a floor for a group without one.
    ///
    /// Promises to all jobs cannot be kept beside caps: they count under [`Policy::Fcfs`] and
    /// [`Policy::Easy`] only.
    pub fn cap(&mut self, group: u32, size_max: u32) {
        let held = self.running.iter().filter_map(|(&(_, ticket), &held)| {
            self.task(ticket).filter(|task| task.group == group).map(|_| held)
        });
        let held = held.sum();
        self.caps.retain(|cap| cap.group != group);
        self.caps.push(Cap { group, size_max, held, promise: None });
        self.forget();
    }

    /// Changes what a group holds.
    pub(crate) fn count(&mut self, group: u32, change: impl FnOnce(u32) -> u32) {
        if let Some(cap) = self.caps.iter_mut().find(|cap| cap.group == group) {
            cap.held = change(cap.held);
        }
    }

    /// Makes the promise to every group anew.
    pub(crate) fn promise_groups(&mut self) {
        for index in 0..self.caps.len() {
            if let Some(group) = self.caps.get(index).map(|cap| cap.group) {
                self.promise_group(group);
            }
        }
    }

    /// Makes the promise to a group anew, if its cap holds back its first job.
    pub(crate) fn promise_group(&mut self, group: u32) {
        let Some(cap) = self.caps.iter().find(|cap| cap.group == group).copied() else { return };
        let promise = self.group_promise(&cap);
        for cap in self.caps.iter_mut().filter(|cap| cap.group == group) {
            cap.promise = promise;
        }
    }

    fn group_promise(&self, cap: &Cap) -> Option<Promise> {
        let (_, first) = self.queue.iter().find(|(_, job)| self.is_held_to(cap, job))?;
        let needed = i64::from(first.size);
        let mut free = i64::from(cap.size_max) - i64::from(cap.held);
        if needed <= free {
            return None;
        }
        let nobody = Promise { start: Second::MIN, spare: 0 };
        if self.policy() == Policy::Fcfs {
            return Some(nobody);
        }
        let mut promise: Option<Promise> = None;
        for (&(end, ticket), held) in self.running.iter() {
            if promise.is_some_and(|promise| promise.start < end) {
                break;
            }
            if self.task(ticket).is_some_and(|task| task.group == cap.group) {
                free += i64::from(*held);
                let enough = u32::try_from(free - needed).ok();
                promise = enough.map(|spare| Promise { start: end, spare }).or(promise);
            }
        }
        Some(promise.unwrap_or(nobody))
    }

    fn is_held_to(&self, cap: &Cap, job: &Waiting) -> bool {
        job.size <= cap.size_max && self.group_of(job) == cap.group
    }

    fn cap_of(&self, job: &Waiting) -> Option<&Cap> {
        self.caps.iter().find(|cap| self.is_held_to(cap, job))
    }

    fn group_of(&self, job: &Waiting) -> u32 {
        self.task(job.ticket).map_or(0, |task| task.group)
    }

    /// The job that is next in order: the first, or where promises are not made, the first that no
    /// cap holds back.
    pub(crate) fn head(&self, now: Second) -> Option<(At, Key, Waiting)> {
        let first = self.queue.first()?;
        if self.caps.is_empty() {
            return Some(first);
        }
        if self.policy() == Policy::Easy {
            return Some(first).filter(|(_, _, job)| self.is_uncapped(now, job));
        }
        let any = |stretch: &Shortest| !stretch.is_none();
        let at = self.queue.search(first.0, any, |job| self.is_uncapped(now, job))?;
        self.queue.get(at)
    }

    /// Whether the job may start as far as its group's cap goes, without delaying the first of its
    /// group.
    fn is_uncapped(&self, now: Second, job: &Waiting) -> bool {
        self.cap_of(job).is_none_or(|cap| {
            let fits = cap.held.saturating_add(job.size) <= cap.size_max;
            let passes = cap.promise.is_none_or(|promise| {
                now.saturating_add(job.estimate_seconds) <= promise.start
                    || job.size <= promise.spare
            });
            fits && passes
        })
    }

    /// From when on the cap of the job's group lets it start, if it is the first of its group.
    pub(crate) fn uncapped_from(&self, job: &Waiting) -> Second {
        let promise = self.cap_of(job).and_then(|cap| cap.promise);
        promise.map_or(Second::MIN, |promise| promise.start)
    }

    /// What the group of `head` may hold besides it at `start`, if it has a cap.
    pub(crate) fn lane_of(&self, head: &Waiting, start: Second) -> Option<Lane> {
        let cap = self.cap_of(head)?;
        let beyond = self.running.iter().filter_map(|(&(end, ticket), &held)| {
            let of_group = self.task(ticket).is_some_and(|task| task.group == cap.group);
            (of_group && end > start).then_some(held)
        });
        let held = beyond.fold(head.size, u32::saturating_add);
        Some(Lane { group: cap.group, spare: cap.size_max.saturating_sub(held) })
    }

    /// Whether the job may start beside the promise to the first, as far as caps go; `short` says
    /// that it will have ended by then.
    pub(crate) fn may_pass(
        &self,
        now: Second,
        job: &Waiting,
        lane: Option<&Lane>,
        short: bool,
    ) -> bool {
        if self.caps.is_empty() {
            return true;
        }
        match (lane, self.cap_of(job)) {
            (Some(lane), Some(cap)) if lane.group == cap.group => {
                let fits = cap.held.saturating_add(job.size) <= cap.size_max;
                fits && (short || job.size <= lane.spare)
            }
            _ => self.is_uncapped(now, job),
        }
    }

    /// Counts a job that passes the first and is not short.
    pub(crate) fn count_long(&self, job: &Waiting, lane: &mut Lane) {
        if self.cap_of(job).is_some_and(|cap| cap.group == lane.group) {
            lane.spare = lane.spare.saturating_sub(job.size);
        }
    }
}

/// What the cap of the first job's group leaves to others of its group when it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    group: u32,
    spare: u32,
}
