//! Sends the journal to the hub, in order, until it says that it has it.

use std::time::Duration;

use engine::Engine;
use tokio::time::timeout;

use super::convert::inventory;
use super::orders::error_chain;
use super::{Error, Shared, pause_after};
use crate::client::{Key, segment};
use crate::protocol::{Event, Events, Inventory, Receipt, VERSION};

const EVENTS_MAX: usize = 200;
/// How often a change of what the site has is looked for while nothing else happens.
const REST: Duration = Duration::from_secs(60);

/// Sends for ever.
pub(super) async fn send<E: Engine>(shared: &Shared<E>) {
    let mut changes = shared.journal.changes();
    let mut told = None;
    let mut failures = 0;
    loop {
        changes.mark_unchanged();
        let events = shared.journal.waiting(EVENTS_MAX);
        let now = inventory(&shared.engine.capacity());
        let news = (told.as_ref() != Some(&now)).then(|| now.clone());
        if events.is_empty() && news.is_none() {
            // Nothing to do: an event, or time, changes that.
            let _either = timeout(REST, changes.changed()).await;
            continue;
        }
        match deliver(shared, events, news).await {
            Ok(()) => {
                told = Some(now);
                failures = 0;
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the hub does not take events");
                tokio::time::sleep(pause_after(failures)).await;
                failures += 1;
            }
        }
    }
}

/// Sends one message. When the hub finds it invalid, sends its events one by one, so that one
/// that it cannot read does not keep back all others.
async fn deliver<E>(
    shared: &Shared<E>,
    events: Vec<Event>,
    inventory: Option<Inventory>,
) -> Result<(), Error> {
    let count = events.len();
    match post(shared, events.clone(), inventory).await {
        Ok(()) => taken(shared, count),
        Err(error) if is_invalid(&error) && count > 0 => {
            for event in events {
                deliver_alone(shared, event).await?;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn deliver_alone<E>(shared: &Shared<E>, event: Event) -> Result<(), Error> {
    match post(shared, vec![event.clone()], None).await {
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
    inventory: Option<Inventory>,
) -> Result<(), crate::client::Error> {
    let path = format!("/sites/{}/events", segment(shared.settings.site.as_str()));
    let message = Events { version: VERSION, inventory, events };
    // Each event carries its own key. The message must not: a hub that was killed while it took
    // one in would refuse to look at it again.
    let _receipt: Receipt = shared.client.post(&path, &message, Key::fresh()).await?;
    Ok(())
}

/// Whether the hub says that the message itself is wrong, and not who sends it or when.
fn is_invalid(error: &crate::client::Error) -> bool {
    matches!(error.status(), Some(400 | 413 | 415 | 422))
}
