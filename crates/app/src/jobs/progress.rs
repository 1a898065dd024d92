//! Moving a job on, and whatever follows: orders, the ledger, jobs that waited for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ::jobs::charge::ChargeError;
use ::jobs::life::{self, Effect, Event, Ignored, Life};
use ::jobs::{Condition, Dependency, Other, Verdict};
use store::ledger::{Denied, Pen};
use store::sites::{self, OrderKind};
use store::{Tx, jobs as records};
use units::{AllocationId, JobId, OrderId, Slug, Timestamp, Work};

use super::Job;
use crate::{Actor, App, Error, Topic};

/// What a transaction still has to do at its end, and to tell after it.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Holds to give up, with what was used; nothing for jobs that never ran.
    closings: Vec<(JobId, Option<Work>)>,
    /// Whose hours were used.
    charged: BTreeSet<AllocationId>,
    topics: Vec<Topic>,
}

/// Why a job that will never start was ended.
const NEVER: &str = "what it waited for can never happen any more";

impl Changes {
    /// Something about `job` has changed.
    pub(crate) fn touched(&mut self, job: JobId) {
        let topic = Topic::Job(job);
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }

    fn ordered(&mut self, site: &Slug) {
        let topic = Topic::Orders(site.clone());
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }
}

impl App {
    /// Takes in an event about a job that the transaction has taken, and moves on the jobs that
    /// waited for it.
    ///
    /// # Errors
    /// When the store fails. The inner error says why the event changes nothing.
    pub(crate) async fn advance(
        &self,
        tx: &Tx,
        job: &mut Job,
        event: Event,
        changes: &mut Changes,
    ) -> Result<Result<(), Ignored>, Error> {
        if let Err(ignored) = self.step(tx, job, event, changes).await? {
            return Ok(Err(ignored));
        }
        let mut moved = VecDeque::from([job.clone()]);
        while let Some(job) = moved.pop_front() {
            for waiting in self.waiting_for(tx, &job).await? {
                moved.extend(self.reconsider(tx, waiting, changes).await?);
            }
        }
        Ok(Ok(()))
    }

    /// One step of one job.
    async fn step(
        &self,
        tx: &Tx,
        job: &mut Job,
        event: Event,
        changes: &mut Changes,
    ) -> Result<Result<(), Ignored>, Error> {
        let step = match life::step(job.life, event) {
            Ok(step) => step,
            Err(ignored) => return Ok(Err(ignored)),
        };
        job.life = step.life;
        match step.effect {
            None => {}
            Some(Effect::OrderStart) => self.order(tx, job, OrderKind::Start, changes).await?,
            Some(Effect::OrderCancel) => self.order(tx, job, OrderKind::Cancel, changes).await?,
            Some(Effect::Settle { started, ended }) => {
                let used = self.charge(job, started, ended)?;
                job.charged = Some(used);
                changes.closings.push((job.id, Some(used)));
                changes.charged.insert(job.owner.allocation);
            }
            Some(Effect::Release) => {
                job.charged = Some(Work::ZERO);
                changes.closings.push((job.id, None));
            }
        }
        records::update(tx, job).await?;
        changes.touched(job.id);
        Ok(Ok(()))
    }

    pub(super) async fn order(
        &self,
        tx: &Tx,
        job: &Job,
        kind: OrderKind,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let key = OrderId::from_uuid(self.clock().mint());
        sites::order(tx, &job.place.site, key, (job.id, kind), self.now()).await?;
        changes.ordered(&job.place.site);
        Ok(())
    }

    /// What the job costs, by the rule that held when it was submitted.
    fn charge(&self, job: &Job, started: Timestamp, ended: Timestamp) -> Result<Work, Error> {
        let rule = self.work().rules.find(&job.place.charge_rule, job.submitted_at);
        let rule = rule.map_err(|error| Error::Internal(error.to_string()))?;
        rule.charge(&job.request, started, ended).map_err(|error: ChargeError| {
            Error::Internal(format!("job {} cannot be charged: {error}", job.id))
        })
    }

