//! Submitting: authorise, prepare, decide, hold, order.

use std::collections::BTreeMap;

use ::jobs::life::{Effect, Life, Waits};
use ::jobs::script::Remark;
use ::jobs::{Export, Verdict};
use access::allocation::Allocation;
use access::project::Project;
use store::identity::people;
use store::jobs::{self as records, Element, Measured, Owner, Program, Wish};
use store::ledger::Pen;
use store::sites::{self, OrderKind};
use store::{Tx, allocations};
use units::{JobId, PersonId, ProjectId, Work as Amount};

use super::berth::Berth;
use super::prepare::Prepared;
use super::{Changes, Job, Offers, Submission};
use crate::audit::Entry;
use crate::{Action, Actor, App, Error};

/// The variable by which a job knows its number.
const NUMBER: &str = "USINE_JOB_NUMBER";

/// What was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The job, or the array.
    pub id: JobId,
    /// Its number.
    pub number: i64,
    /// The job, or the elements in the order of their indices.
    pub jobs: Vec<Job>,
    /// What was read and has no effect.
    pub warnings: Vec<Remark>,
    /// The places that were compared, when the choice was left open.
    pub placed: Option<Offers>,
}

/// What all elements of a submission have in common.
struct Common<'a> {
    owner: Owner,
    user: String,
    prepared: &'a Prepared,
    berth: Berth<'a>,
    environment: BTreeMap<String, String>,
    network: bool,
}

impl App {
    /// Submits a job, or all elements of an array, in `project`.
    ///
    /// # Errors
    /// When the actor may not, when what was sent cannot run, when the partition cannot give what
    /// it asks, or when the allocation cannot cover it: then with what is missing and what would
    /// fit.
    pub async fn submit_job(
        &self,
        actor: &Actor,
        project: ProjectId,
        new: Submission,
    ) -> Result<Submitted, Error> {
        let mut new = new;
        let placed = self.placed(actor, project, &mut new).await?;
        let tx = self.store().write().await?;
        let project = self.project_for(&tx, actor, (Action::SubmitJob, project)).await?;
        // One person's submissions come one after the other, and so do the ids of their jobs: of
        // two singletons sent at once, one sees the other.
        let person = actor.person_id()?;
        people::take(&tx, person).await?;
        let allocation = self.payer(&tx, &project, &new).await?;
        let site = self.site_of(&allocation.partition)?;
        sites::enter(&tx, &site.name).await?;
        let known = sites::by_name(&tx, &site.name).await?;
        if let Some(missing) = self.missing_login(&tx, known.as_ref(), person).await? {
            drop(tx);
            self.ask_for_login(actor, &site.name).await?;
            let text = format!("{missing}; its operator has been told that you want one");
            return Err(Error::refused("site.login", text));
        }
        let prepared = self.prepare(&tx, actor, &new).await?;
        let asked = (&prepared.script, self.now());
        let berth = self.berth(&tx, (allocation, known.as_ref()), asked).await?;
        let export = prepared.script.directives().export.clone().unwrap_or(Export::ALL);
        let common = Common {
            owner: Owner {
                project: project.id,
                organisation: project.organisation,
                person,
                allocation: berth.allocation.id,
            },
            user: user_name(&tx, person).await?,
            prepared: &prepared,
            berth,
            environment: export.apply(&new.environment),
            network: new.network,
        };
        let ((id, number), mut jobs) = self.elements(&tx, &common).await?;
        let mut changes = Changes::default();
        self.enter_jobs(&tx, actor, &mut jobs, &common, &mut changes).await?;
        records::keep_wish(&tx, id, &Wish { options: new.options, may_move: new.may_move }).await?;
        let Common { berth, .. } = common;
        self.audit_submission(&tx, actor, (id, &jobs), &berth.allocation, placed.as_ref()).await?;
        self.hold_all(&tx, actor, &berth, &jobs).await?;
        self.close(tx, actor, changes).await?;
        Ok(Submitted { id, number, jobs, warnings: berth.placed.at.warnings, placed })
    }

