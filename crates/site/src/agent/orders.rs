//! Pulls orders, notes them, and only then moves the cursor.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Error, Shared, pause_after};
use crate::client::segment;
use crate::protocol::{Order, OrderBody, Orders};

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
    let cursor: Cursor = engine::record::read(&path)
        .map_err(Error::folder("read how far its orders go"))?
        .unwrap_or_default();
    let settings = &shared.settings;
    let query = format!("after={}&wait_seconds={}", cursor.after, settings.wait_seconds);
    let site = segment(settings.site.as_str());
    let orders: Orders = shared.client.get(&format!("/sites/{site}/orders?{query}")).await?;
    let Some(last) = orders.orders.iter().map(|order| order.seq).max() else { return Ok(()) };
    for order in orders.orders {
        note(shared, order)?;
    }
    engine::record::write(&path, &Cursor { after: last })
        .map_err(Error::folder("note how far its orders go"))
}

fn note<E>(shared: &Shared<E>, order: Order) -> Result<(), Error> {
    let noted = match order.body {
        OrderBody::Start(start) => shared.table.order(start),
        OrderBody::Cancel { job } => shared.table.cancel(job),
    };
    noted.map_err(Error::folder("note an order"))
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
