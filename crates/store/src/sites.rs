//! Sites: what each has, when its agent was last seen, and the orders for it.

pub mod agents;
pub mod given;
pub mod health;
pub mod logins;
pub mod tenancy;

use sea_orm::FromQueryResult;
use units::{JobId, OrderId, Slug, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

use health::Load;

/// What a site has for jobs, as its agent reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// When it was reported.
    pub at: Timestamp,
    /// Name of the agent's host.
    pub host: String,
    /// Version of the agent.
    pub agent: String,
    /// What carries jobs out, where the agent says.
    pub engine: Option<String>,
    /// Nodes, which are alike.
    pub nodes: i64,
    /// Cores, over all nodes.
    pub cores: i64,
    /// Memory, over all nodes.
    pub memory_mb: i64,
    /// Model names of the GPUs, over all nodes.
    pub gpus: Vec<String>,
    /// What keeps jobs apart, for people.
    pub isolation: Vec<String>,
    /// The site's own scheduler, where one carries jobs out.
    pub scheduler: Option<String>,
    /// Options that plugins of that scheduler add.
    pub plugins: Vec<String>,
}

impl Inventory {
    /// The memory of each node.
    pub fn memory_mb_per_node(&self) -> u64 {
        u64::try_from(self.memory_mb / self.nodes.max(1)).unwrap_or_default()
    }
}

/// A site as the hub knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: Slug,
    /// When its agent last called.
    pub seen_at: Option<Timestamp>,
    /// What it has.
    pub inventory: Option<Inventory>,
    /// The sequence number of its last order.
    pub orders: i64,
    /// That of the last order that its agent was given ([`given`]).
    pub given: i64,
    /// Whether jobs run as persons there, each of whom needs a login ([`logins`]).
    pub as_persons: bool,
    /// The version of the protocol that its agent speaks, where that was let in by a key.
    pub protocol: Option<i64>,
    /// How far its clock was ahead of the hub's when its agent was let in last.
    pub clock_ahead_milliseconds: Option<i64>,
}

/// What a site is to do with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Carry it out.
    Start,
    /// End it.
    Cancel,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its place among those of its site.
    pub seq: i64,
    /// Its key.
    pub key: OrderId,
    /// The job it is about.
    pub job: JobId,
    /// What is to be done.
    pub kind: OrderKind,
    /// When it was given.
    pub at: Timestamp,
}

impl OrderKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Cancel => "cancel",
        }
    }

    fn named(name: &str) -> Result<Self, StoreError> {
        let known = [Self::Start, Self::Cancel].into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| StoreError::damaged("order", name))
    }
}

#[derive(FromQueryResult)]
struct Row {
    name: String,
    orders: i64,
    given: i64,
    seen_at: Option<i64>,
    inventory_at: Option<i64>,
    host: Option<String>,
    agent: Option<String>,
    nodes: Option<i64>,
    cores: Option<i64>,
    memory_mb: Option<i64>,
    gpus: Option<String>,
    isolation: Option<String>,
    engine: Option<String>,
    scheduler: Option<String>,
    plugins: Option<String>,
    as_persons: Option<bool>,
    protocol: Option<i64>,
    clock_ahead_milliseconds: Option<i64>,
}

impl Row {
    fn site(self) -> Result<Site, StoreError> {
        let damaged = |error: &dyn std::fmt::Display| StoreError::damaged("site", error);
        let list = |text: Option<String>| -> Result<Vec<String>, StoreError> {
            let text = text.unwrap_or_else(|| "[]".to_owned());
            serde_json::from_str(&text).map_err(|error| damaged(&error))
        };
        let (gpus, isolation) = (list(self.gpus)?, list(self.isolation)?);
        let plugins = list(self.plugins)?;
        let inventory = match (self.inventory_at, self.host, self.agent) {
            (Some(at), Some(host), Some(agent)) => Some(Inventory {
                at: instant(at)?,
                host,
                agent,
                engine: self.engine,
                nodes: self.nodes.unwrap_or(1),
                cores: self.cores.unwrap_or_default(),
                memory_mb: self.memory_mb.unwrap_or_default(),
                gpus,
                isolation,
                scheduler: self.scheduler,
                plugins,
            }),
            _ => None,
        };
        Ok(Site {
            name: self.name.parse().map_err(|error| damaged(&error))?,
            seen_at: self.seen_at.map(instant).transpose()?,
            inventory,
            orders: self.orders,
            given: self.given,
            as_persons: self.as_persons.unwrap_or(false),
            protocol: self.protocol,
            clock_ahead_milliseconds: self.clock_ahead_milliseconds,
        })
    }
}

/// What is known of the site `name`.
///
/// # Errors
/// When the database fails.
pub async fn by_name(tx: &Tx, name: &Slug) -> Result<Option<Site>, StoreError> {
    let row =
        tx.one::<Row>("SELECT * FROM site WHERE name = $1", [name.to_string().into()]).await?;
    row.map(Row::site).transpose()
}

/// Puts a site on record, if it is not there.
///
/// # Errors
/// When the database fails.
pub async fn enter(tx: &Tx, name: &Slug) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO site (name, orders) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
    tx.execute(SQL, [name.to_string().into()]).await?;
    Ok(())
}

