//! Logs of real machines, each format read by its own file into the same [`Entry`]s.
//!
//! | format | where it comes from | file |
//! | --- | --- | --- |
//! | [`Format::Swf`] | the Parallel Workloads Archive | [`crate::swf`] |
//! | [`Format::Sacct`] | `sacct -P` of Slurm | `sacct` |
//! | [`Format::Gpu`] | traces of GPU clusters: Philly as published for Gavel, Helios, Acme | `gpu` |
//! | [`Format::History`] | the hub's own export | `history` |
//!
//! Reading stops at the first thing that cannot be meant, with its line, its column and what was
//! expected there. Lines, columns, rows and numbers have limits, so a hostile file is refused
//! before it costs memory.

pub(crate) mod fields;
mod gpu;
mod history;
mod names;
pub(crate) mod sacct;
mod standard;
pub(crate) mod table;
mod write;

use std::io::{self, BufRead};
use std::path::Path;

pub use names::{NameId, Names};
pub use write::{HistoryRow, write_history};

use crate::swf::SwfError;

/// Which file a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The Standard Workload Format; its processors count as cores.
    Swf,
    /// `sacct -P`, with any columns in any order.
    Sacct,
    /// A table of jobs on GPUs with a heading, as Philly (Gavel), Helios and Acme publish them.
    Gpu,
    /// The hub's own history.
    History,
}

impl Format {
    /// The formats, by the words that scenarios use.
    pub const WORDS: [(&str, Self); 4] = [
        ("swf", Self::Swf),
        ("sacct", Self::Sacct),
        ("gpu-trace", Self::Gpu),
        ("history", Self::History),
    ];
}

/// One job of a log, with what it asked and what it used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was submitted, in seconds since an epoch of the log's own.
    pub submit: i64,
    /// How long it ran, all its attempts together, in seconds; at least 1.
    pub run_seconds: i64,
    /// How long it asked to run; `None` when the log does not say, or it asked for no limit.
    pub limit_seconds: Option<i64>,
    /// The nodes it had, at least 1 where the log says; else 0.
    pub nodes: u32,
    /// The cores it had altogether; 0 where the log does not say.
    pub cores: u32,
    /// The GPUs it had altogether; 0 for none.
    pub gpus: u32,
    /// Who submitted it.
    pub user: NameId,
    /// The account, project, organisation or virtual cluster it belongs to.
    pub account: NameId,
    /// The partition or queue it was submitted to.
    pub queue: NameId,
    /// The class of the organisation behind it, where the log says.
    pub class: NameId,
}

/// What was left out of a log, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Steps of jobs, which their job counts already.
    pub steps: u64,
    /// Jobs that never ran.
    pub not_run: u64,
    /// Jobs that had not ended when the log was taken.
    pub unfinished: u64,
    /// Attempts that were put back in the queue; their time counts with their job's.
    pub requeued: u64,
}

/// A log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Its jobs, in order of submission.
    pub entries: Vec<Entry>,
    /// What its users, accounts and queues are called.
    pub names: Names,
    /// What was left out.
    pub skipped: Skipped,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file is not there, or not readable.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// Something else than what belongs there.
    #[error("{line}:{column}: {expected} is expected, not `{found}`")]
    Unexpected {
        /// The line, from 1.
        line: u64,
        /// The column in bytes, from 1.
        column: usize,
        /// What belongs there.
        expected: String,
        /// What stands there, cut short.
        found: String,
    },
    /// A heading without a column that is needed.
    #[error("1:1: the heading has no column {missing}; it has {present}")]
    NoColumn {
        /// The names it could have.
        missing: String,
        /// The columns that are there.
        present: String,
    },
    /// Not a log of the Standard Workload Format.
    #[error(transparent)]
    Swf(#[from] SwfError),
    /// More than a log may have.
    #[error("{line}:1: {what}")]
    TooMuch {
        /// The line, from 1.
        line: u64,
        /// What is too much, with the limit.
        what: String,
    },
    /// No job that ran.
    #[error("the log holds no job that ran")]
    Empty,
}

/// The longest line of a table, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 16;
/// The most columns of a table.
pub const COLUMNS_MAX: usize = 256;
/// The most jobs of a log.
pub const JOBS_MAX: usize = 50_000_000;
/// The longest run, limit or distance between submissions: a thousand years, in seconds.
pub const SECONDS_MAX: i64 = 31_557_600_000;

/// Reads a log from `path`, unpacking it when it is packed with gzip.
///
/// # Errors
/// When it cannot be read, or is not of this format.
pub fn read_file(path: &Path, format: Format) -> Result<Trace, TraceError> {
    let input = crate::open(path).map_err(|error| match error {
        crate::LoadError::Open { source, .. } => TraceError::Read(source),
        other => TraceError::Read(io::Error::other(other)),
    })?;
    read(input, format)
}

/// Reads a log.
///
/// # Errors
/// At the first thing that cannot be meant, or when no job ran.
pub fn read(input: impl BufRead, format: Format) -> Result<Trace, TraceError> {
    let mut trace = match format {
        Format::Swf => standard::read(input)?,
        Format::Sacct => sacct::read(input)?,
        Format::Gpu => gpu::read(input)?,
        Format::History => history::read(input)?,
    };
    if trace.entries.is_empty() {
        return Err(TraceError::Empty);
    }
    trace.entries.sort_by_key(|entry| entry.submit);
    Ok(trace)
}

impl Trace {
    /// Adds a job of the row on `line`, unless there are too many.
    fn push(&mut self, line: u64, entry: Entry) -> Result<(), TraceError> {
        if self.entries.len() >= JOBS_MAX {
            return Err(TraceError::TooMuch {
                line,
                what: format!("there are more than {JOBS_MAX} jobs"),
            });
        }
        self.entries.push(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
