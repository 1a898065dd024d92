//! Looks at the cluster once for all jobs, and makes of it where each stands.
//!
//! The queue is asked first. A job that it shows is where it says. One that is over there, or gone
//! from there, is looked up in the accounting, all such jobs in one question. One that neither has,
//! though both answered, was lost by the controller: if its script began that was its end, otherwise
//! it is submitted again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use twin::slurm::hostlist;
use units::{JobId, Timestamp};

use super::book::{Job, Record};
use super::core::{Core, before, has_passed};
use super::script::FENCED;
use super::state::{Exit, Phase};
use super::transport::{Accounted, Queued, SlurmId, Transport};
use crate::Error;
use crate::ended::{EndRecord, How};
use crate::job::{Ended, Observation, State};

/// How much the clocks of this machine and of Slurm's may differ.
const CLOCKS_SECONDS: u64 = 3_600;

/// How long the accounting of an end may be held up by what sacct itself does not show: slurmctld
/// keeps what slurmdbd did not take, and hands it on within minutes.
const HELD_UP: Duration = Duration::from_secs(1_800);

/// The longest start that came to nothing: nodes of a busy site take some seconds to say so. Nobody
/// but us is likely to have cancelled a job so early.
const VAIN_MICROSECONDS: i64 = 30_000_000;

/// How often a job is submitted that Slurm fails to start.
const ATTEMPTS_MAX: u32 = 5;

/// What one look at the queue leaves to be found out.
#[derive(Default)]
struct Questions {
    /// Jobs whose end the accounting may tell, with the numbers they have or had.
    ends: BTreeMap<JobId, BTreeSet<SlurmId>>,
    /// Jobs to be ended, by their person.
    cancels: BTreeMap<Option<String>, Vec<SlurmId>>,
    /// Jobs that Slurm failed to start and will not start again.
    stuck: Vec<(JobId, SlurmId)>,
}

impl<T: Transport> Core<T> {
    /// Where every job stands; what was seen a moment ago is not asked again.
    pub(super) async fn observe(&self) -> Result<Vec<Observation>, Error> {
        let mut looked = self.looked.lock().await;
        let in_haste = self.in_haste.swap(false, Ordering::Relaxed);
        let is_fresh = !in_haste && looked.is_some_and(|at| at.elapsed() < self.settings.interval);
        if !is_fresh && self.has_open_jobs() {
            self.look().await?;
            *looked = Some(Instant::now());
        }
        Ok(self.observations())
    }

    fn has_open_jobs(&self) -> bool {
        self.book().jobs.values().flatten().any(|job| !job.has_ended())
    }

    async fn look(&self) -> Result<(), Error> {
        // Those that are submitted from now on may be missing in the answer.
        let watched = self.watched();
        let mut queue: BTreeMap<JobId, Vec<Queued>> = BTreeMap::new();
        for one in self.transport.queue().await? {
            queue.entry(one.job).or_default().push(one);
        }
        let now = self.now();
        let mut questions = Questions::default();
        for job in watched {
            let copies = queue.remove(&job).unwrap_or_default();
            self.take_in(job, copies, now, &mut questions)?;
        }
        for (user, ids) in &questions.cancels {
            if let Err(error) = self.transport.cancel(user.as_deref(), ids).await {
                tracing::warn!(%error, "jobs could not be cancelled yet");
            }
        }
        for (job, id) in questions.stuck {
            self.give_up(job, id, now).await?;
        }
        self.settle(&questions.ends, now).await
    }

    fn watched(&self) -> Vec<JobId> {
        let book = self.book();
        let is_open = |job: &Job| !job.submitting && !job.has_ended();
        let open = book.jobs.iter().filter(|(_, job)| job.as_ref().is_some_and(is_open));
        open.map(|(job, _)| *job).collect()
    }

