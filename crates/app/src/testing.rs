//! A hub for tests: fresh databases and a clock that stands at a known instant.

use std::sync::Arc;

use store::{Store, testing::TestDatabase};
use units::{PersonId, Timestamp};

use crate::{
    Actor, App, Grant, MovableClock, Parts, Role, Scope, data::Data, identity::NewAccount,
};

/// A hub over a fresh database.
pub struct TestHub {
    /// The hub.
    pub app: App,
    /// Its clock, standing at 2026-11-21T09:00:00Z.
    pub clock: Arc<MovableClock>,
    /// Keeps the database alive.
    pub database: TestDatabase,
}

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery";

impl TestHub {
    /// A hub on SQLite.
    pub async fn new() -> Self {
        Self::over(store::testing::sqlite().await)
    }

    /// A hub on each kind of database that can be had.
    pub async fn each() -> Vec<Self> {
        store::testing::databases().await.into_iter().map(Self::over).collect()
    }

    /// A hub with the same records in a database of its own (SQLite only).
    pub async fn copy(&self) -> Self {
        Self::over(store::testing::copied(&self.database).await)
    }

    fn over(database: TestDatabase) -> Self {
        let clock = Arc::new(MovableClock::starting(start()));
        let app = App::new(parts(database.store.clone(), clock.clone()));
        Self { app, clock, database }
    }

    /// A registered person holding `grants`, as an actor with every ability.
    ///
    /// # Panics
    /// When the hub refuses: the test cannot go on.
    #[expect(clippy::expect_used, reason = "a test that cannot have its people must fail")]
    pub async fn person(&self, name: &str, grants: &[(Role, Scope)]) -> (PersonId, Actor) {
        let account = NewAccount {
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let account = self.app.register(&Actor::anonymous(), account).await.expect("an account");
        let tx = self.app.store().write().await.expect("a transaction");
        for (role, scope) in grants {
            let grant = Grant { role: *role, scope: scope.clone() };
            self.app.grant(&tx, &Actor::system(), account.id, grant).await.expect("a grant");
        }
        tx.commit().await.expect("a commit");
        let link = self.app.sign_in_link(account.id).await.expect("a link");
        let opened = self.app.redeem_link(&link).await.expect("a session");
        let session = self.app.authenticate(&opened.secret).await.expect("an actor");
        (account.id, session.actor)
    }
}

/// When tests begin.
fn start() -> Timestamp {
    Timestamp::from_second(1_795_251_600).unwrap_or_default()
}

/// What the hub of tests is made of.
fn parts(store: Store, clock: Arc<MovableClock>) -> Parts {
    let data = Data { vault: vault::Vault::memory(), file_bytes_max: 1_000_000 };
    Parts { store, clock, data }
}
