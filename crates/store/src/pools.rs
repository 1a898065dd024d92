//! Pools: the hours of one partition, in one period, of one payer. Their balance is in the ledger.

use sea_orm::FromQueryResult;
use units::{Meter, PartitionKey, Payer, Period, PoolId, Timestamp, Work};

use crate::db::{instant, micros};
use crate::scope::parsed;
use crate::{StoreError, Tx};

/// A pool that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRecord {
    /// Which.
    pub id: PoolId,
    /// Of which partition.
    pub partition: PartitionKey,
    /// What is counted.
    pub meter: Meter,
    /// Whose.
    pub payer: Payer,
    /// When it may be granted.
    pub period: Period,
    /// What it was opened with.
    pub amount: Work,
    /// When it was opened.
    pub opened_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    partition: String,
    meter: String,
    payer: String,
    starts_at: i64,
    ends_at: i64,
    amount: i64,
    opened_at: i64,
}

impl Row {
    fn record(self) -> Result<PoolRecord, StoreError> {
        let period = Period::new(instant(self.starts_at)?, instant(self.ends_at)?);
        Ok(PoolRecord {
            id: PoolId::from_uuid(self.id),
            partition: parsed("partition", &self.partition)?,
            meter: parsed("meter", &self.meter)?,
            payer: parsed("payer", &self.payer)?,
            period: period.map_err(|error| StoreError::damaged("period", error))?,
            amount: Work::seconds(self.amount),
            opened_at: instant(self.opened_at)?,
        })
    }
}

/// Puts a pool on record; `false` when the payer has one for this partition and period already.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, pool: &PoolRecord) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO pool
        (id, partition, meter, payer, starts_at, ends_at, amount, opened_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (partition, starts_at, payer) DO NOTHING";
    let values = [
        pool.id.uuid().into(),
        pool.partition.to_string().into(),
        pool.meter.to_string().into(),
        pool.payer.to_string().into(),
        micros(pool.period.start()).into(),
        micros(pool.period.end()).into(),
        pool.amount.count().into(),
        micros(pool.opened_at).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Makes decisions about a partition's hours wait for one another until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, partition: &PartitionKey, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE pool SET amount = amount
        WHERE partition = $1 AND starts_at <= $2 AND ends_at > $2";
    tx.execute(SQL, [partition.to_string().into(), micros(at).into()]).await?;
    Ok(())
}

/// The pools of a partition whose period contains `at`, in the order of the payers' names.
///
/// # Errors
/// When the database fails.
pub async fn at(
    tx: &Tx,
    partition: &PartitionKey,
    at: Timestamp,
) -> Result<Vec<PoolRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM pool
        WHERE partition = $1 AND starts_at <= $2 AND ends_at > $2 ORDER BY payer";
    let rows = tx.all::<Row>(SQL, [partition.to_string().into(), micros(at).into()]).await?;
    rows.into_iter().map(Row::record).collect()
}
