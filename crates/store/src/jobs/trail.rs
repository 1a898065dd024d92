//! What sites told about jobs: events, what jobs wrote, and what they measured.

use std::fmt;

use sea_orm::FromQueryResult;
use units::{EventId, JobId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken in.
    Taken,
    /// It changed nothing, for this reason.
    Ignored(String),
}

/// An event of a job, as it was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailEntry {
    /// Its key.
    pub key: EventId,
    /// The job it is about.
    pub job: JobId,
    /// When it came about, by the site's clock.
    pub at: Timestamp,
    /// When the hub took it in.
    pub taken_at: Timestamp,
    /// What it was.
    pub kind: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Records an event; `false` when its key came before.
///
/// # Errors
/// When the database fails.
pub async fn record(tx: &Tx, entry: &TrailEntry) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO job_event (key, job, seq, at, taken_at, kind, outcome)
        SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6
        FROM job_event WHERE job = $2 ON CONFLICT (key) DO NOTHING";
    let values = [
        entry.key.uuid().into(),
        entry.job.uuid().into(),
        micros(entry.at).into(),
        micros(entry.taken_at).into(),
        entry.kind.clone().into(),
        entry.outcome.to_string().into(),
    ];
    Ok(tx.execute(SQL, values).await? == 1)
}

/// Changes what is on record as come of an event.
///
/// # Errors
/// When the database fails.
pub async fn amend(tx: &Tx, entry: &TrailEntry) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE job_event SET outcome = $2 WHERE key = $1";
    tx.execute(SQL, [entry.key.uuid().into(), entry.outcome.to_string().into()]).await?;
    Ok(())
}

/// The events of a job in the order in which they were taken in, without those that only carry
/// what it wrote or measured.
///
/// # Errors
/// When the database fails.
pub async fn trail(tx: &Tx, job: JobId) -> Result<Vec<TrailEntry>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        key: Uuid,
        at: i64,
        taken_at: i64,
        kind: String,
        outcome: String,
    }
    const SQL: &str = "SELECT key, at, taken_at, kind, outcome FROM job_event
        WHERE job = $1 AND kind <> 'log' AND kind <> 'metrics' ORDER BY seq";
    let rows = tx.all::<Row>(SQL, [job.uuid().into()]).await?;
    rows.into_iter()
        .map(|row| {
            let outcome = match row.outcome.strip_prefix("ignored: ") {
                Some(reason) => Outcome::Ignored(reason.to_owned()),
                None => Outcome::Taken,
            };
            Ok(TrailEntry {
                key: EventId::from_uuid(row.key),
                job,
                at: instant(row.at)?,
                taken_at: instant(row.taken_at)?,
                kind: row.kind,
                outcome,
            })
        })
        .collect()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("taken"),
            Self::Ignored(reason) => write!(f, "ignored: {reason}"),
        }
    }
}

/// A stream of a job's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A part of what a job wrote.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LogPiece {
    /// How many bytes of the stream come before.
    pub start: i64,
    /// What it wrote.
    pub bytes: Vec<u8>,
}

/// Adds what a job wrote behind `start`; the stream is then `end` bytes long.
///
/// # Errors
/// When the database fails.
pub async fn append_log(
    tx: &Tx,
    job: JobId,
    stream: Stream,
    piece: &LogPiece,
    end: i64,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO job_log (job, stream, start, bytes) VALUES ($1, $2, $3, $4)";
    let values =
        [job.uuid().into(), stream.name().into(), piece.start.into(), piece.bytes.clone().into()];
    tx.execute(INSERT, values).await?;
    let update = format!("UPDATE job SET {}_bytes = $2 WHERE id = $1", stream.name());
    tx.execute(&update, [job.uuid().into(), end.into()]).await?;
    Ok(())
}

/// The pieces of what a job wrote that reach beyond `offset`, in order, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn log(
    tx: &Tx,
    job: JobId,
    stream: Stream,
    offset: i64,
    limit: u32,
) -> Result<Vec<LogPiece>, StoreError> {
    const SQL: &str = "SELECT start, bytes FROM job_log
        WHERE job = $1 AND stream = $2 AND start + LENGTH(bytes) > $3
        ORDER BY start LIMIT $4";
    let values = [job.uuid().into(), stream.name().into(), offset.into(), i64::from(limit).into()];
    tx.all::<LogPiece>(SQL, values).await
}

/// A measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its place among those of the job.
    pub seq: i64,
    /// When, by the site's clock.
    pub at: Timestamp,
    /// The step it belongs to.
    pub step: i64,
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
}

/// Adds measurements; the job then has `count`.
///
/// # Errors
/// When the database fails.
pub async fn append_metrics(
    tx: &Tx,
    job: JobId,
    metrics: &[Metric],
    count: i64,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO job_metric (job, seq, at, step, name, value)
        VALUES ($1, $2, $3, $4, $5, $6)";
    for metric in metrics {
        let values = [
            job.uuid().into(),
            metric.seq.into(),
            micros(metric.at).into(),
            metric.step.into(),
            metric.name.clone().into(),
            metric.value.into(),
        ];
        tx.execute(INSERT, values).await?;
    }
    const UPDATE: &str = "UPDATE job SET metrics = $2 WHERE id = $1";
    tx.execute(UPDATE, [job.uuid().into(), count.into()]).await?;
    Ok(())
}

/// Measurements of a job beyond the place `after`, in order; of one name or of all.
///
/// # Errors
/// When the database fails.
pub async fn metrics(
    tx: &Tx,
    job: JobId,
    name: Option<&str>,
    after: i64,
    limit: u32,
) -> Result<Vec<Metric>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        seq: i64,
        at: i64,
        step: i64,
        name: String,
        value: f64,
    }
    const SQL: &str = "SELECT seq, at, step, name, value FROM job_metric
        WHERE job = $1 AND seq > $2 AND name = COALESCE($3, name) ORDER BY seq LIMIT $4";
    let values =
        [job.uuid().into(), after.into(), name.map(str::to_owned).into(), i64::from(limit).into()];
    let rows = tx.all::<Row>(SQL, values).await?;
    rows.into_iter()
        .map(|row| {
            let Row { seq, at, step, name, value } = row;
            Ok(Metric { seq, at: instant(at)?, step, name, value })
        })
        .collect()
}
