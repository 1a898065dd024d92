//! Reading the books.

use std::collections::BTreeMap;

use ::ledger::{
    Charge, Commodity, Digest, Entry, Head, Movements, OpenHold, Place, Pool, Seq, Standing,
};
use sea_orm::{FromQueryResult, Value};
use units::{AllocationId, JobId, Period, PoolId, Work};
use uuid::Uuid;

use super::rows::{
    AccountRow, AnyAccount, ENTRY_COLUMNS, EntryRow, Kept, TransferRow, movements, standings,
};
use super::write::{is_in, owners};
use crate::{StoreError, Tx};

/// How many entries one page of [`entries`] has at most.
const PAGE_MAX: u32 = 1_000;

/// How an allocation stands, by payer; `None` if it was never granted anything.
///
/// # Errors
/// When the store fails.
pub async fn balances(tx: &Tx, allocation: AllocationId) -> Result<Option<Standing>, StoreError> {
    Ok(standings(&accounts_of(tx, &[allocation.uuid()]).await?).pop())
}

/// How these allocations stand; those never granted anything are left out.
///
/// # Errors
/// When the store fails.
pub async fn balances_of(
    tx: &Tx,
    allocations: &[AllocationId],
) -> Result<Vec<Standing>, StoreError> {
    let ids: Vec<Uuid> = allocations.iter().map(|id| id.uuid()).collect();
    Ok(standings(&accounts_of(tx, &ids).await?))
}

/// How the allocations stand whose accounts meet `condition`; those never granted anything are left
/// out.
pub(crate) async fn standings_where(
    tx: &Tx,
    condition: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Standing>, StoreError> {
    Ok(standings(&accounts_where(tx, condition, values).await?))
}

/// What each of these pools has not granted yet, with the hours it is in; pools never opened are
/// left out.
///
/// # Errors
/// When the store fails.
pub async fn pool_balances(
    tx: &Tx,
    pools: &[PoolId],
) -> Result<Vec<(Pool, Commodity, Work)>, StoreError> {
    let ids: Vec<Uuid> = pools.iter().map(|pool| pool.uuid()).collect();
    let mut found = Vec::new();
    for kept in accounts_of(tx, &ids).await? {
        if let AnyAccount::Hours(account) = &kept.account
            && let Place::Pool(pool) = account.place()
        {
            found.push((*pool, account.commodity().clone(), Work::seconds(kept.balance)));
        }
    }
    Ok(found)
}

/// The last entry's position and hash.
///
/// # Errors
/// When the store fails.
pub async fn head(tx: &Tx) -> Result<Head, StoreError> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM ledger_entry ORDER BY seq DESC LIMIT 1");
    match tx.one::<EntryRow>(&sql, []).await? {
        None => Ok(Head::EMPTY),
        Some(row) => Ok(Head { seq: Some(row.seq()?), hash: row.hash()? }),
    }
}

/// The entries after position `after` (or from the first), at most `limit` and at most 1 000.
///
/// # Errors
/// When the store fails, or a row cannot be read as an entry.
pub async fn entries(tx: &Tx, after: Option<Seq>, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let after = after.map_or(0, Seq::number);
    let limit = i64::from(limit.min(PAGE_MAX)).saturating_add(1);
    // One more in front, for the hash that the first one follows.
    let sql =
        format!("SELECT {ENTRY_COLUMNS} FROM ledger_entry WHERE seq >= $1 ORDER BY seq LIMIT $2");
    let rows = tx.all::<EntryRow>(&sql, [after.into(), limit.into()]).await?;
    let mut previous = Digest::GENESIS;
    let mut rows = rows.as_slice();
    match rows.split_first() {
        Some((first, rest)) if first.seq == after => {
            previous = first.hash()?;
            rows = rest;
        }
        _ => {
            rows =
                rows.get(..rows.len().min(usize::try_from(limit - 1).unwrap_or(0))).unwrap_or(rows)
        }
    }
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let transfers = transfers_between(tx, first.seq, last.seq).await?;
    let accounts = accounts_in(tx, transfers.values().flatten()).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let transfers = transfers.get(&row.seq).map(Vec::as_slice).unwrap_or_default();
        let entry = row.entry(transfers, &accounts, previous)?;
        previous = entry.hash();
        found.push(entry);
    }
    Ok(found)
}

