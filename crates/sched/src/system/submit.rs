//! Taking jobs in.

use super::System;
use super::class::Alike;
use super::jobs::{Job, Stage};
use super::rules::billed;
use super::spec::{Refused, Submission};
use crate::priority::Asked;
use crate::{Pool, Second, Ticket, Tres};

impl<P: Pool> System<P> {
    /// Takes in a job; it starts at the next [`pass`](System::pass) at the earliest.
    ///
    /// # Errors
    /// When it asks for what is not there, or a limit forbids it for good.
    pub fn submit(&mut self, now: Second, asked: Submission<P::Demand>) -> Result<Ticket, Refused> {
        self.advance(now);
        let class = self.class_of(&asked)?;
        let arrival = self.arrivals;
        self.arrivals += 1;
        let ticket = self.jobs.add(Job {
            class,
            demand: asked.demand,
            estimate_seconds: asked.estimate_seconds,
            arrival,
            since: now,
            deferral: asked.deferral,
            stage: Stage::Backlog,
        });
        if let Some(class) = self.jobs.classes.get(class) {
            self.rules.tallies.submitted(&class.chain);
        }
        self.jobs.waiting += 1;
        self.enqueue(now, ticket);
        Ok(ticket)
    }

    /// The class of a job that is submitted, provided that it may be.
    fn class_of(&mut self, asked: &Submission<P::Demand>) -> Result<usize, Refused> {
        let lane = self.lanes.get(asked.partition).ok_or(Refused::UnknownPartition)?;
        let qos = self.rules.qos.get(asked.qos).ok_or(Refused::UnknownQos)?;
        if self.rules.accounts.user_at(asked.association).is_none() {
            return Err(Refused::UnknownUser);
        }
        let pool = lane.core.pool();
        let tres = billed(pool.tres(&asked.demand), &lane.billing_milli);
        let tallies = &mut self.rules.tallies;
        let exceeded =
            tallies.exceeded_by_one(asked.association, qos, &tres, asked.estimate_seconds);
        if let Some(cause) = exceeded {
            return Err(Refused::Limit(cause));
        }
        let chain = tallies.chain(
            &self.rules.accounts,
            asked.association,
            (asked.qos, qos),
            asked.throttle,
        );
        if let Some(cause) = tallies.full(&chain) {
            return Err(Refused::Limit(cause));
        }
        let metered = tallies.is_metered(&chain);
        let alike = Alike {
            association: asked.association,
            lane: asked.partition,
            qos: asked.qos,
            tres,
            points: asked.priority.saturating_sub(asked.nice),
            throttle: asked.throttle,
            metered_seconds: if metered { asked.estimate_seconds } else { 0 },
        };
        let known = self.jobs.classes.find(&alike);
        let fits = known.and_then(|id| self.jobs.classes.get(id)?.fits.as_ref());
        if fits != Some(&asked.demand) && !pool.could_place(&asked.demand) {
            return Err(Refused::NeverFits);
        }
        let id = known.unwrap_or_else(|| {
            let points = self.lasting_points(&alike);
            self.jobs.classes.add(alike, points, chain)
        });
        if let Some(class) = self.jobs.classes.get_mut(id) {
            class.fits = Some(asked.demand.clone());
        }
        Ok(id)
    }

    fn lasting_points(&self, alike: &Alike) -> i64 {
        let partitions = || self.lanes.iter().take(self.partitions);
        let lane = self.lanes.get(alike.lane);
        let zero = Tres::all(0);
        self.rules.lasting_points(&Asked {
            tres: alike.tres,
            partition: lane.map_or(zero, |lane| billed(lane.whole, &lane.billing_milli)),
            machine: partitions().fold(zero, |sum, lane| sum.zip(lane.whole, |a, b| a + b)),
            partition_factor: (
                lane.map_or(0, |lane| lane.priority_factor),
                partitions().map(|lane| lane.priority_factor).max().unwrap_or_default(),
            ),
            qos_priority: (
                self.rules.qos.get(alike.qos).map_or(0, |qos| qos.priority),
                self.rules.qos.iter().map(|qos| qos.priority).max().unwrap_or_default(),
            ),
            nice: alike.points.saturating_neg(),
        })
    }
}
