//! Programs that ask to act for somebody, and wait for a person to say yes (RFC 8628).

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
    "CREATE TABLE device_request (
        device TEXT PRIMARY KEY,
        code TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        address TEXT NOT NULL,
        asked_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        interval_seconds BIGINT NOT NULL,
        polled_at BIGINT,
        person UUID REFERENCES person (id),
        refused BOOLEAN NOT NULL
    )",
    "CREATE INDEX device_request_expires ON device_request (expires_at)",
];
