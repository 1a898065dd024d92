//! Final reports of awards.

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

const STATEMENTS: &[&str] = &["CREATE TABLE award_report (
        allocation UUID PRIMARY KEY REFERENCES allocation (id),
        content TEXT NOT NULL,
        handed_in_by TEXT NOT NULL,
        handed_in_at BIGINT NOT NULL
    )"];
