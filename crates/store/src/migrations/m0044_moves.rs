//! Hours that move between awards, and awards that follow others.

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
    "ALTER TABLE allocation_change ADD COLUMN other UUID REFERENCES allocation (id)",
    "ALTER TABLE allocation ADD COLUMN follows UUID REFERENCES allocation (id)",
    "CREATE UNIQUE INDEX allocation_follows ON allocation (follows)",
];
