//! Caps: how much the running jobs of some groups may hold together.
//!
//! A cap is a machine within the machine. The first waiting job that a cap holds back is promised
//! the instant at which enough of those it counts must have ended, and others that it counts pass
//! only where they do not delay that, so none starves. A job may count against several caps; they
//! must all have room for it, and it is promised the instant at which they have. Under
//! conservative backfill every job has such a promise: [`rooms`](crate::rooms).

use crate::blocks::{At, Summary as _};
use crate::core::{Core, Key, Slot};
use crate::profile::Profile;
use crate::waiting::{Shortest, Waiting};
use crate::{Policy, Pool, Second, Ticket};

/// What some groups may hold together.
#[derive(Clone, Debug)]
pub(crate) struct Cap {
    number: u32,
    /// Whether the jobs of a group count, by its number.
    groups: Vec<bool>,
    pub(crate) size_max: u32,
    pub(crate) held: u32,
    promise: Option<Promise>,
    /// Under [`Policy::Conservative`], what of it is free from when on.
    pub(crate) plan: Option<Profile>,
}

/// What is promised to the first job that a cap holds back.
#[derive(Clone, Copy, Debug)]
struct Promise {
    start: Second,
    /// What those it counts may hold from then on, besides that job.
    spare: u32,
}

impl Cap {
    /// Whether jobs of the group count against it.
    pub(crate) fn counts(&self, group: u32) -> bool {
        usize::try_from(group).is_ok_and(|group| self.groups.get(group) == Some(&true))
    }

    /// What a job of this size counts for: one that alone asks more, for all of it.
    pub(crate) fn charge(&self, size: u32) -> u32 {
        size.min(self.size_max)
    }

    /// Whether it has room for a job of this size now.
    pub(crate) fn fits(&self, size: u32) -> bool {
        self.held.saturating_add(self.charge(size)) <= self.size_max
    }

    /// Whether the job delays nobody to whom a start was promised.
    fn lets_pass(&self, now: Second, job: &Waiting) -> bool {
        self.promise.is_none_or(|promise| {
            now.saturating_add(job.estimate_seconds) <= promise.start
                || self.charge(job.size) <= promise.spare
        })
    }
}

impl<P: Pool> Core<P> {
    /// Lets the running jobs of `groups` hold no more than `size_max` together, in the units of
    /// [`Pool::size`]; a job that alone asks more counts as all of it, and so runs once no other
    /// does. What the caps of all others leave is a floor for a group without one. A cap that has
    /// the number of an earlier one takes its place; promises are made anew.
    pub fn cap(&mut self, number: u32, groups: impl IntoIterator<Item = u32>, size_max: u32) {
        let mut counted = Vec::new();
        for group in groups.into_iter().filter_map(|group| usize::try_from(group).ok()) {
            if group >= counted.len() {
                counted.resize(group + 1, false);
            }
            if let Some(counted) = counted.get_mut(group) {
                *counted = true;
            }
        }
        let mut cap = Cap { number, groups: counted, size_max, held: 0, promise: None, plan: None };
        let held = self.running.iter().filter_map(|(&(_, ticket), &held)| {
            self.task(ticket).filter(|task| cap.counts(task.group)).map(|_| cap.charge(held))
        });
        cap.held = held.fold(0, u32::saturating_add);
        self.caps.retain(|other| other.number != number);
        self.caps.push(cap);
        self.forget();
    }

    /// Counts, or discounts, what a job of a group holds.
    pub(crate) fn count(&mut self, group: u32, held: u32, change: impl Fn(u32, u32) -> u32) {
        for cap in self.caps.iter_mut().filter(|cap| cap.counts(group)) {
            cap.held = change(cap.held, cap.charge(held));
        }
    }

    /// Makes the promises under caps anew, where not every job has one.
    pub(crate) fn promise_groups(&mut self) {
        if self.policy() == Policy::Conservative {
            return;
        }
        for index in 0..self.caps.len() {
            let promise = self.caps.get(index).and_then(|cap| self.promise_under(cap));
            if let Some(cap) = self.caps.get_mut(index) {
                cap.promise = promise;
            }
        }
    }

    /// Makes them anew once a job of the group has started.
    pub(crate) fn promise_group(&mut self, group: u32) {
        if self.caps.iter().any(|cap| cap.counts(group)) {
            self.promise_groups();
        }
    }

