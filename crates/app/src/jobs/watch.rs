//! Following a job: its text, its measurements, and what is new since somebody last looked.

use std::fmt;
use std::str::FromStr;

use store::Tx;
use store::jobs::{self as records, Metric, Stream};
use units::JobId;

use super::{Job, scopes};
use crate::{Action, Actor, App, Error};

/// The most pieces of a log, and the most measurements, that are read at a time.
const BATCH_MAX: u32 = 500;
/// The most bytes of a log that are given at a time.
const SLICE_BYTES_MAX: usize = 1_024 * 1_024;

/// A part of what a job wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSlice {
    /// How many bytes come before.
    pub offset: u64,
    /// The bytes; empty when there is nothing (yet).
    pub bytes: Vec<u8>,
    /// Whether the job has ended and nothing follows.
    pub complete: bool,
}

/// How far somebody has followed a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Bytes of standard output.
    pub stdout: u64,
    /// Bytes of standard error.
    pub stderr: u64,
    /// Measurements.
    pub metrics: i64,
}

/// What is new about a job.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// The job as it stands.
    pub job: Job,
    /// More of what it wrote, if the actor may read it.
    pub logs: Vec<(Stream, LogSlice)>,
    /// More of what it measured.
    pub metrics: Vec<Metric>,
    /// From where to go on.
    pub cursor: Cursor,
}

/// The text is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a place in a job's stream")]
pub struct NotACursor(String);

impl App {
    /// What a job wrote, from `offset` on.
    ///
    /// # Errors
    /// When there is no such job that the actor may see, or they may not read what it wrote.
    pub async fn job_log(
        &self,
        actor: &Actor,
        id: JobId,
        stream: Stream,
        offset: u64,
    ) -> Result<LogSlice, Error> {
        let tx = self.store().read().await?;
        let job = self.visible_job(&tx, actor, id).await?;
        actor.may(Action::ReadJobLog, &scopes(&job))?;
        slice(&tx, &job, stream, offset).await
    }

    /// What a job measured beyond the place `after`; of one name or of all.
    ///
    /// # Errors
    /// When there is no such job that the actor may see.
    pub async fn job_metrics(
        &self,
        actor: &Actor,
        id: JobId,
        name: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Metric>, Error> {
        let tx = self.store().read().await?;
        self.visible_job(&tx, actor, id).await?;
        Ok(records::metrics(&tx, id, name, after, limit.clamp(1, BATCH_MAX)).await?)
    }

    /// What is new about a job since `cursor`.
    ///
    /// # Errors
    /// When there is no such job that the actor may see.
    pub async fn job_news(&self, actor: &Actor, id: JobId, cursor: Cursor) -> Result<News, Error> {
        let tx = self.store().read().await?;
        let job = self.visible_job(&tx, actor, id).await?;
        let mut next = cursor;
        let mut logs = Vec::new();
        if actor.can(Action::ReadJobLog, &scopes(&job)) {
            let places = [(Stream::Stdout, &mut next.stdout), (Stream::Stderr, &mut next.stderr)];
            for (stream, place) in places {
                let slice = slice(&tx, &job, stream, *place).await?;
                *place = slice.offset.saturating_add(length(&slice.bytes));
                if !slice.bytes.is_empty() {
                    logs.push((stream, slice));
                }
            }
        }
        let metrics = records::metrics(&tx, id, None, cursor.metrics, BATCH_MAX).await?;
        next.metrics = metrics.last().map_or(cursor.metrics, |metric| metric.seq);
        Ok(News { job, logs, metrics, cursor: next })
    }
}

async fn slice(tx: &Tx, job: &Job, stream: Stream, offset: u64) -> Result<LogSlice, Error> {
    let place = i64::try_from(offset).unwrap_or(i64::MAX);
    let pieces = records::log(tx, job.id, stream, place, BATCH_MAX).await?;
    let mut slice = LogSlice { offset, bytes: Vec::new(), complete: false };
    for piece in pieces {
        let start = u64::try_from(piece.start).unwrap_or_default();
        let reached = offset.saturating_add(length(&slice.bytes));
        if slice.bytes.is_empty() {
            slice.offset = offset.max(start);
        } else if start > reached || slice.bytes.len() >= SLICE_BYTES_MAX {
            break;
        }
        let seen = slice.offset.saturating_add(length(&slice.bytes)).saturating_sub(start);
        let seen = usize::try_from(seen).unwrap_or(usize::MAX);
        slice.bytes.extend_from_slice(piece.bytes.get(seen..).unwrap_or_default());
    }
    if !job.life.state.is_final() {
        slice.bytes.truncate(whole_characters(&slice.bytes));
    }
    let total = match stream {
        Stream::Stdout => job.measured.stdout_bytes,
        Stream::Stderr => job.measured.stderr_bytes,
    };
    let reached = slice.offset.saturating_add(length(&slice.bytes));
    slice.complete = job.life.state.is_final() && reached >= u64::try_from(total).unwrap_or(0);
    Ok(slice)
}

/// The length without a character at the end of which only a part has come.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let begun = bytes.iter().skip(tail).rposition(|byte| *byte >= 0xc0);
    let Some(start) = begun.map(|position| position.saturating_add(tail)) else {
        return bytes.len();
    };
    let last = bytes.get(start..).unwrap_or_default();
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => start,
        _ => bytes.len(),
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.stdout, self.stderr, self.metrics)
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let wrong = || NotACursor(text.chars().take(80).collect());
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or_else(wrong);
        let (stdout, stderr, metrics) = (part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            stdout: stdout.parse().map_err(|_| wrong())?,
            stderr: stderr.parse().map_err(|_| wrong())?,
            metrics: metrics.parse().map_err(|_| wrong())?,
        })
    }
}