#[derive(FromQueryResult)]
struct HoldRow {
    seq: i64,
    allocation: Uuid,
    amount: i64,
}

/// The hold of `job`, while it is open.
///
/// # Errors
/// When the store fails.
pub async fn open_hold(tx: &Tx, job: JobId) -> Result<Option<OpenHold>, StoreError> {
    const SQL: &str = "SELECT e.seq, e.allocation, e.amount FROM ledger_entry e \
        WHERE e.job = $1 AND e.kind = 'hold' AND NOT EXISTS (SELECT 1 FROM ledger_entry c \
            WHERE c.refers = e.seq AND c.kind IN ('settle', 'release')) \
        ORDER BY e.seq DESC LIMIT 1";
    let row = tx.one::<HoldRow>(SQL, [job.uuid().into()]).await?;
    row.map(|row| {
        let seq = Seq::new(row.seq).ok_or_else(|| StoreError::damaged("position", row.seq))?;
        let allocation = AllocationId::from_uuid(row.allocation);
        Ok(OpenHold { seq, allocation, job, amount: Work::seconds(row.amount) })
    })
    .transpose()
}

/// What stands charged for `job` after corrections, and to whom; `None` before it is settled or
/// charged.
///
/// # Errors
/// When the store fails.
pub async fn charge_of(tx: &Tx, job: JobId) -> Result<Option<(AllocationId, Charge)>, StoreError> {
    let sql = format!(
        "WITH settled AS (SELECT s.seq AS seq FROM ledger_entry h \
             JOIN ledger_entry s ON s.refers = h.seq AND s.kind IN ('settle', 'release') \
             WHERE h.job = $1 AND h.kind = 'hold' AND s.kind = 'settle' \
             UNION ALL SELECT seq FROM ledger_entry WHERE job = $1 AND kind = 'charge' \
             ORDER BY seq DESC LIMIT 1) \
         SELECT {ENTRY_COLUMNS} FROM ledger_entry WHERE seq IN (SELECT seq FROM settled) \
         UNION ALL SELECT {ENTRY_COLUMNS} FROM ledger_entry \
         WHERE refers IN (SELECT seq FROM settled) AND kind = 'correction' ORDER BY seq"
    );
    let mut charge: Option<(AllocationId, Charge)> = None;
    for row in tx.all::<EntryRow>(&sql, [job.uuid().into()]).await? {
        let amount = Work::seconds(row.amount.unwrap_or_default());
        let absorbed = absorbed(tx, row.seq).await?;
        let overflow = |error| StoreError::damaged("amount", error);
        charge = match charge {
            Some((of, before)) if row.kind == "correction" => {
                let used = before.used.plus(amount).map_err(overflow)?;
                let absorbed = before.absorbed.plus(absorbed).map_err(overflow)?;
                Some((of, Charge { used, absorbed, ..before }))
            }
            _ => row.allocation.map(AllocationId::from_uuid).zip(Some(Charge {
                seq: row.seq()?,
                job,
                used: amount,
                absorbed,
            })),
        };
    }
    Ok(charge)
}

/// What an entry made the site bear; negative when it gave some back.
async fn absorbed(tx: &Tx, seq: i64) -> Result<Work, StoreError> {
    let (transfers, accounts) = whole(tx, seq).await?;
    let mut sum = Work::ZERO;
    if let Movements::Hours(transfers) = movements(&transfers, &accounts)? {
        for transfer in transfers {
            let changed = match (transfer.from().place(), transfer.to().place()) {
                (Place::Absorbed(_), _) => sum.minus(transfer.amount()),
                (_, Place::Absorbed(_)) => sum.plus(transfer.amount()),
                _ => Ok(sum),
            };
            sum = changed.map_err(|error| StoreError::damaged("amount", error))?;
        }
    }
    Ok(sum)
}

