//! Double-entry books of hours and of euros.
//!
//! An [`Entry`] is a list of [`Transfer`]s with who made it, when, and why; entries are only ever
//! appended, and each carries the hash of the one before it ([`Digest`]), so a changed byte
//! anywhere breaks the chain from there on. [`Books`] folds entries into balances and refuses the
//! one that would take an account below its floor; [`verify`] does the same with entries that
//! come from outside and says which entry is wrong, and how.
//!
//! What should be entered is decided by pure functions, each of which returns a [`Draft`]:
//!
//! | step | function |
//! | --- | --- |
//! | a partition's capacity becomes its payers' pools | [`open`] |
//! | pools stand behind an allocation | [`grant`] |
//! | a job is submitted, runs, ends, never ran | [`Standing::hold`], [`Standing::settle`], [`Standing::release`] |
//! | hours move between allocations | [`Standing::transfer`] |
//! | a charge was wrong | [`Standing::correct`] |
//! | an allocation ends with hours left | [`Standing::lapse`] |
//! | a payer pays into an agreement | [`contribute`] |
//!
//! An allocation may have several payers. Each charge is split so that, at every moment, what
//! each payer has paid is less than one unit-second away from its exact share ([`Standing`] says
//! how); no rounding is ever lost or left over.
//!
//! Not here: what an allocation is for, who may do what (`access`), how use is measured (`jobs`),
//! and where entries are kept (`store`).
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]

mod account;
mod books;
mod chain;
mod decide;
mod entry;
mod fault;
mod fund;
mod kind;
mod quota;
mod standing;
mod transfer;
mod unit;

pub use account::{Account, Commodity, Euro, EuroPlace, NotAnAccount, Place, Pool, Purpose};
pub use books::{Books, Head, verify};
pub use chain::{Digest, NotADigest};
pub use entry::{Author, Draft, Entry, Movements, NotAnAuthor, REASON_BYTES_MAX, Stamp};
pub use fault::{Broken, Fault};
pub use fund::{Short, contribute, grant, open};
pub use kind::{Kind, KindParts, NotAKind, Seq};
pub use standing::{Charge, Insufficient, OpenHold, Part, Refusal, Standing};
pub use transfer::{Malformed, Transfer};
pub use unit::Unit;

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test may overflow: it fails"
)]
mod tests;
