//! Moving jobs away from a site that does not fetch them.

use std::collections::{BTreeMap, BTreeSet};

use ::jobs::life::State;
use ::jobs::moving::{StartOrder, Stays, may_leave};
use ::jobs::script::Script;
use store::jobs::{self as records, Wish};
use store::ledger::Pen;
use store::sites::{self, OrderKind, given};
use store::{Tx, allocations, repositories};
use units::{AllocationId, JobId, Slug, Timestamp, Work as Amount};

use super::berth::Berth;
use super::offers::Asked;
use super::prepare::script_errors;
use super::{Changes, Job, Limits, scopes};
use crate::audit::Entry;
use crate::{Action, Actor, App, Error};

/// The most jobs that are moved in one round of the clock.
const ROUND_MAX: u32 = 500;

/// What came of moving a job, or the elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Those that went elsewhere.
    pub jobs: Vec<Job>,
    /// Those that stay, and why.
    pub stay: Vec<(Job, Stays)>,
}

/// Who moves jobs, and why.
#[derive(Clone, Copy)]
struct Mover<'a> {
    actor: &'a Actor,
    rule: &'static str,
    reason: &'a str,
}

impl App {
    /// Has a job, or the elements of an array, run elsewhere: on the hours of `to`, or at the best
    /// other place where the project has hours. Only a job that its site was never given can leave
    /// it; of an array those that can do.
    ///
    /// # Errors
    /// When there is no such job that the actor may see, they may not, nothing of it can leave its
    /// site, or no other place can take it; with the reasons.
    pub async fn move_job(
        &self,
        actor: &Actor,
        id: JobId,
        to: Option<AllocationId>,
    ) -> Result<Moved, Error> {
        let tx = self.store().read().await?;
        let ids = records::named(&tx, id).await?;
        if ids.is_empty() {
            actor.may_with(Action::CancelJob, Action::ViewJob, "job", &[])?;
            return Err(Error::NotFound("job"));
        }
        let mut leaving = Vec::new();
        let mut stays = Stays::Ended;
        for id in &ids {
            let Some(job) = records::by_id(&tx, *id).await? else { continue };
            actor.may_with(Action::CancelJob, Action::ViewJob, "job", &scopes(&job))?;
            match self.may_leave(&tx, &job).await? {
                Ok(()) => leaving.push(job),
                Err(why) => stays = why,
            }
        }
        if leaving.is_empty() {
            return Err(stay_all(stays));
        }
        let to = match to {
            Some(to) => to,
            None => self.best_elsewhere(tx, &leaving).await?,
        };
        let mover = Mover { actor, rule: "cancel-job, submit-job", reason: "as was asked" };
        self.relocate(mover, &ids, to).await
    }

