//! Sends the journal to the hub, in order, until it says that it has it; and beside it what the
//! site has and what runs there.

use std::time::Duration;

use engine::Engine;
use tokio::time::{Instant, timeout};

use super::orders::error_chain;
use super::{Error, Shared, pause_after};
use super::{convert, drain};
use crate::client::{Key, segment};
use crate::protocol::{Event, Events, Health, Inventory, Receipt, VERSION};

const EVENTS_MAX: usize = 200;
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
        let inventory = convert::inventory(&engine.capacity(), &shared.settings);
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

/// Sends for ever.
pub(super) async fn send<E: Engine>(shared: &Shared<E>) {
    let mut changes = shared.journal.changes();
    let mut told = Told::nothing();
    let mut failures = 0;
    loop {
        changes.mark();
        let events = shared.journal.waiting(EVENTS_MAX);
        told.snapshot_owed |= !events.is_empty();
        let news = told.news(shared).await;
        if events.is_empty() && news.is_none() {
            // An event, or time, changes that; after a while others may have changed the site.
            let rest = told.rest();
            let silent = timeout(rest, changes.heard()).await.is_err();
            told.snapshot_owed |= silent;
            continue;
        }
        match deliver(shared, events, &news).await {
            Ok(()) => {
                told.told(news);
                failures = 0;
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the hub does not take events");
                told.snapshot_owed |= news.snapshot.is_some();
                if news.health.is_some() {
                    told.next_health = Instant::now();
                }
                tokio::time::sleep(pause_after(failures)).await;
                failures += 1;
            }
        }
    }
}

/// Sends one message. When the hub finds it invalid, sends its parts one by one, so that one
/// that it cannot read does not keep back all others.
async fn deliver<E>(shared: &Shared<E>, events: Vec<Event>, news: &News) -> Result<(), Error> {
    let count = events.len();
    match post(shared, events.clone(), news).await {
        Ok(()) => taken(shared, count),
        Err(error) if is_invalid(&error) => {
            if !news.is_none()
                && let Err(error) = post(shared, Vec::new(), news).await
            {
                if !is_invalid(&error) {
                    return Err(error.into());
                }
                let error = error_chain(&error);
                tracing::error!(error, "the hub cannot read what the site has; it is not told");
            }
            for event in events {
                deliver_alone(shared, event).await?;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn deliver_alone<E>(shared: &Shared<E>, event: Event) -> Result<(), Error> {
    match post(shared, vec![event.clone()], &News::default()).await {
        Err(error) if is_invalid(&error) => {
            let error = error_chain(&error);
            tracing::error!(error, ?event, "the hub cannot read an event; it is given up");
        }
        answer => answer?,
    }
    taken(shared, 1)
}

fn taken<E>(shared: &Shared<E>, count: usize) -> Result<(), Error> {
    shared.journal.taken(count).map_err(Error::folder("note what the hub has"))
}

async fn post<E>(
    shared: &Shared<E>,
    events: Vec<Event>,
    news: &News,
) -> Result<(), crate::client::Error> {
    let path = format!("/sites/{}/events", segment(shared.settings.site.as_str()));
    let inventory = news.inventory.clone();
    let known = |job| shared.table.has(job);
    let snapshot = news
        .snapshot
        .as_ref()
        .and_then(|snapshot| convert::snapshot(snapshot, shared.now(), known));
    let health = news.health.clone();
    let message = Events { version: VERSION, inventory, snapshot, health, events };
    // Each event carries its own key. The message must not: a hub that was killed while it took
    // one in would refuse to look at it again.
    let _receipt: Receipt = shared.client.post(&path, &message, Key::fresh()).await?;
    Ok(())
}

/// Whether the hub says that the message itself is wrong, and not who sends it or when.
fn is_invalid(error: &crate::client::Error) -> bool {
    matches!(error.status(), Some(400 | 413 | 415 | 422))
}
