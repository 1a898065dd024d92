//! From an agreement's money and capacity to the hours behind an allocation.

use std::sync::Arc;

use units::{AgreementId, AllocationId, Cents, Overflow, Payer, Period, PoolId, Shares, Work};

use crate::account::{Account, Commodity, Euro, EuroPlace, Place, Pool, Purpose};
use crate::entry::{Draft, Movements};
use crate::kind::Kind;
use crate::transfer::{Malformed, Transfer};

/// Why pools cannot grant what is asked of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Short {
    /// Some pools have too little.
    #[error("{} of the pools have too little", .0.len())]
    Pools(Vec<(PoolId, Work)>),
    /// A share is owned by a pool that was not given.
    #[error("pool {0} has a share but was not given")]
    Unknown(PoolId),
    /// The draft would not be well formed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl From<Overflow> for Short {
    fn from(overflow: Overflow) -> Self {
        Self::Malformed(overflow.into())
    }
}

/// Turns the capacity of a partition in `period` into its payers' pools.
///
/// # Errors
/// When there is no pool, an amount is not positive, or a pool is of another period.
pub fn open(
    commodity: &Commodity,
    period: Period,
    pools: &[(Pool, Work)],
    reason: impl Into<String>,
) -> Result<Draft, Malformed> {
    let commodity = Arc::new(commodity.clone());
    let account = |place| Account::new(Arc::clone(&commodity), place);
    let moves = pools
        .iter()
        .map(|(pool, amount)| {
            Transfer::new(account(Place::Capacity(period)), account(Place::Pool(*pool)), *amount)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Draft::new(Kind::Open, reason, Movements::Hours(moves))
}

/// Puts `amount` behind `allocation`, out of `pools` (each with its balance) by `shares`, split by
/// largest remainder. The hours of each pool keep their payer.
///
/// # Errors
/// [`Short::Pools`] names each pool that has too little, with what it lacks.
pub fn grant(
    allocation: AllocationId,
    (commodity, pools): (&Commodity, &[(Pool, Work)]),
    shares: &Shares<PoolId>,
    amount: Work,
    reason: impl Into<String>,
) -> Result<Draft, Short> {
    if amount <= Work::ZERO {
        return Err(Malformed::NotPositive(amount.count()).into());
    }
    let commodity = Arc::new(commodity.clone());
    let account = |place| Account::new(Arc::clone(&commodity), place);
    let (mut moves, mut lacking) = (Vec::new(), Vec::new());
    for (id, part) in shares.split(amount.count()) {
        let part = Work::seconds(part);
        let given = pools.iter().find(|(pool, _)| pool.id == id);
        let (pool, balance) = given.ok_or(Short::Unknown(id))?;
        if part > *balance {
            lacking.push((id, part.minus(*balance)?));
        } else if part > Work::ZERO {
            let to = account(Place::Available(allocation, pool.payer));
            moves.push(Transfer::new(account(Place::Pool(*pool)), to, part)?);
        }
    }
    if !lacking.is_empty() {
        return Err(Short::Pools(lacking));
    }
    Ok(Draft::new(Kind::Grant { allocation }, reason, Movements::Hours(moves))?)
}

/// Enters what payers put into `agreement`, each for its purpose.
///
/// # Errors
/// When there is no contribution, or one is not positive.
pub fn contribute(
    agreement: AgreementId,
    contributions: &[(Payer, Purpose, Cents)],
    reason: impl Into<String>,
) -> Result<Draft, Malformed> {
    let moves = contributions
        .iter()
        .map(|(payer, purpose, amount)| {
            let from = Account::new(Euro, EuroPlace::Budget(*payer));
            let to = EuroPlace::Contribution(agreement, *payer, *purpose);
            Transfer::new(from, Account::new(Euro, to), *amount)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Draft::new(Kind::Contribution, reason, Movements::Euros(moves))
}
