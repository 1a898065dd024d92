//! What is done with allocations after their award: suspensions, and a history of every change.

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
    "ALTER TABLE allocation ADD COLUMN suspended_at BIGINT",
    "ALTER TABLE allocation ADD COLUMN suspended_because TEXT",
    "CREATE TABLE allocation_change (
        id UUID PRIMARY KEY,
        allocation UUID NOT NULL REFERENCES allocation (id),
        kind TEXT NOT NULL,
        months BIGINT,
        amount BIGINT,
        reason TEXT NOT NULL,
        changed_by TEXT NOT NULL,
        changed_at BIGINT NOT NULL
    )",
    "CREATE INDEX allocation_change_allocation ON allocation_change (allocation, changed_at, id)",
];
