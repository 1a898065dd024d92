//! What keeps sites from taking work: what each says itself, what its operator ordered, and how much
//! runs and waits there.

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
    "CREATE TABLE site_health (
        site TEXT PRIMARY KEY REFERENCES site (name),
        at BIGINT NOT NULL,
        health TEXT NOT NULL
    )",
    "CREATE TABLE site_drain (
        site TEXT PRIMARY KEY REFERENCES site (name),
        at BIGINT NOT NULL,
        reason TEXT NOT NULL
    )",
    "ALTER TABLE site_snapshot ADD COLUMN nodes BIGINT",
    "ALTER TABLE site_snapshot ADD COLUMN nodes_up BIGINT",
    "ALTER TABLE site_snapshot ADD COLUMN running BIGINT",
    "ALTER TABLE site_snapshot ADD COLUMN waiting BIGINT",
    "ALTER TABLE site_snapshot ADD COLUMN waiting_node_seconds BIGINT",
];
