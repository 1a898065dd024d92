//! Tells the hub what the site has, what runs and waits there, and what keeps it from work, beside the
//! events: to find that out takes a while, for which no event waits.

use std::time::Duration;

use engine::Engine;
use tokio::time::{Instant, sleep, timeout};

use super::orders::error_chain;
use super::push::{is_invalid, message, post};
use super::{Shared, convert, drain, pause_after};
use crate::protocol::{Events, Health, Inventory};

/// How often a change of what the site has, or of what keeps it from work, is looked for.
const REST: Duration = Duration::from_secs(30);
/// The least time between two snapshots: to take one may be dear to the site.
const SNAPSHOTS: Duration = Duration::from_secs(2);

/// What the hub knows of the site, to tell it no more than what is new.
struct Told {
    inventory: Option<Inventory>,
    snapshot: Option<sched::Snapshot>,
    health: Option<Health>,
    next_health: Instant,
    /// Whether something may have changed since the last snapshot.
    snapshot_owed: bool,
    next_snapshot: Instant,
}

/// What the hub does not know yet.
#[derive(Clone, Default)]
struct News {
    inventory: Option<Inventory>,
    snapshot: Option<sched::Snapshot>,
    health: Option<Health>,
}

impl News {
    const fn is_none(&self) -> bool {
        self.inventory.is_none() && self.snapshot.is_none() && self.health.is_none()
    }
}

impl Told {
    fn nothing() -> Self {
        let now = Instant::now();
        Self {
            inventory: None,
            snapshot: None,
            health: None,
            next_health: now,
            snapshot_owed: true,
            next_snapshot: now,
        }
    }

    /// Looks at the site for what the hub was not told.
    async fn news<E: Engine>(&mut self, shared: &Shared<E>) -> News {
        let engine = &shared.engine;
        let inventory =
            convert::inventory(&engine.capacity(), &shared.settings, &shared.directory.persons());
        let mut news = News::default();
        if self.inventory.as_ref() != Some(&inventory) {
            news.inventory = Some(inventory);
        }
        if self.snapshot_owed && Instant::now() >= self.next_snapshot {
            self.snapshot_owed = false;
            self.next_snapshot = Instant::now() + SNAPSHOTS;
            match engine.snapshot().await {
                Ok(snapshot) if self.snapshot.as_ref() != Some(&snapshot) => {
                    news.snapshot = Some(snapshot);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "the engine shows no snapshot");
                }
            }
        }
        if Instant::now() >= self.next_health {
            self.next_health = Instant::now() + REST;
            let drained = drain::read(&shared.settings.folder);
            let health = convert::health(engine.health().await, drained);
            if self.health.as_ref() != Some(&health) {
                news.health = Some(health);
            }
        }
        news
    }

    fn told(&mut self, news: News) {
        self.inventory = news.inventory.or(self.inventory.take());
        self.snapshot = news.snapshot.or(self.snapshot.take());
        self.health = news.health.or(self.health.take());
    }

    /// How long nothing can be new unless something comes about.
    fn rest(&self) -> Duration {
        let now = Instant::now();
        let until_health = self.next_health.saturating_duration_since(now);
        let until_snapshot = self.next_snapshot.saturating_duration_since(now);
        if self.snapshot_owed { until_snapshot.min(until_health) } else { until_health }
    }
}

/// Tells for ever.
pub(super) async fn tell<E: Engine>(shared: &Shared<E>) {
    let mut arrivals = shared.journal.arrivals();
    let mut logins = shared.directory.changes();
    let mut told = Told::nothing();
    let mut failures = 0;
    loop {
        arrivals.mark();
        logins.mark();
        let news = told.news(shared).await;
        if news.is_none() {
            let rest = told.rest();
            if told.snapshot_owed {
                sleep(rest).await;
            } else {
                // An event may have changed what runs; after a while others may have.
                let change = async {
                    tokio::select! {
                        biased;
                        () = arrivals.heard() => {}
                        () = logins.heard() => {}
                    }
                };
                let _silence = timeout(rest, change).await;
                told.snapshot_owed = true;
            }
            continue;
        }
        match post(shared, all_of(shared, &news)).await {
            Ok(()) => {
                told.told(news);
                failures = 0;
            }
            Err(error) if is_invalid(&error) => {
                let error = error_chain(&error);
                tracing::error!(error, "the hub cannot read what the site has; it is not told");
                told.told(news);
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the hub does not take news");
                told.snapshot_owed |= news.snapshot.is_some();
                if news.health.is_some() {
                    told.next_health = Instant::now();
                }
                sleep(pause_after(failures)).await;
                failures += 1;
            }
        }
    }
}

fn all_of<E>(shared: &Shared<E>, news: &News) -> Events {
    let known = |job| shared.table.has(job);
    let snapshot = news.snapshot.as_ref();
    Events {
        inventory: news.inventory.clone(),
        snapshot: snapshot.and_then(|snapshot| convert::snapshot(snapshot, shared.now(), known)),
        health: news.health.clone(),
        ..message(Vec::new())
    }
}
