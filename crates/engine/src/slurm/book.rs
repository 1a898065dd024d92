//! What is known of each job: in files, written before it is acted on, and in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};

use super::script::WORK;
use super::transport::{Queued, SlurmId};
use crate::disk::Kind;
use crate::ended::EndRecord;
use crate::job::{Spec, State};
use crate::{Disk, Error};

/// The name, in the records of a job, of what its folder will hold.
pub(super) const HAND: &str = "hand";

/// A job that was taken in, durable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) spec: Spec,
    /// How many submissions there were to be.
    pub(super) attempt: u32,
    /// When the last of them was about to happen.
    pub(super) intended_seconds: i64,
    /// What Slurm calls it, once that is known.
    pub(super) slurm: Option<SlurmId>,
    /// Numbers of copies that are no longer it.
    #[serde(default)]
    pub(super) abandoned: Vec<SlurmId>,
    /// Whether somebody wants it ended.
    pub(super) cancel: bool,
    pub(super) ended: Option<EndRecord>,
}

/// What lies in the file of a job.
#[derive(Debug, Serialize, Deserialize)]
enum Page {
    Open(Box<Record>),
    /// Its files are gone; it never runs again.
    Cleared,
}

/// A job in memory.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) record: Record,
    /// Whether a submission is on its way, so that its absence says nothing.
    pub(super) submitting: bool,
    /// Where it was last seen.
    pub(super) state: State,
    /// Since when neither queue nor accounting has it.
    pub(super) missed_since: Option<Timestamp>,
    /// When the queue first showed that it is over, and how.
    pub(super) over: Option<(Timestamp, Queued)>,
}

/// All jobs by their ids; `None` for one that was cleared.
#[derive(Debug)]
pub(super) struct Book {
    disk: Disk,
    folder: PathBuf,
    pub(super) jobs: BTreeMap<JobId, Option<Job>>,
}

impl Record {
    /// A job that is about to be submitted for the first time.
    pub(super) fn new(spec: &Spec, now: Timestamp) -> Self {
        let intended_seconds = now.as_second();
        Self {
            spec: spec.clone(),
            attempt: 1,
            intended_seconds,
            slurm: None,
            abandoned: Vec::new(),
            cancel: false,
            ended: None,
        }
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.spec.place.user.as_deref()
    }

