//! Reservations, maintenance windows, and nodes that fail.
//!
//! A reservation is a partition with opening hours: what it sets aside is held from everybody else,
//! and jobs that name it run there and nowhere else. Maintenance is a reservation for nobody.

use super::System;
use super::jobs::Stage;
use super::lane::Lane;
use super::spec::{PoolSpec, Reservation};
use crate::{Core, Nodes, Pool, Second, Ticket};

impl<P: Pool> System<P> {
    /// Sets part of a partition aside; jobs are submitted to it by the number returned, in place of
    /// a partition's. What already runs there when it begins goes on. `None` if there is no such
    /// partition.
    pub fn reserve(&mut self, reservation: Reservation<P::Grant>) -> Option<usize> {
        let Reservation { partition, grant, from, until } = reservation;
        let parent = self.lanes.get_mut(partition)?;
        let pool = parent.core.pool().only(&grant);
        let spec = PoolSpec {
            pool: pool.clone(),
            policy: parent.core.policy(),
            priority_factor: parent.priority_factor,
            billing_milli: parent.billing_milli,
        };
        let horizon = parent.core.horizon;
        parent.core.hold(from, until, grant.clone());
        parent.changed = true;
        let mut core = Core::new(pool, spec.policy);
        core.horizon = horizon;
        core.hold(Second::MIN, from, grant.clone());
        core.hold(until, Second::MAX, grant);
        self.lanes.push(Lane::new(core, &spec, partition));
        Some(self.lanes.len() - 1)
    }
}

impl System<Nodes> {
    /// Lets a node of a partition be used, or not; what runs there goes on.
    pub fn set_up(&mut self, partition: usize, node: usize, up: bool) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.partition == partition) {
            lane.core.amend(|pool| pool.set_up(node, up));
            lane.changed = true;
        }
    }

    /// The jobs that run on a node of a partition, in the order of their tickets.
    pub fn jobs_on(&self, partition: usize, node: usize) -> Vec<Ticket> {
        let on_it = self.jobs.iter().filter_map(|(ticket, job)| {
            let class = self.jobs.classes.get(job.class)?;
            let lane = self.lanes.get(class.alike.lane)?;
            let Stage::Running { seat, .. } = job.stage else { return None };
            let grant = lane.core.grant(seat)?;
            let hit = lane.partition == partition && grant.iter().any(|(at, _)| *at == node);
            hit.then_some(ticket)
        });
        on_it.collect()
    }

    /// A node fails: it goes down, and the jobs on it wait again; returns those.
    pub fn fail(&mut self, now: Second, partition: usize, node: usize) -> Vec<Ticket> {
        self.set_up(partition, node, false);
        let hit = self.jobs_on(partition, node);
        for ticket in &hit {
            self.requeue(now, *ticket);
        }
        hit
    }
}
