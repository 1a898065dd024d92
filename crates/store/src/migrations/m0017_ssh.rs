//! Certificates for SSH: each that was issued, so that it can be revoked while it lasts.

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
    "CREATE TABLE ssh_certificate (
        serial BIGINT PRIMARY KEY,
        person UUID NOT NULL REFERENCES person (id),
        site TEXT NOT NULL,
        key TEXT NOT NULL,
        issued_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        revoked_at BIGINT
    )",
    "CREATE INDEX ssh_certificate_person ON ssh_certificate (person, expires_at)",
    "CREATE INDEX ssh_certificate_revoked ON ssh_certificate (expires_at)
        WHERE revoked_at IS NOT NULL",
];