    /// Chooses the best place for a submission that leaves it open.
    async fn placed(
        &self,
        actor: &Actor,
        project: ProjectId,
        new: &mut Submission,
    ) -> Result<Option<Offers>, Error> {
        let Some(limits) = new.anywhere.take() else { return Ok(None) };
        if new.allocation.is_some() {
            let text = "name an allocation or let the place be chosen, not both";
            return Err(Error::invalid("anywhere", text));
        }
        let offers = self.job_offers(actor, project, new, &limits).await?;
        new.allocation = Some(offers.best()?.0.allocation.id);
        Ok(Some(offers))
    }

    /// The allocation that pays: the one that was named, or the only one that can be used now.
    async fn payer(
        &self,
        tx: &Tx,
        project: &Project,
        new: &Submission,
    ) -> Result<Allocation, Error> {
        let now = self.now();
        if let Some(id) = new.allocation {
            let found = allocations::by_id(tx, id).await?;
            let found = found.filter(|allocation| allocation.project == project.id);
            let allocation = found.ok_or_else(|| {
                Error::invalid("allocation", format!("the project has no allocation {id}"))
            })?;
            allocation.usable(now).map_err(|why| Error::refused("allocation.period", why))?;
            return Ok(allocation);
        }
        let mut usable = allocations::of_project(tx, project.id).await?;
        usable.retain(|allocation| allocation.usable(now).is_ok());
        match (usable.pop(), usable.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => {
                let text = "the project has no allocation that can be used now";
                Err(Error::refused("allocation.period", text))
            }
            (Some(_), _) => {
                Err(Error::invalid("allocation", "the project has several; name the one that pays"))
            }
        }
    }

    /// The jobs of a submission, not yet decided on.
    async fn elements(
        &self,
        tx: &Tx,
        common: &Common<'_>,
    ) -> Result<((JobId, i64), Vec<Job>), Error> {
        let array = common.prepared.script.directives().array.as_ref();
        let id = self.mint_job();
        let number = records::number(tx, id).await?;
        let Some(spec) = array else {
            return Ok(((id, number), vec![self.new_job(tx, (id, number), None, common).await?]));
        };
        let indices = spec.indices();
        let mut jobs = Vec::with_capacity(indices.len());
        for index in &indices {
            let at_once_max = spec.at_once_max();
            let element = Element { array: id, number, index: *index, at_once_max };
            let own = self.mint_job();
            let own = (own, records::number(tx, own).await?);
            let mut job = self.new_job(tx, own, Some(element), common).await?;
            let bounds = [("MIN", indices.first()), ("MAX", indices.last())];
            for (name, bound) in bounds {
                let bound = bound.copied().unwrap_or_default();
                let name = format!("SLURM_ARRAY_TASK_{name}");
                job.program.environment.insert(name, bound.to_string());
            }
            let count = indices.len().to_string();
            job.program.environment.insert("SLURM_ARRAY_TASK_COUNT".to_owned(), count);
            jobs.push(job);
        }
        Ok(((id, number), jobs))
    }

    async fn new_job(
        &self,
        tx: &Tx,
        (id, number): (JobId, i64),
        element: Option<Element>,
        common: &Common<'_>,
    ) -> Result<Job, Error> {
        let directives = common.prepared.script.directives();
        let name = directives.job_name.clone().unwrap_or_else(|| "job".to_owned());
        let mut environment = common.environment.clone();
        environment.insert(NUMBER.to_owned(), number.to_string());
        if let Some(Element { number, index, .. }) = element {
            environment.insert("SLURM_ARRAY_JOB_ID".to_owned(), number.to_string());
            environment.insert("SLURM_ARRAY_TASK_ID".to_owned(), index.to_string());
        }
        let dependency = match &directives.dependency {
            Some(dependency) => {
                let index = element.map(|element| element.index);
                Some(self.resolved(tx, dependency, index).await?)
            }
            None => None,
        };
        let mut job = Job {
            id,
            number,
            element,
            owner: common.owner,
            user: common.user.clone(),
            place: common.berth.site.place(),
            program: Program {
                recipe: common.prepared.recipe.clone(),
                script: vault::Sha256::of(common.prepared.script.text().as_bytes()),
                environment,
                network: common.network,
                folder: None,
                stdout: None,
                stderr: None,
                options: Vec::new(),
            },
            dependency,
            request: common.berth.request,
            held: common.berth.held,
            charged: None,
            submitted_at: self.now(),
            life: Life::submitted(Waits::ForDependencies).life,
            nodes: Vec::new(),
            reason: None,
            measured: Measured::default(),
            name,
        };
        common.berth.take(&mut job, &common.prepared.script)?;
        Ok(job)
    }