    /// Takes in what the queue shows of one job.
    fn take_in(
        &self,
        job: JobId,
        copies: Vec<Queued>,
        now: Timestamp,
        questions: &mut Questions,
    ) -> Result<(), Error> {
        let mut book = self.book();
        let Some(Record { slurm, cancel, abandoned, spec, .. }) =
            book.job(job).map(|job| &job.record)
        else {
            return Ok(());
        };
        // The comment is anybody's to write; only the person's own jobs count.
        let (slurm, cancel, user) = (*slurm, *cancel, spec.place.user.clone());
        let mine = user.as_deref().unwrap_or(&self.me);
        let copies = copies.into_iter().filter(|copy| copy.user == mine);
        let (copies, left): (Vec<_>, Vec<_>) =
            copies.partition(|copy| !abandoned.contains(&copy.id));
        // Those that were given up are to go, however often that has to be said.
        for copy in left.iter().filter(|copy| !copy.is_over()) {
            questions.cancels.entry(user.clone()).or_default().push(copy.id);
        }
        let ids = copies.iter().map(|copy| copy.id).chain(slurm).collect();
        let Some(copy) = chosen(copies, slurm) else {
            questions.ends.insert(job, ids);
            return Ok(());
        };
        if slurm != Some(copy.id) {
            book.change(job, |record| record.slurm = Some(copy.id))?;
        }
        let Some(known) = book.job_mut(job) else { return Ok(()) };
        known.missed_since = None;
        match &copy.phase {
            Ok(Phase::Over(_)) => {
                known.over.get_or_insert((now, copy));
                questions.ends.insert(job, ids);
                return Ok(());
            }
            Ok(Phase::Waiting) => {
                known.state = State::Queued;
                if is_stuck(&copy) {
                    questions.stuck.push((job, copy.id));
                }
            }
            Ok(Phase::Active) => known.state = running(&copy, now),
            Err(error) => tracing::error!(%job, %error, "where a job stands is not clear"),
        }
        known.over = None;
        if cancel {
            questions.cancels.entry(user).or_default().push(copy.id);
        }
        Ok(())
    }

