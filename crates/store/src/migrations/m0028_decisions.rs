//! Decisions with the facts they rested on, and the texts of the policies they were made by.
//!
//! What was decided before has no record: it cannot be made up afterwards.

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
    "CREATE TABLE policy_text (
        digest TEXT PRIMARY KEY,
        documents TEXT NOT NULL,
        kept_at BIGINT NOT NULL
    )",
    "CREATE TABLE decision_record (
        id UUID PRIMARY KEY,
        application UUID NOT NULL REFERENCES application (id),
        decided_at BIGINT NOT NULL,
        policy TEXT NOT NULL REFERENCES policy_text (digest),
        facts TEXT NOT NULL,
        told TEXT NOT NULL
    )",
    "CREATE INDEX decision_record_application ON decision_record (application, decided_at, id)",
];
