//! Pulls orders, notes them, and only then moves the cursor.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use units::{JobId, OrderId};

use super::journal::Entry;
use super::{Error, Shared, key, pause_after};
use crate::client::{self, segment};
use crate::protocol::{Event, EventBody, OrderBody, VERSION, apart};
use crate::wire::text;

/// Orders whose bodies are read one by one, so that one that this agent cannot read does not keep
/// back the others.
#[derive(Deserialize)]
struct Orders {
    version: u32,
    orders: Vec<Order>,
}

#[derive(Deserialize)]
struct Order {
    seq: i64,
    #[serde(with = "text")]
    key: OrderId,
    body: Value,
}

/// How far the orders have been noted.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    after: i64,
}

/// Pulls for ever. A hub that is gone is asked again; what fails is tried again.
pub(super) async fn pull<E>(shared: &Shared<E>) {
    let mut failures = 0;
    loop {
        match pull_once(shared).await {
            Ok(()) => failures = 0,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "no orders could be taken in");
                tokio::time::sleep(pause_after(failures)).await;
                failures += 1;
            }
        }
    }
}

async fn pull_once<E>(shared: &Shared<E>) -> Result<(), Error> {
    let path = cursor_path(shared);
    let disk = &shared.settings.disk;
    let cursor: Cursor =
        disk.read(&path).map_err(Error::folder("read how far its orders go"))?.unwrap_or_default();
    let settings = &shared.settings;
    let query = format!("after={}&wait_seconds={}", cursor.after, settings.wait_seconds);
    let site = segment(settings.site.as_str());
    let orders: Orders = shared.client.get(&format!("/sites/{site}/orders?{query}")).await?;
    if let Some(why) = apart(("agent", VERSION), ("hub", orders.version)) {
        return Err(client::Error::Version(why).into());
    }
    let Some(last) = orders.orders.iter().map(|order| order.seq).max() else { return Ok(()) };
    for order in orders.orders {
        note(shared, &order)?;
    }
    disk.write(&path, &Cursor { after: last }).map_err(Error::folder("note how far its orders go"))
}

fn note<E>(shared: &Shared<E>, order: &Order) -> Result<(), Error> {
    let noted = match OrderBody::deserialize(&order.body) {
        Ok(OrderBody::Start(start)) => shared.table.order(start),
        Ok(OrderBody::Cancel { job }) => shared.table.cancel(job),
        Err(error) => refuse(shared, order, &error),
    };
    noted.map_err(Error::folder("note an order"))
}

/// Answers an order that cannot be read, if it says which job it is about.
fn refuse<E>(shared: &Shared<E>, order: &Order, error: &serde_json::Error) -> std::io::Result<()> {
    let word = |name: &str| order.body.get(name).and_then(Value::as_str);
    let kind = word("kind").unwrap_or("without a kind");
    let agent = env!("CARGO_PKG_VERSION");
    let reason = match kind {
        "start" | "cancel" => {
            format!("this agent is of version {agent} and cannot read the order `{kind}`: {error}")
        }
        _ => format!("this agent is of version {agent} and does not know `{kind}`"),
    };
    tracing::error!(order = %order.key, reason, "an order is refused");
    let Some(job) = word("job").and_then(|job| job.parse::<JobId>().ok()) else { return Ok(()) };
    let body = EventBody::OrderRefused { order: order.key, reason };
    let key = key::event(job, &format!("order/{}", order.key));
    shared.journal.append(vec![Entry::from(Event { key, job, at: shared.now(), body })])
}

fn cursor_path<E>(shared: &Shared<E>) -> PathBuf {
    shared.settings.folder.join("cursor.json")
}

/// An error with its causes, in one line.
pub(super) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
