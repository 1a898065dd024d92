//! People, what they may do, how they sign in, and the audit trail.

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

/// Instants are microseconds since 1970 UTC; secrets stand only as hashes.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE person (
        id UUID PRIMARY KEY,
        email TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        password TEXT,
        created_at BIGINT NOT NULL,
        disabled_at BIGINT
    )",
    "CREATE TABLE role_grant (
        person UUID NOT NULL REFERENCES person (id),
        role TEXT NOT NULL,
        scope TEXT NOT NULL,
        granted_by TEXT NOT NULL,
        granted_at BIGINT NOT NULL,
        PRIMARY KEY (person, role, scope)
    )",
    "CREATE INDEX role_grant_scope ON role_grant (scope)",
    "CREATE TABLE api_token (
        id UUID PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        holder TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        abilities TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        revoked_at BIGINT
    )",
    "CREATE INDEX api_token_holder ON api_token (holder)",
    "CREATE TABLE sign_in_link (
        hash TEXT PRIMARY KEY,
        person UUID NOT NULL REFERENCES person (id),
        expires_at BIGINT NOT NULL,
        used_at BIGINT
    )",
    "CREATE TABLE audit (
        id UUID PRIMARY KEY,
        at BIGINT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        object TEXT NOT NULL,
        rule TEXT NOT NULL,
        detail TEXT NOT NULL
    )",
    "CREATE INDEX audit_object ON audit (object, at)",
    "CREATE INDEX audit_at ON audit (at, id)",
    "CREATE TABLE idempotency (
        caller TEXT NOT NULL,
        key TEXT NOT NULL,
        request TEXT NOT NULL,
        status BIGINT,
        content_type TEXT,
        location TEXT,
        body TEXT,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (caller, key)
    )",
    "CREATE INDEX idempotency_age ON idempotency (created_at)",
];
