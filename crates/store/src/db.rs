//! Connections and transactions, the same for both databases.

use std::time::Duration;

use jiff::Timestamp;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, FromQueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, Value,
};
use sea_orm_migration::MigratorTrait;

use crate::{StoreError, migrations::Migrator};

/// Connections kept for reading; writers of SQLite share one.
const READERS_MAX: u32 = 8;

/// How long a writer waits for its turn before it gives up.
const WAIT_SECONDS_MAX: u64 = 30;

/// The hub's database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    #[cfg(any(test, feature = "testing"))]
    fuse: crate::testing::Fuse,
}

impl Store {
    /// Opens the database at `url` (`sqlite:…` or `postgres:…`) and brings its schema up to date.
    ///
    /// SQLite gets one writing connection, so that writers queue instead of failing, and readers
    /// that see the last commit (write-ahead log). Every commit reaches the disk before it is
    /// acknowledged.
    ///
    /// # Errors
    /// When the URL is of another kind, or the database cannot be reached or migrated.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let (writer, reader) = if url.starts_with("sqlite:") {
            let writer = Database::connect(sqlite(url, 1)).await?;
            Migrator::up(&writer, None).await?;
            let in_memory = url.contains(":memory:");
            let reader = if in_memory {
                writer.clone()
            } else {
                Database::connect(sqlite(url, READERS_MAX)).await?
            };
            (writer, reader)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let mut options = options(url, READERS_MAX);
            options.min_connections(1);
            let shared = Database::connect(options).await?;
            Migrator::up(&shared, None).await?;
            (shared.clone(), shared)
        } else {
            return Err(StoreError::Url(url.to_owned()));
        };
        Ok(Self {
            writer,
            reader,
            #[cfg(any(test, feature = "testing"))]
            fuse: crate::testing::Fuse::default(),
        })
    }

    /// Begins a transaction that may write. On SQLite it is the only one until it ends.
    ///
    /// # Errors
    /// When the database cannot be reached in time.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.tx(self.writer.begin_with_options(options).await?))
    }

    /// Begins a transaction that only reads, seeing one state throughout.
    ///
    /// # Errors
    /// When the database cannot be reached in time.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let options = match self.reader.get_database_backend() {
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(sea_orm::IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            _ => TransactionOptions::default(),
        };
        Ok(self.tx(self.reader.begin_with_options(options).await?))
    }

    fn tx(&self, inner: DatabaseTransaction) -> Tx {
        Tx {
            inner,
            #[cfg(any(test, feature = "testing"))]
            fuse: self.fuse.clone(),
        }
    }

    /// What a test stops this hub by between two statements.
    #[cfg(any(test, feature = "testing"))]
    pub const fn fuse(&self) -> &crate::testing::Fuse {
        &self.fuse
    }

    /// Ends all connections; transactions still open are rolled back.
    ///
    /// # Errors
    /// When the database refuses to close.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader.close_by_ref().await?;
        Ok(self.writer.close_by_ref().await?)
    }
}

/// One transaction. Dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    #[cfg(any(test, feature = "testing"))]
    fuse: crate::testing::Fuse,
}

impl Tx {
    /// Makes everything written durable and visible.
    ///
    /// # Errors
    /// When the database fails; then nothing of it was written.
    pub async fn commit(self) -> Result<(), StoreError> {
        #[cfg(any(test, feature = "testing"))]
        self.fuse.pass().await;
        Ok(self.inner.commit().await?)
    }

    /// Whether writers must take turns by themselves: PostgreSQL lets several write at once.
    pub(crate) fn is_postgres(&self) -> bool {
        self.inner.get_database_backend() == DbBackend::Postgres
    }

    /// Runs a statement in portable SQL with `$1` parameters; returns the number of rows changed.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, StoreError> {
        #[cfg(any(test, feature = "testing"))]
        self.fuse.pass().await;
        Ok(self.inner.execute_raw(self.statement(sql, values)).await?.rows_affected())
    }

    /// The first row, if there is one.
    pub(crate) async fn one<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<R>, StoreError> {
        #[cfg(any(test, feature = "testing"))]
        self.fuse.pass().await;
        let row = self.inner.query_one_raw(self.statement(sql, values)).await?;
        Ok(row.map(|row| R::from_query_result(&row, "")).transpose()?)
    }

    /// Every row, in the order of the statement.
    pub(crate) async fn all<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<R>, StoreError> {
        #[cfg(any(test, feature = "testing"))]
        self.fuse.pass().await;
        let rows = self.inner.query_all_raw(self.statement(sql, values)).await?;
        rows.iter().map(|row| Ok(R::from_query_result(row, "")?)).collect()
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.inner.get_database_backend(), sql, values)
    }
}

/// An instant as it is stored: microseconds since 1970, UTC.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A stored instant.
pub(crate) fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::damaged("instant", error))
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = options(url, connections);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .busy_timeout(Duration::from_secs(WAIT_SECONDS_MAX))
    });
    options
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(WAIT_SECONDS_MAX))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}
