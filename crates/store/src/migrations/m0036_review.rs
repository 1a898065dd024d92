//! Review: who judges what and how, what people decide, and who asks beside the applicant.

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
    "ALTER TABLE application ADD COLUMN fields TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE application ADD COLUMN team TEXT NOT NULL DEFAULT '[]'",
    "CREATE TABLE reviewer (
        person UUID PRIMARY KEY REFERENCES person (id),
        fields TEXT NOT NULL,
        published_with TEXT NOT NULL,
        load_max BIGINT,
        stated_at BIGINT NOT NULL
    )",
    "CREATE TABLE call_reviewer (
        call UUID NOT NULL REFERENCES call (id),
        person UUID NOT NULL REFERENCES person (id),
        added_by UUID NOT NULL REFERENCES person (id),
        added_at BIGINT NOT NULL,
        PRIMARY KEY (call, person)
    )",
    "CREATE TABLE conflict (
        application UUID NOT NULL REFERENCES application (id),
        person UUID NOT NULL REFERENCES person (id),
        text TEXT NOT NULL,
        declared_at BIGINT NOT NULL,
        PRIMARY KEY (application, person)
    )",
    "CREATE TABLE technical_check (
        application UUID PRIMARY KEY REFERENCES application (id),
        feasible BOOLEAN NOT NULL,
        remark TEXT NOT NULL,
        checked_by UUID NOT NULL REFERENCES person (id),
        checked_at BIGINT NOT NULL
    )",
    "CREATE TABLE review (
        application UUID NOT NULL REFERENCES application (id),
        reviewer UUID NOT NULL REFERENCES person (id),
        assigned_by UUID NOT NULL REFERENCES person (id),
        assigned_at BIGINT NOT NULL,
        reason TEXT NOT NULL,
        scores TEXT,
        to_applicant TEXT NOT NULL,
        confidential TEXT NOT NULL,
        submitted_at BIGINT,
        PRIMARY KEY (application, reviewer)
    )",
    "CREATE INDEX review_reviewer ON review (reviewer, assigned_at)",
    "CREATE TABLE agreed_review (
        application UUID PRIMARY KEY REFERENCES application (id),
        scores TEXT NOT NULL,
        remark TEXT NOT NULL,
        entered_by UUID NOT NULL REFERENCES person (id),
        entered_at BIGINT NOT NULL
    )",
    "CREATE TABLE rebuttal (
        application UUID PRIMARY KEY REFERENCES application (id),
        shown_by UUID NOT NULL REFERENCES person (id),
        shown_at BIGINT NOT NULL,
        closes_at BIGINT NOT NULL,
        text TEXT,
        answered_at BIGINT
    )",
    "CREATE TABLE verdict (
        id UUID PRIMARY KEY,
        application UUID NOT NULL REFERENCES application (id),
        verdict TEXT NOT NULL,
        hours BIGINT,
        remark TEXT NOT NULL,
        pool UUID REFERENCES pool (id),
        seconds BIGINT NOT NULL DEFAULT 0,
        proposed_by UUID NOT NULL REFERENCES person (id),
        proposed_at BIGINT NOT NULL,
        adopted_by UUID REFERENCES person (id),
        adopted_at BIGINT,
        returned_by UUID REFERENCES person (id),
        returned_at BIGINT,
        published_at BIGINT
    )",
    "CREATE INDEX verdict_application ON verdict (application, proposed_at)",
    "CREATE INDEX verdict_pool ON verdict (pool, published_at)",
    "CREATE TABLE appeal (
        application UUID PRIMARY KEY REFERENCES application (id),
        text TEXT NOT NULL,
        made_by UUID NOT NULL REFERENCES person (id),
        made_at BIGINT NOT NULL,
        upheld BOOLEAN,
        answer TEXT,
        decided_by UUID REFERENCES person (id),
        decided_at BIGINT
    )",
];
