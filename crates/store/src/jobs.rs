//! Jobs: what was submitted, where each stands, and what became of it.
//!
//! A use case that changes a job takes it first ([`take`]): until its transaction ends, no other
//! can. Several are taken in the order of their ids, and before the ledger's pen.

mod history;
mod moving;
mod numbers;
mod parts;
mod row;
mod steps;
mod trail;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use ::jobs::life::{Life, State};
use ::jobs::request::Request;
use ::jobs::{Condition, Dependency, JobNumber, Other};
use units::{
    AllocationId, JobId, OrganisationId, PartitionKey, PersonId, ProjectId, Slug, Timestamp, Work,
};
use uuid::Uuid;
use vault::{Recipe, Sha256};

use crate::db::micros;
use crate::{StoreError, Tx};

pub use history::{Past, history};
pub use moving::{Wish, keep_wish, replace, wish};
pub use numbers::{number, numbered};
pub use parts::{
    Input, Output, inputs, keep_script, mounted, note_output, outputs, put_input, put_output,
    script,
};
pub use trail::{
    LogPiece, Metric, Outcome, Stream, TrailEntry, amend, append_log, append_metrics, log, metrics,
    record, trail,
};

pub use row::user;
use row::{COLUMNS, OPEN_COLUMNS, OpenRow, Row};
pub use steps::{keep_steps, steps};

/// A job at its site, as others in line see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenJob {
    /// Which.
    pub id: JobId,
    /// What it asks.
    pub request: Request,
    /// Whether it does not run yet.
    pub waits: bool,
}

/// The place of a job in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The array, which has an id of its own.
    pub array: JobId,
    /// The array's number.
    pub number: i64,
    /// The index.
    pub index: u32,
    /// How many elements may be at the site at a time, if that is limited.
    pub at_once_max: Option<NonZeroU32>,
}

/// Whose a job is, and who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The project.
    pub project: ProjectId,
    /// The organisation that the project belongs to.
    pub organisation: OrganisationId,
    /// Who submitted it.
    pub person: PersonId,
    /// Whose hours it uses.
    pub allocation: AllocationId,
}

/// Where a job runs, and by which rule it is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The factory.
    pub factory: Slug,
    /// The site whose agent carries it out.
    pub site: Slug,
    /// The partition whose hours it uses.
    pub partition: PartitionKey,
    /// The charge rule.
    pub charge_rule: Slug,
}

/// What a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// A service, or the user's own script.
    pub recipe: Recipe,
    /// The script that is run; its text is kept once ([`keep_script`]).
    pub script: Sha256,
    /// Variables for it.
    pub environment: BTreeMap<String, String>,
    /// Whether it may reach the network.
    pub network: bool,
    /// The folder below the job's directory in which it runs.
    pub folder: Option<String>,
    /// The file that also holds standard output.
    pub stdout: Option<String>,
    /// The file that also holds standard error.
    pub stderr: Option<String>,
    /// Options for the site's own scheduler: long names with their values.
    pub options: Vec<(String, Option<String>)>,
}

/// What was measured of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Most memory that it held at once.
    pub peak_memory_mb: Option<i64>,
    /// Processor time of all its processes.
    pub cpu_milliseconds: Option<i64>,
    /// Bytes of standard output that have come in.
    pub stdout_bytes: i64,
    /// Bytes of standard error that have come in.
    pub stderr_bytes: i64,
    /// Measurements that have come in.
    pub metrics: i64,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its number, which no other job or array has.
    pub number: i64,
    /// Its place in an array.
    pub element: Option<Element>,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// How its owner is called in names of files: their address up to the `@`.
    pub user: String,
    /// Where it runs.
    pub place: Place,
    /// What it runs.
    pub program: Program,
    /// What it waits for before the site is told.
    pub dependency: Option<Dependency>,
    /// What it asks for.
    pub request: Request,
    /// What was set aside for it.
    pub held: Work,
    /// What it was charged, once it has ended.
    pub charged: Option<Work>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// Where it stands.
    pub life: Life,
    /// The nodes that carry it, or did, where the site tells.
    pub nodes: Vec<String>,
    /// More about how it ended, for people.
    pub reason: Option<String>,
    /// What was measured.
    pub measured: Measured,
}

impl Job {
    /// How people name it: as the element of an array, where it is one.
    pub fn shown(&self) -> JobNumber {
        match self.element {
            Some(Element { number, index, .. }) => JobNumber { number, index: Some(index) },
            None => JobNumber { number: self.number, index: None },
        }
    }
}

/// Whose jobs somebody may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// All of them.
    pub all: bool,
    /// Those of these projects.
    pub projects: Vec<ProjectId>,
    /// Those of the projects of these organisations.
    pub organisations: Vec<OrganisationId>,
    /// Those that run at these factories.
    pub factories: Vec<Slug>,
}

/// Stands for all states of jobs that have not ended.
pub const OPEN: &str = "open";

