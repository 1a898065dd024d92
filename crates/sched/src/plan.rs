//! What will be free when, if every job runs as long as it may: the plan behind promises.

use std::fmt::Debug;

use crate::{Pool, Second};

/// What is free of a pool at every instant to come.
pub trait Plan<P: Pool>: Clone + Debug {
    /// `pool` is free from `now` on.
    fn new(now: Second, pool: P) -> Self;

    /// Forgets what lies before `now`; says whether more may be free from now on than was at some
    /// instant forgotten.
    fn advance(&mut self, now: Second) -> bool;

    /// The first instant, not before `from`, at which `demand` fits for `seconds` on end.
    fn earliest(
        &self,
        from: Second,
        seconds: Second,
        demand: &P::Demand,
    ) -> Option<(Second, P::Grant)>;

    /// Where `demand` fits from `start` on for `seconds`, if it does.
    fn fits(&self, start: Second, seconds: Second, demand: &P::Demand) -> Option<P::Grant>;

    /// Takes `grant` from `start` up to `end`.
    fn reserve(&mut self, start: Second, end: Second, grant: &P::Grant);

    /// Gives `grant` back from `start` up to `end`.
    fn release(&mut self, start: Second, end: Second, grant: &P::Grant);

    /// Closes what `grant` names from `start` up to `end`.
    fn close(&mut self, start: Second, end: Second, grant: &P::Grant);

    /// Opens what `grant` names, which is closed now, from `start` on.
    fn reopen(&mut self, start: Second, grant: &P::Grant);

    /// Until when, from `from` on, the room stays at least `size`; `from` if it is not.
    fn room_until(&self, from: Second, size: u32) -> Second;

    /// [`room_until`](Plan::room_until) for each of `sizes`, which ascend.
    fn rooms_until<const N: usize>(&self, from: Second, sizes: [u32; N]) -> [Second; N] {
        sizes.map(|size| self.room_until(from, size))
    }
}

/// A step function of time: from each instant on, what is free until the next.
#[derive(Clone, Debug)]
pub struct Timeline<P> {
    /// In order of time and never empty; the last step lasts for ever.
    steps: Vec<(Second, P)>,
}

impl<P: Pool> Timeline<P> {
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

impl<P: Pool> Plan<P> for Timeline<P> {
    fn new(now: Second, pool: P) -> Self {
        Self { steps: vec![(now, pool)] }
    }

    fn advance(&mut self, now: Second) -> bool {
        let past = self.steps.iter().skip(1).take_while(|(at, _)| *at <= now).count();
        self.steps.drain(..past);
        past > 0
    }

    fn earliest(
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

    fn fits(&self, start: Second, seconds: Second, demand: &P::Demand) -> Option<P::Grant> {
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

    fn reserve(&mut self, start: Second, end: Second, grant: &P::Grant) {
        self.between(start, end, |pool| pool.take(grant));
    }

    fn release(&mut self, start: Second, end: Second, grant: &P::Grant) {
        self.between(start, end, |pool| pool.give(grant));
    }

    fn close(&mut self, start: Second, end: Second, grant: &P::Grant) {
        self.between(start, end, |pool| pool.close(grant));
    }

    fn reopen(&mut self, start: Second, grant: &P::Grant) {
        self.between(start, Second::MAX, |pool| pool.open(grant));
    }

    fn room_until(&self, from: Second, size: u32) -> Second {
        let first = self.steps.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let mut coming = self.steps.iter().skip(first);
        let short = coming.find(|(_, pool)| pool.room() < size);
        short.map_or(Second::MAX, |(at, _)| (*at).max(from))
    }
}
