//! The pen: who holds it writes the next entries.

use std::collections::{BTreeMap, BTreeSet};

use ::ledger::{
    self as rules, Books, Commodity, Draft, Entry, OpenHold, Place, Pool, Purpose, Standing,
};
use units::{
    AgreementId, AllocationId, Cents, JobId, Payer, Period, PoolId, Shares, Timestamp, Work,
};
use uuid::Uuid;

use super::rows::{AnyAccount, Kept, standings};
use super::{Decided, Denied, Memo, read, write};
use crate::{StoreError, Tx};

/// The right to append, and the part of the books that was needed so far. Decisions see the
/// entries made with the same pen; [`Pen::write`] puts them all down.
#[derive(Debug)]
pub struct Pen<'t> {
    pub(super) tx: &'t Tx,
    pub(super) books: Books,
    /// The accounts that exist, as far as they were needed, with their numbers.
    pub(super) numbers: BTreeMap<AnyAccount, i64>,
    pub(super) seen: BTreeSet<Uuid>,
    /// Jobs whose open hold is known, or known not to be.
    pub(super) looked_up: BTreeSet<JobId>,
    pub(super) entries: Vec<Entry>,
}

impl Pen<'_> {
    /// Reads what entries about these allocations will need, at once instead of one by one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn foresee(&mut self, allocations: &[AllocationId]) -> Result<(), StoreError> {
        self.see(allocations.iter().map(|id| id.uuid()).collect()).await
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

    /// Charges `used` to `allocation` for a `job` for which nothing is held, and which was not
    /// charged before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn charge(
        &mut self,
        memo: Memo,
        allocation: AllocationId,
        job: JobId,
        used: Work,
    ) -> Decided<Entry> {
        let standing = match self.standing(allocation).await? {
            Ok(standing) => standing,
            Err(denied) => return Ok(Err(denied)),
        };
        let period = match standing.total() {
            Ok(total) if used <= total.available => Period::quarter_of(memo.stamp.at()),
            _ => self.capacity(standing.commodity(), memo.stamp.at()).await?,
        };
        let draft = standing.charge(job, used, period, memo.reason.clone());
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
        amount: Option<Work>,
    ) -> Decided<Vec<Entry>> {
        let standing = match self.standing(allocation).await? {
            Ok(standing) => standing,
            Err(denied) => return Ok(Err(denied)),
        };
        let granted = read::granted(self.tx, allocation).await?;
        let [first, _] = &memos;
        let (at, reason) = (first.stamp.at(), first.reason.as_str());
        let drafts = match amount {
            None => standing.lapse(&granted, at, reason),
            Some(amount) => standing.take_back(amount, &granted, at, reason),
        };
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
        let kept = read::accounts_of(self.tx, &fresh).await?;
        self.learn(kept)
    }

    pub(super) fn learn(&mut self, kept: Vec<Kept>) -> Result<(), StoreError> {
        for standing in standings(&kept) {
            let told = self.books.recall_standing(&standing);
            told.map_err(|error| StoreError::damaged("balances", error))?;
        }
        for it in kept {
            if let AnyAccount::Hours(account) = &it.account
                && matches!(account.place(), Place::Pool(_) | Place::Absorbed(_))
            {
                self.books.recall(account.clone(), Work::seconds(it.balance));
            }
            self.numbers.insert(it.account, it.number);
        }
        Ok(())
    }
}
