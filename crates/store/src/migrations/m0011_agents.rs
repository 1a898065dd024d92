//! Agents of remote sites: the codes that admit them, their keys, the proofs they have used, and who
//! has a login where they work.

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

/// A key that has ended stays on record, and never begins again.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE site_key (
        site TEXT NOT NULL REFERENCES site (name),
        key TEXT NOT NULL,
        made_at BIGINT NOT NULL,
        ended_at BIGINT,
        ended_how TEXT,
        PRIMARY KEY (site, key)
    )",
    "CREATE UNIQUE INDEX site_key_current ON site_key (site) WHERE ended_at IS NULL",
    "CREATE TABLE site_code (
        hash TEXT PRIMARY KEY,
        site TEXT NOT NULL REFERENCES site (name),
        expires_at BIGINT NOT NULL,
        used_by TEXT
    )",
    "CREATE TABLE site_nonce (
        site TEXT NOT NULL,
        nonce TEXT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (site, nonce)
    )",
    "CREATE TABLE site_login (
        site TEXT NOT NULL REFERENCES site (name),
        digest TEXT NOT NULL,
        PRIMARY KEY (site, digest)
    )",
    "CREATE TABLE site_login_request (
        site TEXT NOT NULL REFERENCES site (name),
        person UUID NOT NULL,
        digest TEXT NOT NULL,
        asked_at BIGINT NOT NULL,
        PRIMARY KEY (site, person)
    )",
    "ALTER TABLE site ADD COLUMN as_persons BOOLEAN",
    "ALTER TABLE site ADD COLUMN engine TEXT",
    "ALTER TABLE site ADD COLUMN nodes BIGINT",
    "ALTER TABLE site ADD COLUMN protocol BIGINT",
    "ALTER TABLE site ADD COLUMN clock_ahead_milliseconds BIGINT",
];
