//! Organisations, pools, calls, applications, projects, allocations.

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

/// Days are text, `2026-07-22`; declarations, assessments and reasons are JSON. Members of
/// organisations and projects are role grants in their scope.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE organisation (
        id UUID PRIMARY KEY,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        country TEXT NOT NULL,
        legal_form TEXT,
        registration TEXT,
        sector TEXT,
        registered_on TEXT,
        created_by TEXT NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE UNIQUE INDEX organisation_registration ON organisation (country, registration)",
    "CREATE TABLE declaration (
        id UUID PRIMARY KEY,
        organisation UUID NOT NULL REFERENCES organisation (id),
        declared_by TEXT NOT NULL,
        declared_at BIGINT NOT NULL,
        content TEXT NOT NULL,
        class TEXT NOT NULL,
        rule TEXT NOT NULL,
        assessment TEXT NOT NULL
    )",
    "CREATE INDEX declaration_latest ON declaration (organisation, declared_at, id)",
    "CREATE TABLE pool (
        id UUID PRIMARY KEY,
        partition TEXT NOT NULL,
        meter TEXT NOT NULL,
        payer TEXT NOT NULL,
        starts_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        amount BIGINT NOT NULL,
        opened_at BIGINT NOT NULL,
        UNIQUE (partition, starts_at, payer)
    )",
    "CREATE TABLE agreement (
        id UUID PRIMARY KEY,
        system TEXT NOT NULL UNIQUE,
        entered_at BIGINT NOT NULL
    )",
    "CREATE TABLE call (
        id UUID PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        mode TEXT NOT NULL,
        rule TEXT NOT NULL,
        opens_at BIGINT NOT NULL,
        closes_at BIGINT,
        created_by TEXT NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE TABLE call_partition (
        call UUID NOT NULL REFERENCES call (id),
        partition TEXT NOT NULL,
        PRIMARY KEY (call, partition)
    )",
    "CREATE TABLE project (
        id UUID PRIMARY KEY,
        organisation UUID NOT NULL REFERENCES organisation (id),
        title TEXT NOT NULL,
        purpose TEXT NOT NULL,
        created_at BIGINT NOT NULL
    )",
    "CREATE INDEX project_organisation ON project (organisation)",
    "CREATE TABLE application (
        id UUID PRIMARY KEY,
        call UUID NOT NULL REFERENCES call (id),
        organisation UUID NOT NULL REFERENCES organisation (id),
        created_by UUID NOT NULL REFERENCES person (id),
        created_at BIGINT NOT NULL,
        title TEXT NOT NULL,
        purpose TEXT NOT NULL,
        partition TEXT,
        hours BIGINT,
        months BIGINT,
        duties_accepted BOOLEAN NOT NULL,
        version BIGINT NOT NULL,
        state TEXT NOT NULL,
        state_at BIGINT NOT NULL,
        project UUID REFERENCES project (id),
        allocation UUID,
        reasons TEXT
    )",
    "CREATE INDEX application_organisation ON application (organisation)",
    "CREATE INDEX application_call ON application (call)",
    "CREATE TABLE allocation (
        id UUID PRIMARY KEY,
        project UUID NOT NULL REFERENCES project (id),
        application UUID NOT NULL REFERENCES application (id),
        partition TEXT NOT NULL,
        meter TEXT NOT NULL,
        amount BIGINT NOT NULL CHECK (amount > 0),
        starts_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        rule TEXT NOT NULL,
        granted_at BIGINT NOT NULL,
        closed_at BIGINT,
        lapsed_at BIGINT
    )",
    "CREATE INDEX allocation_not_lapsed ON allocation (ends_at) WHERE lapsed_at IS NULL",
    "CREATE INDEX allocation_project ON allocation (project)",
    "CREATE INDEX allocation_partition ON allocation (partition)",
    "CREATE TABLE allocation_share (
        allocation UUID NOT NULL REFERENCES allocation (id),
        pool UUID NOT NULL REFERENCES pool (id),
        payer TEXT NOT NULL,
        amount BIGINT NOT NULL,
        PRIMARY KEY (allocation, pool)
    )",
];
