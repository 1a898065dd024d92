//! Persistence on SQLite and PostgreSQL: one code path, forward-only migrations.
//!
//! The only place with SQL. Not here: rules, clocks, permissions. A use case opens one
//! [`Tx`], reads and writes through the modules of this crate (one an aggregate), and commits once.

pub mod agreements;
pub mod aid;
pub mod alerts;
pub mod allocations;
pub mod applications;
pub mod blobs;
pub mod calls;
mod db;
pub mod decisions;
mod error;
pub mod identity;
pub mod jobs;
pub mod ledger;
mod migrations;
pub mod notices;
pub mod organisations;
pub mod pools;
pub mod projects;
pub mod repositories;
pub mod reviews;
pub mod scope;
pub mod sites;
pub mod ssh;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod usage;
pub mod verdicts;

pub use db::{Store, Tx};
pub use error::StoreError;
