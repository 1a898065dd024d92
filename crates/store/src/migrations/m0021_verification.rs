//! Who verified what of an organisation, against which evidence.

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
    "CREATE TABLE verification (
        id UUID PRIMARY KEY,
        organisation UUID NOT NULL REFERENCES organisation (id),
        subject TEXT NOT NULL,
        declaration UUID REFERENCES declaration (id),
        evidence TEXT NOT NULL,
        verified_by UUID NOT NULL REFERENCES person (id),
        verified_at BIGINT NOT NULL
    )",
    "CREATE INDEX verification_organisation ON verification (organisation, verified_at)",
];
