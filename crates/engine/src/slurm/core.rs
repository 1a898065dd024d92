//! The engine over any way to Slurm.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sched::Snapshot;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use units::{JobId, Timestamp};

use super::book::{Book, Job, Record};
use super::folder::Folder;
use super::porter::Porter;
use super::settings::Settings;
use super::transport::{About, Node, SlurmId, Submission, Transport};
use super::{health, modelled, name, options, process, script, snapshot};
use crate::job::{Capacity, Observation, Reach, Spec, Stream};
use crate::{Error, Health};

/// How many submissions may be on their way at once: enough to keep a controller busy, and few enough
/// that the first of many is through long before the last.
const SUBMISSIONS_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct Core<T> {
    pub(super) settings: Arc<Settings>,
    pub(super) transport: T,
    pub(super) about: About,
    /// The login of this process, whose jobs those without a person are.
    pub(super) me: String,
    book: Mutex<Book>,
    porter: Porter,
    /// Submissions that may be on their way at once.
    submissions: Semaphore,
    nodes: Mutex<Vec<Node>>,
    /// The jobs whose steps were asked for last.
    asked: Mutex<Vec<(JobId, SlurmId, String)>>,
    /// When the cluster was last looked at; held while it is.
    pub(super) looked: tokio::sync::Mutex<Option<Instant>>,
    /// Whether there is a reason to look again before it is time.
    pub(super) in_haste: AtomicBool,
}

impl<T: Transport> Core<T> {
    pub(super) async fn open(settings: Arc<Settings>, transport: T) -> Result<Self, Error> {
        settings.check()?;
        let about = transport.about().await?;
        let me = match transport.shelf() {
            Some(_) => modelled::LOGIN.to_owned(),
            None => process::own_login(&settings).await?,
        };
        let book = Mutex::new(Book::open(settings.disk.clone(), &settings.records)?);
        let nodes = Mutex::new(transport.nodes().await?);
        tracing::info!(cluster = about.cluster, version = about.version, "jobs go to Slurm");
        Ok(Self {
            settings,
            transport,
            about,
            me,
            book,
            porter: Porter::default(),
            submissions: Semaphore::new(SUBMISSIONS_MAX),
            nodes,
            asked: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
            in_haste: AtomicBool::default(),
        })
    }