/// Which jobs a list shows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this project.
    pub project: Option<ProjectId>,
    /// Of this array.
    pub array: Option<JobId>,
    /// Of these numbers, those of arrays standing for their elements; of any when none is named.
    pub numbers: Vec<JobNumber>,
    /// In this state, by its name; or [`OPEN`].
    pub state: Option<&'static str>,
    /// Not ended before this instant.
    pub since: Option<Timestamp>,
    /// Submitted before this one.
    pub before: Option<JobId>,
}

/// Adds a job and what it waits for.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, job: &Job) -> Result<(), StoreError> {
    row::insert(tx, job).await?;
    const SQL: &str = "INSERT INTO job_dependency (job, other) VALUES ($1, $2)
        ON CONFLICT (job, other) DO NOTHING";
    for condition in job.dependency.iter().flat_map(Dependency::conditions) {
        if let Condition::Job(_, Other::Id(other)) = condition {
            tx.execute(SQL, [job.id.uuid().into(), other.uuid().into()]).await?;
        }
    }
    Ok(())
}

/// The job `id`.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: JobId) -> Result<Option<Job>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM job WHERE id = $1");
    tx.one::<Row>(&sql, [id.uuid().into()]).await?.map(Row::job).transpose()
}

/// The job `id`, which nobody else can change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &Tx, id: JobId) -> Result<Option<Job>, StoreError> {
    let sql = format!("UPDATE job SET touched = touched + 1 WHERE id = $1 RETURNING {COLUMNS}");
    tx.one::<Row>(&sql, [id.uuid().into()]).await?.map(Row::job).transpose()
}

/// The ids of the job `id`, or of the elements of the array `id`, in ascending order.
///
/// # Errors
/// When the database fails.
pub async fn named(tx: &Tx, id: JobId) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "SELECT id FROM job WHERE id = $1 OR array_id = $1 ORDER BY id";
    ids(tx, SQL, vec![id.uuid().into()]).await
}

/// Held jobs that wait for `job` or for its array, and, by name, those of its owner that may be
/// singletons; in ascending order.
///
/// # Errors
/// When the database fails.
pub async fn waiting_for(tx: &Tx, job: &Job) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "SELECT id FROM job WHERE state = 'held' AND id <> $1 AND (
            id IN (SELECT job FROM job_dependency WHERE other = $1 OR other = $2)
            OR (person = $3 AND name = $4 AND dependency IS NOT NULL))
        ORDER BY id";
    let array = job.element.map_or(job.id, |element| element.array);
    let values = vec![
        job.id.uuid().into(),
        array.uuid().into(),
        job.owner.person.uuid().into(),
        job.name.clone().into(),
    ];
    ids(tx, SQL, values).await
}

/// Jobs of the same person and name that were submitted before `job` and have not ended.
///
/// # Errors
/// When the database fails.
pub async fn earlier_namesakes(tx: &Tx, job: &Job) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "SELECT id FROM job WHERE person = $1 AND name = $2 AND state <> 'ended'
            AND id < $3 AND (array_id IS NULL OR array_id <> $4)
        ORDER BY id";
    let array = job.element.map_or(job.id, |element| element.array);
    let values = vec![
        job.owner.person.uuid().into(),
        job.name.clone().into(),
        job.id.uuid().into(),
        array.uuid().into(),
    ];
    ids(tx, SQL, values).await
}

/// The first `limit` held elements of `array`, in the order of their indices.
///
/// # Errors
/// When the database fails.
pub async fn held_elements(tx: &Tx, array: JobId, limit: u32) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "SELECT id FROM job WHERE array_id = $1 AND state = 'held'
        ORDER BY array_index LIMIT $2";
    ids(tx, SQL, vec![array.uuid().into(), i64::from(limit).into()]).await
}

