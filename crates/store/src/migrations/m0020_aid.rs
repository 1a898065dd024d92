//! The register of State aid, and which organisations say they are one undertaking.

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
    "CREATE TABLE aid (
        id UUID PRIMARY KEY,
        organisation UUID NOT NULL REFERENCES organisation (id),
        state TEXT NOT NULL,
        granted_on TEXT NOT NULL,
        amount BIGINT NOT NULL CHECK (amount >= 0),
        authority TEXT NOT NULL,
        instrument TEXT NOT NULL,
        sector TEXT,
        allocation UUID UNIQUE REFERENCES allocation (id),
        rule TEXT NOT NULL,
        entered_by TEXT NOT NULL,
        entered_at BIGINT NOT NULL
    )",
    "CREATE INDEX aid_organisation ON aid (organisation, state)",
    "CREATE INDEX aid_state ON aid (state, granted_on)",
    // Without a reference: who declares learns nothing of who is on record.
    "CREATE TABLE undertaking (
        organisation UUID NOT NULL REFERENCES organisation (id),
        other UUID NOT NULL,
        PRIMARY KEY (organisation, other)
    )",
    "CREATE INDEX undertaking_other ON undertaking (other)",
];
