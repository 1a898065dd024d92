//! The room under caps to come: what conservative backfill promises beside the plan of the pool.

use crate::cap::Cap;
use crate::core::{Core, Horizon};
use crate::plan::Plan as _;
use crate::waiting::Waiting;
use crate::{Pool, Processors, Profile, Second, Task};

impl Cap {
    /// The first instant, not before `from`, at which such a job has room for `seconds` on end.
    fn earliest(&self, from: Second, seconds: Second, group: u32, size: u32) -> Option<Second> {
        match &self.plan {
            Some(plan) if self.counts(group) => {
                plan.earliest(from, seconds, &self.charge(size)).map(|(start, _)| start)
            }
            _ => Some(from),
        }
    }

    /// Until when, from `now` on, there is room for such a job.
    fn room_until(&self, now: Second, size: u32) -> Second {
        self.plan.as_ref().map_or(Second::MAX, |plan| plan.room_until(now, self.charge(size)))
    }
}

/// The plans of the caps that a group counts against, with what a job of it counts for there.
fn plans(caps: &mut [Cap], group: u32, held: u32) -> impl Iterator<Item = (u32, &mut Profile)> {
    let counting = caps.iter_mut().filter(move |cap| cap.counts(group));
    counting.filter_map(move |cap| Some((cap.charge(held), cap.plan.as_mut()?)))
}

/// Reserves the first place, not before `now`, in which `task` fits, as far as the plan goes and
/// beside all that its caps count.
pub(crate) fn promise<P: Pool>(
    (pool, plan): (&P, &mut P::Plan),
    caps: &mut [Cap],
    (horizon, ends): (Horizon, &[Second]),
    now: Second,
    task: &Task<P::Demand>,
) -> Option<(Second, P::Grant)> {
    let (seconds, size) = (task.estimate_seconds, pool.size(&task.demand));
    let mut from = now;
    loop {
        let (start, grant) = plan.earliest(from, seconds, &task.demand)?;
        let uncapped =
            caps.iter().try_fold(start, |at, cap| cap.earliest(at, seconds, task.group, size))?;
        // What was put off to an instant that can be promised stays there.
        let promised =
            if uncapped == from { from } else { horizon.promised(now, uncapped, ends)? };
        if promised == start {
            let end = start.saturating_add(seconds);
            if horizon.whole_nodes && start > now {
                plan.close(start, end, &grant);
            } else {
                plan.reserve(start, end, &grant);
            }
            for (charge, plan) in plans(caps, task.group, pool.held(&grant)) {
                plan.reserve(start, end, &charge);
            }
            return Some((start, grant));
        }
        from = promised;
    }
}

impl<P: Pool> Core<P> {
    /// Lets caps have a plan of what runs.
    pub(crate) fn plan_caps(&mut self, now: Second) {
        let mut caps = std::mem::take(&mut self.caps);
        for cap in &mut caps {
            let mut plan = Profile::new(now, Processors::new(cap.size_max));
            for (&(end, ticket), held) in self.running.iter() {
                if self.task(ticket).is_some_and(|task| cap.counts(task.group)) {
                    plan.reserve(now, end.max(now.saturating_add(1)), &cap.charge(*held));
                }
            }
            cap.plan = Some(plan);
        }
        self.caps = caps;
    }

    /// Forgets what lies before `now`; says whether more may be free under any cap from now on.
    pub(crate) fn advance_caps(&mut self, now: Second) -> bool {
        let plans = self.caps.iter_mut().filter_map(|cap| cap.plan.as_mut());
        plans.fold(false, |grown, plan| plan.advance(now) | grown)
    }

    /// Gives back what was promised, or is held, from `start` up to `end`.
    pub(crate) fn release(&mut self, start: Second, end: Second, group: u32, grant: &P::Grant) {
        let held = self.pool.held(grant);
        if let Some(plan) = &mut self.plan {
            plan.release(start, end, grant);
            for (charge, plan) in plans(&mut self.caps, group, held) {
                plan.release(start, end, &charge);
            }
        }
    }

    /// Takes what is promised from `start` up to `end`.
    pub(crate) fn reserve(&mut self, start: Second, end: Second, group: u32, grant: &P::Grant) {
        let held = self.pool.held(grant);
        if let Some(plan) = &mut self.plan {
            plan.reserve(start, end, grant);
            for (charge, plan) in plans(&mut self.caps, group, held) {
                plan.reserve(start, end, &charge);
            }
        }
    }

    /// Whether the job's caps have room for it from `now` on for `seconds`, which none of them
    /// keeps for itself.
    pub(crate) fn caps_have_room(&self, now: Second, job: &Waiting, seconds: Second) -> bool {
        seconds <= 0
            || self.caps.is_empty()
            || self.caps_of(job).all(|cap| {
                cap.fits(job.size) && cap.room_until(now, job.size).saturating_sub(now) >= seconds
            })
    }
}
