//! What sites keep on the books of their schedulers for the hub's allocations, and which of those
//! their operators let run slower or not at all.

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
    "CREATE TABLE site_tenancy (
        site TEXT PRIMARY KEY REFERENCES site (name),
        told_at BIGINT,
        agreed_at BIGINT,
        report TEXT,
        apply TEXT
    )",
    "CREATE TABLE site_standing (
        site TEXT NOT NULL REFERENCES site (name),
        allocation UUID NOT NULL REFERENCES allocation (id),
        standing TEXT NOT NULL,
        reason TEXT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (site, allocation)
    )",
];
