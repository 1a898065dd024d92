//! How an allocation stands.
//!
//! The shares of an allocation are the hours that each payer granted. While they stay as they are,
//! each payer's use follows its share of the total use to less than one unit-second at every
//! moment, by the rule in `quota`; and when all is used, each payer has paid all it granted.
//! What is held follows the same rule: it is what each payer would pay if everything held were
//! used. It is one sum over all jobs, so a hold or a charge may shift a unit-second between what
//! payers have available and held.
//!
//! When the hours behind an allocation change (a grant, a transfer, a return, an expiry) or a
//! charge is corrected, what was paid so far stays paid ([`Part::base`]), and from then on the
//! shares are those of the hours not yet used.

use std::collections::BTreeMap;
use std::sync::Arc;

use units::{AllocationId, JobId, Overflow, Payer, Work};

use crate::account::{Account, Commodity, Place};
use crate::kind::Seq;
use crate::quota::{self, Owner};
use crate::transfer::Malformed;

/// One payer's part of an allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What it had paid when the shares last changed.
    pub base: Work,
    /// What it has paid.
    pub used: Work,
    /// What is set aside.
    pub held: Work,
    /// What can still be set aside.
    pub available: Work,
}

/// The balances of one allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    allocation: AllocationId,
    commodity: Arc<Commodity>,
    parts: BTreeMap<Payer, Part>,
}

/// An allocation cannot cover what is asked: the answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} unit-seconds more would be needed; {} are available", .missing.count(), .available.count())]
pub struct Insufficient {
    /// What is missing.
    pub missing: Work,
    /// What could be held now.
    pub available: Work,
}

/// Why nothing may be entered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The allocation has too little.
    #[error(transparent)]
    Insufficient(#[from] Insufficient),
    /// Hours of one partition are asked from another's.
    #[error("{0} hours cannot become {1} hours")]
    OtherHours(String, String),
    /// More is given up than is held, or more is given back than was charged.
    #[error("the books have {} unit-seconds there, not {}", .found.count(), .expected.count())]
    NotThere {
        /// What the caller believes.
        expected: Work,
        /// What stands in the books.
        found: Work,
    },
    /// The balances did not come about by the rule of shares.
    #[error("the balances of allocation {0} do not follow its shares")]
    Uneven(AllocationId),
    /// The draft would not be well formed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl From<Overflow> for Refusal {
    fn from(overflow: Overflow) -> Self {
        Self::Malformed(overflow.into())
    }
}

/// Hours set aside for one job, which has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenHold {
    /// The entry that set them aside.
    pub seq: Seq,
    /// Whose hours.
    pub allocation: AllocationId,
    /// For which job.
    pub job: JobId,
    /// How many.
    pub amount: Work,
}

/// What stands charged for one job, after any corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The entry that settled or charged the job.
    pub seq: Seq,
    /// For which job.
    pub job: JobId,
    /// What the job used, including what the site bears.
    pub used: Work,
    /// The part of it that the site bears.
    pub absorbed: Work,
}

impl Standing {
    /// The balances of `allocation`, in hours of `commodity`, by payer.
    pub fn new(
        allocation: AllocationId,
        commodity: impl Into<Arc<Commodity>>,
        parts: BTreeMap<Payer, Part>,
    ) -> Self {
        Self { allocation, commodity: commodity.into(), parts }
    }

    /// Whose balances they are.
    pub const fn allocation(&self) -> AllocationId {
        self.allocation
    }

    /// The hours they are in.
    pub fn commodity(&self) -> &Commodity {
        &self.commodity
    }

    pub(crate) fn shared(&self) -> Arc<Commodity> {
        Arc::clone(&self.commodity)
    }

    /// The account of these hours at `place`.
    pub fn account(&self, place: Place) -> Account<Work> {
        Account::new(Arc::clone(&self.commodity), place)
    }

    /// The balances by payer.
    pub const fn parts(&self) -> &BTreeMap<Payer, Part> {
        &self.parts
    }

    /// The sum over all payers.
    ///
    /// # Errors
    /// When a sum exceeds 64 bits.
    pub fn total(&self) -> Result<Part, Overflow> {
        let mut total = Part::default();
        for part in self.parts.values() {
            total.base = total.base.plus(part.base)?;
            total.used = total.used.plus(part.used)?;
            total.held = total.held.plus(part.held)?;
            total.available = total.available.plus(part.available)?;
        }
        Ok(total)
    }

    /// Whether what each payer has paid, and would pay with all that is held, is less than one
    /// unit-second away from its exact share.
    pub fn is_exact(&self) -> bool {
        let owners = |reached: fn(&Part) -> Option<i64>| -> Option<Vec<Owner>> {
            self.parts
                .values()
                .map(|part| {
                    Some(Owner { weight: weight(part).ok()?.count(), paid: reached(part)? })
                })
                .collect()
        };
        let used = owners(|part| Some(part.used.minus(part.base).ok()?.count()));
        let committed =
            owners(|part| Some(part.used.minus(part.base).ok()?.plus(part.held).ok()?.count()));
        used.is_some_and(|used| quota::is_exact(&used))
            && committed.is_some_and(|committed| quota::is_exact(&committed))
    }
}

/// A payer's share: what it stands behind since the shares last changed.
pub(crate) fn weight(part: &Part) -> Result<Work, Overflow> {
    part.used.minus(part.base)?.plus(part.held)?.plus(part.available)
}
