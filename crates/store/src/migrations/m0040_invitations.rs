//! Invitations by e-mail link, the branch of an organisation, and how much was told of a declaration
//! that ends.

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
    "CREATE TABLE invitation (
        id UUID PRIMARY KEY,
        email TEXT NOT NULL,
        role TEXT NOT NULL,
        scope TEXT NOT NULL,
        language TEXT NOT NULL,
        hash TEXT,
        invited_by UUID NOT NULL REFERENCES person (id),
        invited_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        revoked_at BIGINT,
        accepted_by UUID REFERENCES person (id),
        accepted_at BIGINT,
        mail_due_at BIGINT,
        mail_attempts BIGINT NOT NULL DEFAULT 0,
        mail_error TEXT,
        mail_sent_at BIGINT
    )",
    "ALTER TABLE organisation ADD COLUMN nace TEXT",
    // 0: nothing told of its end, 1: that it is near, 2: that it is very near, 3: nothing more to tell.
    "ALTER TABLE declaration ADD COLUMN told BIGINT NOT NULL DEFAULT 0",
    "UPDATE declaration SET told = 3 WHERE EXISTS (SELECT 1 FROM declaration newer
        WHERE newer.organisation = declaration.organisation
          AND newer.declared_at > declaration.declared_at)",
    "CREATE INDEX declaration_told ON declaration (told, declared_at) WHERE told < 3",
    "CREATE UNIQUE INDEX invitation_hash ON invitation (hash)",
    "CREATE INDEX invitation_scope ON invitation (scope, invited_at)",
    "CREATE INDEX invitation_mail_due ON invitation (mail_due_at) WHERE mail_due_at IS NOT NULL",
];
