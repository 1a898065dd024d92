//! The jobs of a system, waiting and running.

use super::class::{Class, ClassId, Classes, Turn};
use crate::{Deferral, Second, Ticket};

#[derive(Clone, Debug)]
pub(super) struct Job<D> {
    pub(super) class: ClassId,
    pub(super) demand: D,
    pub(super) estimate_seconds: Second,
    pub(super) arrival: u64,
    /// Since when it may start.
    pub(super) since: Second,
    pub(super) deferral: Option<Deferral>,
    pub(super) stage: Stage,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for the signal, until then.
    Deferred(Second),
    /// It waits in its class.
    Backlog,
    /// It waits before the core.
    Front(Ticket),
    /// It has run since `started`.
    Running { seat: Ticket, started: Second },
}

impl<D> Job<D> {
    /// Its turn within its class.
    pub(super) const fn turn(&self, ticket: Ticket) -> Turn {
        Turn { since: self.since, arrival: self.arrival, ticket }
    }
}

/// All jobs, and the classes they are in.
#[derive(Clone, Debug)]
pub(super) struct Jobs<D> {
    all: Vec<Option<Job<D>>>,
    vacant: Vec<Ticket>,
    pub(super) classes: Classes<D>,
    pub(super) waiting: usize,
}

impl<D> Jobs<D> {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), vacant: Vec::new(), classes: Classes::new(), waiting: 0 }
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Job<D>> {
        self.all.get(ticket.index())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Job<D>> {
        self.all.get_mut(ticket.index())?.as_mut()
    }

    /// The job that `seat` stands for, and its class.
    pub(super) fn held_by(
        &self,
        holders: &[Ticket],
        seat: Ticket,
    ) -> Option<(Ticket, &Job<D>, &Class<D>)> {
        let ticket = *holders.get(seat.index())?;
        let job = self.get(ticket)?;
        Some((ticket, job, self.classes.get(job.class)?))
    }

    /// A job and its class.
    pub(super) fn with_class(&self, ticket: Ticket) -> Option<(&Job<D>, &Class<D>)> {
        let job = self.get(ticket)?;
        Some((job, self.classes.get(job.class)?))
    }

    pub(super) fn add(&mut self, job: Job<D>) -> Ticket {
        if let Some(class) = self.classes.get_mut(job.class) {
            class.jobs += 1;
        }
        if let Some(ticket) = self.vacant.pop()
            && let Some(place) = self.all.get_mut(ticket.index())
        {
            *place = Some(job);
            return ticket;
        }
        self.all.push(Some(job));
        Ticket::new(self.all.len() - 1)
    }

    /// Forgets a job.
    pub(super) fn drop(&mut self, ticket: Ticket) {
        if let Some(job) = self.all.get_mut(ticket.index()).and_then(Option::take) {
            self.classes.leave(job.class);
            self.vacant.push(ticket);
        }
    }

    /// Every job with its ticket.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Ticket, &Job<D>)> {
        let all = self.all.iter().enumerate();
        all.filter_map(|(index, job)| Some((Ticket::new(index), job.as_ref()?)))
    }
}
