//! Submitting: authorise, prepare, decide, hold, order.

use std::collections::BTreeMap;

use ::jobs::charge::ChargeRule;
use ::jobs::life::{Effect, Life, Waits};
use ::jobs::request::Request;
use ::jobs::script::Remark;
use ::jobs::{Export, FileNames, FilePattern, Verdict};
use access::allocation::Allocation;
use access::project::Project;
use store::identity::people;
use store::jobs::{self as records, Element, Measured, Owner, Place, Program};
use store::ledger::{Denied, Pen};
use store::sites::{self, OrderKind};
use store::{Tx, allocations};
use units::{JobId, PersonId, ProjectId, Work as Amount};

use super::place::{Placed, Ways};
use super::prepare::{Prepared, fitted, shape};
use super::{Changes, Job, Offers, SiteSettings, Submission};
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
    site: &'a SiteSettings,
    prepared: &'a Prepared,
    placed: Placed,
    request: Request,
    held: Amount,
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
        if let Some(drained) = self.drained(&tx, &site.name).await? {
            return Err(Error::refused("site.drained", format!("{}: {drained}", site.name)));
        }
        let rule = self.work().rules.find(&site.charge_rule, self.now());
        let rule = rule.map_err(|error| Error::refused("charge-rule", error.to_string()))?;
        let prepared = self.prepare(&tx, actor, &new).await?;
        let inventory = known.as_ref().and_then(|site| site.inventory.as_ref());
        let shape = shape(site, inventory, rule.whole_nodes)?;
        let placed_at = Ways::of(known.as_ref()).place(&prepared.script)?;
        let request = fitted(&prepared.script, &shape)?;
        let held = hold_of(rule, &request)?;
        let export = prepared.script.directives().export.clone().unwrap_or(Export::ALL);
        let common = Common {
            owner: Owner {
                project: project.id,
                organisation: project.organisation,
                person,
                allocation: allocation.id,
            },
            user: user_name(&tx, person).await?,
            site,
            prepared: &prepared,
            placed: placed_at,
            request,
            held,
            environment: export.apply(&new.environment),
            network: new.network,
        };
        let ((id, number), mut jobs) = self.elements(&tx, &common).await?;
        let mut changes = Changes::default();
        self.enter_jobs(&tx, actor, &mut jobs, &common, &mut changes).await?;
        self.audit_submission(&tx, actor, (id, &jobs), &allocation, placed.as_ref()).await?;
        self.hold_all(&tx, actor, rule, &allocation, &jobs).await?;
        self.close(tx, actor, changes).await?;
        Ok(Submitted { id, number, jobs, warnings: common.placed.at.warnings, placed })
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
        let index = element.map(|element| element.index);
        let array = element.map_or(number, |element| element.number);
        let names = FileNames { job: number, array, index, name: &name, user: &common.user };
        let file = |option: &str, pattern: &Option<FilePattern>| {
            common.placed.file(option, pattern.as_ref(), |pattern| pattern.expand(&names))
        };
        let mut environment = common.environment.clone();
        environment.insert(NUMBER.to_owned(), number.to_string());
        if let Some(index) = index {
            environment.insert("SLURM_ARRAY_JOB_ID".to_owned(), array.to_string());
            environment.insert("SLURM_ARRAY_TASK_ID".to_owned(), index.to_string());
        }
        let dependency = match &directives.dependency {
            Some(dependency) => Some(self.resolved(tx, dependency, index).await?),
            None => None,
        };
        Ok(Job {
            id,
            number,
            element,
            owner: common.owner,
            user: common.user.clone(),
            place: Place {
                factory: common.site.factory.clone(),
                site: common.site.name.clone(),
                partition: common.site.partition.clone(),
                charge_rule: common.site.charge_rule.clone(),
            },
            program: Program {
                recipe: common.prepared.recipe.clone(),
                script: vault::Sha256::of(common.prepared.script.text().as_bytes()),
                environment,
                network: common.network,
                folder: common.placed.folder.clone(),
                stdout: file("output", &directives.output)?,
                stderr: file("error", &directives.error)?,
                options: common.placed.at.options.clone(),
            },
            dependency,
            request: common.request,
            held: common.held,
            charged: None,
            submitted_at: self.now(),
            life: Life::submitted(Waits::ForDependencies).life,
            nodes: Vec::new(),
            reason: None,
            measured: Measured::default(),
            name,
        })
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
        rule: &ChargeRule,
        allocation: &Allocation,
        jobs: &[Job],
    ) -> Result<(), Error> {
        let mut pen = Pen::take(tx, &[allocation.id]).await?;
        let mut last = Ok(());
        let mut held = Amount::ZERO;
        for job in jobs {
            let memo = self.memo(actor, format!("job {} submitted", job.id));
            let entry = pen.hold(memo, allocation.id, job.id, job.held).await?;
            if let Err(denied) = entry {
                last = Err(denied);
                break;
            }
            held = held.plus(job.held).map_err(|error| Error::Internal(error.to_string()))?;
        }
        let written = pen.write(last).await?;
        written.map_err(|denied| cannot_cover(&denied, rule, allocation, (jobs, held)))
    }
}

/// What one job of this shape has set aside.
fn hold_of(rule: &ChargeRule, request: &Request) -> Result<Amount, Error> {
    let held = rule.hold(request);
    let held = held.map_err(|error| Error::refused("charge-rule", error.to_string()))?;
    if held > Amount::ZERO {
        return Ok(held);
    }
    let text = format!("by the rule {} such a job would use nothing that is counted", rule.key);
    Err(Error::refused(format!("charge-rule.{}", rule.key), text))
}

/// How the person is called in the names of files, for `%u`.
async fn user_name(tx: &Tx, person: PersonId) -> Result<String, Error> {
    let person = people::by_id(tx, person).await?.ok_or(Error::NotFound("person"))?;
    Ok(records::user(&person.email).to_owned())
}

/// Why the allocation cannot cover the jobs, what is missing, and what would fit.
fn cannot_cover(
    denied: &Denied,
    rule: &ChargeRule,
    allocation: &Allocation,
    (jobs, held): (&[Job], Amount),
) -> Error {
    let Denied::Refused(::ledger::Refusal::Insufficient(short)) = denied else {
        return match denied {
            Denied::NoSuchAllocation(_) => {
                Error::refused("allocation.hours", "the allocation was never given any hours")
            }
            other => Error::Internal(format!("the ledger does not accept a hold: {other}")),
        };
    };
    let Some(job) = jobs.first() else { return Error::refused("allocation.hours", "no job") };
    let each = job.held.count();
    let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
    let needed = Amount::seconds(each.saturating_mul(count));
    let available = Amount::seconds(short.available.count().saturating_add(held.count()));
    let missing = Amount::seconds(needed.count().saturating_sub(available.count()));
    let meter = allocation.meter;
    let fits = match jobs.len() {
        1 => rule.time_that_fits(&job.request, available).map(|limit| format!("--time={limit}")),
        _ => Some(available.count().checked_div(each).unwrap_or_default())
            .filter(|fit| *fit > 0)
            .map(|fit| format!("{fit} of the {count} elements")),
    };
    let fits = match fits {
        Some(fits) => format!("{fits} would fit"),
        None => "no job of this shape would fit".to_owned(),
    };
    let text = format!(
        "the allocation has {} left and {} would be held: {} are missing; {fits}",
        available.display(meter),
        needed.display(meter),
        missing.display(meter),
    );
    Error::refused("allocation.hours", text)
}
