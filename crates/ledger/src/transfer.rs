//! Transfers: the only way an amount moves.

use units::Overflow;

use crate::kind::Kind;
use crate::{Account, Unit};

/// Why a transfer, or the draft of an entry, cannot stand in the books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing, or less than nothing, would move.
    #[error("a transfer moves a positive amount, not {0}")]
    NotPositive(i64),
    /// The amount would stay where it is.
    #[error("a transfer needs two accounts; both are {0}")]
    SameAccount(String),
    /// Two kinds of hours would be mixed.
    #[error("{0} and {1} are not amounts of the same thing")]
    Mixed(String, String),
    /// The entry moves nothing.
    #[error("an entry needs at least one transfer")]
    Empty,
    /// An entry of this kind does not make such a move.
    #[error("{kind} does not move anything from {from} to {to}")]
    Misplaced {
        /// The name of the kind.
        kind: &'static str,
        /// The account that would give.
        from: String,
        /// The account that would receive.
        to: String,
    },
    /// The amount that the kind names is not the one the transfers move.
    #[error("{kind} names {named} but moves {moved}")]
    Amount {
        /// The name of the kind.
        kind: &'static str,
        /// What the kind says, in the smallest unit.
        named: i64,
        /// What the transfers do.
        moved: i64,
    },
    /// Too long, empty, or with control characters.
    #[error(
        "a reason is 1 to {} bytes of text without control characters",
        crate::REASON_BYTES_MAX
    )]
    Reason,
    /// The sum left the range of 64 bits.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl Malformed {
    pub(crate) fn misplaced<U: Unit>(kind: &Kind, transfer: &Transfer<U>) -> Self {
        Self::Misplaced {
            kind: kind.name(),
            from: transfer.from.to_string(),
            to: transfer.to.to_string(),
        }
    }
}

/// `amount` leaves `from` and reaches `to`; nothing appears or vanishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer<U: Unit> {
    from: Account<U>,
    to: Account<U>,
    amount: U,
}

impl<U: Unit> Transfer<U> {
    /// The only way to make one, so every transfer in the program is balanced.
    ///
    /// # Errors
    /// When the amount is not positive, the accounts are one, or their commodities differ.
    pub fn new(from: Account<U>, to: Account<U>, amount: U) -> Result<Self, Malformed> {
        if amount <= U::ZERO {
            return Err(Malformed::NotPositive(amount.count()));
        }
        if from.commodity() != to.commodity() {
            return Err(Malformed::Mixed(from.to_string(), to.to_string()));
        }
        if from == to {
            return Err(Malformed::SameAccount(from.to_string()));
        }
        Ok(Self { from, to, amount })
    }

    /// The account that gives.
    pub const fn from(&self) -> &Account<U> {
        &self.from
    }

    /// The account that receives.
    pub const fn to(&self) -> &Account<U> {
        &self.to
    }

    /// What moves; positive.
    pub const fn amount(&self) -> U {
        self.amount
    }
}
