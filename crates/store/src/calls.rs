//! Calls and the partitions they offer.

use std::collections::{BTreeMap, BTreeSet};

use access::call::Call;
use access::policy::RuleId;
use sea_orm::FromQueryResult;
use units::{CallId, PartitionKey, Slug, Timestamp};

use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::scope::{Conditions, parsed};
use crate::{StoreError, Tx};

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    name: String,
    title: String,
    mode: String,
    rule: String,
    opens_at: i64,
    closes_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct PartitionRow {
    call: uuid::Uuid,
    partition: String,
}

/// Adds a call.
///
/// # Errors
/// [`StoreError::Exists`] when there is one of that name.
pub async fn insert(
    tx: &Tx,
    call: &Call,
    created_by: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO call
        (id, name, title, mode, rule, opens_at, closes_at, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = [
        call.id.uuid().into(),
        call.key.to_string().into(),
        call.title.clone().into(),
        call.mode.to_string().into(),
        call.rule.to_string().into(),
        micros(call.opens_at).into(),
        call.closes_at.map(micros).into(),
        created_by.into(),
        micros(at).into(),
    ];
    tx.execute(SQL, values).await.map_err(|error| error.or_exists("a call of that name"))?;
    for partition in &call.partitions {
        const SQL: &str = "INSERT INTO call_partition (call, partition) VALUES ($1, $2)";
        tx.execute(SQL, [call.id.uuid().into(), partition.to_string().into()]).await?;
    }
    Ok(())
}

/// The call with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: CallId) -> Result<Option<Call>, StoreError> {
    let row = tx.one::<Row>("SELECT * FROM call WHERE id = $1", [id.uuid().into()]).await?;
    match row {
        Some(row) => read(tx, row).await.map(Some),
        None => Ok(None),
    }
}

/// The call with this name.
///
/// # Errors
/// When the database fails.
pub async fn by_key(tx: &Tx, key: &Slug) -> Result<Option<Call>, StoreError> {
    let row = tx.one::<Row>("SELECT * FROM call WHERE name = $1", [key.to_string().into()]).await?;
    match row {
        Some(row) => read(tx, row).await.map(Some),
        None => Ok(None),
    }
}

/// Calls older than `before`, newest first; of all, or those that had opened by `opened_by`.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    opened_by: Option<Timestamp>,
    before: Option<CallId>,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(at) = opened_by {
        conditions.and("opens_at <= {}", micros(at));
    }
    if let Some(before) = before {
        conditions.and("id < {}", before.uuid());
    }
    let (sql, values) = conditions.page("SELECT * FROM call", limit);
    let rows = tx.all::<Row>(&sql, values).await?;
    let ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.id).collect();
    let mut partitions = partitions_of(tx, &ids).await?;
    rows.into_iter().map(|row| call(row, &mut partitions)).collect()
}

/// The titles of these calls.
///
/// # Errors
/// When the database fails.
pub async fn titles(
    tx: &Tx,
    calls: &BTreeSet<CallId>,
) -> Result<BTreeMap<CallId, String>, StoreError> {
    #[derive(FromQueryResult)]
    struct Title {
        id: uuid::Uuid,
        title: String,
    }
    let sql = format!("SELECT id, title FROM call WHERE {}", is_in("id", calls.len()));
    let rows = tx.all::<Title>(&sql, calls.iter().map(|id| id.uuid().into())).await?;
    Ok(rows.into_iter().map(|row| (CallId::from_uuid(row.id), row.title)).collect())
}

/// The partitions that each of these calls offers, in order.
async fn partitions_of(
    tx: &Tx,
    calls: &[uuid::Uuid],
) -> Result<BTreeMap<uuid::Uuid, Vec<PartitionKey>>, StoreError> {
    let sql = format!(
        "SELECT call, partition FROM call_partition WHERE {} ORDER BY partition",
        is_in("call", calls.len())
    );
    let mut partitions = BTreeMap::<_, Vec<PartitionKey>>::new();
    for row in tx.all::<PartitionRow>(&sql, calls.iter().map(|id| (*id).into())).await? {
        partitions.entry(row.call).or_default().push(parsed("partition", &row.partition)?);
    }
    Ok(partitions)
}

/// Calls that opened after `from` and not after `to`.
///
/// # Errors
/// When the database fails.
pub async fn opened_between(
    tx: &Tx,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Call>, StoreError> {
    const SQL: &str = "SELECT * FROM call WHERE opens_at > $1 AND opens_at <= $2 ORDER BY id";
    all(tx, SQL, (from, to)).await
}

/// Calls that close after `from` and not after `to`.
///
/// # Errors
/// When the database fails.
pub async fn closing_between(
    tx: &Tx,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Call>, StoreError> {
    const SQL: &str = "SELECT * FROM call WHERE closes_at > $1 AND closes_at <= $2 ORDER BY id";
    all(tx, SQL, (from, to)).await
}

async fn all(
    tx: &Tx,
    sql: &str,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Call>, StoreError> {
    let mut calls = Vec::new();
    for row in tx.all::<Row>(sql, [micros(from).into(), micros(to).into()]).await? {
        calls.push(read(tx, row).await?);
    }
    Ok(calls)
}

async fn read(tx: &Tx, row: Row) -> Result<Call, StoreError> {
    let mut partitions = partitions_of(tx, &[row.id]).await?;
    call(row, &mut partitions)
}

fn call(
    row: Row,
    partitions: &mut BTreeMap<uuid::Uuid, Vec<PartitionKey>>,
) -> Result<Call, StoreError> {
    Ok(Call {
        id: CallId::from_uuid(row.id),
        key: parsed("call", &row.name)?,
        title: row.title,
        mode: parsed("access mode", &row.mode)?,
        rule: rule(&row.rule)?,
        partitions: partitions.remove(&row.id).unwrap_or_default(),
        opens_at: instant(row.opens_at)?,
        closes_at: row.closes_at.map(instant).transpose()?,
    })
}

/// `FILE#ENTRY@FROM`, as [`RuleId`] prints it.
pub(crate) fn rule(text: &str) -> Result<RuleId, StoreError> {
    let damaged = || StoreError::damaged("rule", text);
    let (file, rest) = text.split_once('#').ok_or_else(damaged)?;
    let (entry, from) = rest.split_once('@').ok_or_else(damaged)?;
    Ok(RuleId { file: file.to_owned(), entry: entry.to_owned(), from: parsed("rule", from)? })
}
