//! The allocations on a partition, with what the books of its scheduler need to know of them: however
//! many there are, the same few statements read them.

use std::collections::BTreeMap;

use access::allocation::Allocation;
use ledger::Standing;
use sea_orm::FromQueryResult;
use units::{AllocationId, PartitionKey, Slug, Timestamp, Work};

use super::Row;
use crate::db::{instant, micros};
use crate::ledger::standings_where;
use crate::scope::parsed;
use crate::{StoreError, Tx};

/// An allocation, and what is known of it beside its own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnPartition {
    /// Which.
    pub allocation: Allocation,
    /// The access mode that it was granted under.
    pub mode: Slug,
    /// What jobs were charged.
    pub used: Work,
}

#[derive(FromQueryResult)]
struct ModeRow {
    id: uuid::Uuid,
    mode: String,
}

/// The allocations on a partition that had not ended by `since`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn on_partition(
    tx: &Tx,
    partition: &PartitionKey,
    since: Timestamp,
) -> Result<Vec<OnPartition>, StoreError> {
    const CURRENT: &str = "a.partition = $1 AND a.ends_at > $2";
    let values = || [partition.to_string().into(), micros(since).into()];
    let sql = format!("SELECT a.* FROM allocation a WHERE {CURRENT} ORDER BY a.granted_at, a.id");
    let allocations = tx.all::<Row>(&sql, values()).await?;
    let sql = format!(
        "SELECT a.id, c.mode FROM allocation a
        JOIN application p ON p.id = a.application JOIN call c ON c.id = p.call WHERE {CURRENT}"
    );
    let mut modes = BTreeMap::new();
    for row in tx.all::<ModeRow>(&sql, values()).await? {
        modes.insert(AllocationId::from_uuid(row.id), parsed("access mode", &row.mode)?);
    }
    let ours = format!("owner IN (SELECT a.id FROM allocation a WHERE {CURRENT})");
    let mut used = BTreeMap::new();
    for standing in standings_where(tx, &ours, values()).await? {
        let total = standing.total().map_err(|error| StoreError::damaged("balances", error))?;
        used.insert(standing.allocation(), total.used);
    }
    let on_partition = |row: Row| {
        let allocation = row.allocation()?;
        let mode = modes.remove(&allocation.id);
        let mode = mode.ok_or_else(|| StoreError::damaged("call", "an allocation without one"))?;
        let used = used.get(&allocation.id).copied().unwrap_or(Work::ZERO);
        Ok(OnPartition { allocation, mode, used })
    };
    allocations.into_iter().map(on_partition).collect()
}

/// The allocations on a partition that have not ended at `now`, each with its balances.
///
/// # Errors
/// When the database fails.
pub async fn open_on(
    tx: &Tx,
    partition: &PartitionKey,
    now: Timestamp,
) -> Result<Vec<(Allocation, Standing)>, StoreError> {
    const OPEN: &str = "a.partition = $1 AND a.ends_at > $2 AND a.lapsed_at IS NULL";
    let values = || [partition.to_string().into(), micros(now).into()];
    let sql = format!("SELECT a.* FROM allocation a WHERE {OPEN}");
    let mut allocations = BTreeMap::new();
    for row in tx.all::<Row>(&sql, values()).await? {
        let allocation = row.allocation()?;
        allocations.insert(allocation.id, allocation);
    }
    let ours = format!("owner IN (SELECT a.id FROM allocation a WHERE {OPEN})");
    let standings = standings_where(tx, &ours, values()).await?.into_iter();
    let with = |standing: Standing| {
        allocations.remove(&standing.allocation()).map(|allocation| (allocation, standing))
    };
    Ok(standings.filter_map(with).collect())
}

#[derive(FromQueryResult)]
struct DayRow {
    allocation: uuid::Uuid,
    day: i64,
    used: i64,
}

/// In microseconds.
const DAY: i64 = 86_400_000_000;

/// What each of these allocations was charged day by day (UTC), at the first instant of the day.
///
/// # Errors
/// When the database fails.
pub async fn used_by_day(
    tx: &Tx,
    partition: &PartitionKey,
    since: Timestamp,
) -> Result<BTreeMap<AllocationId, Vec<(Timestamp, Work)>>, StoreError> {
    let sql = format!(
        "SELECT e.allocation AS allocation, e.at / {DAY} AS day, CAST(SUM(
            CASE WHEN d.name LIKE '%/used/%' THEN t.amount ELSE 0 END
            - CASE WHEN s.name LIKE '%/used/%' THEN t.amount ELSE 0 END) AS BIGINT) AS used
        FROM allocation a JOIN ledger_entry e ON e.allocation = a.id
        JOIN ledger_transfer t ON t.seq = e.seq
        JOIN ledger_account s ON s.number = t.source
        JOIN ledger_account d ON d.number = t.target
        WHERE a.partition = $1 AND a.ends_at > $2
          AND e.kind IN ('settle', 'charge', 'correction')
        GROUP BY e.allocation, e.at / {DAY} ORDER BY e.allocation, day"
    );
    let mut used: BTreeMap<AllocationId, Vec<(Timestamp, Work)>> = BTreeMap::new();
    for row in tx.all::<DayRow>(&sql, [partition.to_string().into(), micros(since).into()]).await? {
        let at = instant(row.day.saturating_mul(DAY))?;
        let of_day = (at, Work::seconds(row.used));
        used.entry(AllocationId::from_uuid(row.allocation)).or_default().push(of_day);
    }
    Ok(used)
}
