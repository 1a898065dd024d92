//! What can be counted in the books: hours and euros, and nothing else.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use units::{Cents, Overflow, Work};

use crate::account::{Commodity, Euro, EuroPlace, NotAnAccount, Place};

mod sealed {
    pub trait Sealed {}
    impl Sealed for units::Work {}
    impl Sealed for units::Cents {}
}

/// An amount that the books can hold: [`Work`] or [`Cents`].
///
/// Accounts, transfers and balances carry the unit in their type, so hours and euros cannot meet:
///
/// ```compile_fail
/// # use ledger::{Account, Euro, EuroPlace, Transfer};
/// # use units::{Payer, Work};
/// # fn hours() -> Account<Work> { unimplemented!() }
/// let euros = Account::new(Euro, EuroPlace::Budget(Payer::Union));
/// Transfer::new(hours(), euros, Work::seconds(1)); // expected `Account<Work>`
/// ```
pub trait Unit:
    sealed::Sealed + Copy + Ord + Hash + Default + fmt::Debug + Send + Sync + 'static
{
    /// What the amount is an amount of; only accounts of one commodity exchange amounts.
    type Commodity: Clone
        + Ord
        + Hash
        + fmt::Debug
        + fmt::Display
        + FromStr<Err = NotAnAccount>
        + Send
        + Sync;
    /// Where in the books the amount is.
    type Place: Clone
        + Ord
        + Hash
        + fmt::Debug
        + fmt::Display
        + FromStr<Err = NotAnAccount>
        + Send
        + Sync;

    /// Nothing.
    const ZERO: Self;

    /// The amount in the smallest unit.
    fn count(self) -> i64;

    /// `count` of the smallest unit.
    fn of(count: i64) -> Self;

    /// Whether amounts enter the books at `place`, so that its balance may be negative.
    fn is_source(place: &Self::Place) -> bool;

    /// The sum.
    ///
    /// # Errors
    /// When it exceeds 64 bits.
    fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.count().checked_add(other.count()).map(Self::of).ok_or(Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// When it exceeds 64 bits.
    fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.count().checked_sub(other.count()).map(Self::of).ok_or(Overflow)
    }
}

impl Unit for Work {
    type Commodity = Commodity;
    type Place = Place;
    const ZERO: Self = Self::ZERO;

    fn count(self) -> i64 {
        Self::count(self)
    }

    fn of(count: i64) -> Self {
        Self::seconds(count)
    }

    fn is_source(place: &Place) -> bool {
        matches!(place, Place::Capacity(_))
    }
}

impl Unit for Cents {
    type Commodity = Euro;
    type Place = EuroPlace;
    const ZERO: Self = Self::ZERO;

    fn count(self) -> i64 {
        Self::count(self)
    }

    fn of(count: i64) -> Self {
        Self::new(count)
    }

    fn is_source(place: &EuroPlace) -> bool {
        matches!(place, EuroPlace::Budget(_))
    }
}
