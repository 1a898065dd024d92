//! Sign-in by OpenID Connect: whom a provider vouches for, and sign-ins on their way.

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
    "CREATE TABLE identity (
        id UUID PRIMARY KEY,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        person UUID NOT NULL REFERENCES person (id),
        provider TEXT NOT NULL,
        claims TEXT NOT NULL,
        linked_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        UNIQUE (issuer, subject)
    )",
    "CREATE INDEX identity_person ON identity (person, linked_at)",
    "CREATE TABLE sign_in_attempt (
        hash TEXT PRIMARY KEY,
        provider TEXT NOT NULL,
        person UUID REFERENCES person (id),
        destination TEXT NOT NULL,
        expires_at BIGINT NOT NULL
    )",
    "CREATE INDEX sign_in_attempt_expires ON sign_in_attempt (expires_at)",
];
