//! From the records of a log to jobs that every simulator understands alike.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::swf::{Record, Records, SwfError};

/// A job of a log, ready to be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// When it arrives.
    pub submit: i64,
    /// How long it runs, in seconds.
    pub run: i64,
    /// How long it asked to run, in seconds.
    pub estimate: i64,
    /// The processors it needs.
    pub procs: u32,
    /// Who submitted it.
    pub user: u32,
    /// The group or account it belongs to.
    pub group: u32,
    /// The queue it was submitted to.
    pub queue: u32,
}

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not there, or not readable.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The text is not a log.
    #[error(transparent)]
    Swf(#[from] SwfError),
    /// No job is left to replay.
    #[error("the log holds no job that can be replayed")]
    Empty,
    /// A node cannot have no cores, nor more than the machine.
    #[error("a node of {node_cores} cores does not fit a machine of {procs} processors")]
    NodeCores {
        /// What was asked.
        node_cores: u32,
        /// The machine.
        procs: u32,
    },
    /// As it is, the log cannot be replayed.
    #[error("line {line}: {what}; sanitising would put that right")]
    NotClean {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// A log with the same meaning for every simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanitised {
    /// In order of submission, numbered from 1; the first is submitted at 1.
    pub jobs: Vec<Job>,
    /// Jobs left out: they did not run, or do not fit the machine.
    pub dropped: u64,
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BUFFER_BYTES: usize = 1 << 18;

/// Opens a log, unpacking it when it is packed with gzip, whatever its name.
///
/// # Errors
/// When the file cannot be read.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, LoadError> {
    let failed = |source| LoadError::Open { path: path.display().to_string(), source };
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path).map_err(failed)?);
    if file.fill_buf().map_err(failed)?.starts_with(&GZIP_MAGIC) {
        let unpacked = flate2::bufread::MultiGzDecoder::new(file);
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, unpacked)));
    }
    Ok(Box::new(file))
}

/// Reads a log for a machine of `procs` processors in nodes of `node_cores`.
///
/// The rules: processors are those requested, or else allocated, rounded up to whole nodes; jobs
/// that need more than the machine, or did not run, are dropped; the estimate is at least the run
/// time; jobs are ordered by submission and number, numbered anew, and start at second 1.
///
/// # Errors
/// When the log cannot be read, or no job is left.
pub fn sanitise(input: impl BufRead, procs: u32, node_cores: u32) -> Result<Sanitised, LoadError> {
    if node_cores == 0 || node_cores > procs {
        return Err(LoadError::NodeCores { node_cores, procs });
    }
    let mut jobs = Vec::new();
    let mut dropped = 0;
    for record in Records::new(input) {
        match sanitised(&record?, procs, node_cores) {
            Some(job) => jobs.push(job),
            None => dropped += 1,
        }
    }
    jobs.sort_by_key(|job| (job.submit, job.id));
    let origin = jobs.first().ok_or(LoadError::Empty)?.submit - 1;
    for (id, job) in (1..).zip(&mut jobs) {
        job.id = id;
        job.submit -= origin;
    }
    Ok(Sanitised { jobs, dropped })
}

fn sanitised(record: &Record, procs: u32, node_cores: u32) -> Option<Job> {
    let asked = if record.requested > 0 { record.requested } else { record.allocated };
    if asked <= 0 || record.run <= 0 {
        return None;
    }
    let node_cores = i64::from(node_cores);
    let whole = u32::try_from((asked + node_cores - 1) / node_cores * node_cores).ok()?;
    (whole <= procs).then(|| job(record, whole, record.estimate.max(record.run)))
}

/// Reads a log that is clean already, changing nothing.
///
/// # Errors
/// When the log cannot be read, or a job does not fit, has no run time, or comes out of order.
pub fn as_is(input: impl BufRead, procs: u32) -> Result<Vec<Job>, LoadError> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut records = Records::new(input);
    while let Some(record) = records.next() {
        let record = record?;
        let line = records.line();
        let not_clean = |what| Err(LoadError::NotClean { line, what });
        let Some(asked) = u32::try_from(record.requested).ok().filter(|asked| *asked > 0) else {
            return not_clean("the job requests no processors");
        };
        if asked > procs {
            return not_clean("the job requests more processors than the machine has");
        }
        if record.run < 0 {
            return not_clean("the job has no run time");
        }
        if jobs.last().is_some_and(|last| record.submit < last.submit) {
            return not_clean("the job was submitted before the one above it");
        }
        jobs.push(job(&record, asked, record.estimate));
    }
    if jobs.is_empty() { Err(LoadError::Empty) } else { Ok(jobs) }
}

fn job(record: &Record, procs: u32, estimate: i64) -> Job {
    let known = |number: i64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
    Job {
        id: record.id,
        submit: record.submit,
        run: record.run,
        estimate,
        procs,
        user: known(record.user),
        group: known(record.group),
        queue: known(record.queue),
    }
}

#[cfg(test)]
mod tests;
