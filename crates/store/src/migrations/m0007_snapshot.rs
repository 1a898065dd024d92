//! What runs and waits at each site, as its agent last showed it, and how long jobs really ran.

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
    "CREATE TABLE site_snapshot (
        site TEXT PRIMARY KEY REFERENCES site (name),
        at BIGINT NOT NULL,
        snapshot TEXT NOT NULL
    )",
    "CREATE INDEX site_order_job ON site_order (job)",
    "CREATE INDEX job_ran ON job (site, ended_at)
        WHERE state = 'ended' AND started_at IS NOT NULL",
];
