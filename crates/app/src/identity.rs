//! Accounts, sign-in, tokens and grants.
//!
//! A session is opened by a password, by a one-time link, or by an OpenID provider that vouches
//! for somebody; how such an identity comes to belong to a person stands in [`provided`].

mod accounts;
mod attempts;
mod devices;
mod grants;
mod invitations;
mod password;
pub mod provided;
mod sessions;
mod tokens;

pub use accounts::{Access, Account, NewAccount};
pub use attempts::{Attempt, Begun};
pub use devices::{Asked, DeviceRequest};
pub use grants::HeldGrant;
pub use invitations::{InvitationDue, InvitationRecord, InvitationState, Offer};
pub(crate) use password::Hashing;
pub use sessions::{OpenSession, Opened, Session};
pub use tokens::{ApiToken, NewToken, TOKEN_DAYS_MAX};

/// The kinds of bearer secrets, as the store keeps them.
mod kind {
    pub(super) const API: &str = "api";
    pub(super) const SESSION: &str = "session";
    pub(super) const SITE: &str = "site";
}

#[cfg(test)]
mod tests;
