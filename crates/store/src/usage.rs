//! What the accounting of sites tells: runs of jobs, each once, and how far it has told.

mod row;

use std::fmt;

use sea_orm::{FromQueryResult, Value};
use units::{AllocationId, JobId, Slug, Timestamp, Work};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::{StoreError, Tx};
use row::{COLUMNS, Row, values};

/// Rows that one statement writes, and ids that one statement asks for, at most.
const AT_ONCE: usize = 128;

/// Who brought a job to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The hub.
    Hub,
    /// Somebody by hand, under the account of an allocation.
    Outside,
    /// Somebody by hand, under an account that is the hub's by its name and stands for nothing.
    Unknown,
}

impl Origin {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Outside => "outside",
            Self::Unknown => "unknown",
        }
    }

    fn named(name: &str) -> Result<Self, StoreError> {
        let known = [Self::Hub, Self::Outside, Self::Unknown];
        let found = known.into_iter().find(|origin| origin.name() == name);
        found.ok_or_else(|| StoreError::damaged("origin", name))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One run of a job, as the accounting of a site has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The site that told.
    pub site: Slug,
    /// The cluster.
    pub cluster: String,
    /// The scheduler's number of the job.
    pub number: i64,
    /// When it was submitted, or put back in the queue.
    pub submitted: Timestamp,
    /// The job that is charged for it: the hub's own, or one that exists only in the ledger.
    pub job: JobId,
    /// Whose hours it used, where that is known.
    pub allocation: Option<AllocationId>,
    /// Who brought it.
    pub origin: Origin,
    /// The number as people know it.
    pub label: String,
    /// The account it is booked on at the cluster.
    pub account: String,
    /// The login of its owner.
    pub login: String,
    /// The cluster's partition.
    pub partition: String,
    /// The scheduler's word for how it stands.
    pub state: String,
    /// When it got its nodes.
    pub started: Option<Timestamp>,
    /// When it ended; `None` while it has not.
    pub ended: Option<Timestamp>,
    /// How long it had its nodes, without the time in which it was suspended.
    pub ran_seconds: i64,
    /// How long it was suspended.
    pub suspended_seconds: i64,
    /// How long it might run.
    pub limit_seconds: Option<i64>,
    /// Nodes it had.
    pub nodes: i64,
    /// Cores it had.
    pub cores: i64,
    /// Memory it had.
    pub memory_mb: i64,
    /// GPUs it had.
    pub gpus: i64,
    /// All that it had, in the scheduler's words.
    pub tres: String,
    /// The energy that its nodes took.
    pub energy_joules: Option<i64>,
    /// What it costs by the charge rule; `None` while it has not ended.
    pub charge: Option<Work>,
    /// Whether the ledger has it.
    pub posted: bool,
}

/// How far the accounting of a site is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The time zone of the site, by its name in the IANA database.
    pub zone: String,
    /// What the names of accounts begin with that are Usine's there, if its agent names any.
    pub prefix: Option<String>,
    /// Everything that was over by then has been told.
    pub accounted_to: Option<Timestamp>,
}

/// What an agent says of the place whose accounting it tells.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// As [`Cursor::zone`].
    pub zone: &'a str,
    /// As [`Cursor::prefix`].
    pub prefix: Option<&'a str>,
}

/// The runs with these numbers.
///
/// # Errors
/// When the database fails.
pub async fn numbered(
    tx: &Tx,
    site: &Slug,
    cluster: &str,
    numbers: &[i64],
) -> Result<Vec<Run>, StoreError> {
    let mut found = Vec::new();
    for some in numbers.chunks(AT_ONCE) {
        let condition = is_in("number", some.len());
        let (site_at, cluster_at) = (some.len() + 1, some.len() + 2);
        let sql = format!(
            "SELECT {COLUMNS} FROM usage_run \
             WHERE {condition} AND site = ${site_at} AND cluster = ${cluster_at}"
        );
        let values = some.iter().map(|number| Value::from(*number));
        let whose = [site.to_string().into(), cluster.into()];
        found.extend(read(tx, &sql, values.chain(whose)).await?);
    }
    Ok(found)
}

/// All runs that these jobs are charged for.
///
/// # Errors
/// When the database fails.
pub async fn of_jobs(tx: &Tx, jobs: &[JobId]) -> Result<Vec<Run>, StoreError> {
    let mut found = Vec::new();
    for some in jobs.chunks(AT_ONCE) {
        let condition = is_in("job", some.len());
        let sql = format!("SELECT {COLUMNS} FROM usage_run WHERE {condition}");
        found.extend(read(tx, &sql, some.iter().map(|job| job.uuid().into())).await?);
    }
    Ok(found)
}

/// The runs at a site that ended from `from` until before `to`, in the order of their numbers.
///
/// # Errors
/// When the database fails.
pub async fn ended_between(
    tx: &Tx,
    site: &Slug,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Run>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM usage_run WHERE site = $1 AND ended_at >= $2 AND ended_at < $3 \
         ORDER BY number, submitted_at"
    );
    read(tx, &sql, [site.to_string().into(), micros(from).into(), micros(to).into()]).await
}

