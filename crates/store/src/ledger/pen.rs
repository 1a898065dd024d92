//! The pen: who holds it writes the next entries.

use std::collections::{BTreeMap, BTreeSet};

use ::ledger::{
    self as rules, Books, Commodity, Digest, Draft, Entry, Head, OpenHold, Place, Pool, Purpose,
    Seq, Standing,
};
use sea_orm::{FromQueryResult, Value};
use units::{
    AgreementId, AllocationId, Cents, JobId, Payer, Period, PoolId, Shares, Timestamp, Work,
};
use uuid::Uuid;

use super::rows::{AccountRow, AnyAccount, standings};
use super::{Decided, Denied, Memo, read, write};
use crate::{StoreError, Tx};

/// The right to append, and the part of the books that was needed so far. Decisions see the
/// entries made with the same pen; [`Pen::write`] puts them all down.
#[derive(Debug)]
pub struct Pen<'t> {
    tx: &'t Tx,
    books: Books,
    /// The accounts that exist, as far as they were needed, with their numbers.
    numbers: BTreeMap<String, i64>,
    seen: BTreeSet<Uuid>,
    /// Jobs whose open hold is known, or known not to be.
    looked_up: BTreeSet<JobId>,
    entries: Vec<Entry>,
}

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
        pen.learn(&accounts)?;
        Ok(pen)
    }

    /// Puts all entries down, if `last` is one; gives `last` back.
    ///
    /// # Errors
    /// When the store fails; then the transaction must not be committed.
    pub async fn write<T>(self, last: Result<T, Denied>) -> Decided<T> {
        if last.is_ok() && !self.entries.is_empty() {
            write::put_down(self.tx, &self.books, self.numbers, &self.entries).await?;
        }
        Ok(last)
    }

    /// See [`super::open_pools`].
    ///
    /// # Errors
    /// When the entry cannot stand.
    pub fn open_pools(
        &mut self,
        memo: Memo,
        hours: &Commodity,
        period: Period,
        pools: &[(Pool, Work)],
    ) -> Result<Entry, Denied> {
        let draft = rules::open(hours, period, pools, memo.reason.clone())?;
        self.enter(memo, draft)
    }

    /// See [`super::contribute`].
    ///
    /// # Errors
    /// When the entry cannot stand.
    pub fn contribute(
        &mut self,
        memo: Memo,
        agreement: AgreementId,
        contributions: &[(Payer, Purpose, Cents)],
    ) -> Result<Entry, Denied> {
        let draft = rules::contribute(agreement, contributions, memo.reason.clone())?;
        self.enter(memo, draft)
    }

    /// See [`super::grant`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn grant(
        &mut self,
        memo: Memo,
        allocation: AllocationId,
        shares: &Shares<PoolId>,
        amount: Work,
    ) -> Decided<Entry> {
        let wanted: Vec<PoolId> = shares.iter().map(|(pool, _)| *pool).collect();
        let owners = wanted.iter().map(|pool| pool.uuid()).chain([allocation.uuid()]);
        self.see(owners.collect()).await?;
        let mut pools: Vec<(Commodity, Pool, Work)> = Vec::new();
        for (account, balance) in self.books.all_hours() {
            if let Place::Pool(pool) = account.place() {
                pools.push((account.commodity().clone(), *pool, balance));
            }
        }
        for id in &wanted {
            if !pools.iter().any(|(_, pool, _)| pool.id == *id) {
                return Ok(Err(Denied::NoSuchPool(*id)));
            }
        }
        let first = pools.iter().find(|(_, pool, _)| wanted.contains(&pool.id));
        let Some(hours) = first.map(|(hours, ..)| hours.clone()) else {
            return Ok(Err(Denied::NoSuchAllocation(allocation)));
        };
        let mine: Vec<(Pool, Work)> = pools
            .iter()
            .filter(|(of, ..)| *of == hours)
            .map(|(_, pool, balance)| (*pool, *balance))
            .collect();
        let draft = rules::grant(allocation, (&hours, &mine), shares, amount, memo.reason.clone());
        Ok(draft.map_err(Denied::from).and_then(|draft| self.enter(memo, draft)))
    }

    /// See [`super::hold`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hold(
        &mut self,
        memo: Memo,
        allocation: AllocationId,
        job: JobId,
        amount: Work,
    ) -> Decided<Entry> {
        let standing = match self.standing(allocation).await? {
            Ok(standing) => standing,
            Err(denied) => return Ok(Err(denied)),
        };
        let draft = standing.hold(job, amount, memo.reason.clone());
        Ok(draft.map_err(Denied::from).and_then(|draft| self.enter(memo, draft)))
    }

    /// See [`super::settle`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle(&mut self, memo: Memo, job: JobId, used: Work) -> Decided<Entry> {
        let (hold, standing) = match self.open_hold(job).await? {
            Ok(found) => found,
            Err(denied) => return Ok(Err(denied)),
        };
        let period = if used > hold.amount {
            self.capacity(standing.commodity(), memo.stamp.at()).await?
        } else {
            Period::quarter_of(memo.stamp.at())
        };
        let draft = standing.settle(&hold, used, period, memo.reason.clone());
        Ok(draft.map_err(Denied::from).and_then(|draft| self.enter(memo, draft)))
    }

    /// See [`super::release`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release(&mut self, memo: Memo, job: JobId) -> Decided<Entry> {
        let (hold, standing) = match self.open_hold(job).await? {
            Ok(found) => found,
            Err(denied) => return Ok(Err(denied)),
        };
        let draft = standing.release(&hold, memo.reason.clone());
        Ok(draft.map_err(Denied::from).and_then(|draft| self.enter(memo, draft)))
    }

    /// See [`super::correct`]. Reads what was written before, not what this pen still holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn correct(&mut self, memo: Memo, job: JobId, used: Work) -> Decided<Entry> {
        let Some((allocation, charge)) = read::charge_of(self.tx, job).await? else {
            return Ok(Err(Denied::NotCharged(job)));
        };
        let standing = match self.standing(allocation).await? {
            Ok(standing) => standing,
            Err(denied) => return Ok(Err(denied)),
        };
        let period = self.capacity(standing.commodity(), memo.stamp.at()).await?;
        let draft = standing.correct(&charge, used, period, memo.reason.clone());
        Ok(draft.map_err(Denied::from).and_then(|draft| self.enter(memo, draft)))
    }

    /// See [`super::transfer`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn transfer(
        &mut self,
        memo: Memo,
        from: AllocationId,
        to: AllocationId,
        amount: Work,
    ) -> Decided<Entry> {
        let (giver, taker) = match (self.standing(from).await?, self.standing(to).await?) {
            (Ok(giver), Ok(taker)) => (giver, taker),
            (Err(denied), _) | (_, Err(denied)) => return Ok(Err(denied)),
        };
        let draft = giver.transfer(to, taker.commodity(), amount, memo.reason.clone());
        Ok(draft.map_err(Denied::from).and_then(|draft| self.enter(memo, draft)))
    }

    /// See [`super::expire`]. Reads what was granted before, not what this pen still holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lapse(
        &mut self,
        memos: [Memo; 2],
        allocation: AllocationId,
    ) -> Decided<Vec<Entry>> {
        let standing = match self.standing(allocation).await? {
            Ok(standing) => standing,
            Err(denied) => return Ok(Err(denied)),
        };
        let granted = read::granted(self.tx, allocation).await?;
        let [first, _] = &memos;
        let drafts = standing.lapse(&granted, first.stamp.at(), &first.reason);
        Ok(drafts.map_err(Denied::from).and_then(|drafts| {
            memos.into_iter().zip(drafts).map(|(memo, draft)| self.enter(memo, draft)).collect()
        }))
    }

    fn enter(&mut self, memo: Memo, draft: Draft) -> Result<Entry, Denied> {
        let entry = self.books.append(memo.stamp, draft)?;
        self.entries.push(entry.clone());
        Ok(entry)
    }

    async fn standing(
        &mut self,
        allocation: AllocationId,
    ) -> Result<Result<Standing, Denied>, StoreError> {
        self.see(vec![allocation.uuid()]).await?;
        Ok(self.books.standing(allocation).ok_or(Denied::NoSuchAllocation(allocation)))
    }

    async fn open_hold(
        &mut self,
        job: JobId,
    ) -> Result<Result<(OpenHold, Standing), Denied>, StoreError> {
        if self.looked_up.insert(job)
            && let Some(hold) = read::open_hold(self.tx, job).await?
        {
            self.books.recall_hold(hold);
        }
        let Some(hold) = self.books.open_hold_of(job).copied() else {
            return Ok(Err(Denied::NoOpenHold(job)));
        };
        let standing = self.standing(hold.allocation).await?;
        Ok(standing.map(|standing| (hold, standing)))
    }

    /// The capacity that an overrun at `at` is drawn from: the period of it that was opened, or
    /// else the calendar quarter.
    async fn capacity(&self, hours: &Commodity, at: Timestamp) -> Result<Period, StoreError> {
        let open = read::capacities(self.tx, hours).await?;
        let current = open.into_iter().find(|period| period.contains(at));
        Ok(current.unwrap_or_else(|| Period::quarter_of(at)))
    }

    /// Reads the accounts of these owners, unless they were read before.
    async fn see(&mut self, owners: Vec<Uuid>) -> Result<(), StoreError> {
        let fresh: Vec<Uuid> =
            owners.into_iter().filter(|owner| self.seen.insert(*owner)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let rows = read::accounts_of(self.tx, &fresh).await?;
        self.learn(&rows)
    }

    fn learn(&mut self, rows: &[AccountRow]) -> Result<(), StoreError> {
        for row in rows {
            self.numbers.insert(row.name.clone(), row.number);
            if let AnyAccount::Hours(account) = AnyAccount::parse(&row.name)?
                && matches!(account.place(), Place::Pool(_) | Place::Absorbed(_))
            {
                self.books.recall(account, Work::seconds(row.balance));
            }
        }
        for standing in standings(rows)? {
            let told = self.books.recall_standing(&standing);
            told.map_err(|error| StoreError::damaged("balances", error))?;
        }
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    let bytes = bytes.try_into().map_err(|_| StoreError::damaged("hash", "not 32 bytes"))?;
    Ok(Digest::from_bytes(bytes))
}
