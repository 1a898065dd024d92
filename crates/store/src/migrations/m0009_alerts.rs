//! Alerts: each allocation crosses each threshold once.

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

/// `threshold` is the key of an entry of policy, `rule_file` and `rule_from` its version. Which of
/// `parts` (of a million), `amount` and `ahead_at` stand there depends on `kind`.
const STATEMENTS: &[&str] = &["CREATE TABLE alert (
        id UUID PRIMARY KEY,
        allocation UUID NOT NULL REFERENCES allocation (id),
        threshold TEXT NOT NULL,
        rule_file TEXT NOT NULL,
        rule_from TEXT NOT NULL,
        kind TEXT NOT NULL,
        parts BIGINT,
        amount BIGINT,
        ahead_at BIGINT,
        entered_at BIGINT NOT NULL,
        UNIQUE (allocation, threshold)
    )"];
