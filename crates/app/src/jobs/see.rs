//! Looking at jobs.

use ::jobs::JobNumber;
use ::jobs::charge::Rate;
use site::protocol::JobSteps;
use store::Tx;
use store::jobs::{self as records, Filter, Input, Output, TrailEntry, Visible};
use units::{JobId, Meter, ProjectId, Timestamp};

use super::{Job, scopes};
use crate::{Action, Actor, App, Error, Scope};

/// The most jobs one page holds.
const PAGE_MAX: u32 = 200;

/// A job with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDetail {
    /// The job.
    pub job: Job,
    /// Its script.
    pub script: String,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// What it writes, and what became of it.
    pub outputs: Vec<Output>,
    /// What its site told, and what came of it.
    pub trail: Vec<TrailEntry>,
    /// How it is charged in each second.
    pub rate: Rate,
    /// Its steps, where its site tells them.
    pub steps: Option<JobSteps>,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those of this project.
    pub project: Option<ProjectId>,
    /// Only the elements of this array.
    pub array: Option<JobId>,
    /// Only those of these numbers; of any when none is named.
    pub numbers: Vec<JobNumber>,
    /// Only those in this state, or all that have not ended ([`super::OPEN`]).
    pub state: Option<&'static str>,
    /// Only those that had not ended before this instant.
    pub since: Option<Timestamp>,
    /// Only those submitted before this one.
    pub before: Option<JobId>,
}

impl App {
    /// Jobs that the actor may see, newest first.
    ///
    /// # Errors
    /// When nobody is signed in, or there is no such project that the actor may see.
    pub async fn jobs(
        &self,
        actor: &Actor,
        filter: JobFilter,
        limit: u32,
    ) -> Result<Vec<Job>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        if let Some(project) = filter.project {
            self.project_for(&tx, actor, (Action::ViewJob, project)).await?;
        }
        let JobFilter { project, array, numbers, state, since, before } = filter;
        let filter = Filter { project, array, numbers, state, since, before };
        Ok(records::page(&tx, &visible(actor), &filter, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// One job, with everything that belongs to it.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn job(&self, actor: &Actor, id: JobId) -> Result<JobDetail, Error> {
        let tx = self.store().read().await?;
        let job = self.visible_job(&tx, actor, id).await?;
        let rule = self.work().rules.find(&job.place.charge_rule, job.submitted_at);
        let rule = rule.map_err(|error| Error::Internal(error.to_string()))?;
        let rate = rule.rate(&job.request).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(JobDetail {
            script: records::script(&tx, job.program.script).await?,
            inputs: records::inputs(&tx, id).await?,
            outputs: records::outputs(&tx, id).await?,
            trail: records::trail(&tx, id).await?,
            steps: self.steps_of(&tx, id).await?,
            rate,
            job,
        })
    }

    /// What the hours of a job are counted in.
    pub fn meter_of(&self, job: &Job) -> Meter {
        let rule = self.work().rules.find(&job.place.charge_rule, job.submitted_at);
        rule.map_or(Meter::Gpu, |rule| rule.meter)
    }

    pub(super) async fn visible_job(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: JobId,
    ) -> Result<Job, Error> {
        let Some(job) = records::by_id(tx, id).await? else {
            actor.may_with(Action::ViewJob, Action::ViewJob, "job", &[])?;
            return Err(Error::NotFound("job"));
        };
        actor.may_with(Action::ViewJob, Action::ViewJob, "job", &scopes(&job))?;
        Ok(job)
    }
}

/// Whose jobs a list for `actor` shows.
fn visible(actor: &Actor) -> Visible {
    let mut visible = Visible::default();
    for grant in actor.grants() {
        if !actor.can(Action::ViewJob, std::slice::from_ref(&grant.scope)) {
            continue;
        }
        match &grant.scope {
            Scope::Federation => visible.all |= actor.can(Action::ViewJob, &[]),
            Scope::Factory(key) => visible.factories.push(key.clone()),
            Scope::Organisation(id) => visible.organisations.push(*id),
            Scope::Project(id) => visible.projects.push(*id),
        }
    }
    visible
}
