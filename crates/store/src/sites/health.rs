//! What keeps a site from taking work: what it says, what its operator ordered, what it is busy with.

use sea_orm::FromQueryResult;
use units::{Slug, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// How busy a site is, by what it showed last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Its nodes.
    pub nodes: i64,
    /// Those on which jobs may start.
    pub nodes_up: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that wait for room.
    pub waiting: i64,
    /// The nodes that those ask for, times how long each may run.
    pub waiting_node_seconds: i64,
}

/// Notes what keeps a site from taking work, in the words of its protocol; the latest counts.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn note(tx: &Tx, site: &Slug, at: Timestamp, health: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_health (site, at, health) VALUES ($1, $2, $3)
        ON CONFLICT (site) DO UPDATE SET at = excluded.at, health = excluded.health";
    tx.execute(SQL, [site.to_string().into(), micros(at).into(), health.into()]).await?;
    Ok(())
}

/// What keeps a site from taking work by its own words, and when those came.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &Tx, site: &Slug) -> Result<Option<(Timestamp, String)>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        at: i64,
        health: String,
    }
    const SQL: &str = "SELECT at, health FROM site_health WHERE site = $1";
    let row = tx.one::<Row>(SQL, [site.to_string().into()]).await?;
    row.map(|row| Ok((instant(row.at)?, row.health))).transpose()
}

/// Lets a site take no more jobs; said again, the reason is the new one.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn drain(tx: &Tx, site: &Slug, at: Timestamp, reason: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_drain (site, at, reason) VALUES ($1, $2, $3)
        ON CONFLICT (site) DO UPDATE SET reason = excluded.reason";
    tx.execute(SQL, [site.to_string().into(), micros(at).into(), reason.into()]).await?;
    Ok(())
}

/// Lets a site take jobs again; whether it did not.
///
/// # Errors
/// When the database fails.
pub async fn resume(tx: &Tx, site: &Slug) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM site_drain WHERE site = $1";
    Ok(tx.execute(SQL, [site.to_string().into()]).await? > 0)
}

/// Since when its operator lets a site take no more jobs, and why; `None` when it takes them.
///
/// # Errors
/// When the database fails.
pub async fn drained(tx: &Tx, site: &Slug) -> Result<Option<(Timestamp, String)>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        at: i64,
        reason: String,
    }
    const SQL: &str = "SELECT at, reason FROM site_drain WHERE site = $1";
    let row = tx.one::<Row>(SQL, [site.to_string().into()]).await?;
    row.map(|row| Ok((instant(row.at)?, row.reason))).transpose()
}

/// How busy a site is; `None` while it has shown nothing.
///
/// # Errors
/// When the database fails.
pub async fn load(tx: &Tx, site: &Slug) -> Result<Option<Load>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        nodes: i64,
        nodes_up: i64,
        running: i64,
        waiting: i64,
        waiting_node_seconds: i64,
    }
    const SQL: &str = "SELECT nodes, nodes_up, running, waiting, waiting_node_seconds
        FROM site_snapshot WHERE site = $1 AND nodes IS NOT NULL";
    let row = tx.one::<Row>(SQL, [site.to_string().into()]).await?;
    Ok(row.map(|row| Load {
        nodes: row.nodes,
        nodes_up: row.nodes_up,
        running: row.running,
        waiting: row.waiting,
        waiting_node_seconds: row.waiting_node_seconds,
    }))
}
