//! Out of which quarters' pools the hours of a partition's allocations come.

use std::collections::BTreeMap;

use access::allocation::Allocation;
use sea_orm::FromQueryResult;
use units::{AllocationId, PartitionKey, Payer, Period, Timestamp};

use super::Row;
use crate::db::{instant, micros};
use crate::scope::parsed;
use crate::{StoreError, Tx};

/// A pool that put hours behind an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The period of the pool.
    pub quarter: Period,
    /// Whose it is.
    pub payer: Payer,
}

#[derive(FromQueryResult)]
struct DrawnRow {
    allocation: uuid::Uuid,
    payer: String,
    starts_at: i64,
    ends_at: i64,
}

impl DrawnRow {
    fn drawn(self) -> Result<(AllocationId, Drawn), StoreError> {
        let quarter = Period::new(instant(self.starts_at)?, instant(self.ends_at)?);
        let drawn = Drawn {
            quarter: quarter.map_err(|error| StoreError::damaged("period", error))?,
            payer: parsed("payer", &self.payer)?,
        };
        Ok((AllocationId::from_uuid(self.allocation), drawn))
    }
}

/// The allocations on a partition that may still use hours, or that drew on a pool whose period
/// contains `at`, oldest first; each with the pools behind it, earliest first.
///
/// # Errors
/// When the database fails.
pub async fn drawn(
    tx: &Tx,
    partition: &PartitionKey,
    at: Timestamp,
) -> Result<Vec<(Allocation, Vec<Drawn>)>, StoreError> {
    const CURRENT: &str = "a.partition = $1 AND (a.lapsed_at IS NULL OR a.id IN (
        SELECT c.allocation FROM allocation_share c JOIN pool q ON q.id = c.pool
        WHERE q.partition = $1 AND q.starts_at <= $2 AND q.ends_at > $2))";
    let values = || [partition.to_string().into(), micros(at).into()];
    let sql = format!("SELECT a.* FROM allocation a WHERE {CURRENT} ORDER BY a.granted_at, a.id");
    let allocations = tx.all::<Row>(&sql, values()).await?;
    let sql = format!(
        "SELECT s.allocation, s.payer, p.starts_at, p.ends_at
        FROM allocation a JOIN allocation_share s ON s.allocation = a.id
        JOIN pool p ON p.id = s.pool
        WHERE {CURRENT} ORDER BY p.starts_at, s.payer"
    );
    let mut by_allocation: BTreeMap<AllocationId, Vec<Drawn>> = BTreeMap::new();
    for row in tx.all::<DrawnRow>(&sql, values()).await? {
        let (allocation, drawn) = row.drawn()?;
        by_allocation.entry(allocation).or_default().push(drawn);
    }
    let with_drawn = allocations.into_iter().map(|row| {
        let allocation = row.allocation()?;
        let drawn = by_allocation.remove(&allocation.id).unwrap_or_default();
        Ok((allocation, drawn))
    });
    with_drawn.collect()
}