    /// Held jobs for which the end or start of `job` may matter.
    async fn waiting_for(&self, tx: &Tx, job: &Job) -> Result<Vec<JobId>, Error> {
        let mut waiting = records::waiting_for(tx, job).await?;
        if let Some(element) = job.element.filter(|_| job.life.state.is_final())
            && let Some(limit) = element.at_once_max
        {
            let at_site = records::elements_at_site(tx, element.array).await?;
            let free = u32::try_from(i64::from(limit.get()) - at_site).unwrap_or_default();
            waiting.extend(records::held_elements(tx, element.array, free).await?);
        }
        waiting.sort();
        waiting.dedup();
        Ok(waiting)
    }

    /// Looks again at a job that waits: starts it, ends it, or leaves it. Gives it back when it
    /// moved.
    async fn reconsider(
        &self,
        tx: &Tx,
        id: JobId,
        changes: &mut Changes,
    ) -> Result<Option<Job>, Error> {
        let Some(mut job) = records::take(tx, id).await? else { return Ok(None) };
        let event = match self.verdict(tx, &job).await? {
            Verdict::Waits => return Ok(None),
            Verdict::Met => Event::Released,
            Verdict::Never => {
                job.reason = Some(NEVER.to_owned());
                Event::CancelAsked(self.now())
            }
        };
        let moved = self.step(tx, &mut job, event, changes).await?;
        Ok(moved.is_ok().then_some(job))
    }

    /// Whether a held job may start now.
    pub(super) async fn verdict(&self, tx: &Tx, job: &Job) -> Result<Verdict, Error> {
        let verdict = match &job.dependency {
            None => Verdict::Met,
            Some(dependency) => self.dependency_verdict(tx, job, dependency).await?,
        };
        let Some(element) = job.element.filter(|_| verdict == Verdict::Met) else {
            return Ok(verdict);
        };
        let Some(limit) = element.at_once_max else { return Ok(verdict) };
        let at_site = records::elements_at_site(tx, element.array).await?;
        Ok(if at_site < i64::from(limit.get()) { Verdict::Met } else { Verdict::Waits })
    }

    async fn dependency_verdict(
        &self,
        tx: &Tx,
        job: &Job,
        dependency: &Dependency,
    ) -> Result<Verdict, Error> {
        let mut lives = BTreeMap::<Condition, Vec<Life>>::new();
        for condition in dependency.conditions() {
            let others = match condition {
                Condition::Job(_, Other::Id(other)) => records::named(tx, *other).await?,
                // Looked up before the job was kept.
                Condition::Job(_, Other::Number(_)) => Vec::new(),
                Condition::Singleton => records::earlier_namesakes(tx, job).await?,
            };
            let mut found = Vec::with_capacity(others.len());
            for other in others {
                found.extend(records::by_id(tx, other).await?.map(|other| other.life));
            }
            lives.insert(*condition, found);
        }
        Ok(dependency.verdict(|condition| lives.get(&condition).cloned().unwrap_or_default()))
    }

    /// Gives up the holds of all jobs that ended in this transaction, and enters the alerts of
    /// what that charges: the last thing it does.
    pub(crate) async fn close(&self, tx: Tx, actor: &Actor, changes: Changes) -> Result<(), Error> {
        if !changes.closings.is_empty() {
            let jobs: Vec<JobId> = changes.closings.iter().map(|(job, _)| *job).collect();
            let mut pen = Pen::take_to_close(&tx, &jobs).await?;
            let mut last = Ok(());
            for (job, used) in &changes.closings {
                let entry = match used {
                    Some(used) => {
                        let memo = self.memo(actor, format!("job {job} ended"));
                        pen.settle(memo, *job, *used).await?
                    }
                    None => {
                        let memo = self.memo(actor, format!("job {job} never ran"));
                        pen.release(memo, *job).await?
                    }
                };
                last = entry.map(|_| ());
                if last.is_err() {
                    break;
                }
            }
            pen.write(last).await?.map_err(|denied| in_books(&denied))?;
            self.alert_of_use(&tx, &changes.charged).await?;
        }
        tx.commit().await?;
        for topic in changes.topics {
            self.announcements().tell(topic);
        }
        Ok(())
    }
}

/// The books contradict the jobs, which no request can cause.
fn in_books(denied: &Denied) -> Error {
    Error::Internal(format!("the ledger does not accept the end of a job: {denied}"))
}
