//! Identifiers: UUIDs that cannot be confused with one another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an identifier; identifiers look like 018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10")]
pub struct NotAnId(pub String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Names the thing that `uuid` stands for; `app` mints them, `store` reads them back.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for storage.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId(text.to_owned()))
            }
        }
    )*};
}

ids! {
    /// A hosting agreement.
    AgreementId,
    /// An allocation of hours to a project.
    AllocationId,
    /// An application under a call.
    ApplicationId,
    /// A call for applications.
    CallId,
    /// An entry of the ledger.
    EntryId,
    /// What a site tells the hub, once.
    EventId,
    /// What an OpenID provider calls somebody.
    IdentityId,
    /// A job.
    JobId,
    /// What the hub wants a site to do, once.
    OrderId,
    /// An organisation.
    OrganisationId,
    /// A natural person with an account.
    PersonId,
    /// The hours of one partition, in one period, of one payer.
    PoolId,
    /// A project.
    ProjectId,
    /// A dataset or a model.
    RepositoryId,
    /// One state of a repository.
    RevisionId,
    /// An API token.
    TokenId,
}