    /// Moves the jobs that may leave a site whose agent has not fetched them for long. Gives back
    /// how many went.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn move_stranded(&self) -> Result<usize, Error> {
        let seconds = i64::from(self.work().placement.move_after_seconds);
        let before = self.now().as_second().saturating_sub(seconds);
        let before = Timestamp::from_second(before).unwrap_or_default();
        let tx = self.store().read().await?;
        let stranded = given::stranded(&tx, before, ROUND_MAX).await?;
        drop(tx);
        let mut submissions = BTreeMap::<JobId, Vec<JobId>>::new();
        for (submission, job) in stranded {
            submissions.entry(submission).or_default().push(job);
        }
        let reason = format!("its site did not fetch it for {seconds} s, and it may move");
        let system = Actor::system();
        let mover = Mover { actor: &system, rule: "placement.move_after", reason: &reason };
        let mut count = 0_usize;
        for ids in submissions.values() {
            match self.move_on(mover, ids).await {
                Ok(moved) => count = count.saturating_add(moved.jobs.len()),
                // Nobody else has room, or it was fetched meanwhile: it waits as before.
                Err(Error::Refused(_) | Error::Invalid(_) | Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    async fn move_on(&self, mover: Mover<'_>, ids: &[JobId]) -> Result<Moved, Error> {
        let tx = self.store().read().await?;
        let mut leaving = Vec::with_capacity(ids.len());
        for id in ids {
            leaving.extend(records::by_id(&tx, *id).await?);
        }
        let to = self.best_elsewhere(tx, &leaving).await?;
        self.relocate(mover, ids, to).await
    }

    /// The hours at the best place that none of these jobs, which are of one submission, waits for.
    async fn best_elsewhere(&self, tx: Tx, jobs: &[Job]) -> Result<AllocationId, Error> {
        let first = jobs.first().ok_or(Error::NotFound("job"))?;
        let (script, wish) = submitted(&tx, first).await?;
        let mut input_bytes = 0_u64;
        for input in records::inputs(&tx, first.id).await? {
            let tree = repositories::files(&tx, input.revision).await?;
            input_bytes = input_bytes.saturating_add(tree.size_bytes());
        }
        let limits: Limits = wish.may_move.unwrap_or_default();
        let asked = Asked {
            person: first.owner.person,
            script: &script,
            jobs: jobs.len(),
            input_bytes,
            limits: &limits,
        };
        let now = self.now();
        let mut elsewhere = allocations::of_project(&tx, first.owner.project).await?;
        elsewhere.retain(|allocation| {
            let there = self.site_of(&allocation.partition).ok();
            let left = |site: &Slug| jobs.iter().any(|job| job.place.site == *site);
            allocation.usable(now).is_ok() && !there.is_some_and(|site| left(&site.name))
        });
        if elsewhere.is_empty() {
            let text = "the project has no hours at another site that can be used now";
            return Err(Error::refused("placement", text));
        }
        let offers = self.compared(tx, elsewhere, &asked).await?;
        Ok(offers.best()?.0.allocation.id)
    }

    /// Has those of these jobs, which are of one submission, that can leave their site run on the
    /// hours of `to`.
    async fn relocate(
        &self,
        mover: Mover<'_>,
        ids: &[JobId],
        to: AllocationId,
    ) -> Result<Moved, Error> {
        let tx = self.store().write().await?;
        let mut taken = Vec::with_capacity(ids.len());
        for id in ids {
            taken.extend(records::take(&tx, *id).await?);
        }
        let first = taken.first().ok_or(Error::NotFound("job"))?;
        let project = (Action::SubmitJob, first.owner.project);
        let project = self.project_for(&tx, mover.actor, project).await?;
        let found = allocations::by_id(&tx, to).await?;
        let found = found.filter(|allocation| allocation.project == project.id);
        let allocation = found.ok_or_else(|| {
            Error::invalid("allocation", format!("the project has no allocation {to}"))
        })?;
        let usable = allocation.usable(self.now());
        usable.map_err(|why| Error::refused("allocation.period", why))?;
        let there = self.site_of(&allocation.partition)?.name.clone();
        sites::enter(&tx, &there).await?;
        // In the order of their names, so that two that move jobs do not wait for each other.
        let both: BTreeSet<Slug> =
            taken.iter().map(|job| job.place.site.clone()).chain([there.clone()]).collect();
        let mut out = BTreeMap::new();
        for site in both {
            let last = given::keep(&tx, &site).await?.unwrap_or_default();
            out.insert(site, last);
        }
        let known = sites::by_name(&tx, &there).await?;
        if let Some(missing) = self.missing_login(&tx, known.as_ref(), first.owner.person).await? {
            return Err(Error::refused("site.login", missing));
        }
        let (script, _) = submitted(&tx, first).await?;
        let asked = (&script, first.submitted_at);
        let berth = self.berth(&tx, (allocation, known.as_ref()), asked).await?;
        let (mut moved, mut changes) = (Moved { jobs: vec![], stay: vec![] }, Changes::default());
        let mut left = BTreeSet::new();
        for mut job in taken {
            let order = given::start_of(&tx, &job.place.site, job.id).await?;
            let last = out.get(&job.place.site).copied().unwrap_or_default();
            let stays = match job.place.site == there {
                true => Err(Stays::There),
                false => may_leave(&job.life, reached(order, last)),
            };
            if let Err(stays) = stays {
                moved.stay.push((job, stays));
                continue;
            }
            left.insert(job.place.partition.to_string());
            if let Some(seq) = order {
                given::take_back(&tx, &job.place.site, seq).await?;
            }
            self.reorder(&tx, &mut job, (&berth, &script), &mut changes).await?;
            moved.jobs.push(job);
        }
        // Taken in the order of their ids, told in that of an array.
        moved.jobs.sort_by_key(|job| job.number);
        moved.stay.sort_by_key(|(job, _)| job.number);
        self.record_move(&tx, mover, &moved, left).await?;
        self.hold_again(&tx, mover, &berth, &moved.jobs).await?;
        self.close(tx, mover.actor, changes).await?;
        Ok(moved)
    }

    /// Whether a job can leave its site now.
    pub(super) async fn may_leave(&self, tx: &Tx, job: &Job) -> Result<Result<(), Stays>, Error> {
        let site = &job.place.site;
        let out = sites::by_name(tx, site).await?.map_or(0, |known| known.given);
        let order = given::start_of(tx, site, job.id).await?;
        Ok(may_leave(&job.life, reached(order, out)))
    }

    /// Has a job run at its new place, and orders it there.
    async fn reorder(
        &self,
        tx: &Tx,
        job: &mut Job,
        (berth, script): (&Berth<'_>, &Script),
        changes: &mut Changes,
    ) -> Result<(), Error> {
        berth.take(job, script)?;
        records::replace(tx, job).await?;
        if job.life.state == State::Ordered {
            self.order(tx, job, OrderKind::Start, changes).await?;
        }
        changes.touched(job.id);
        Ok(())
    }

    async fn record_move(
        &self,
        tx: &Tx,
        mover: Mover<'_>,
        moved: &Moved,
        left: BTreeSet<String>,
    ) -> Result<(), Error> {
        let Some(first) = moved.jobs.first() else {
            return Err(stay_all(moved.stay.first().map_or(Stays::Ended, |(_, stays)| *stays)));
        };
        let left = left.into_iter().collect::<Vec<_>>().join(", ");
        let (count, there) = (moved.jobs.len(), &first.place);
        let detail = format!(
            "{count} × from {left} to {} at {}, on allocation {}: {}",
            there.partition, there.site, first.owner.allocation, mover.reason,
        );
        let entry = Entry {
            action: "job.move",
            object: &format!("job:{}", first.element.map_or(first.id, |element| element.array)),
            rule: mover.rule,
            detail: &detail,
        };
        self.audit(tx, mover.actor, entry).await
    }

    /// Gives the hours of every job back where they were held, and holds them at the new place; or
    /// those of none.
    async fn hold_again(
        &self,
        tx: &Tx,
        mover: Mover<'_>,
        berth: &Berth<'_>,
        jobs: &[Job],
    ) -> Result<(), Error> {
        let to = berth.allocation.id;
        let mut pen = Pen::take(tx, &[to]).await?;
        self.within_release(tx, &berth.allocation, berth.held_by(jobs)).await?;
        let mut last = Ok(());
        let mut held = Amount::ZERO;
        for job in jobs {
            let words = format!("job {} moves to {}", job.id, job.place.partition);
            let released = pen.release(self.memo(mover.actor, words.clone()), job.id).await?;
            let entry = match released {
                Ok(_) => pen.hold(self.memo(mover.actor, words), to, job.id, job.held).await?,
                refused => refused,
            };
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

/// The script of a job, read as it was when it was submitted, and what was asked beside it.
async fn submitted(tx: &Tx, job: &Job) -> Result<(Script, Wish), Error> {
    let submission = job.element.map_or(job.id, |element| element.array);
    let wish = records::wish(tx, submission).await?.ok_or_else(|| {
        let text = "it was submitted to an earlier version, which did not keep what was asked";
        Error::refused("job.moving", text)
    })?;
    let text = records::script(tx, job.program.script).await?;
    let script = Script::parse(text.as_bytes(), &wish.options).map_err(script_errors)?;
    Ok((script, wish))
}

/// How far an order has come at a site that was given those up to the number `last`.
fn reached(order: Option<i64>, last: i64) -> StartOrder {
    if order.is_some_and(|seq| seq <= last) { StartOrder::GivenOut } else { StartOrder::Kept }
}

fn stay_all(why: Stays) -> Error {
    Error::refused("job.moving", format!("it stays where it is: {why}"))
}
