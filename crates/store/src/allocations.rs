//! Allocations and the pools behind them. Their balances are in the ledger.

mod changes;
mod drawn;
mod on_partition;
mod reports;

use std::collections::BTreeMap;

use access::allocation::{Allocation, Suspension};
use sea_orm::FromQueryResult;
use units::{
    AllocationId, ApplicationId, OrganisationId, PartitionKey, Payer, Period, PoolId, ProjectId,
    Slug, Timestamp, Work,
};

use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::scope::parsed;
use crate::{StoreError, Tx};

pub use changes::{
    ChangeKind, ChangeRecord, add, advances, before, changes, changes_on, close, followed,
    follower, gains, insert_change, lock, set_follows, set_period, set_suspended, shift,
};
pub use drawn::{Drawn, drawn};
pub use on_partition::{OnPartition, on_partition, open_on, used_by_day};
pub use reports::{
    ReportRecord, ReportTold, put_report, report, set_report_told, to_tell_of, without_report,
};

/// What one pool put behind an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which pool.
    pub pool: PoolId,
    /// Whose.
    pub payer: Payer,
    /// How much.
    pub amount: Work,
}

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    project: uuid::Uuid,
    application: uuid::Uuid,
    partition: String,
    meter: String,
    amount: i64,
    starts_at: i64,
    ends_at: i64,
    rule: String,
    granted_at: i64,
    closed_at: Option<i64>,
    suspended_at: Option<i64>,
    suspended_because: Option<String>,
}

impl Row {
    fn allocation(self) -> Result<Allocation, StoreError> {
        let period = Period::new(instant(self.starts_at)?, instant(self.ends_at)?);
        let since = self.suspended_at.map(instant).transpose()?;
        let suspended = since
            .map(|since| Suspension { since, reason: self.suspended_because.unwrap_or_default() });
        Ok(Allocation {
            id: AllocationId::from_uuid(self.id),
            project: ProjectId::from_uuid(self.project),
            application: ApplicationId::from_uuid(self.application),
            partition: parsed("partition", &self.partition)?,
            meter: parsed("meter", &self.meter)?,
            amount: Work::seconds(self.amount),
            period: period.map_err(|error| StoreError::damaged("period", error))?,
            rule: self.rule,
            granted_at: instant(self.granted_at)?,
            closed_at: self.closed_at.map(instant).transpose()?,
            suspended,
        })
    }
}

#[derive(FromQueryResult)]
struct ShareRow {
    pool: uuid::Uuid,
    payer: String,
    amount: i64,
}

/// Adds an allocation with its shares.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, allocation: &Allocation, shares: &[Share]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO allocation (id, project, application, partition, meter, amount,
        starts_at, ends_at, rule, granted_at, closed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values = [
        allocation.id.uuid().into(),
        allocation.project.uuid().into(),
        allocation.application.uuid().into(),
        allocation.partition.to_string().into(),
        allocation.meter.to_string().into(),
        allocation.amount.count().into(),
        micros(allocation.period.start()).into(),
        micros(allocation.period.end()).into(),
        allocation.rule.clone().into(),
        micros(allocation.granted_at).into(),
        allocation.closed_at.map(micros).into(),
    ];
    tx.execute(SQL, values).await?;
    for share in shares {
        const SQL: &str = "INSERT INTO allocation_share (allocation, pool, payer, amount)
            VALUES ($1, $2, $3, $4)";
        let (payer, amount) = (share.payer.to_string(), share.amount.count());
        let values =
            [allocation.id.uuid().into(), share.pool.uuid().into(), payer.into(), amount.into()];
        tx.execute(SQL, values).await?;
    }
    Ok(())
}

/// The allocation with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: AllocationId) -> Result<Option<Allocation>, StoreError> {
    const SQL: &str = "SELECT * FROM allocation WHERE id = $1";
    tx.one::<Row>(SQL, [id.uuid().into()]).await?.map(Row::allocation).transpose()
}

/// What each pool put behind an allocation, in the order of the payers' names.
///
/// # Errors
/// When the database fails.
pub async fn shares(tx: &Tx, id: AllocationId) -> Result<Vec<Share>, StoreError> {
    const SQL: &str = "SELECT pool, payer, amount FROM allocation_share
        WHERE allocation = $1 ORDER BY payer, pool";
    let rows = tx.all::<ShareRow>(SQL, [id.uuid().into()]).await?;
    let share = |row: ShareRow| {
        Ok(Share {
            pool: PoolId::from_uuid(row.pool),
            payer: parsed("payer", &row.payer)?,
            amount: Work::seconds(row.amount),
        })
    };
    rows.into_iter().map(share).collect()
}

/// The allocations of a project, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_project(tx: &Tx, project: ProjectId) -> Result<Vec<Allocation>, StoreError> {
    const SQL: &str = "SELECT * FROM allocation WHERE project = $1 ORDER BY granted_at, id";
    let rows = tx.all::<Row>(SQL, [project.uuid().into()]).await?;
    rows.into_iter().map(Row::allocation).collect()
}

