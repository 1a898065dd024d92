//! Notices: what was told to whom, and how it left the house.

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
    "CREATE TABLE notice (
        id UUID PRIMARY KEY,
        once TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        facts TEXT NOT NULL,
        link TEXT NOT NULL,
        told_at BIGINT NOT NULL
    )",
    "CREATE TABLE inbox (
        person UUID NOT NULL REFERENCES person (id),
        notice UUID NOT NULL REFERENCES notice (id),
        read_at BIGINT,
        mail TEXT NOT NULL,
        mail_due_at BIGINT,
        mail_attempts BIGINT NOT NULL DEFAULT 0,
        mail_error TEXT,
        mail_ended_at BIGINT,
        PRIMARY KEY (person, notice)
    )",
    "CREATE INDEX inbox_unread ON inbox (person) WHERE read_at IS NULL",
    "CREATE INDEX inbox_mail_due ON inbox (mail_due_at) WHERE mail_due_at IS NOT NULL",
    "CREATE TABLE notice_settings (
        person UUID PRIMARY KEY REFERENCES person (id),
        language TEXT NOT NULL,
        mail TEXT NOT NULL,
        calls BOOLEAN NOT NULL
    )",
    "CREATE TABLE webhook (
        id UUID PRIMARY KEY,
        person UUID NOT NULL REFERENCES person (id),
        url TEXT NOT NULL,
        secret TEXT NOT NULL,
        made_at BIGINT NOT NULL,
        failing_since BIGINT,
        disabled_at BIGINT
    )",
    "CREATE INDEX webhook_person ON webhook (person)",
    "CREATE TABLE webhook_delivery (
        webhook UUID NOT NULL REFERENCES webhook (id),
        notice UUID NOT NULL REFERENCES notice (id),
        state TEXT NOT NULL,
        due_at BIGINT,
        attempts BIGINT NOT NULL DEFAULT 0,
        status BIGINT,
        error TEXT,
        ended_at BIGINT,
        PRIMARY KEY (webhook, notice)
    )",
    // 0: nothing told of its report, 1: that it is due, 2: that it is overdue.
    "ALTER TABLE allocation ADD COLUMN report_told BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX allocation_report_told ON allocation (report_told, ends_at)
        WHERE report_told < 2",
    "CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at) WHERE due_at IS NOT NULL",
];
