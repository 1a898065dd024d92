//! EASY backfill: a promise to the first job of the queue, and others beside it.

use crate::blocks::At;
use crate::cap::Spare;
use crate::core::Core;
use crate::gate::Gate;
use crate::waiting::{Gap, Waiting};
use crate::{Pool, Second, Ticket};

/// What the first job of the queue is promised.
#[derive(Clone, Debug)]
pub(crate) struct Shadow<P: Pool> {
    /// When it can start if every job runs as long as it may.
    pub(crate) start: Second,
    /// What may be held besides it then, under each of its caps.
    pub(crate) under_caps: Vec<Spare>,
    /// What is free from then on, besides what it needs.
    pub(crate) spare: P,
    /// What it is to be given and when it must have ended, where holds are to come.
    pub(crate) promised: Option<(P::Grant, Second)>,
}

impl<P: Pool> Core<P> {
    /// The instant that the first waiting job is promised under `Policy::Easy`.
    pub fn promised_start(&self) -> Option<Second> {
        self.find_shadow(Second::MIN).map(|shadow| shadow.start)
    }

    pub(crate) fn backfill(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) {
        if self.caps.is_empty()
            && self.holds.is_empty()
            && self.shadow.is_some()
            && self.backfill_fresh(now, gate, started)
        {
            return;
        }
        self.start_in_order(now, gate, started);
        self.shadow = None;
        let any = Gap { room: self.pool.room(), seconds: Second::MAX, spare: 0 };
        if self.queue.len() < 2 || !any.may()(&self.queue.summary()) {
            return;
        }
        let Some((head, _, _)) = self.queue.first() else { return };
        let mut shadow = self.find_shadow(now).unwrap_or_else(|| self.no_promise());
        self.round(now, &mut shadow);
        if let Some((grant, end)) = &shadow.promised {
            self.count_in_views(shadow.start, *end, grant);
        }
        let mut from = head.next();
        while let Some((at, job, fit)) = self.next_fit(now, from, &shadow, gate) {
            self.queue.remove(at);
            self.start_beside(now, &job, fit, &mut shadow);
            gate.started(job.ticket);
            started.push(job.ticket);
            from = at;
        }
        self.shadow = Some(shadow);
    }

    /// When nothing has ended since the last pass, only what arrived since can start; says whether
    /// the promise to the first job still stood.
    fn backfill_fresh(
        &mut self,
        now: Second,
        gate: &mut impl Gate,
        started: &mut Vec<Ticket>,
    ) -> bool {
        let Some((_, first, _)) = self.queue.first() else { return false };
        if self.fresh.iter().any(|(key, _)| *key < first) {
            return false;
        }
        let Some(mut shadow) = self.shadow.take() else { return false };
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable_by_key(|(key, _)| *key);
        for (key, job) in fresh.drain(..) {
            let gap = self.gap(now, &shadow);
            let fit = self.fit(now, &job, &gap, &shadow);
            match fit.filter(|_| gate.admits(job.ticket)) {
                Some(fit) => {
                    self.start_beside(now, &job, fit, &mut shadow);
                    gate.started(job.ticket);
                    started.push(job.ticket);
                }
                None => self.queue.insert(key, job),
            }
        }
        self.shadow = Some(shadow);
        self.fresh = fresh;
        true
    }

    /// What may be started beside the promise to the first job.
    fn gap(&self, now: Second, shadow: &Shadow<P>) -> Gap {
        let room = self.pool.room();
        let seconds = shadow.start.saturating_sub(now);
        Gap { room, seconds, spare: self.pool.room_within(&shadow.spare) }
    }

