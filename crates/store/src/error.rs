//! What can go wrong between the hub and its database.

use sea_orm::{DbErr, SqlErr};

/// A failure of the store. None of these is a refusal: rules refuse before they come here.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database URL is not one of the supported kinds.
    #[error("`{0}` is not a database: write sqlite:///path/hub.db or postgres://user@host/name")]
    Url(String),
    /// The database could not be reached or refused a statement.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A stored value is not what this version writes.
    #[error("stored {what} is damaged: {detail}")]
    Damaged {
        /// Which column or record.
        what: &'static str,
        /// What was found.
        detail: String,
    },
    /// A row with the same key stands there already.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// The ledger refused an entry; nothing was written.
    #[error("{0}")]
    Ledger(String),
}

impl StoreError {
    /// A stored value that does not parse, with the reason.
    pub fn damaged(what: &'static str, detail: impl ToString) -> Self {
        Self::Damaged { what, detail: detail.to_string() }
    }

    /// Turns a unique violation into [`StoreError::Exists`], for inserts whose key people choose.
    #[must_use]
    pub fn or_exists(self, what: &'static str) -> Self {
        match &self {
            Self::Database(error)
                if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) =>
            {
                Self::Exists(what)
            }
            _ => self,
        }
    }
}
