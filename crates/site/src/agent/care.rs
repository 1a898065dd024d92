//! Sees one job through, from its order to the hub's word that it knows the end.

use std::sync::Arc;

use engine::{Ended, Engine, State};
use tokio::sync::watch;
use tokio::task::JoinSet;
use units::{JobId, Timestamp};

use super::journal::Entry;
use super::orders::error_chain;
use super::output::Teller;
use super::table::{Charge, Sight};
use super::{Error, Shared, convert, key, pause_after, staging, tenants};
use crate::protocol::{End, Event, EventBody, StartJob};

/// Sees every job through, each in a task of its own; they end with this.
pub(super) async fn see_to_all<E: Engine>(shared: &Arc<Shared<E>>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(charge) = shared.table.next() => {
                tasks.spawn(see_to(Arc::clone(shared), charge));
            }
            Some(done) = tasks.join_next() => {
                if let Err(error) = done {
                    tracing::error!(%error, "a job is not seen to until the agent starts again");
                }
            }
        }
    }
}

/// Repeats what fails until the job is over; every step may be taken twice.
async fn see_to<E: Engine>(shared: Arc<Shared<E>>, charge: Charge) {
    let job = charge.job;
    let mut care = Care { shared, job, order: charge.order, sight: charge.sight };
    let mut failures = 0;
    while let Err(error) = care.see_through().await {
        tracing::warn!(%job, error = error_chain(&error), "a job cannot be seen to; trying again");
        tokio::time::sleep(pause_after(failures)).await;
        failures += 1;
    }
}

/// Everything needed to see to one job.
struct Care<E> {
    shared: Arc<Shared<E>>,
    job: JobId,
    order: Option<Box<StartJob>>,
    sight: watch::Receiver<Sight>,
}

impl<E: Engine> Care<E> {
    async fn see_through(&mut self) -> Result<(), Error> {
        let mark = self.shared.journal.mark(self.job);
        let Some(order) = self.order.clone().filter(|_| !mark.over) else {
            if !mark.over {
                self.tell_last(cancelled_unbegun(self.shared.now()))?;
            }
            return self.close().await;
        };
        if !mark.accepted && !self.admit(&order).await? {
            return self.close().await;
        }
        let ended = self.follow().await?;
        if ended.started.is_some() {
            staging::store_outputs(&self.shared, &order).await?;
        }
        self.tell("last", ended.ended, convert::ended(&ended))?;
        self.close().await
    }

    /// Gives the job to the engine with its inputs; whether it will run.
    async fn admit(&mut self, order: &StartJob) -> Result<bool, Error> {
        // A job that the engine has may have begun to change its directory.
        if !self.shared.engine.knows(self.job).await?
            && let Some(last_word) = self.stage_and_submit(order).await?
        {
            self.tell_last(last_word)?;
            return Ok(false);
        }
        self.tell("accepted", self.shared.now(), EventBody::Accepted)?;
        Ok(true)
    }

    /// Stages the inputs, which a cancellation cuts short, and submits; what to tell if the job
    /// will never run.
    async fn stage_and_submit(&mut self, order: &StartJob) -> Result<Option<EventBody>, Error> {
        let owner = order.owner.iter().map(|owner| owner.email.clone());
        self.shared.directory.look_up(owner.collect()).await;
        let place = match self.shared.directory.persons().place(order) {
            Ok(place) => place,
            Err(reason) => return Ok(Some(EventBody::Refused { reason })),
        };
        let work = self.shared.engine.prepare(self.job).await?;
        let staged = tokio::select! {
            biased;
            _asked = self.sight.wait_for(|sight| sight.cancel) => {
                return Ok(Some(cancelled_unbegun(self.shared.now())));
            }
            staged = staging::fetch_inputs(&self.shared, order, &work) => staged?,
        };
        if let Err(reason) = staged {
            return Ok(Some(EventBody::Refused { reason }));
        }
        if let Err(reason) = tenants::admitted(&self.shared, &place, &mut self.sight).await {
            return Ok(Some(EventBody::Refused { reason }));
        }
        match self.shared.engine.submit(self.job, &convert::spec(order, place)).await {
            Err(engine::Error::Refused(reason)) => Ok(Some(EventBody::Refused { reason })),
            answer => answer.map(|()| None).map_err(Error::from),
        }
    }

    /// Tells how the job fares until it has ended and everything it wrote is told.
    async fn follow(&mut self) -> Result<Ended, Error> {
        let shared = Arc::clone(&self.shared);
        let mut teller = Teller::new(&shared, self.job);
        loop {
            let Sight { state, cancel } = self.sight.borrow_and_update().clone();
            if cancel && !matches!(state, Some(State::Ended(_))) {
                shared.engine.cancel(self.job).await?;
            }
            match state {
                None | Some(State::Queued) => self.wait().await,
                Some(State::Running { started, nodes, cores, gpus }) => {
                    self.tell_started(started, nodes, cores, gpus)?;
                    teller.tell_new().await?;
                    let pause = tokio::time::sleep(shared.settings.interval);
                    tokio::select! {
                        biased;
                        () = self.wait() => {}
                        () = pause => {}
                    }
                }
                Some(State::Ended(ended)) => {
                    if let Some(started) = ended.started {
                        self.tell_started(started, Vec::new(), Vec::new(), Vec::new())?;
                        teller.tell_rest().await?;
                    }
                    return Ok(ended);
                }
            }
        }
    }

    /// Returns when something is new; the table lives as long as the agent, so it always may be.
    async fn wait(&mut self) {
        let _table_is_there = self.sight.changed().await;
    }

    fn tell_started(
        &self,
        started: Timestamp,
        nodes: Vec<String>,
        cpus: Vec<u32>,
        gpus: Vec<u32>,
    ) -> Result<(), Error> {
        if self.shared.journal.mark(self.job).started {
            return Ok(());
        }
        self.tell("started", started, EventBody::Started { started, nodes, cpus, gpus })
    }

    fn tell_last(&self, body: EventBody) -> Result<(), Error> {
        self.tell("last", self.shared.now(), body)
    }

    fn tell(&self, what: &str, at: Timestamp, body: EventBody) -> Result<(), Error> {
        let event = Event { key: key::event(self.job, what), job: self.job, at, body };
        self.shared
            .journal
            .append(vec![Entry::from(event)])
            .map_err(Error::folder("write its journal"))
    }

    /// Once the hub knows the end, lets go of everything the job left.
    async fn close(&self) -> Result<(), Error> {
        let mut changes = self.shared.journal.departures();
        while !self.shared.journal.is_taken(self.job) {
            changes.heard().await;
        }
        self.shared.engine.clear(self.job).await?;
        self.shared.table.close(self.job).map_err(Error::folder("note that a job is over"))?;
        self.shared.journal.forget(self.job);
        Ok(())
    }
}

/// The end of a job that was cancelled before it began.
fn cancelled_unbegun(ended: Timestamp) -> EventBody {
    EventBody::Ended {
        end: End::Cancelled,
        started: None,
        ended,
        peak_memory_mb: None,
        cpu_milliseconds: None,
    }
}
