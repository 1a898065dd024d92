//! Sends the journal to the hub, in order, until it says that it has it.

use super::orders::error_chain;
use super::{Error, Shared, pause_after};
use crate::client::{Key, segment};
use crate::protocol::{Event, Events, Receipt, VERSION};

const EVENTS_MAX: usize = 200;

/// Sends for ever.
pub(super) async fn send<E>(shared: &Shared<E>) {
    let mut arrivals = shared.journal.arrivals();
    let mut failures = 0;
    loop {
        arrivals.mark();
        let events = shared.journal.waiting(EVENTS_MAX);
        if events.is_empty() {
            arrivals.heard().await;
            continue;
        }
        match deliver(shared, events).await {
            Ok(()) => failures = 0,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the hub does not take events");
                tokio::time::sleep(pause_after(failures)).await;
                failures += 1;
            }
        }
    }
}

/// Sends one message. When the hub finds it invalid, sends its events one by one, so that one that it
/// cannot read does not keep back all others.
async fn deliver<E>(shared: &Shared<E>, events: Vec<Event>) -> Result<(), Error> {
    let count = events.len();
    match post(shared, message(events.clone())).await {
        Ok(()) => taken(shared, count),
        Err(error) if is_invalid(&error) => {
            for event in events {
                deliver_alone(shared, event).await?;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn deliver_alone<E>(shared: &Shared<E>, event: Event) -> Result<(), Error> {
    match post(shared, message(vec![event.clone()])).await {
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

/// A message of nothing but events.
pub(super) const fn message(events: Vec<Event>) -> Events {
    Events { version: VERSION, inventory: None, snapshot: None, health: None, events }
}

/// Sends one message.
///
/// # Errors
/// When the hub does not say that it has it.
pub(super) async fn post<E>(
    shared: &Shared<E>,
    message: Events,
) -> Result<(), crate::client::Error> {
    let path = format!("/sites/{}/events", segment(shared.settings.site.as_str()));
    // Each event carries its own key. The message must not: a hub that was killed while it took
    // one in would refuse to look at it again.
    let _receipt: Receipt = shared.client.post(&path, &message, Key::fresh()).await?;
    Ok(())
}

/// Whether the hub says that the message itself is wrong, and not who sends it or when.
pub(super) fn is_invalid(error: &crate::client::Error) -> bool {
    matches!(error.status(), Some(400 | 413 | 415 | 422))
}
