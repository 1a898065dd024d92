//! The jobs of a site: records on disk, and the state of each as last seen.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::{Disk, Observation, State};
use tokio::sync::{mpsc, watch};
use units::JobId;

use super::record::JobRecord;
use crate::protocol::StartJob;

/// What is known of a job at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// Where it stands, if the engine has it.
    pub(super) state: Option<State>,
    /// Whether it is to be ended.
    pub(super) cancel: bool,
}

/// A job to be seen through.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) job: JobId,
    /// Absent for a job that was cancelled before it was ordered.
    pub(super) order: Option<Box<StartJob>>,
    pub(super) sight: watch::Receiver<Sight>,
}

/// All jobs that the agent has a record of.
#[derive(Debug)]
pub(super) struct Table {
    disk: Disk,
    folder: PathBuf,
    jobs: Mutex<BTreeMap<JobId, Option<watch::Sender<Sight>>>>,
    charges: mpsc::UnboundedSender<Charge>,
    new: tokio::sync::Mutex<mpsc::UnboundedReceiver<Charge>>,
}

impl Table {
    pub(super) fn open(disk: Disk, folder: &Path) -> io::Result<Self> {
        disk.files().make(folder)?;
        let (charges, new) = mpsc::unbounded_channel();
        let table = Self {
            disk,
            folder: folder.to_owned(),
            jobs: Mutex::default(),
            charges,
            new: tokio::sync::Mutex::new(new),
        };
        for name in table.disk.files().names(folder)? {
            let Some(job) = name.strip_suffix(".json").and_then(|job| job.parse().ok()) else {
                continue;
            };
            if let Some(record) = table.disk.read::<JobRecord>(&table.path(job))? {
                table.take_up(job, record);
            }
        }
        Ok(table)
    }

    /// Whether the job is one of the hub's.
    pub(super) fn has(&self, job: JobId) -> bool {
        self.jobs().contains_key(&job)
    }

    /// Notes that a job is to be run; nothing happens when it is known already.
    pub(super) fn order(&self, order: Box<StartJob>) -> io::Result<()> {
        let job = order.job;
        if self.jobs().contains_key(&job) {
            return Ok(());
        }
        self.note(job, JobRecord::Ordered { order, cancel: false })
    }

    /// Notes that a job is to be ended.
    pub(super) fn cancel(&self, job: JobId) -> io::Result<()> {
        match self.disk.read::<JobRecord>(&self.path(job))? {
            None => self.note(job, JobRecord::CancelledUnseen),
            Some(JobRecord::Ordered { order, cancel: false }) => {
                let record = JobRecord::Ordered { order, cancel: true };
                self.disk.write(&self.path(job), &record)?;
                if let Some(Some(sight)) = self.jobs().get(&job) {
                    sight.send_modify(|sight| sight.cancel = true);
                }
                Ok(())
            }
            Some(JobRecord::Ordered { .. } | JobRecord::CancelledUnseen | JobRecord::Over) => {
                Ok(())
            }
        }
    }

    /// Notes that there is nothing more to do for a job.
    pub(super) fn close(&self, job: JobId) -> io::Result<()> {
        self.disk.write(&self.path(job), &JobRecord::Over)?;
        self.jobs().insert(job, None);
        Ok(())
    }

    /// Takes in what the engine shows. A job that it shows no more keeps its last state.
    pub(super) fn see(&self, observations: Vec<Observation>) {
        let jobs = self.jobs();
        for Observation { job, state } in observations {
            if let Some(Some(sight)) = jobs.get(&job) {
                sight.send_if_modified(|sight| {
                    let differs = sight.state.as_ref() != Some(&state);
                    sight.state = Some(state);
                    differs
                });
            }
        }
    }

    /// Whether there is any job to be seen through.
    pub(super) fn is_idle(&self) -> bool {
        self.jobs().values().all(Option::is_none)
    }

    /// The jobs that run, as last seen.
    pub(super) fn running(&self) -> Vec<JobId> {
        let runs = |sight: &watch::Sender<Sight>| {
            matches!(sight.borrow().state, Some(State::Running { .. }))
        };
        let jobs = self.jobs();
        let running = jobs.iter().filter(|(_, sight)| sight.as_ref().is_some_and(runs));
        running.map(|(job, _)| *job).collect()
    }

    /// The next job to be seen through; waits until there is one.
    pub(super) async fn next(&self) -> Option<Charge> {
        self.new.lock().await.recv().await
    }

    fn note(&self, job: JobId, record: JobRecord) -> io::Result<()> {
        self.disk.write(&self.path(job), &record)?;
        self.take_up(job, record);
        Ok(())
    }

    fn take_up(&self, job: JobId, record: JobRecord) {
        let (order, cancel) = match record {
            JobRecord::Over => {
                self.jobs().insert(job, None);
                return;
            }
            JobRecord::CancelledUnseen => (None, true),
            JobRecord::Ordered { order, cancel } => (Some(order), cancel),
        };
        let (sender, sight) = watch::channel(Sight { state: None, cancel });
        self.jobs().insert(job, Some(sender));
        // The receiver is part of this table and cannot be gone.
        let _sent = self.charges.send(Charge { job, order, sight });
    }

    fn path(&self, job: JobId) -> PathBuf {
        self.folder.join(format!("{job}.json"))
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<JobId, Option<watch::Sender<Sight>>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
