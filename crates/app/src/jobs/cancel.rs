//! Cancelling.

use ::jobs::life::Event;
use store::jobs as records;
use units::JobId;

use super::{Changes, Job, scopes};
use crate::audit::Entry;
use crate::{Action, Actor, App, Error};

impl App {
    /// Asks for the end of a job, or of every element of an array. A job that has ended, or whose
    /// end was asked for before, stays as it is.
    ///
    /// # Errors
    /// When there is no such job that the actor may see, or they may not cancel it.
    pub async fn cancel_job(&self, actor: &Actor, id: JobId) -> Result<Vec<Job>, Error> {
        let tx = self.store().write().await?;
        let named = records::named(&tx, id).await?;
        if named.is_empty() {
            actor.may_with(Action::CancelJob, Action::ViewJob, "job", &[])?;
            return Err(Error::NotFound("job"));
        }
        let mut changes = Changes::default();
        let mut jobs = Vec::with_capacity(named.len());
        for id in named {
            let Some(mut job) = records::take(&tx, id).await? else { continue };
            actor.may_with(Action::CancelJob, Action::ViewJob, "job", &scopes(&job))?;
            let event = Event::CancelAsked(self.now());
            let moved = self.advance(&tx, &mut job, event, &mut changes).await?;
            if moved.is_ok() {
                let entry = Entry {
                    action: "job.cancel",
                    object: &format!("job:{id}"),
                    rule: "cancel-job",
                    detail: &format!("{} ({})", job.name, job.life.state.name()),
                };
                self.audit(&tx, actor, entry).await?;
            }
            jobs.push(job);
        }
        self.close(tx, actor, changes).await?;
        Ok(jobs)
    }
}
