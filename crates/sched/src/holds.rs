//! Holds: what of the pool is out of use between two instants known before, as for maintenance.
//!
//! No job starts that would still run in a hold. What it may use instead is kept as a *view*: what
//! will be free when the hold begins, beside it, if every job runs as long as it may.

use crate::core::{Core, Slot};
use crate::easy::Shadow;
use crate::plan::Plan as _;
use crate::waiting::Waiting;
use crate::{Pool, Second};

/// Part of a pool that is out of use from one instant to another.
#[derive(Clone, Debug)]
pub(crate) struct Hold<G> {
    from: Second,
    until: Second,
    grant: G,
    begun: bool,
}

impl<G> Hold<G> {
    const fn covers(&self, at: Second) -> bool {
        self.from <= at && at < self.until
    }

    /// Lets a plan of a pool as it is at `now` mind the hold.
    pub(crate) fn reserve<P: Pool<Grant = G>>(&self, now: Second, plan: &mut P::Plan) {
        if self.begun {
            plan.reopen(self.until, &self.grant);
        } else {
            plan.close(self.from.max(now), self.until, &self.grant);
        }
    }
}

/// What jobs that run past `from` may use.
#[derive(Clone, Debug)]
pub(crate) struct View<P> {
    from: Second,
    pool: P,
}

impl<P: Pool> Core<P> {
    /// Keeps `grant` out of use from `from` until `until`; what runs there by then goes on.
    pub fn hold(&mut self, from: Second, until: Second, grant: P::Grant) {
        if from < until {
            self.holds.push(Hold { from, until, grant, begun: false });
            self.holds.sort_by_key(|hold| hold.from);
            self.forget();
        }
    }

    /// The next instant after `now` at which a hold begins or ends.
    pub fn next_hold(&self, now: Second) -> Option<Second> {
        let turns = self.holds.iter().flat_map(|hold| [hold.from, hold.until]);
        turns.filter(|at| *at > now && *at < Second::MAX).min()
    }

    /// When the next hold begins or ends, if holds alone keep such a job from the room there is: it
    /// would run into one, or what it needs is out of use.
    pub(crate) fn held_back_until(
        &self,
        now: Second,
        seconds: Second,
        demand: &P::Demand,
    ) -> Option<Second> {
        let mut open = self.pool.clone();
        for hold in self.holds.iter().filter(|hold| hold.begun) {
            open.open(&hold.grant);
        }
        open.place(demand)?;
        let view = self.view(now.saturating_add(seconds));
        let fits = view.map_or_else(
            || self.pool.place(demand).is_some(),
            |view| self.pool.place_within(&view, demand).is_some(),
        );
        self.next_hold(now).filter(|_| !fits)
    }

    /// Whether any hold begins or ends at `now`, or has since the last pass.
    pub(crate) fn has_hold_due(&self, now: Second) -> bool {
        self.holds.iter().any(|hold| hold.until <= now || (hold.from <= now && !hold.begun))
    }

    /// Lets holds begin and end that are due, and looks at those to come.
    pub(crate) fn turn_holds(&mut self, now: Second) {
        if self.holds.is_empty() {
            return;
        }
        let mut turned = false;
        for hold in &mut self.holds {
            if hold.covers(now) && !hold.begun {
                self.pool.close(&hold.grant);
                (hold.begun, turned) = (true, true);
            }
            if hold.until <= now && hold.begun {
                self.pool.open(&hold.grant);
                turned = true;
            }
        }
        self.holds.retain(|hold| hold.until > now);
        if turned {
            self.forget();
        }
        self.views = self.coming_views(now);
    }

    /// One view for each hold to come.
    fn coming_views(&self, now: Second) -> Vec<View<P>> {
        let coming = self.holds.iter().filter(|hold| hold.from > now);
        coming.map(|hold| View { from: hold.from, pool: self.at(hold.from) }).collect()
    }

    /// The pool as it will be at `at` if every job runs as long as it may and none starts.
    fn at(&self, at: Second) -> P {
        let mut pool = self.pool.clone();
        for (_, ticket) in self.running.iter().map(|(key, _)| *key).take_while(|key| key.0 <= at) {
            if let Some(grant) = self.grant(ticket) {
                pool.give(grant);
            }
        }
        for hold in &self.holds {
            match (hold.begun, hold.covers(at)) {
                (false, true) => pool.close(&hold.grant),
                (true, false) => pool.open(&hold.grant),
                (true, true) | (false, false) => {}
            }
        }
        pool
    }

    /// What a job that ends at `end` may use, if that may be less than what is free.
    pub(crate) fn view(&self, end: Second) -> Option<P> {
        let views = self.views.iter().filter(|view| view.from < end);
        views.map(|view| &view.pool).fold(None, |all: Option<P>, pool| {
            Some(all.map_or_else(|| pool.clone(), |all| all.meet(pool)))
        })
    }

    /// Lets a job that holds `grant` from `start` to `end` count in the views.
    pub(crate) fn count_in_views(&mut self, start: Second, end: Second, grant: &P::Grant) {
        for view in self.views.iter_mut().filter(|view| start < view.from && view.from < end) {
            view.pool.take(grant);
        }
    }

    /// When the first job of the queue can start at the latest, beside holds.
    pub(crate) fn find_shadow_beside_holds(
        &self,
        now: Second,
        head: &Waiting,
    ) -> Option<Shadow<P>> {
        let Some(Slot::Waiting { task, .. }) = self.slots.get(head.ticket.index()) else {
            return None;
        };
        let ends = self.running.iter().map(|(&(end, _), _)| end);
        let mut instants: Vec<Second> =
            ends.chain(self.holds.iter().map(|hold| hold.until)).filter(|at| *at > now).collect();
        instants.sort_unstable();
        instants.dedup();
        let uncapped = self.uncapped_from(head);
        instants.into_iter().filter(|at| *at >= uncapped).find_map(|start| {
            let mut spare = self.at(start);
            spare.place(&task.demand)?;
            let end = start.saturating_add(task.estimate_seconds);
            let coming = self.holds.iter().filter(|hold| hold.from > start && hold.from < end);
            let within = coming.fold(spare.clone(), |pool, hold| pool.meet(&self.at(hold.from)));
            let grant = within.place_apart(&self.pool, &task.demand)?;
            spare.take(&grant);
            let promised = Some((grant, end));
            Some(Shadow { start, under_caps: self.spares_of(head, start), spare, promised })
        })
    }
}
