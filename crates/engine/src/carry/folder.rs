//! What lies where in the folder of one job.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use units::Timestamp;

/// The folder of one job: records beside the directory that the job itself sees.
#[derive(Clone, Debug)]
pub(crate) struct JobFolder(PathBuf);

impl JobFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What is to be run; there once the job was submitted.
    pub(crate) fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// Where and how it is to run; there once it was its turn.
    pub(crate) fn task(&self) -> PathBuf {
        self.0.join("task.json")
    }

    /// There once the script may have begun; it will never be started again.
    pub(crate) fn started(&self) -> PathBuf {
        self.0.join("started.json")
    }

    /// There once it is over.
    pub(crate) fn ended(&self) -> PathBuf {
        self.0.join("ended.json")
    }

    /// There once somebody wants it ended.
    pub(crate) fn cancel(&self) -> PathBuf {
        self.0.join("cancel")
    }

    /// Locked by the shepherd for as long as it lives.
    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// How the script exited, as init saw it.
    pub(crate) fn status(&self) -> PathBuf {
        self.0.join("status")
    }

    pub(crate) fn stdout(&self) -> PathBuf {
        self.0.join("stdout.log")
    }

    pub(crate) fn stderr(&self) -> PathBuf {
        self.0.join("stderr.log")
    }

    pub(crate) fn shepherd_log(&self) -> PathBuf {
        self.0.join("shepherd.log")
    }

    /// The directory in which the script runs.
    pub(crate) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// The script's own temporary directory.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// Where the job's own root directory is put together.
    pub(crate) fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    /// The script as the job sees it.
    pub(crate) fn script(&self) -> PathBuf {
        self.work().join("job.sh")
    }

    pub(crate) fn write_script(&self, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o700);
        options.open(self.script())?.write_all(text.as_bytes())
    }

    pub(crate) fn open_shepherd_log(&self) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(self.shepherd_log())
    }

    /// Waits until nobody else holds the lock; it goes when the process that holds it goes.
    pub(crate) fn acquire_lock(&self) -> io::Result<File> {
        let file = self.open_lock()?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    /// Whether somebody holds the lock, and so a shepherd lives.
    pub(crate) fn is_locked(&self) -> io::Result<bool> {
        let file = self.open_lock()?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(false),
        }
    }

    /// When the shepherd last gave a sign of life.
    pub(crate) fn last_sign(&self) -> Option<Timestamp> {
        fs::metadata(self.lock()).ok()?.modified().ok()?.try_into().ok()
    }

    fn open_lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(self.lock())
    }

    /// Deletes everything but the records of what was to run and how it ended.
    pub(crate) fn clear(&self) -> io::Result<()> {
        for path in [self.temporary(), self.root()] {
            gone(fs::remove_dir_all(path))?;
        }
        for path in [self.stdout(), self.stderr(), self.status(), self.shepherd_log()] {
            gone(fs::remove_file(path))?;
        }
        // Last, because its absence says that the job is cleared.
        gone(fs::remove_dir_all(self.work()))
    }

    /// Deletes the folder of a job that was prepared and never submitted.
    pub(crate) fn discard(&self) -> io::Result<()> {
        gone(fs::remove_dir_all(self.path()))
    }
}

/// What is not there need not be deleted.
fn gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
