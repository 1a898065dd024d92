//! The books on disk: accounts with their balances, entries, transfers.
//!
//! Rules live in the crate `ledger`; here entries are chained, written and read. Every function
//! works inside the caller's transaction, so that a change and its entry become durable together.
//! A "no" is an answer ([`Denied`]), not an error; after one nothing is written, and the
//! transaction may go on.
//!
//! Writers take turns: on SQLite because a writing [`Tx`] is the only one, on PostgreSQL by a
//! lock that lasts until the transaction ends. So take the pen late. Several entries made with one
//! [`Pen`] are written together, for about the price of one.

mod charges;
mod pen;
mod read;
mod rows;
mod statement;
mod take;
mod verify;
mod write;

#[cfg(test)]
mod tests;

use ::ledger::{Commodity, Entry, Fault, Malformed, Pool, Purpose, Refusal, Short, Stamp};
use units::{AgreementId, AllocationId, Cents, JobId, Payer, Period, PoolId, Shares, Work};

pub use charges::{Charged, charges_of};
pub use pen::Pen;
pub use read::{balances, balances_of, charge_of, entries, head, open_hold, pool_balances};
pub use statement::{Change, Movement, Statement, statement};
pub use verify::{Finding, Progress, Verified, verify};

use crate::{StoreError, Tx};
pub(crate) use read::standings_where;
pub(crate) use write::is_in;

/// Who enters something, when, and why.
#[derive(Clone, Debug)]
pub struct Memo {
    /// The id of the entry, the instant, the author.
    pub stamp: Stamp,
    /// One line for people.
    pub reason: String,
}

/// Why nothing was entered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No entry ever opened this pool.
    #[error("pool {0} was never opened")]
    NoSuchPool(PoolId),
    /// No entry ever granted this allocation anything.
    #[error("allocation {0} was never granted anything")]
    NoSuchAllocation(AllocationId),
    /// The job has no hold, or it is settled or released already.
    #[error("job {0} has no open hold")]
    NoOpenHold(JobId),
    /// The job was never settled.
    #[error("job {0} was never charged")]
    NotCharged(JobId),
    /// The allocation's balances do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The pools do not allow it.
    #[error(transparent)]
    Short(#[from] Short),
    /// What was asked makes no entry.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The books do not accept the entry.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An entry, or the reason why there is none; or a failure of the store.
pub type Decided<T> = Result<Result<T, Denied>, StoreError>;

/// Turns the capacity of a partition in `period` into pools; opening a pool again adds to it.
///
/// # Errors
/// When the store fails.
pub async fn open_pools(
    tx: &Tx,
    memo: Memo,
    hours: &Commodity,
    period: Period,
    pools: &[(Pool, Work)],
) -> Decided<Entry> {
    let mut pen = Pen::take(tx, &[]).await?;
    let entry = pen.open_pools(memo, hours, period, pools);
    pen.write(entry).await
}

/// Enters what payers put into an agreement.
///
/// # Errors
/// When the store fails.
pub async fn contribute(
    tx: &Tx,
    memo: Memo,
    agreement: AgreementId,
    contributions: &[(Payer, Purpose, Cents)],
) -> Decided<Entry> {
    let mut pen = Pen::take(tx, &[]).await?;
    let entry = pen.contribute(memo, agreement, contributions);
    pen.write(entry).await
}

/// Puts `amount` behind `allocation`, out of pools by `shares`. The first grant makes its accounts.
///
/// # Errors
/// When the store fails.
pub async fn grant(
    tx: &Tx,
    memo: Memo,
    allocation: AllocationId,
    shares: &Shares<PoolId>,
    amount: Work,
) -> Decided<Entry> {
    let mut pen = Pen::take(tx, &[]).await?;
    let entry = pen.grant(memo, allocation, shares, amount).await?;
    pen.write(entry).await
}

/// Sets `amount` of an allocation aside for `job`.
///
/// # Errors
/// When the store fails.
pub async fn hold(
    tx: &Tx,
    memo: Memo,
    allocation: AllocationId,
    job: JobId,
    amount: Work,
) -> Decided<Entry> {
    let mut pen = Pen::take(tx, &[allocation]).await?;
    let entry = pen.hold(memo, allocation, job, amount).await?;
    pen.write(entry).await
}

/// Gives up the open hold of `job` and charges `used`.
///
/// # Errors
/// When the store fails.
pub async fn settle(tx: &Tx, memo: Memo, job: JobId, used: Work) -> Decided<Entry> {
    let mut pen = Pen::take_to_close(tx, &[job]).await?;
    let entry = pen.settle(memo, job, used).await?;
    pen.write(entry).await
}

/// Gives up the open hold of a `job` that will never run.
///
/// # Errors
/// When the store fails.
pub async fn release(tx: &Tx, memo: Memo, job: JobId) -> Decided<Entry> {
    let mut pen = Pen::take_to_close(tx, &[job]).await?;
    let entry = pen.release(memo, job).await?;
    pen.write(entry).await
}

/// Makes the charge for `job` say `used` instead of what stands.
///
/// # Errors
/// When the store fails.
pub async fn correct(tx: &Tx, memo: Memo, job: JobId, used: Work) -> Decided<Entry> {
    let mut pen = Pen::take(tx, &[]).await?;
    let entry = pen.correct(memo, job, used).await?;
    pen.write(entry).await
}

/// Moves `amount` of what `from` has available to `to`, which must have been granted hours of the
/// same partition before.
///
/// # Errors
/// When the store fails.
pub async fn transfer(
    tx: &Tx,
    memo: Memo,
    from: AllocationId,
    to: AllocationId,
    amount: Work,
) -> Decided<Entry> {
    let mut pen = Pen::take(tx, &[from, to]).await?;
    let entry = pen.transfer(memo, from, to, amount).await?;
    pen.write(entry).await
}

/// Takes away all that `allocation` has available: back to the pools that granted it while their
/// period lasts, else expired. Hours that came from another allocation were granted by no pool
/// here, and expire. Up to two entries, so it takes two stamps of one instant; none when nothing
/// is left.
///
/// # Errors
/// When the store fails.
pub async fn expire(tx: &Tx, memos: [Memo; 2], allocation: AllocationId) -> Decided<Vec<Entry>> {
    let mut pen = Pen::take(tx, &[allocation]).await?;
    let entries = pen.lapse(memos, allocation, None).await?;
    pen.write(entries).await
}

/// Takes away `amount` of what `allocation` has available, as [`expire`] does with all of it.
///
/// # Errors
/// When the store fails.
pub async fn take_back(
    tx: &Tx,
    memos: [Memo; 2],
    allocation: AllocationId,
    amount: Work,
) -> Decided<Vec<Entry>> {
    let mut pen = Pen::take(tx, &[allocation]).await?;
    let entries = pen.lapse(memos, allocation, Some(amount)).await?;
    pen.write(entries).await
}
