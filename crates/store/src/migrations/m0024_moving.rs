//! Jobs that may leave a site: which orders its agent was given, and what submitters asked.
//!
//! Of what was submitted or ordered before, nothing is known: it stays.

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

const STATEMENTS: &[&str] = &[
    "ALTER TABLE site ADD COLUMN given BIGINT NOT NULL DEFAULT 0",
    "UPDATE site SET given = orders",
    "CREATE TABLE job_wish (
        submission UUID PRIMARY KEY,
        options TEXT,
        may_move TEXT
    )",
    "INSERT INTO job_wish (submission, options, may_move)
        SELECT DISTINCT COALESCE(array_id, id), NULL, NULL FROM job
        WHERE state = 'held' OR state = 'ordered'",
];
