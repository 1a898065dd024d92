//! Preemption: jobs of some classes make room for jobs of others.

use std::cmp::Reverse;

use super::jobs::Stage;
use super::spec::WhenPreempted;
use super::{Outcome, System};
use crate::{Pool, Second, Ticket};

/// A job that had to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preempted {
    /// The job; if it is cancelled, its ticket is gone.
    pub ticket: Ticket,
    /// What has become of it.
    pub then: WhenPreempted,
}

impl<P: Pool> System<P> {
    /// Lets jobs before the core that may preempt others do so, in order.
    pub(super) fn preempt(&mut self, now: Second, lane: usize, outcome: &mut Outcome) {
        if self.rules.qos.iter().all(|qos| qos.preempts.is_empty()) {
            return;
        }
        let Some(found) = self.lanes.get(lane) else { return };
        let waiting = found.core.waiting().filter_map(|(seat, _)| found.holder(seat));
        for ticket in waiting.collect::<Vec<_>>() {
            let Some((victims, grant)) = self.room_for(now, lane, ticket) else { continue };
            for victim in victims {
                self.make_room(now, victim, outcome);
            }
            self.start_at_once(now, ticket, grant, outcome);
        }
    }

    /// The jobs that must make room for `ticket`, as few as can be and those of the lowest class
    /// and the latest start first, and what it is then given.
    fn room_for(
        &self,
        now: Second,
        lane: usize,
        ticket: Ticket,
    ) -> Option<(Vec<Ticket>, P::Grant)> {
        let (job, class) = self.jobs.with_class(ticket)?;
        let preempts = &self.rules.qos.get(class.alike.qos)?.preempts;
        let core = &self.lanes.get(lane)?.core;
        let seconds = job.estimate_seconds;
        let barred = self.rules.tallies.blocks(&class.chain, &class.alike.tres, seconds).is_some();
        // What must be out of the way of a coming hold is not worth another job's work.
        if preempts.is_empty()
            || barred
            || core.view(now.saturating_add(seconds)).is_some()
            || core.pool().place(&job.demand).is_some()
        {
            return None;
        }
        let mut victims: Vec<_> = core
            .running()
            .filter_map(|(seat, _)| {
                let victim = self.lanes.get(lane)?.holder(seat)?;
                let (running, class) = self.jobs.with_class(victim)?;
                let Stage::Running { started, .. } = running.stage else { return None };
                let qos = self.rules.qos.get(class.alike.qos)?;
                let turn = (qos.priority, Reverse(started), victim);
                let may = started < now && preempts.contains(&class.alike.qos);
                may.then_some((turn, core.grant(seat)?))
            })
            .collect();
        victims.sort_unstable_by_key(|(turn, _)| *turn);
        let mut pool = core.pool().clone();
        let enough = victims.iter().position(|(_, grant)| {
            pool.give(grant);
            pool.place(&job.demand).is_some()
        })?;
        victims.truncate(enough + 1);
        victims.retain(|(_, grant)| {
            pool.take(grant);
            let needed = pool.place(&job.demand).is_none();
            if needed {
                pool.give(grant);
            }
            needed
        });
        let grant = pool.place(&job.demand)?;
        Some((victims.into_iter().map(|((.., victim), _)| victim).collect(), grant))
    }

    fn make_room(&mut self, now: Second, victim: Ticket, outcome: &mut Outcome) {
        let Some((_, class)) = self.jobs.with_class(victim) else { return };
        let then = self.rules.qos.get(class.alike.qos).map(|qos| qos.when_preempted);
        let then = then.unwrap_or_default();
        match then {
            WhenPreempted::Requeue => self.requeue(now, victim),
            WhenPreempted::Cancel => self.end(now, victim),
        }
        outcome.preempted.push(Preempted { ticket: victim, then });
    }

    fn start_at_once(
        &mut self,
        now: Second,
        ticket: Ticket,
        grant: P::Grant,
        outcome: &mut Outcome,
    ) {
        let Some((job, class)) = self.jobs.with_class(ticket) else { return };
        let (Stage::Front(seat), seconds) = (job.stage, job.estimate_seconds) else { return };
        self.rules.tallies.started(&class.chain, &class.alike.tres, seconds);
        if let Some(lane) = self.lanes.get_mut(class.alike.lane) {
            lane.core.start_at_once(now, seat, grant);
            lane.front -= 1;
        }
        if let Some(job) = self.jobs.get_mut(ticket) {
            job.stage = Stage::Running { seat, started: now };
        }
        self.count_started(now, vec![ticket], outcome);
    }
}