    /// A panic while the book was held cannot have left a file half written, so go on.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nodes(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn folder(&self, job: JobId, user: Option<&str>) -> Result<Folder<'_>, Error> {
        Folder::new(&self.settings, self.transport.shelf(), user, job)
    }

    /// What time it is here.
    pub(super) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    /// The login under which a job runs.
    pub(super) fn login<'j>(&'j self, record: &'j Record) -> &'j str {
        record.user().unwrap_or(&self.me)
    }

    pub(super) fn capacity(&self) -> Capacity {
        let nodes = self.nodes();
        let alike = snapshot::alike(&nodes, self.settings.partition.as_deref());
        let gpus = alike.iter().flat_map(|node| {
            std::iter::repeat_n(node.gpu_model.clone(), usize::try_from(node.gpus).unwrap_or(0))
        });
        Capacity {
            host: self.about.cluster.clone(),
            nodes: u32::try_from(alike.len()).unwrap_or(u32::MAX),
            cores: alike.iter().fold(0, |sum, node| sum.saturating_add(node.cores)),
            memory_mb: alike.iter().fold(0, |sum, node| sum.saturating_add(node.memory_mb)),
            gpus: gpus.collect(),
            isolation: vec![format!("Slurm {} keeps jobs apart", self.about.version)],
        }
    }

    pub(super) async fn prepare(&self, job: JobId) -> Result<PathBuf, Error> {
        let (known, back) = {
            let book = self.book();
            (book.job(job).cloned(), book.back(job))
        };
        match known {
            Some(known) if known.has_ended() => {
                let folder = self.folder(job, known.record.user())?;
                folder.left(&known.record.spec.outputs, back).await
            }
            Some(_) | None => self.book().work(job),
        }
    }

    pub(super) fn knows(&self, job: JobId) -> bool {
        self.book().jobs.contains_key(&job)
    }

    pub(super) async fn submit(&self, job: JobId, spec: &Spec) -> Result<(), Error> {
        if self.knows(job) {
            return Ok(());
        }
        spec.check_anywhere(match spec.place.user {
            Some(_) => Reach::AsPerson,
            None => Reach::OwnDirectory,
        })?;
        name::check(&spec.place)?;
        options::check(&spec.place.options)?;
        self.check_size(spec)?;
        let folder = self.folder(job, spec.place.user.as_deref())?;
        let environment = script::environment(job, spec)?;
        self.prepare(job).await?;
        self.book().put(job, script::SCRIPT, &spec.script)?;
        self.book().put(job, script::ENVIRONMENT, &environment)?;
        match self.transport.shelf() {
            Some(shelf) => shelf.place(job).await?,
            None => self.porter.place(&self.settings, spec.place.user.as_deref(), job).await?,
        }
        self.book().add(job, Record::new(spec, self.now()))?;
        match self.try_to_submit(job).await {
            Err(Error::Refused(why)) => {
                self.book().forget(job)?;
                if let Err(error) = folder.remove().await {
                    tracing::warn!(%job, %error, "the folder of a refused job stays");
                }
                Err(Error::Refused(why))
            }
            answer => answer,
        }
    }

    /// Submits a job whose intent is noted. When the answer is unclear it is found later, or
    /// submitted again.
    pub(super) async fn try_to_submit(&self, job: JobId) -> Result<(), Error> {
        let Some(record) = self.book().job(job).map(|job| job.record.clone()) else {
            return Ok(());
        };
        let _on_its_way = OnItsWay { core: self, job };
        let path = self.folder(job, record.user())?.path();
        let script = script::fence(&path, record.attempt, &record.spec);
        let submission = Submission { job, spec: &record.spec, folder: &path, script };
        let _turn = self.submissions.acquire().await;
        match self.transport.submit(submission).await {
            Ok(id) => {
                let noted = self.book().change(job, |record| {
                    record.slurm = Some(id);
                    // A controller that forgot may give a number out again.
                    record.abandoned.retain(|other| *other != id);
                });
                noted.map(drop)
            }
            Err(Error::Refused(why)) => Err(Error::Refused(why)),
            Err(error) => {
                tracing::warn!(%job, %error, "whether Slurm took a job is not known yet");
                Ok(())
            }
        }
    }

    /// Notes that a job is to end. The next look, which comes at once, ends what it finds: the number
    /// that is known may be another job's by now, of a controller that forgot this one.
    pub(super) fn cancel(&self, job: JobId) -> Result<(), Error> {
        let mut book = self.book();
        match book.jobs.get(&job) {
            None => return Err(Error::Unknown(job)),
            Some(None) => return Ok(()),
            Some(Some(known)) if known.has_ended() || known.record.cancel => return Ok(()),
            Some(Some(_)) => book.change(job, |record| record.cancel = true)?,
        };
        self.in_haste.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot, Error> {
        let (nodes, load) = tokio::try_join!(self.transport.nodes(), self.transport.load())?;
        let partition = snapshot::shown(&nodes, self.settings.partition.as_deref())?;
        let ours = {
            let book = self.book();
            let ours =
                |(job, known): (&JobId, &Option<Job>)| Some((known.as_ref()?.record.slurm?, *job));
            book.jobs.iter().filter_map(ours).collect()
        };
        let taken = snapshot::of(&partition, &nodes, &load, &ours);
        *self.nodes() = nodes;
        Ok(taken)
    }

    pub(super) async fn health(&self) -> Result<Health, Error> {
        let (nodes, orders) = tokio::try_join!(self.transport.nodes(), self.transport.orders())?;
        let partition = snapshot::shown(&nodes, self.settings.partition.as_deref())?;
        Ok(health::of(&partition, &nodes, orders, self.now()))
    }

    pub(super) async fn read(
        &self,
        job: JobId,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let Some(known) = self.book().job(job).cloned() else { return Ok(Vec::new()) };
        self.folder(job, known.record.user())?.read(stream, offset, length_max).await
    }

    pub(super) async fn clear(&self, job: JobId) -> Result<(), Error> {
        let known = {
            let mut book = self.book();
            match book.jobs.get(&job) {
                None => return book.forget(job),
                Some(None) => return Ok(()),
                Some(Some(known)) if known.has_ended() => known.clone(),
                Some(Some(_)) => return Err(Error::Refused("the job has not ended".to_owned())),
            }
        };
        let folder = self.folder(job, known.record.user())?;
        folder.leave_logs(&known.record.spec).await;
        folder.remove().await?;
        self.book().clear(job)
    }

    /// Slurm's numbers of these jobs, and the logins of their owners. Of a job that was asked about
    /// all the while both stay known when the rest of it was let go.
    pub(super) fn numbers_of(&self, jobs: &[JobId]) -> Vec<(JobId, SlurmId, String)> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let book = self.book();
        let number = |job: &JobId| {
            let record = book.job(*job).map(|known| &known.record);
            let now = record.and_then(|it| Some((*job, it.slurm?, self.login(it).to_owned())));
            now.or_else(|| asked.iter().find(|(known, ..)| known == job).cloned())
        };
        let found: Vec<_> = jobs.iter().filter_map(number).collect();
        asked.clone_from(&found);
        found
    }

    pub(super) fn observations(&self) -> Vec<Observation> {
        let book = self.book();
        let seen = |(job, known): (&JobId, &Option<Job>)| {
            Some(Observation { job: *job, state: known.as_ref()?.state.clone() })
        };
        book.jobs.iter().filter_map(seen).collect()
    }

    /// Refuses what no node could hold; Slurm would let some of it wait for ever.
    fn check_size(&self, spec: &Spec) -> Result<(), Error> {
        let request = spec.request;
        let said = options::Said::by(&spec.place.options);
        let nodes = self.nodes();
        let fits = |node: &&Node| {
            let over = request.nodes.max(1);
            (said.cores || request.cores.div_ceil(over) <= node.cores)
                && (said.memory || request.memory_mb.div_ceil(over.into()) <= node.memory_mb)
                && (said.gpus || request.gpus.div_ceil(over) <= node.gpus)
        };
        let fitting = nodes.iter().filter(fits).count();
        if u32::try_from(fitting).unwrap_or(u32::MAX) < request.nodes.max(1) {
            return Err(Error::Refused("it asks for more than the cluster has".to_owned()));
        }
        Ok(())
    }
}

/// Marks a job as being submitted for as long as this lives.
struct OnItsWay<'c, T: Transport> {
    core: &'c Core<T>,
    job: JobId,
}

impl<T: Transport> Drop for OnItsWay<'_, T> {
    fn drop(&mut self) {
        if let Some(job) = self.core.book().job_mut(self.job) {
            job.submitting = false;
        }
    }
}

/// The instant that is so many seconds before another.
pub(super) fn before(at: Timestamp, seconds: u64) -> Timestamp {
    at.saturating_sub(std::time::Duration::from_secs(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether so much time has passed since an instant.
pub(super) fn has_passed(since: Timestamp, now: Timestamp, length: std::time::Duration) -> bool {
    std::time::Duration::try_from(now.duration_since(since)).is_ok_and(|passed| passed >= length)
}
