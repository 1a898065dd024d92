//! The books: accounts, entries and transfers.

use sea_orm::{DbBackend, DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (key, bytes, tail) = match manager.get_database_backend() {
            DbBackend::Sqlite => ("INTEGER", "BLOB", "WITHOUT ROWID"),
            _ => ("BIGINT", "BYTEA", ""),
        };
        let statements: Vec<String> = STATEMENTS
            .iter()
            .map(|sql| sql.replace("{key}", key).replace("{bytes}", bytes).replace("{tail}", tail))
            .collect();
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        super::apply(manager, &statements).await
    }
}

/// Entries and transfers are only ever inserted; what an account has is kept beside them. There
/// are no foreign keys: they would cost a lookup for each transfer, and the ledger's own check
/// finds more. Each index costs a page a commit, so there is one by allocation, for statements, one
/// to find a job's hold, and one that lets a hold be closed only once. `owner` is the allocation or pool an account belongs to.
///
/// `{key}` is a 64-bit key that SQLite uses as the row's place, `{tail}` stores rows in the order
/// of their key, as PostgreSQL's heap nearly does for rows that are only appended.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE ledger_account (
        number {key} PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        owner UUID,
        floor BIGINT NOT NULL,
        base BIGINT NOT NULL,
        balance BIGINT NOT NULL
    )",
    "CREATE INDEX ledger_account_owner ON ledger_account (owner) WHERE owner IS NOT NULL",
    "CREATE TABLE ledger_entry (
        seq {key} PRIMARY KEY,
        id UUID NOT NULL,
        at BIGINT NOT NULL,
        author TEXT NOT NULL,
        kind TEXT NOT NULL,
        allocation UUID,
        recipient UUID,
        job UUID,
        refers BIGINT,
        amount BIGINT,
        reason TEXT NOT NULL,
        hash {bytes} NOT NULL
    )",
    "CREATE INDEX ledger_entry_allocation ON ledger_entry (allocation, seq)
        WHERE allocation IS NOT NULL",
    "CREATE INDEX ledger_entry_recipient ON ledger_entry (recipient, seq)
        WHERE recipient IS NOT NULL",
    "CREATE INDEX ledger_entry_hold ON ledger_entry (job) WHERE kind = 'hold'",
    "CREATE UNIQUE INDEX ledger_entry_closes ON ledger_entry (refers)
        WHERE kind IN ('settle', 'release')",
    "CREATE INDEX ledger_entry_corrects ON ledger_entry (refers) WHERE kind = 'correction'",
    "CREATE TABLE ledger_transfer (
        seq BIGINT NOT NULL,
        line BIGINT NOT NULL,
        source BIGINT NOT NULL,
        target BIGINT NOT NULL,
        amount BIGINT NOT NULL,
        PRIMARY KEY (seq, line)
    ) {tail}",
];