    /// The first job at or after `from` that does not delay the first of the queue.
    fn next_fit(
        &self,
        now: Second,
        from: At,
        shadow: &Shadow<P>,
        gate: &mut impl Gate,
    ) -> Option<(At, Waiting, P::Grant)> {
        let gap = self.gap(now, shadow);
        let mut fit = None;
        // Jobs that were submitted together often ask the same, and where one found no place the
        // next finds none.
        let mut unfit: Option<&P::Demand> = None;
        let alike = self.caps.is_empty() && self.views.is_empty();
        let at = self.queue.search(from, gap.may(), |job| {
            let demand = self.task(job.ticket).map(|task| &task.demand);
            let long = job.estimate_seconds > gap.seconds;
            if !gap.takes(job) || (long && alike && unfit.is_some() && unfit == demand) {
                return false;
            }
            fit = self.fit(now, job, &gap, shadow);
            if long && fit.is_none() {
                unfit = demand;
            }
            fit = fit.take().filter(|_| gate.admits(job.ticket));
            fit.is_some()
        })?;
        let (_, _, job) = self.queue.get(at)?;
        Some((at, job, fit?))
    }

    /// Where the job fits without delaying the first, if it does.
    fn fit(&self, now: Second, job: &Waiting, gap: &Gap, shadow: &Shadow<P>) -> Option<P::Grant> {
        if !gap.takes(job) {
            return None;
        }
        let short = job.estimate_seconds <= gap.seconds;
        if !self.may_pass(now, job, &shadow.under_caps, short) {
            return None;
        }
        let demand = &self.task(job.ticket)?.demand;
        match (short, self.view(now.saturating_add(job.estimate_seconds))) {
            (true, None) => self.pool.place_apart(&shadow.spare, demand),
            (true, Some(view)) => self.pool.meet(&view).place_apart(&shadow.spare, demand),
            (false, None) => self.pool.place_within(&shadow.spare, demand),
            (false, Some(view)) => self.pool.place_within(&shadow.spare.meet(&view), demand),
        }
    }

    fn start_beside(&mut self, now: Second, job: &Waiting, fit: P::Grant, shadow: &mut Shadow<P>) {
        if job.estimate_seconds > shadow.start.saturating_sub(now) {
            shadow.spare.take(&fit);
            self.count_long(job, &mut shadow.under_caps);
        }
        self.start(now, job.ticket, fit);
    }

    /// Where nothing can be promised to the first, as while nodes are down, it holds up nobody.
    fn no_promise(&self) -> Shadow<P> {
        Shadow {
            start: Second::MAX,
            under_caps: Vec::new(),
            spare: self.pool.clone(),
            promised: None,
        }
    }

    /// Makes the promise no finer and no further ahead than it may be.
    fn round(&self, now: Second, shadow: &mut Shadow<P>) {
        // What lies too far ahead is as good as no promise: nobody is in the way of it.
        shadow.start = self.horizon.promised(now, shadow.start, &[]).unwrap_or(Second::MAX);
    }

    /// When the first job of the queue can start at the latest, unless it can at once.
    fn find_shadow(&self, now: Second) -> Option<Shadow<P>> {
        let (_, _, head) = self.queue.first()?;
        if !self.holds.is_empty() {
            return self.find_shadow_beside_holds(now, &head);
        }
        let demand = &self.task(head.ticket)?.demand;
        let uncapped = self.uncapped_from(&head);
        let lacking = u64::from(head.size).saturating_sub(u64::from(self.pool.room()));
        let (mut at, mut held) = self.running.reach(lacking.max(1))?;
        let mut given = (Second::MIN, Ticket::MIN);
        let mut spare = self.pool.clone();
        loop {
            let (_, (start, _), _) = self.running.get(at)?;
            let mut last = (at, (start, Ticket::MAX));
            while let Some((place, (end, _), more)) = self.running.get(last.0.next())
                && end == start
            {
                held += u64::from(more);
                last.0 = place;
            }
            let between = self.running.iter().map(|(key, _)| *key);
            let between = between.skip_while(|key| *key <= given).take_while(|key| *key <= last.1);
            spare.give_all(held, between.filter_map(|(_, ticket)| self.grant(ticket)));
            let grant = spare.place_apart(&self.pool, demand).filter(|_| start >= uncapped);
            if let Some(grant) = grant {
                spare.take(&grant);
                return Some(Shadow {
                    start,
                    under_caps: self.spares_of(&head, start),
                    spare,
                    promised: None,
                });
            }
            given = last.1;
            let (place, _, more) = self.running.get(last.0.next())?;
            (at, held) = (place, u64::from(more));
        }
    }
}