/// What each pool has put behind `allocation`, less what it got back.
pub(super) async fn granted(
    tx: &Tx,
    allocation: AllocationId,
) -> Result<Vec<(Pool, Work)>, StoreError> {
    const SQL: &str = "SELECT t.seq, t.line, t.source, t.target, t.amount \
        FROM ledger_entry e JOIN ledger_transfer t ON t.seq = e.seq \
        WHERE e.allocation = $1 AND e.kind IN ('grant', 'return') ORDER BY t.seq, t.line";
    let rows = tx.all::<TransferRow>(SQL, [allocation.uuid().into()]).await?;
    let accounts = accounts_in(tx, rows.iter()).await?;
    let pool = |number: i64| match accounts.get(&number) {
        Some(AnyAccount::Hours(account)) => match account.place() {
            Place::Pool(pool) => Some(*pool),
            _ => None,
        },
        _ => None,
    };
    let mut sums: BTreeMap<Pool, i64> = BTreeMap::new();
    for row in &rows {
        if let Some(pool) = pool(row.source) {
            let sum = sums.entry(pool).or_default();
            *sum = sum.saturating_add(row.amount);
        }
        if let Some(pool) = pool(row.target) {
            let sum = sums.entry(pool).or_default();
            *sum = sum.saturating_sub(row.amount);
        }
    }
    Ok(sums.into_iter().map(|(pool, sum)| (pool, Work::seconds(sum))).collect())
}

/// The periods whose capacity was opened.
pub(super) async fn capacities(tx: &Tx, hours: &Commodity) -> Result<Vec<Period>, StoreError> {
    const SQL: &str = "SELECT number, name, base, balance FROM ledger_account \
        WHERE owner IS NULL AND name LIKE $1 ORDER BY name";
    let rows = tx.all::<AccountRow>(SQL, [format!("{hours}/capacity/%").into()]).await?;
    let mut periods = Vec::new();
    for row in rows {
        if let AnyAccount::Hours(account) = AnyAccount::parse(&row.name)?
            && let Place::Capacity(period) = account.place()
        {
            periods.push(*period);
        }
    }
    Ok(periods)
}

/// The accounts that belong to these allocations and pools.
pub(super) async fn accounts_of(tx: &Tx, of: &[Uuid]) -> Result<Vec<Kept>, StoreError> {
    accounts_where(tx, &is_in("owner", of.len()), owners(of)).await
}

async fn accounts_where(
    tx: &Tx,
    condition: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<Kept>, StoreError> {
    let sql = format!("SELECT number, name, base, balance FROM ledger_account WHERE {condition}");
    let rows = tx.all::<AccountRow>(&sql, values).await?;
    rows.iter().map(|row| Ok(row.kept()?)).collect()
}

/// The transfers of the entries in this range, by entry.
pub(super) async fn transfers_between(
    tx: &Tx,
    first: i64,
    last: i64,
) -> Result<BTreeMap<i64, Vec<TransferRow>>, StoreError> {
    const SQL: &str = "SELECT seq, line, source, target, amount FROM ledger_transfer \
        WHERE seq >= $1 AND seq <= $2 ORDER BY seq, line";
    let mut by_entry: BTreeMap<i64, Vec<TransferRow>> = BTreeMap::new();
    for row in tx.all::<TransferRow>(SQL, [first.into(), last.into()]).await? {
        by_entry.entry(row.seq).or_default().push(row);
    }
    Ok(by_entry)
}

async fn whole(
    tx: &Tx,
    seq: i64,
) -> Result<(Vec<TransferRow>, BTreeMap<i64, AnyAccount>), StoreError> {
    let mut transfers = transfers_between(tx, seq, seq).await?;
    let transfers = transfers.remove(&seq).unwrap_or_default();
    let accounts = accounts_in(tx, transfers.iter()).await?;
    Ok((transfers, accounts))
}

/// The accounts that transfers name, by number.
pub(super) async fn accounts_in(
    tx: &Tx,
    transfers: impl Iterator<Item = &TransferRow>,
) -> Result<BTreeMap<i64, AnyAccount>, StoreError> {
    const CHUNK: usize = 500;
    let mut numbers: Vec<i64> = transfers.flat_map(|row| [row.source, row.target]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut accounts = BTreeMap::new();
    for numbers in numbers.chunks(CHUNK) {
        let condition = is_in("number", numbers.len());
        let sql =
            format!("SELECT number, name, base, balance FROM ledger_account WHERE {condition}");
        for row in tx.all::<AccountRow>(&sql, numbers.iter().map(|n| Value::from(*n))).await? {
            accounts.insert(row.number, AnyAccount::parse(&row.name)?);
        }
    }
    Ok(accounts)
}
