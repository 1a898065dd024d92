//! The yardstick: a table with a key and bytes.

use std::fmt::Write;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};

use crate::Failure;

/// Rows in one statement, as many as the ledger puts into one.
const ROWS_MAX: usize = 64;

/// A plain table in the same database.
pub(crate) struct Table {
    connection: DatabaseConnection,
    next: i64,
    bytes: Vec<u8>,
}

impl Table {
    /// An empty table whose rows will have `size` bytes beside their key. The connection has the
    /// settings that the store gives its own.
    pub(crate) async fn create(url: &str, size: usize) -> Result<Self, Failure> {
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(1).test_before_acquire(false).sqlx_logging(false);
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
        });
        let connection = Database::connect(options).await?;
        let sql = match connection.get_database_backend() {
            DbBackend::Sqlite => "CREATE TABLE bare (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
            _ => "CREATE TABLE bare (id BIGINT PRIMARY KEY, bytes BYTEA NOT NULL)",
        };
        connection.execute_unprepared(sql).await?;
        // Not all the same, so that nothing along the way compresses them.
        let bytes = blake3::Hasher::new().finalize_xof();
        let mut row = vec![0; size];
        std::io::Read::read_exact(&mut { bytes }, &mut row)?;
        Ok(Self { connection, next: 1, bytes: row })
    }

    /// One transaction, one row a statement.
    pub(crate) async fn commit_one_by_one(&mut self, rows: usize) -> Result<(), Failure> {
        let tx = self.begin().await?;
        for _ in 0..rows {
            self.insert(&tx, 1).await?;
        }
        Ok(tx.commit().await?)
    }

    /// One transaction, as many rows a statement as the ledger would put into one.
    pub(crate) async fn commit_together(&mut self, rows: usize) -> Result<(), Failure> {
        let tx = self.begin().await?;
        let mut left = rows;
        while left > 0 {
            let now = left.min(ROWS_MAX);
            self.insert(&tx, now).await?;
            left -= now;
        }
        Ok(tx.commit().await?)
    }

    async fn begin(&self) -> Result<DatabaseTransaction, Failure> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.connection.begin_with_options(options).await?)
    }

    async fn insert(&mut self, tx: &DatabaseTransaction, rows: usize) -> Result<(), Failure> {
        let mut sql = "INSERT INTO bare (id, bytes) VALUES ".to_owned();
        let mut values: Vec<Value> = Vec::with_capacity(2 * rows);
        for row in 0..rows {
            let comma = if row == 0 { "" } else { ", " };
            write!(sql, "{comma}(${}, ${})", 2 * row + 1, 2 * row + 2)?;
            values.push(self.next.into());
            values.push(self.bytes.clone().into());
            self.next += 1;
        }
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        tx.execute_raw(statement).await?;
        Ok(())
    }
}