    pub(super) fn intended(&self) -> Timestamp {
        Timestamp::from_second(self.intended_seconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Job {
    pub(super) fn new(record: Record) -> Self {
        let state = match &record.ended {
            Some(ended) => State::Ended(ended.clone().into()),
            None => State::Queued,
        };
        Self { record, submitting: false, state, missed_since: None, over: None }
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.record.ended.is_some()
    }
}

impl Book {
    /// Reads what an engine before this one wrote.
    pub(super) fn open(disk: Disk, folder: &Path) -> Result<Self, Error> {
        let read = || Error::system("read the records of jobs");
        // Inputs and outputs of everybody lie here.
        disk.files().make(folder).map_err(read())?;
        let mut book = Self { disk, folder: folder.to_owned(), jobs: BTreeMap::new() };
        for name in book.disk.files().names(folder).map_err(read())? {
            let Ok(job) = name.parse() else { continue };
            match book.disk.read::<Page>(&book.page(job)).map_err(read())? {
                Some(Page::Open(record)) => book.jobs.insert(job, Some(Job::new(*record))),
                Some(Page::Cleared) => book.jobs.insert(job, None),
                None => continue,
            };
        }
        Ok(book)
    }

    pub(super) fn job(&self, job: JobId) -> Option<&Job> {
        self.jobs.get(&job)?.as_ref()
    }

    pub(super) fn job_mut(&mut self, job: JobId) -> Option<&mut Job> {
        self.jobs.get_mut(&job)?.as_mut()
    }

    /// Changes what is known of a job: in its file first, so that memory never knows more.
    pub(super) fn change<T>(
        &mut self,
        job: JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<Option<T>, Error> {
        let (disk, page) = (self.disk.clone(), self.page(job));
        let Some(known) = self.job_mut(job) else { return Ok(None) };
        let mut record = known.record.clone();
        let told = change(&mut record);
        write(&disk, &page, &Page::Open(Box::new(record.clone())))?;
        known.record = record;
        Ok(Some(told))
    }

    /// Takes a job in.
    pub(super) fn add(&mut self, job: JobId, record: Record) -> Result<(), Error> {
        let made = self.disk.files().make(&self.folder_of(job));
        made.map_err(Error::system("note a new job"))?;
        write(&self.disk, &self.page(job), &Page::Open(Box::new(record.clone())))?;
        let submitting = true;
        self.jobs.insert(job, Some(Job { submitting, ..Job::new(record) }));
        Ok(())
    }

    /// Forgets a job, as if it had never come.
    pub(super) fn forget(&mut self, job: JobId) -> Result<(), Error> {
        self.delete(&self.folder_of(job))?;
        self.jobs.remove(&job);
        Ok(())
    }

    /// Lets go of everything but the knowledge that there was such a job.
    pub(super) fn clear(&mut self, job: JobId) -> Result<(), Error> {
        write(&self.disk, &self.page(job), &Page::Cleared)?;
        self.jobs.insert(job, None);
        [self.hand(job), self.back(job)].iter().try_for_each(|folder| self.delete(folder))
    }

    /// Puts a file of a job where its folder is put together.
    pub(super) fn put(&self, job: JobId, name: &str, text: &str) -> Result<(), Error> {
        let (path, kind) = (self.hand(job).join(name), Kind::Program);
        let put = self.disk.files().write(&path, text.as_bytes(), kind);
        put.map_err(Error::system("write the script of a job"))
    }

    /// Makes the folder in which a job is to run, for its inputs; its path.
    pub(super) fn work(&self, job: JobId) -> Result<PathBuf, Error> {
        let work = self.hand(job).join(WORK);
        self.disk.files().make(&work).map_err(Error::system("make the folder of a job"))?;
        Ok(work)
    }

    /// Where this engine puts together what the job's folder will hold.
    pub(super) fn hand(&self, job: JobId) -> PathBuf {
        self.folder_of(job).join(HAND)
    }

    /// Where it keeps copies of what the job left.
    pub(super) fn back(&self, job: JobId) -> PathBuf {
        self.folder_of(job).join("back")
    }

    fn delete(&self, folder: &Path) -> Result<(), Error> {
        self.disk.files().delete(folder).map_err(Error::system("delete the files of a job"))
    }

    fn folder_of(&self, job: JobId) -> PathBuf {
        self.folder.join(job.to_string())
    }

    fn page(&self, job: JobId) -> PathBuf {
        self.folder_of(job).join("record.json")
    }
}

fn write(disk: &Disk, path: &Path, page: &Page) -> Result<(), Error> {
    disk.write(path, page).map_err(Error::system("note what became of a job"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::small;

    #[test]
    fn what_was_written_is_known_to_the_next_engine() {
        let folder = tempfile::tempdir().unwrap();
        let job: JobId = "0189abcd-0000-7000-8000-000000000001".parse().unwrap();
        let other: JobId = "0189abcd-0000-7000-8000-000000000002".parse().unwrap();
        let mut book = Book::open(Disk::default(), folder.path()).unwrap();
        for id in [job, other] {
            book.add(id, Record::new(&small("exit 0"), Timestamp::UNIX_EPOCH)).unwrap();
        }
        book.change(job, |record| record.slurm = Some(SlurmId(7))).unwrap();
        book.clear(other).unwrap();

        let mut book = Book::open(Disk::default(), folder.path()).unwrap();
        assert_eq!(book.job(job).unwrap().record.slurm, Some(SlurmId(7)));
        assert!(!book.job(job).unwrap().submitting, "nobody is submitting it any more");
        assert!(matches!(book.jobs.get(&other), Some(None)));
        book.forget(job).unwrap();
        assert!(Book::open(Disk::default(), folder.path()).unwrap().job(job).is_none());
    }
}
