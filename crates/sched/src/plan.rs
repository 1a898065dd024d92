//! What will be free when, if every job runs as long as it may: the plan behind reservations.

use crate::{Pool, Second, Task};

/// A step function of time: from each instant on, what is free until the next.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<P> {
    /// In order of time and never empty; the last step lasts for ever.
    steps: Vec<(Second, P)>,
}

impl<P: Pool> Timeline<P> {
    /// `pool` is free from `now` on.
    pub(crate) fn new(now: Second, pool: P) -> Self {
        Self { steps: vec![(now, pool)] }
    }

    /// Forgets what lies before `now`.
    pub(crate) fn advance(&mut self, now: Second) {
        let past = self.steps.iter().skip(1).take_while(|(at, _)| *at <= now).count();
        self.steps.drain(..past);
        if let Some(first) = self.steps.first_mut() {
            first.0 = first.0.max(now);
        }
    }

    /// The first instant, not before `from`, at which `demand` fits for `seconds` on end.
    pub(crate) fn earliest(
        &self,
        from: Second,
        seconds: Second,
        demand: &P::Demand,
    ) -> Option<(Second, P::Grant)> {
        self.steps.iter().enumerate().find_map(|(index, (at, _))| {
            let ends = self.steps.get(index + 1).map_or(Second::MAX, |(next, _)| *next);
            let start = (*at).max(from);
            if ends <= start {
                return None;
            }
            self.fits(start, seconds, demand).map(|grant| (start, grant))
        })
    }

    /// Where `demand` fits from `start` on for `seconds`, if it does.
    pub(crate) fn fits(
        &self,
        start: Second,
        seconds: Second,
        demand: &P::Demand,
    ) -> Option<P::Grant> {
        let end = start.saturating_add(seconds.max(1));
        let first = self.steps.partition_point(|(at, _)| *at <= start).saturating_sub(1);
        let mut covered = self.steps.iter().skip(first).take_while(|(at, _)| *at < end);
        let mut free = covered.next()?.1.clone();
        free.place(demand)?;
        for (_, pool) in covered {
            free = free.meet(pool);
            free.place(demand)?;
        }
        free.place(demand)
    }

    /// Reserves the first place, not before `from`, in which `task` fits.
    pub(crate) fn promise(
        &mut self,
        from: Second,
        task: &Task<P::Demand>,
    ) -> Option<(Second, P::Grant)> {
        let (start, grant) = self.earliest(from, task.estimate_seconds, &task.demand)?;
        self.reserve(start, start.saturating_add(task.estimate_seconds), &grant);
        Some((start, grant))
    }

    /// Takes `grant` from `start` up to `end`.
    pub(crate) fn reserve(&mut self, start: Second, end: Second, grant: &P::Grant) {
        self.between(start, end, |pool| pool.take(grant));
    }

    /// Gives `grant` back from `start` up to `end`.
    pub(crate) fn release(&mut self, start: Second, end: Second, grant: &P::Grant) {
        self.between(start, end, |pool| pool.give(grant));
    }

    fn between(&mut self, start: Second, end: Second, mut change: impl FnMut(&mut P)) {
        if end <= start {
            return;
        }
        let first = self.split(start);
        let last = self.split(end);
        for (_, pool) in self.steps.iter_mut().take(last).skip(first) {
            change(pool);
        }
    }

    /// The index of the step that begins at `at`, made if need be; instants before the first step
    /// count as its beginning.
    fn split(&mut self, at: Second) -> usize {
        let index = self.steps.partition_point(|(step, _)| *step < at);
        if self.steps.get(index).is_some_and(|(step, _)| *step == at) {
            return index;
        }
        let Some((_, before)) = index.checked_sub(1).and_then(|before| self.steps.get(before))
        else {
            return 0;
        };
        self.steps.insert(index, (at, before.clone()));
        index
    }
}
