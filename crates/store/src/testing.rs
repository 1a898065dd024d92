//! Databases for tests: SQLite always, PostgreSQL where `USINE_TEST_POSTGRES` names a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{ConnectionTrait, Database};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::Store;

/// A fresh database of one kind, gone with the value (SQLite) or with the test server (PostgreSQL).
#[derive(Debug)]
pub struct TestDatabase {
    /// Its connections.
    pub store: Store,
    /// Where it lives, for a second [`Store::open`].
    pub url: String,
    _directory: Option<tempfile::TempDir>,
}

/// Stops a hub between two statements of its transactions, as a power cut would.
#[derive(Clone, Debug, Default)]
pub struct Fuse(Arc<Burning>);

#[derive(Debug, Default)]
struct Burning {
    /// Statements that ran since the database was opened.
    passed: AtomicU64,
    /// Before which of them it blows; zero for none.
    blows_at: AtomicU64,
    blown: Notify,
}

impl Fuse {
    /// How many statements ran.
    pub fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::SeqCst)
    }

    /// Blows before the statement after the next `count` ones.
    pub fn set(&self, count: u64) {
        let at = self.passed().saturating_add(count).saturating_add(1);
        self.0.blows_at.store(at, Ordering::SeqCst);
    }

    /// Never blows, until it is set again.
    pub fn mend(&self) {
        self.0.blows_at.store(0, Ordering::SeqCst);
    }

    /// Returns once it has blown.
    pub async fn blown(&self) {
        self.0.blown.notified().await;
    }

    /// One more statement; the last one never runs.
    pub(crate) async fn pass(&self) {
        let number = self.0.passed.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if number == self.0.blows_at.load(Ordering::SeqCst) {
            self.0.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// One fresh, migrated database of each kind that can be had.
///
/// # Panics
/// When a database cannot be made: a test without its database must not pass.
#[expect(clippy::expect_used, reason = "a test that cannot have its database must fail")]
pub async fn databases() -> Vec<TestDatabase> {
    let mut all = vec![sqlite().await];
    if let Ok(server) = std::env::var("USINE_TEST_POSTGRES") {
        let name = format!("t{}", Uuid::new_v4().simple());
        let admin = Database::connect(format!("{server}/postgres")).await.expect("the test server");
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a database of its own for the test");
        let url = format!("{server}/{name}");
        let store = Store::open(&url).await.expect("a migrated PostgreSQL database");
        all.push(TestDatabase { store, url, _directory: None });
    }
    all
}

/// A fresh SQLite database in a file of its own.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test that cannot have its database must fail")]
pub async fn sqlite() -> TestDatabase {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("hub.db").display());
    let store = Store::open(&url).await.expect("a migrated SQLite database");
    TestDatabase { store, url, _directory: Some(directory) }
}

/// The same data in a SQLite database of its own.
///
/// # Panics
/// When `original` is not on SQLite, or cannot be copied.
#[expect(clippy::expect_used, reason = "a test that cannot have its database must fail")]
pub async fn copied(original: &TestDatabase) -> TestDatabase {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let file = directory.path().join("hub.db");
    let source = Database::connect(&original.url).await.expect("the original");
    source
        .execute_unprepared(&format!("VACUUM INTO '{}'", file.display()))
        .await
        .expect("a copy of the original");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let store = Store::open(&url).await.expect("the copy");
    TestDatabase { store, url, _directory: Some(directory) }
}