    /// What the first job that `cap` binds is promised, if that or another cap holds it back.
    fn promise_under(&self, cap: &Cap) -> Option<Promise> {
        let (_, first) = self.queue.iter().find(|(_, job)| cap.counts(self.group_of(job)))?;
        if self.caps_of(first).all(|cap| cap.fits(first.size)) {
            return None;
        }
        let nobody = Promise { start: Second::MIN, spare: 0 };
        if self.policy() == Policy::Fcfs {
            return Some(nobody);
        }
        let spare = |cap: &Cap| {
            i64::from(cap.size_max) - i64::from(cap.held) - i64::from(cap.charge(first.size))
        };
        let mut spares: Vec<(&Cap, i64)> =
            self.caps_of(first).map(|cap| (cap, spare(cap))).collect();
        let mut promise: Option<Promise> = None;
        for (&(end, ticket), held) in self.running.iter() {
            if promise.is_some_and(|promise| promise.start < end) {
                break;
            }
            let group = self.task(ticket).map_or(0, |task| task.group);
            for (cap, spare) in spares.iter_mut().filter(|(cap, _)| cap.counts(group)) {
                *spare += i64::from(cap.charge(*held));
            }
            if spares.iter().all(|(_, spare)| *spare >= 0) {
                let here = spares.iter().find(|(other, _)| other.number == cap.number);
                let spare = here.and_then(|(_, spare)| u32::try_from(*spare).ok()).unwrap_or(0);
                promise = Some(Promise { start: end, spare });
            }
        }
        Some(promise.unwrap_or(nobody))
    }

    /// The caps that the job counts against.
    pub(crate) fn caps_of<'a>(&'a self, job: &'a Waiting) -> impl Iterator<Item = &'a Cap> {
        self.caps.iter().filter(|cap| cap.counts(self.group_of(job)))
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
        if self.policy() != Policy::Fcfs {
            return Some(first).filter(|(_, _, job)| self.is_uncapped(now, job));
        }
        let any = |stretch: &Shortest| !stretch.is_none();
        let at = self.queue.search(first.0, any, |job| self.is_uncapped(now, job))?;
        self.queue.get(at)
    }

    /// Whether the job may start as far as caps go, without delaying the first under any of them.
    pub(crate) fn is_uncapped(&self, now: Second, job: &Waiting) -> bool {
        self.caps_of(job).all(|cap| cap.fits(job.size) && cap.lets_pass(now, job))
    }

    /// How many waiting jobs their caps keep back.
    pub(crate) fn kept_back(&self, now: Second) -> usize {
        if self.caps.is_empty() {
            return 0;
        }
        self.waiting().filter(|(ticket, _)| !self.is_within_caps(now, *ticket)).count()
    }

    /// Whether caps would let a waiting job start now.
    pub(crate) fn is_within_caps(&self, now: Second, ticket: Ticket) -> bool {
        let Some(Slot::Waiting { task, promise, .. }) = self.slots.get(ticket.index()) else {
            return true;
        };
        let (size, estimate_seconds) = (self.pool.size(&task.demand), task.estimate_seconds);
        let job = Waiting { ticket, size, estimate_seconds };
        if self.policy() != Policy::Conservative {
            return self.is_uncapped(now, &job);
        }
        // What it is promised it has itself.
        let own = promise.as_ref().map_or(Second::MAX, |(start, _)| start.saturating_sub(now));
        self.caps_have_room(now, &job, estimate_seconds.min(own))
    }

    /// From when on caps let the job start, if it is the first of the queue.
    pub(crate) fn uncapped_from(&self, job: &Waiting) -> Second {
        let promises = self.caps_of(job).filter_map(|cap| cap.promise);
        promises.map(|promise| promise.start).max().unwrap_or(Second::MIN)
    }

    /// What may be held besides `head` at `start`, under each of its caps.
    pub(crate) fn spares_of(&self, head: &Waiting, start: Second) -> Vec<Spare> {
        let spare = |cap: &Cap| {
            let beyond = self.running.iter().filter_map(|(&(end, ticket), &held)| {
                let counts = self.task(ticket).is_some_and(|task| cap.counts(task.group));
                (counts && end > start).then_some(cap.charge(held))
            });
            let held = beyond.fold(cap.charge(head.size), u32::saturating_add);
            Spare { cap: cap.number, size: cap.size_max.saturating_sub(held) }
        };
        self.caps_of(head).map(spare).collect()
    }

    /// Whether the job may start beside the promise to the first, as far as caps go; `short` says
    /// that it will have ended by then.
    pub(crate) fn may_pass(
        &self,
        now: Second,
        job: &Waiting,
        spares: &[Spare],
        short: bool,
    ) -> bool {
        self.caps.is_empty()
            || self.caps_of(job).all(|cap| {
                let beside = spares.iter().find(|spare| spare.cap == cap.number);
                cap.fits(job.size)
                    && match beside {
                        Some(spare) => short || cap.charge(job.size) <= spare.size,
                        None => cap.lets_pass(now, job),
                    }
            })
    }

    /// Counts a job that passes the first and is not short.
    pub(crate) fn count_long(&self, job: &Waiting, spares: &mut [Spare]) {
        for cap in self.caps_of(job) {
            for spare in spares.iter_mut().filter(|spare| spare.cap == cap.number) {
                spare.size = spare.size.saturating_sub(cap.charge(job.size));
            }
        }
    }
}

/// What a cap of the first job leaves to others when that starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spare {
    cap: u32,
    size: u32,
}