    /// Writes the jobs down, in the state they begin in, with their orders.
    async fn enter_jobs(
        &self,
        tx: &Tx,
        actor: &Actor,
        jobs: &mut [Job],
        common: &Common<'_>,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let dependencies = jobs.iter().filter_map(|job| job.dependency.as_ref());
        self.take_others(tx, actor, dependencies).await?;
        records::keep_script(tx, common.prepared.script.text()).await?;
        for job in jobs {
            let waits = match self.verdict(tx, job).await? {
                Verdict::Met => Waits::ForNothing,
                Verdict::Waits => Waits::ForDependencies,
                Verdict::Never => {
                    let text = "the jobs it depends on have ended so that it could never start";
                    return Err(Error::refused("job.dependency", text));
                }
            };
            let first = Life::submitted(waits);
            job.life = first.life;
            records::insert(tx, job).await?;
            for input in &common.prepared.inputs {
                records::put_input(tx, job.id, input).await?;
            }
            for output in &common.prepared.outputs {
                records::put_output(tx, job.id, output).await?;
            }
            if first.effect == Some(Effect::OrderStart) {
                self.order(tx, job, OrderKind::Start, changes).await?;
            }
            changes.touched(job.id);
        }
        Ok(())
    }

    async fn audit_submission(
        &self,
        tx: &Tx,
        actor: &Actor,
        (id, jobs): (JobId, &[Job]),
        allocation: &Allocation,
        placed: Option<&Offers>,
    ) -> Result<(), Error> {
        let Some(first) = jobs.first() else { return Ok(()) };
        let placed = placed.map(|offers| {
            let places = offers.offers.len();
            let because = offers.because.map(|(term, seconds)| format!(" ({term}, {seconds} s)"));
            let because = because.unwrap_or_default();
            format!("; {} chosen of {places}{because} by: {}", allocation.partition, offers.policy)
        });
        let detail = format!(
            "{} × {}: {}; holds {} of allocation {}{}",
            jobs.len(),
            first.program.recipe,
            first.request,
            first.held.display(allocation.meter),
            allocation.id,
            placed.unwrap_or_default(),
        );
        let entry = Entry {
            action: "job.submit",
            object: &format!("job:{id}"),
            rule: "submit-job",
            detail: &detail,
        };
        self.audit(tx, actor, entry).await
    }

    /// Sets the hours of every job aside, or of none.
    async fn hold_all(
        &self,
        tx: &Tx,
        actor: &Actor,
        berth: &Berth<'_>,
        jobs: &[Job],
    ) -> Result<(), Error> {
        let mut pen = Pen::take(tx, &[berth.allocation.id]).await?;
        self.within_release(tx, &berth.allocation, berth.held_by(jobs)).await?;
        let mut last = Ok(());
        let mut held = Amount::ZERO;
        for job in jobs {
            let memo = self.memo(actor, format!("job {} submitted", job.id));
            let entry = pen.hold(memo, berth.allocation.id, job.id, job.held).await?;
            if let Err(denied) = entry {
                last = Err(denied);
                break;
            }
            held = held.plus(job.held).map_err(|error| Error::Internal(error.to_string()))?;
        }
        let written = pen.write(last).await?;
        written.map_err(|denied| berth.cannot_cover(&denied, (jobs, held)))
    }
}

/// How the person is called in the names of files, for `%u`.
async fn user_name(tx: &Tx, person: PersonId) -> Result<String, Error> {
    let person = people::by_id(tx, person).await?.ok_or(Error::NotFound("person"))?;
    Ok(records::user(&person.email).to_owned())
}
