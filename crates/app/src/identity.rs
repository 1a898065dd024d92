//! Accounts, sign-in, tokens and grants.
//!
//! Accounts are local; an OpenID provider will be a second way to open a session.

mod accounts;
mod grants;
mod password;
mod sessions;
mod tokens;

pub use accounts::{Access, Account, NewAccount};
pub use grants::HeldGrant;
pub(crate) use password::Hashing;
pub use sessions::{Opened, Session};
pub use tokens::{ApiToken, NewToken, TOKEN_DAYS_MAX};

/// The kinds of bearer secrets, as the store keeps them.
mod kind {
    pub(super) const API: &str = "api";
    pub(super) const SESSION: &str = "session";
    pub(super) const SITE: &str = "site";
}

#[cfg(test)]
mod tests;
