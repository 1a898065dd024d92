//! Taking the pen.

use std::collections::{BTreeMap, BTreeSet};

use ::ledger::{Books, Digest, Head, OpenHold, Seq};
use sea_orm::{FromQueryResult, Value};
use units::{AllocationId, JobId, Work};
use uuid::Uuid;

use super::pen::Pen;
use super::rows::AccountRow;
use super::write;
use crate::{StoreError, Tx};

/// The head, with at most one hold and one account beside it.
#[derive(FromQueryResult)]
struct TakenRow {
    seq: i64,
    hash: Vec<u8>,
    job: Option<Uuid>,
    hold: Option<i64>,
    allocation: Option<Uuid>,
    amount: Option<i64>,
    number: Option<i64>,
    name: Option<String>,
    base: Option<i64>,
    balance: Option<i64>,
}

impl TakenRow {
    fn account(self) -> Option<AccountRow> {
        let (number, name) = (self.number?, self.name?);
        Some(AccountRow { number, name, base: self.base?, balance: self.balance? })
    }

    fn open_hold(&self) -> Option<OpenHold> {
        Some(OpenHold {
            seq: Seq::new(self.hold?)?,
            allocation: AllocationId::from_uuid(self.allocation?),
            job: JobId::from_uuid(self.job?),
            amount: Work::seconds(self.amount?),
        })
    }
}

impl<'t> Pen<'t> {
    /// Waits for the right to append and reads the head of the books and these allocations.
    /// Others that want to append now wait until `tx` ends.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take(tx: &'t Tx, allocations: &[AllocationId]) -> Result<Self, StoreError> {
        let owners: Vec<Uuid> = allocations.iter().map(|id| id.uuid()).collect();
        let sql = format!(
            "SELECT h.seq, h.hash, NULL AS job, NULL AS hold, NULL AS allocation, NULL AS amount, \
             a.number, a.name, a.base, a.balance \
             FROM (SELECT seq, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1) h \
             LEFT JOIN ledger_account a ON {}",
            write::is_in("a.owner", owners.len()),
        );
        let mut pen = Self::taken(tx, &sql, write::owners(&owners)).await?;
        pen.seen.extend(owners);
        Ok(pen)
    }

    /// As [`Self::take`], and reads all that is needed to settle or release these jobs.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take_to_close(tx: &'t Tx, jobs: &[JobId]) -> Result<Self, StoreError> {
        // More than these are looked up one by one.
        const JOBS_MAX: usize = 256;
        let jobs = jobs.get(..JOBS_MAX).unwrap_or(jobs);
        let sql = format!(
            "SELECT h.seq, h.hash, o.job, o.seq AS hold, o.allocation, o.amount, \
             a.number, a.name, a.base, a.balance \
             FROM (SELECT seq, hash FROM ledger_entry ORDER BY seq DESC LIMIT 1) h \
             LEFT JOIN ledger_entry o ON o.kind = 'hold' AND {} \
             AND NOT EXISTS (SELECT 1 FROM ledger_entry c \
                 WHERE c.refers = o.seq AND c.kind IN ('settle', 'release')) \
             LEFT JOIN ledger_account a ON a.owner = o.allocation",
            write::is_in("o.job", jobs.len()),
        );
        let ids = jobs.iter().map(|job| Value::from(job.uuid()));
        let mut pen = Self::taken(tx, &sql, ids).await?;
        pen.looked_up.extend(jobs);
        Ok(pen)
    }

    async fn taken(
        tx: &'t Tx,
        sql: &str,
        values: impl Iterator<Item = Value>,
    ) -> Result<Self, StoreError> {
        if tx.is_postgres() {
            // The lock is a statement of its own, so that the next one sees what its last holder
            // committed. The number names this lock and no other in the database.
            const LOCK: i64 = 0x7573_696e_655f_6c65;
            tx.execute("SELECT pg_advisory_xact_lock($1)", [LOCK.into()]).await?;
        }
        let rows = tx.all::<TakenRow>(sql, values).await?;
        let head = match rows.first() {
            None => Head::EMPTY,
            Some(row) => Head { seq: Seq::new(row.seq), hash: digest(&row.hash)? },
        };
        let mut pen = Self {
            tx,
            books: Books::resume(head),
            numbers: BTreeMap::new(),
            seen: BTreeSet::new(),
            looked_up: BTreeSet::new(),
            entries: Vec::new(),
        };
        for hold in rows.iter().filter_map(TakenRow::open_hold) {
            pen.seen.insert(hold.allocation.uuid());
            pen.books.recall_hold(hold);
        }
        let mut accounts: Vec<_> = rows.into_iter().filter_map(TakenRow::account).collect();
        accounts.sort_by_key(|account| account.number);
        accounts.dedup_by_key(|account| account.number);
        let kept: Result<Vec<_>, _> = accounts.iter().map(AccountRow::kept).collect();
        pen.learn(kept?)?;
        Ok(pen)
    }
}

fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    let bytes = bytes.try_into().map_err(|_| StoreError::damaged("hash", "not 32 bytes"))?;
    Ok(Digest::from_bytes(bytes))
}