    /// Finds out how jobs ended that are over, and what became of those that are gone.
    async fn settle(
        &self,
        ends: &BTreeMap<JobId, BTreeSet<SlurmId>>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ids: BTreeSet<SlurmId> = ends.values().flatten().copied().collect();
        let rows = match ids.is_empty() {
            true => Ok(Vec::new()),
            false => self.transport.accounting(&Vec::from_iter(ids)).await,
        };
        if let Err(error) = &rows {
            tracing::warn!(%error, "the accounting does not tell how jobs ended");
        }
        for job in ends.keys() {
            let Some(known) = self.book().job(*job).cloned() else { continue };
            let told = rows.as_deref().ok().and_then(|rows| self.told(*job, &known, rows));
            match (told, &known.over) {
                (Some(row), over) => {
                    let exit = over.as_ref().and_then(|(_, copy)| copy.exit);
                    self.end_as(*job, &known.record, ended_by(&row, exit), row.id).await?;
                }
                (None, Some((since, copy))) => {
                    if has_passed(*since, now, self.settings.accounting_lag) {
                        self.end_as(*job, &known.record, ended_in_queue(copy, now), copy.id)
                            .await?;
                    }
                }
                (None, None) if rows.is_ok() => self.miss(*job, &known, now).await?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// The run of a job that the accounting shows as its end.
    fn told(&self, job: JobId, known: &Job, rows: &[Accounted]) -> Option<Accounted> {
        let mine = self.login(&known.record);
        // The accounting hears of an end before it hears of the nodes, and keeps ends that a requeue
        // made good.
        let is_whole = |row: &Accounted| {
            known.over.as_ref().is_none_or(|(_, copy)| {
                let has_start = row.started.is_some() || copy.nodes.is_empty();
                row.id != copy.id || (has_start && row.ended >= copy.ended)
            })
        };
        let is_end = |row: &&Accounted| {
            row.job == Some(job)
                && row.user == mine
                && !known.record.abandoned.contains(&row.id)
                && row.ended.is_some()
                && matches!(row.phase, Ok(Phase::Over(_)))
                && is_whole(row)
        };
        let is_copy = |row: &Accounted| row.exit.is_some_and(|exit| exit.code == FENCED);
        let rank = |row: &&Accounted| (!is_copy(row), row.submitted, row.started);
        rows.iter().filter(is_end).max_by_key(rank).cloned()
    }

    /// Looks further for a job that neither queue nor accounting has, once it has been missed for
    /// long enough.
    async fn miss(&self, job: JobId, known: &Job, now: Timestamp) -> Result<(), Error> {
        let missed_since = known.missed_since.unwrap_or(now);
        if let Some(known) = self.book().job_mut(job) {
            known.missed_since = Some(missed_since);
        }
        let record = &known.record;
        // An older job may have ended and left the queue while its accounting was held up.
        let age = Duration::from_secs(self.about.min_job_age_seconds);
        let is_young = !has_passed(record.intended(), now, age);
        let settle = self.settings.settle.max(if is_young { Duration::ZERO } else { HELD_UP });
        if !has_passed(missed_since, now, settle) || !has_passed(record.intended(), now, settle) {
            return Ok(());
        }
        // By its mark, in case that it ended under a number that was never told.
        let since = before(record.intended(), CLOCKS_SECONDS);
        let found = self.transport.accounting_of(self.login(record), since).await;
        match found.map(|rows| self.told(job, known, &rows)) {
            Ok(Some(row)) => self.end_as(job, record, ended_by(&row, None), row.id).await,
            Ok(None) => self.lost(job, record, now).await,
            Err(error) => {
                tracing::warn!(%job, %error, "the accounting does not tell what became of a job");
                Ok(())
            }
        }
    }

    /// Slurm holds a job for ever after it failed to start it, which it does when a copy of it that
    /// it has forgotten still runs. The copy that is held is ended, and the job is as good as lost.
    async fn give_up(&self, job: JobId, id: SlurmId, now: Timestamp) -> Result<(), Error> {
        // Noted first, or its end would be taken for the job's when the answer is lost.
        self.book().change(job, |record| record.abandoned.push(id))?;
        let Some(record) = self.book().job(job).map(|job| job.record.clone()) else {
            return Ok(());
        };
        if let Err(error) = self.transport.cancel(record.user(), &[id]).await {
            tracing::warn!(%job, %error, "a job that Slurm cannot start could not be cancelled yet");
            return Ok(());
        }
        self.lost(job, &record, now).await
    }

    /// The controller has forgotten a job.
    async fn lost(&self, job: JobId, record: &Record, now: Timestamp) -> Result<(), Error> {
        let began = match self.folder(job, record.user())?.begun().await {
            Ok(began) => began,
            Err(error) => {
                tracing::warn!(%job, %error, "whether a lost job had begun is not known");
                return Ok(());
            }
        };
        if began.is_some() {
            let reason = "Slurm lost the job after its script had begun";
            return self.end(job, never(How::NodeFailed, Some(reason), now));
        }
        if record.cancel {
            return self.end(job, never(How::Cancelled, None, now));
        }
        tracing::warn!(%job, attempt = record.attempt, "Slurm lost a job; it is submitted again");
        {
            let mut book = self.book();
            book.change(job, |record| {
                record.attempt = record.attempt.saturating_add(1);
                record.intended_seconds = now.as_second();
                record.slurm = None;
            })?;
            if let Some(known) = book.job_mut(job) {
                known.submitting = true;
                known.missed_since = None;
                known.state = State::Queued;
            }
        }
        match self.try_to_submit(job).await {
            Err(Error::Refused(why)) => self.end(job, never(How::Refused, Some(&why), now)),
            answer => answer,
        }
    }

    /// Writes down how a job ended, unless it never began or was a copy that stopped at the fence.
    async fn end_as(
        &self,
        job: JobId,
        record: &Record,
        ended: Ended,
        id: SlurmId,
    ) -> Result<(), Error> {
        let record_of = EndRecord::from(ended);
        let began = match record_of.how {
            How::Exited(FENCED) => self.folder(job, record.user())?.begun().await?,
            _ if may_be_unbegun(&record_of, record.cancel) && record.attempt < ATTEMPTS_MAX => {
                let began = self.folder(job, record.user())?.begun().await?;
                if began.is_none() {
                    self.book().change(job, |record| record.abandoned.push(id))?;
                    return self.lost(job, record, self.now()).await;
                }
                let end = match record_of.how {
                    How::Cancelled => {
                        let reason = "Slurm ended the job in the second in which its script began, \
                            and nobody here asked for that";
                        never(How::NodeFailed, Some(reason), self.now())
                    }
                    _ => record_of,
                };
                return self.end(job, end);
            }
            _ => return self.end(job, record_of),
        };
        match began {
            Some((_, winner)) if SlurmId(winner) == id => {
                let again = self.folder(job, record.user())?.was_stopped(id).await?;
                let reason = "Slurm forgot that the script had begun, and started it once more";
                // Otherwise the script itself chose this number.
                let end = if again {
                    never(How::NodeFailed, Some(reason), self.now())
                } else {
                    record_of
                };
                self.end(job, end)
            }
            Some((_, winner)) => self.end_of_winner(job, SlurmId(winner)).await,
            None => {
                let reason = "the job's folder could not be reached from its node";
                self.end(job, EndRecord { reason: Some(reason.to_owned()), ..record_of })
            }
        }
    }

    /// Ends a job as the copy of it that ran.
    async fn end_of_winner(&self, job: JobId, winner: SlurmId) -> Result<(), Error> {
        let Some(mut known) = self.book().job(job).cloned() else { return Ok(()) };
        known.over = None;
        let rows = self.transport.accounting(&[winner]).await?;
        let end = match self.told(job, &known, &rows) {
            Some(row) => ended_by(&row, None).into(),
            None => {
                let reason = "Slurm lost the copy of the job whose script had begun";
                never(How::NodeFailed, Some(reason), self.now())
            }
        };
        self.end(job, end)
    }

    fn end(&self, job: JobId, end: EndRecord) -> Result<(), Error> {
        let mut book = self.book();
        book.change(job, |record| record.ended = Some(end.clone()))?;
        if let Some(known) = book.job_mut(job) {
            known.state = State::Ended(end.into());
            known.over = None;
        }
        Ok(())
    }
}

/// The copy of a job that counts: one that is not over, the one that is known already, the first.
fn chosen(copies: Vec<Queued>, known: Option<SlurmId>) -> Option<Queued> {
    copies.into_iter().min_by_key(|copy| (copy.is_over(), Some(copy.id) != known, copy.id))
}

/// Whether a job can have ended so although its script never began: Slurm could not start it, or
/// believed that it ran. A start that came to nothing it also calls cancelled, within seconds.
fn may_be_unbegun(end: &EndRecord, cancelled: bool) -> bool {
    let is_brief = |started| end.ended_microseconds.saturating_sub(started) <= VAIN_MICROSECONDS;
    match end.how {
        How::Exited(_) | How::Signalled(_) | How::TimedOut | How::NodeFailed | How::BootFailed => {
            true
        }
        How::Cancelled => !cancelled && end.started_microseconds.is_some_and(is_brief),
        How::Completed | How::OutOfMemory | How::Preempted | How::DeadlineMissed | How::Refused => {
            false
        }
    }
}

/// Whether Slurm has given up starting a job; commands and REST spell the reason differently.
fn is_stuck(copy: &Queued) -> bool {
    copy.reason.replace('_', " ") == "launch failed requeued held"
}

fn running(copy: &Queued, now: Timestamp) -> State {
    State::Running {
        started: copy.started.unwrap_or(now),
        nodes: hostlist::expand(&copy.nodes).unwrap_or_default(),
        cores: Vec::new(),
        gpus: Vec::new(),
    }
}

/// How the accounting says that a job ended; `exit` is what the queue said, which counts where the
/// accounting is without a status.
fn ended_by(row: &Accounted, exit: Option<Exit>) -> Ended {
    let status = row.exit.filter(|exit| exit.is_failure()).or(exit);
    let close = match &row.phase {
        Ok(Phase::Over(close)) => close.end(status),
        _ => How::NodeFailed.into(),
    };
    Ended {
        end: close,
        reason: None,
        started: row.started,
        ended: row.ended.unwrap_or(Timestamp::UNIX_EPOCH),
        peak_memory_mb: row.peak_memory_mb,
        cpu_milliseconds: row.cpu_milliseconds,
    }
}

/// How the queue alone says that a job ended.
fn ended_in_queue(copy: &Queued, now: Timestamp) -> Ended {
    let ended = copy.ended.unwrap_or(now);
    let close = match &copy.phase {
        Ok(Phase::Over(close)) => close.end(copy.exit),
        _ => How::NodeFailed.into(),
    };
    Ended {
        end: close,
        reason: Some(format!("{}; Slurm's accounting does not tell more", copy.reason)),
        // One that never ran has no node.
        started: copy.started.filter(|_| !copy.nodes.is_empty()),
        ended,
        peak_memory_mb: None,
        cpu_milliseconds: None,
    }
}

/// The end of a job of which no more is known.
fn never(how: How, reason: Option<&str>, now: Timestamp) -> EndRecord {
    EndRecord {
        how,
        reason: reason.map(str::to_owned),
        started_microseconds: None,
        ended_microseconds: now.as_microsecond(),
        peak_memory_mb: None,
        cpu_milliseconds: None,
    }
}