/// Notes that the agent of a site has called.
///
/// # Errors
/// When the database fails.
pub async fn seen(tx: &Tx, name: &Slug, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE site SET seen_at = $2 WHERE name = $1";
    tx.execute(SQL, [name.to_string().into(), micros(at).into()]).await?;
    Ok(())
}

/// Notes what a site has.
///
/// # Errors
/// When the database fails.
pub async fn note_inventory(tx: &Tx, name: &Slug, inventory: &Inventory) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE site SET inventory_at = $2, host = $3, agent = $4, cores = $5,
            memory_mb = $6, gpus = $7, isolation = $8, engine = $9, nodes = $10,
            scheduler = $11, plugins = $12
        WHERE name = $1";
    let list = |items: &[String]| {
        serde_json::to_string(items).map_err(|error| StoreError::damaged("site", error))
    };
    let values = [
        name.to_string().into(),
        micros(inventory.at).into(),
        inventory.host.clone().into(),
        inventory.agent.clone().into(),
        inventory.cores.into(),
        inventory.memory_mb.into(),
        list(&inventory.gpus)?.into(),
        list(&inventory.isolation)?.into(),
        inventory.engine.clone().into(),
        inventory.nodes.into(),
        inventory.scheduler.clone().into(),
        list(&inventory.plugins)?.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Notes what runs and waits at a site, in the words of its protocol and in sum; the latest counts.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn note_snapshot(
    tx: &Tx,
    name: &Slug,
    at: Timestamp,
    (snapshot, load): (&str, Load),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_snapshot (site, at, snapshot, nodes, nodes_up, running,
            waiting, waiting_node_seconds)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (site) DO UPDATE SET at = excluded.at, snapshot = excluded.snapshot,
            nodes = excluded.nodes, nodes_up = excluded.nodes_up, running = excluded.running,
            waiting = excluded.waiting, waiting_node_seconds = excluded.waiting_node_seconds";
    let values = [
        name.to_string().into(),
        micros(at).into(),
        snapshot.into(),
        load.nodes.into(),
        load.nodes_up.into(),
        load.running.into(),
        load.waiting.into(),
        load.waiting_node_seconds.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What ran and waited at a site when it last told, and when that came.
///
/// # Errors
/// When the database fails.
pub async fn snapshot(tx: &Tx, name: &Slug) -> Result<Option<(Timestamp, String)>, StoreError> {
    #[derive(FromQueryResult)]
    struct SnapshotRow {
        at: i64,
        snapshot: String,
    }
    const SQL: &str = "SELECT at, snapshot FROM site_snapshot WHERE site = $1";
    let row = tx.one::<SnapshotRow>(SQL, [name.to_string().into()]).await?;
    row.map(|row| Ok((instant(row.at)?, row.snapshot))).transpose()
}

/// Gives a site an order. Orders of one site get their numbers one transaction after the other, so
/// an agent that has seen a number has seen all before it.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn order(
    tx: &Tx,
    site: &Slug,
    key: OrderId,
    (job, kind): (JobId, OrderKind),
    at: Timestamp,
) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Seq {
        orders: i64,
    }
    const NEXT: &str = "UPDATE site SET orders = orders + 1 WHERE name = $1 RETURNING orders";
    const INSERT: &str = "INSERT INTO site_order (site, seq, key, job, kind, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let next = tx.one::<Seq>(NEXT, [site.to_string().into()]).await?;
    let seq = next.ok_or_else(|| StoreError::damaged("site", site))?.orders;
    let values = [
        site.to_string().into(),
        seq.into(),
        key.uuid().into(),
        job.uuid().into(),
        kind.name().into(),
        micros(at).into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(seq)
}

/// What the order `key` wanted done with `job`, if there was one.
///
/// # Errors
/// When the database fails.
pub async fn ordered(tx: &Tx, key: OrderId, job: JobId) -> Result<Option<OrderKind>, StoreError> {
    #[derive(FromQueryResult)]
    struct KindRow {
        kind: String,
    }
    const SQL: &str = "SELECT kind FROM site_order WHERE key = $1 AND job = $2";
    let row = tx.one::<KindRow>(SQL, [key.uuid().into(), job.uuid().into()]).await?;
    row.map(|row| OrderKind::named(&row.kind)).transpose()
}

/// Orders of a site beyond the number `after`, in order.
///
/// # Errors
/// When the database fails.
pub async fn orders(
    tx: &Tx,
    site: &Slug,
    after: i64,
    limit: u32,
) -> Result<Vec<Order>, StoreError> {
    #[derive(FromQueryResult)]
    struct OrderRow {
        seq: i64,
        key: Uuid,
        job: Uuid,
        kind: String,
        at: i64,
    }
    const SQL: &str = "SELECT seq, key, job, kind, at FROM site_order
        WHERE site = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let values = [site.to_string().into(), after.into(), i64::from(limit).into()];
    let rows = tx.all::<OrderRow>(SQL, values).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Order {
                seq: row.seq,
                key: OrderId::from_uuid(row.key),
                job: JobId::from_uuid(row.job),
                kind: OrderKind::named(&row.kind)?,
                at: instant(row.at)?,
            })
        })
        .collect()
}
