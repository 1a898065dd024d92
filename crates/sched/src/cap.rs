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
    /// [`Pool::size`]; a job that alone asks more never starts. What the caps of all others leave
    /// is a floor for a group without one.
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
        let (_, first) = self.queue.iter().find(|(_, job)| self.group_of(job) == cap.group)?;
        let mut free = cap.size_max.saturating_sub(cap.held);
        if first.size <= free {
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
                free = free.saturating_add(*held);
                let enough = free.checked_sub(first.size);
                promise = enough.map(|spare| Promise { start: end, spare }).or(promise);
            }
        }
        Some(promise.unwrap_or(nobody))
    }

    fn group_of(&self, job: &Waiting) -> u32 {
        self.task(job.ticket).map_or(0, |task| task.group)
    }

    /// The first job that no cap holds back.
    pub(crate) fn head(&self, now: Second) -> Option<(At, Key, Waiting)> {
        let first = self.queue.first()?;
        if self.caps.is_empty() {
            return Some(first);
        }
        let any = |stretch: &Shortest| !stretch.is_none();
        let at = self.queue.search(first.0, any, |job| self.is_uncapped(now, job, 0))?;
        self.queue.get(at)
    }

    /// Whether the job may start as far as its group's cap goes, which must leave `kept`, and
    /// without delaying the first of its group.
    pub(crate) fn is_uncapped(&self, now: Second, job: &Waiting, kept: u32) -> bool {
        if self.caps.is_empty() {
            return true;
        }
        let group = self.group_of(job);
        let Some(cap) = self.caps.iter().find(|cap| cap.group == group) else { return true };
        let asked = job.size.saturating_add(kept);
        let fits = cap.held.saturating_add(asked) <= cap.size_max;
        let passes = cap.promise.is_none_or(|promise| {
            now.saturating_add(job.estimate_seconds) <= promise.start || job.size <= promise.spare
        });
        fits && passes
    }

    /// What the cap of the job's group must leave to the first of the queue, if that is of it.
    pub(crate) fn kept_for(&self, head: &Waiting, job: &Waiting) -> u32 {
        let same = !self.caps.is_empty() && self.group_of(head) == self.group_of(job);
        if same { head.size } else { 0 }
    }
}
