//! The vocabulary every other crate speaks: ids, metered work, money, shares, instants and periods.
//!
//! Not here: input and output, serialisation, a clock. A value of these types is valid by
//! construction, and arithmetic on amounts is checked.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]

mod country;
mod id;
mod key;
mod money;
mod payer;
mod period;
mod share;
mod work;

pub use country::{CountryCode, NotACountryCode};
pub use id::{
    AgreementId, AllocationId, ApplicationId, CallId, EntryId, EventId, IdentityId, JobId, NotAnId,
    OrderId, OrganisationId, PersonId, PoolId, ProjectId, RepositoryId, RevisionId, TokenId,
};
pub use jiff::Timestamp;
pub use key::{NotAKey, PartitionKey, Slug};
pub use money::Cents;
pub use payer::{NotAPayer, Payer};
pub use period::{EmptyPeriod, Period};
pub use share::{PartsPerMillion, Shares, SharesError};
pub use work::{Meter, NotAMeter, Work};

/// A sum or product left the range of 64-bit amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the amount is too large to be counted")]
pub struct Overflow;