/// How many elements of `array` are at the site.
///
/// # Errors
/// When the database fails.
pub async fn elements_at_site(tx: &Tx, array: JobId) -> Result<i64, StoreError> {
    #[derive(sea_orm::FromQueryResult)]
    struct Count {
        count: i64,
    }
    const SQL: &str = "SELECT COUNT(*) AS count FROM job
        WHERE array_id = $1 AND state <> 'held' AND state <> 'ended'";
    let row = tx.one::<Count>(SQL, [array.uuid().into()]).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Jobs that a site has, or is to have soon, in the order in which it was told to start them.
///
/// # Errors
/// When the database fails.
pub async fn at_site(tx: &Tx, site: &Slug) -> Result<Vec<OpenJob>, StoreError> {
    let sql = format!(
        "SELECT {OPEN_COLUMNS} FROM job
        WHERE site = $1 AND state IN ('ordered', 'queued', 'running')
        ORDER BY (SELECT MIN(seq) FROM site_order WHERE site_order.job = job.id), id"
    );
    let rows = tx.all::<OpenRow>(&sql, [site.to_string().into()]).await?;
    rows.into_iter().map(OpenRow::job).collect()
}

/// How long each of the last `limit` jobs that ran at a site took, and how long it might have
/// taken, in seconds.
///
/// # Errors
/// When the database fails.
pub async fn run_times(tx: &Tx, site: &Slug, limit: u32) -> Result<Vec<(i64, i64)>, StoreError> {
    #[derive(sea_orm::FromQueryResult)]
    struct Ran {
        micros: i64,
        time_limit_seconds: i64,
    }
    const SQL: &str = "SELECT ended_at - started_at AS micros, time_limit_seconds FROM job
        WHERE site = $1 AND state = 'ended' AND started_at IS NOT NULL
        ORDER BY ended_at DESC LIMIT $2";
    let rows = tx.all::<Ran>(SQL, [site.to_string().into(), i64::from(limit).into()]).await?;
    let seconds = |ran: Ran| (ran.micros.div_euclid(1_000_000), ran.time_limit_seconds);
    Ok(rows.into_iter().map(seconds).collect())
}

/// How many jobs of a site have not ended, by state.
///
/// # Errors
/// When the database fails.
pub async fn open_by_state(tx: &Tx, site: &Slug) -> Result<Vec<(String, i64)>, StoreError> {
    #[derive(sea_orm::FromQueryResult)]
    struct Count {
        state: String,
        jobs: i64,
    }
    const SQL: &str = "SELECT state, CAST(COUNT(*) AS BIGINT) AS jobs FROM job
        WHERE site = $1 AND state <> 'ended' GROUP BY state ORDER BY state";
    let rows = tx.all::<Count>(SQL, [site.to_string().into()]).await?;
    Ok(rows.into_iter().map(|row| (row.state, row.jobs)).collect())
}

async fn ids(tx: &Tx, sql: &str, values: Vec<sea_orm::Value>) -> Result<Vec<JobId>, StoreError> {
    #[derive(sea_orm::FromQueryResult)]
    struct Id {
        id: Uuid,
    }
    let rows = tx.all::<Id>(sql, values).await?;
    Ok(rows.into_iter().map(|row| JobId::from_uuid(row.id)).collect())
}

/// Writes where a job stands, why it ended, and what was measured and charged.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, job: &Job) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE job SET state = $2, cancel_asked = $3, started_at = $4,
            ended_at = $5, ended_how = $6, reason = $7, peak_memory_mb = $8,
            cpu_milliseconds = $9, charged = $10, node_list = $11
        WHERE id = $1";
    let (started, ended, how) = match job.life.state {
        State::Held | State::Ordered | State::Queued => (None, None, None),
        State::Running { started } => (Some(started), None, None),
        State::Ended { end, started, ended } => (started, Some(ended), Some(end.to_string())),
    };
    let values = [
        job.id.uuid().into(),
        job.life.state.name().into(),
        job.life.cancel_asked.into(),
        started.map(micros).into(),
        ended.map(micros).into(),
        how.into(),
        job.reason.clone().into(),
        job.measured.peak_memory_mb.into(),
        job.measured.cpu_milliseconds.into(),
        job.charged.map(Work::count).into(),
        Some(job.nodes.join(",")).filter(|nodes| !nodes.is_empty()).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Jobs that `visible` and `filter` let through, newest first.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    visible: &Visible,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Job>, StoreError> {
    let mut values = Vec::<sea_orm::Value>::new();
    let mut bind = |value: sea_orm::Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut any = vec![if visible.all { "1 = 1" } else { "1 = 0" }.to_owned()];
    for project in &visible.projects {
        any.push(format!("project = {}", bind(project.uuid().into())));
    }
    for organisation in &visible.organisations {
        any.push(format!("organisation = {}", bind(organisation.uuid().into())));
    }
    for factory in &visible.factories {
        any.push(format!("factory = {}", bind(factory.to_string().into())));
    }
    let mut all = vec![format!("({})", any.join(" OR "))];
    if let Some(project) = filter.project {
        all.push(format!("project = {}", bind(project.uuid().into())));
    }
    if let Some(array) = filter.array {
        all.push(format!("array_id = {}", bind(array.uuid().into())));
    }
    let numbers: Vec<String> = filter
        .numbers
        .iter()
        .map(|JobNumber { number, index }| {
            let number = bind((*number).into());
            match index {
                None => format!("number = {number} OR array_number = {number}"),
                Some(index) => {
                    let index = bind(i64::from(*index).into());
                    format!("array_number = {number} AND array_index = {index}")
                }
            }
        })
        .collect();
    if !numbers.is_empty() {
        all.push(format!("({})", numbers.join(" OR ")));
    }
    match filter.state {
        None => {}
        Some(OPEN) => all.push("state <> 'ended'".to_owned()),
        Some(state) => all.push(format!("state = {}", bind(state.into()))),
    }
    if let Some(since) = filter.since {
        all.push(format!("(ended_at IS NULL OR ended_at >= {})", bind(micros(since).into())));
    }
    if let Some(before) = filter.before {
        all.push(format!("id < {}", bind(before.uuid().into())));
    }
    let limit = bind(i64::from(limit).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM job WHERE {} ORDER BY id DESC LIMIT {limit}",
        all.join(" AND ")
    );
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::job).collect()
}

#[cfg(test)]
mod tests;