/// The allocations of these projects, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_projects(tx: &Tx, projects: &[ProjectId]) -> Result<Vec<Allocation>, StoreError> {
    let of = is_in("project", projects.len());
    let sql = format!("SELECT * FROM allocation WHERE {of} ORDER BY granted_at, id");
    let rows = tx.all::<Row>(&sql, projects.iter().map(|id| id.uuid().into())).await?;
    rows.into_iter().map(Row::allocation).collect()
}

/// On which partitions a project has or had allocations.
///
/// # Errors
/// When the database fails.
pub async fn partitions_of(tx: &Tx, project: ProjectId) -> Result<Vec<PartitionKey>, StoreError> {
    let mut partitions: Vec<PartitionKey> =
        of_project(tx, project).await?.into_iter().map(|it| it.partition).collect();
    partitions.sort();
    partitions.dedup();
    Ok(partitions)
}

/// On which partitions an organisation's projects have or had allocations.
///
/// # Errors
/// When the database fails.
pub async fn partitions_of_organisation(
    tx: &Tx,
    organisation: OrganisationId,
) -> Result<Vec<PartitionKey>, StoreError> {
    #[derive(FromQueryResult)]
    struct Found {
        partition: String,
    }
    const SQL: &str = "SELECT DISTINCT a.partition FROM allocation a
        JOIN project p ON p.id = a.project WHERE p.organisation = $1 ORDER BY a.partition";
    let rows = tx.all::<Found>(SQL, [organisation.uuid().into()]).await?;
    rows.iter().map(|row| parsed("partition", &row.partition)).collect()
}

/// How much of a pool was granted under each access mode.
///
/// # Errors
/// When the database fails.
pub async fn granted_by_mode(tx: &Tx, pool: PoolId) -> Result<BTreeMap<Slug, Work>, StoreError> {
    #[derive(FromQueryResult)]
    struct Sum {
        mode: String,
        total: i64,
    }
    const SQL: &str = "SELECT c.mode AS mode, CAST(SUM(s.amount) AS BIGINT) AS total
        FROM allocation_share s
        JOIN allocation a ON a.id = s.allocation
        JOIN application p ON p.id = a.application
        JOIN call c ON c.id = p.call
        WHERE s.pool = $1 GROUP BY c.mode ORDER BY c.mode";
    let rows = tx.all::<Sum>(SQL, [pool.uuid().into()]).await?;
    let granted = |row: Sum| Ok((parsed("access mode", &row.mode)?, Work::seconds(row.total)));
    rows.into_iter().map(granted).collect()
}

/// How many awards under `mode` an organisation holds that have not ended by `at`.
///
/// # Errors
/// When the database fails.
pub async fn count_open(
    tx: &Tx,
    organisation: OrganisationId,
    mode: &Slug,
    at: Timestamp,
) -> Result<u32, StoreError> {
    #[derive(FromQueryResult)]
    struct Count {
        total: i64,
    }
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS total
        FROM allocation a
        JOIN application p ON p.id = a.application
        JOIN call c ON c.id = p.call
        WHERE p.organisation = $1 AND c.mode = $2 AND a.ends_at > $3
          AND (a.closed_at IS NULL OR a.closed_at > $3)";
    let values = [organisation.uuid().into(), mode.to_string().into(), micros(at).into()];
    let total = tx.one::<Count>(SQL, values).await?.map_or(0, |count| count.total);
    Ok(u32::try_from(total).unwrap_or(u32::MAX))
}

/// The allocations that have ended or were closed by `at` and may still have hours to give back.
///
/// # Errors
/// When the database fails.
pub async fn over(tx: &Tx, at: Timestamp) -> Result<Vec<Allocation>, StoreError> {
    const SQL: &str = "SELECT * FROM allocation
        WHERE lapsed_at IS NULL AND (ends_at <= $1 OR closed_at <= $1) ORDER BY ends_at, id";
    let rows = tx.all::<Row>(SQL, [micros(at).into()]).await?;
    rows.into_iter().map(Row::allocation).collect()
}

/// The allocations that are in use at `at`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn active(tx: &Tx, at: Timestamp) -> Result<Vec<Allocation>, StoreError> {
    const SQL: &str = "SELECT * FROM allocation
        WHERE lapsed_at IS NULL AND starts_at <= $1 AND ends_at > $1
          AND (closed_at IS NULL OR closed_at > $1) ORDER BY granted_at, id";
    let rows = tx.all::<Row>(SQL, [micros(at).into()]).await?;
    rows.into_iter().map(Row::allocation).collect()
}

/// When the first allocation on a partition begins; `None` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn first_start(
    tx: &Tx,
    partition: &PartitionKey,
) -> Result<Option<Timestamp>, StoreError> {
    #[derive(FromQueryResult)]
    struct First {
        starts_at: i64,
    }
    const SQL: &str = "SELECT starts_at FROM allocation WHERE partition = $1
        ORDER BY starts_at LIMIT 1";
    let first = tx.one::<First>(SQL, [partition.to_string().into()]).await?;
    first.map(|first| instant(first.starts_at)).transpose()
}

/// Notes that an allocation has given back all it had.
///
/// # Errors
/// When the database fails.
pub async fn set_lapsed(tx: &Tx, id: AllocationId, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE allocation SET lapsed_at = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), micros(at).into()]).await?;
    Ok(())
}