async fn read(
    tx: &Tx,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Run>, StoreError> {
    tx.all::<Row>(sql, values).await?.into_iter().map(Row::run).collect()
}

/// Jobs with runs at a site that are over and not in the ledger yet, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn unposted(tx: &Tx, site: &Slug, limit: u32) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "SELECT DISTINCT job FROM usage_run \
        WHERE site = $1 AND NOT posted AND ended_at IS NOT NULL ORDER BY job LIMIT $2";
    let rows = tx.all::<JobRow>(SQL, [site.to_string().into(), i64::from(limit).into()]).await?;
    Ok(rows.into_iter().map(|row| JobId::from_uuid(row.job)).collect())
}

#[derive(FromQueryResult)]
struct JobRow {
    job: Uuid,
}

/// Enters runs, each in the place of what was known of it before.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &Tx, runs: &[Run]) -> Result<(), StoreError> {
    for some in runs.chunks(AT_ONCE) {
        let rows: Vec<_> = some.iter().map(values).collect();
        let width = rows.first().map_or(0, |row| row.len());
        let tuple = |row: usize| {
            let first = row.saturating_mul(width).saturating_add(1);
            let places: Vec<String> =
                (first..first.saturating_add(width)).map(|place| format!("${place}")).collect();
            format!("({})", places.join(", "))
        };
        let tuples: Vec<String> = (0..rows.len()).map(tuple).collect();
        let changed: Vec<String> = COLUMNS
            .split(", ")
            .skip(4)
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let sql = format!(
            "INSERT INTO usage_run ({COLUMNS}) VALUES {} \
             ON CONFLICT (site, cluster, number, submitted_at) DO UPDATE SET {}",
            tuples.join(", "),
            changed.join(", ")
        );
        tx.execute(&sql, rows.into_iter().flatten()).await?;
    }
    Ok(())
}

/// Notes that the ledger has all runs of these jobs that are over.
///
/// # Errors
/// When the database fails.
pub async fn mark_posted(tx: &Tx, jobs: &[JobId]) -> Result<(), StoreError> {
    for some in jobs.chunks(AT_ONCE) {
        let sql = format!(
            "UPDATE usage_run SET posted = TRUE WHERE ended_at IS NOT NULL AND {}",
            is_in("job", some.len())
        );
        tx.execute(&sql, some.iter().map(|job| Value::from(job.uuid()))).await?;
    }
    Ok(())
}

/// The hub's jobs at a site that ended from `from` until before `to`, were charged something, and
/// of which the accounting has told nothing.
///
/// # Errors
/// When the database fails.
pub async fn untold(
    tx: &Tx,
    site: &Slug,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "SELECT id AS job FROM job WHERE site = $1 AND state = 'ended' \
        AND ended_at >= $2 AND ended_at < $3 AND charged > 0 \
        AND NOT EXISTS (SELECT 1 FROM usage_run r WHERE r.job = job.id) ORDER BY id";
    let values = [site.to_string().into(), micros(from).into(), micros(to).into()];
    let rows = tx.all::<JobRow>(SQL, values).await?;
    Ok(rows.into_iter().map(|row| JobId::from_uuid(row.job)).collect())
}

#[derive(FromQueryResult)]
struct CursorRow {
    zone: String,
    prefix: Option<String>,
    accounted_to: Option<i64>,
}

/// How far the accounting of a site is known; `None` if it has told nothing.
///
/// # Errors
/// When the database fails.
pub async fn cursor(tx: &Tx, site: &Slug) -> Result<Option<Cursor>, StoreError> {
    const SQL: &str = "SELECT zone, prefix, accounted_to FROM usage_cursor WHERE site = $1";
    let row = tx.one::<CursorRow>(SQL, [site.to_string().into()]).await?;
    row.map(|row| {
        let accounted_to = row.accounted_to.map(instant).transpose()?;
        Ok(Cursor { zone: row.zone, prefix: row.prefix, accounted_to })
    })
    .transpose()
}

/// Waits for the turn to take in the accounting of a site, and gives back how far it is known;
/// `told` is entered if an agent says it. Others wait until `tx` ends.
///
/// # Errors
/// When the database fails.
pub async fn take_turn(
    tx: &Tx,
    site: &Slug,
    told: Option<Place<'_>>,
) -> Result<Cursor, StoreError> {
    const SQL: &str = "INSERT INTO usage_cursor (site, zone, prefix) VALUES ($1, $2, $3) \
        ON CONFLICT (site) DO UPDATE SET \
        zone = CASE WHEN $4 THEN excluded.zone ELSE usage_cursor.zone END, \
        prefix = CASE WHEN $4 THEN excluded.prefix ELSE usage_cursor.prefix END";
    let Place { zone, prefix } = told.unwrap_or(Place { zone: "UTC", prefix: None });
    let prefix = prefix.map(str::to_owned);
    let values = [site.to_string().into(), zone.into(), prefix.into(), told.is_some().into()];
    tx.execute(SQL, values).await?;
    let entered = cursor(tx, site).await?;
    entered.ok_or_else(|| StoreError::damaged("cursor", "it is not there"))
}

/// Notes how far the accounting of a site is known.
///
/// # Errors
/// When the database fails.
pub async fn set_accounted(tx: &Tx, site: &Slug, to: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE usage_cursor SET accounted_to = $2 WHERE site = $1";
    tx.execute(SQL, [site.to_string().into(), micros(to).into()]).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
