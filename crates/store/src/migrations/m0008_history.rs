//! The history of a factory: a way to its jobs by submission, and the keys behind pseudonyms.

use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::apply(manager, STATEMENTS).await
    }
}

/// A secret is 256 random bits in hexadecimal.
const STATEMENTS: &[&str] = &[
    "CREATE INDEX job_history ON job (factory, submitted_at, id)",
    "CREATE TABLE hub_key (
        purpose TEXT PRIMARY KEY,
        secret TEXT NOT NULL,
        made_at BIGINT NOT NULL
    )",
];
