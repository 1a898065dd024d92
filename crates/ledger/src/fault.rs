//! What can be wrong with an entry.

use units::{AllocationId, Overflow, Work};

use crate::chain::Digest;
use crate::kind::Seq;
use crate::transfer::Malformed;

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry is missing, doubled or out of order.
    #[error("it stands where entry {0} should")]
    Sequence(Seq),
    /// It does not follow the entry before it.
    #[error("it follows an entry with hash {found}, but the one before it has {expected}")]
    Link {
        /// The hash of the entry before it.
        expected: Digest,
        /// What it says.
        found: Digest,
    },
    /// Its content is not what was hashed.
    #[error("its content has hash {expected}, but it was entered with {found}")]
    Hash {
        /// The hash of the content.
        expected: Digest,
        /// What it says.
        found: Digest,
    },
    /// An account would have less than it may.
    #[error("{account} would have {balance}, below its floor")]
    Floor {
        /// The account.
        account: String,
        /// The balance it would have, in the smallest unit.
        balance: i64,
    },
    /// The allocation has hours of another kind.
    #[error("allocation {allocation} has {expected} hours, not {found}")]
    OtherHours {
        /// The allocation.
        allocation: AllocationId,
        /// The hours it has.
        expected: String,
        /// Those of the entry.
        found: String,
    },
    /// The hold it gives up is not open, or is another job's.
    #[error("entry {0} is not an open hold of its job")]
    NoSuchHold(Seq),
    /// It refers to an entry that does not stand before it.
    #[error("it refers to entry {0}, which does not stand before it")]
    NotBefore(Seq),
    /// What is held is not what the open holds add up to.
    #[error("{} unit-seconds are held for open holds of {}", .held.count(), .open.count())]
    Held {
        /// The balance held, over all payers.
        held: Work,
        /// The sum of the open holds.
        open: Work,
    },
    /// A payer is a unit or more away from its share.
    #[error("a payer of allocation {0} is away from its share")]
    Uneven(AllocationId),
    /// An amount left the range of 64 bits.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// It is not an entry at all.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// An entry that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} is broken")]
pub struct Broken {
    /// Which entry.
    pub seq: Seq,
    /// What is wrong with it.
    #[source]
    pub fault: Fault,
}
