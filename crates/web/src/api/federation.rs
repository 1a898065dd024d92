//! The federation: its factories, systems and partitions, and who has which hours.

mod dashboard;
mod dto;

use app::App;
use axum::extract::State;
use serde::Deserialize;
use units::{PartitionKey, Slug};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::Page;
use crate::problem::Problem;
use dto::{FactoryOut, FederationOut, PartitionDetailOut, PoolsOut};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(federation))
        .routes(routes!(dashboard::dashboard))
        .routes(routes!(factories))
        .routes(routes!(factory))
        .routes(routes!(partition))
        .routes(routes!(pools))
}

/// The federation at a glance.
#[utoipa::path(
    get, path = "/federation", tag = "federation", security(()),
    responses((status = 200, body = FederationOut, description = "Programme and totals")),
)]
async fn federation(State(app): State<App>, actor: Actor) -> Result<Json<FederationOut>, Problem> {
    let federation = app.federation(&actor)?;
    Ok(Json(FederationOut::of(federation, &app.federation_summary(&actor)?)))
}

/// Every factory, with its systems and partitions.
#[utoipa::path(
    get, path = "/factories", tag = "federation", security(()),
    responses((status = 200, body = Page<FactoryOut>, description = "The factories")),
)]
async fn factories(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<Page<FactoryOut>>, Problem> {
    let factories = app.federation(&actor)?.factories.values();
    Ok(Json(Page::whole(factories.map(FactoryOut::from))))
}

/// One factory.
#[utoipa::path(
    get, path = "/factories/{key}", tag = "federation", security(()),
    params(("key" = String, Path, description = "Its key", example = "meluxina-ai")),
    responses((status = 200, body = FactoryOut, description = "The factory")),
)]
async fn factory(
    State(app): State<App>,
    actor: Actor,
    Path(key): Path<Slug>,
) -> Result<Json<FactoryOut>, Problem> {
    Ok(Json(app.factory(&actor, &key)?.into()))
}

/// One partition, with its system and factory.
#[utoipa::path(
    get, path = "/partitions/{key}", tag = "federation", security(()),
    params(("key" = String, Path, description = "SYSTEM.PARTITION", example = "meluxina-ai.gpu")),
    responses((status = 200, body = PartitionDetailOut, description = "The partition")),
)]
async fn partition(
    State(app): State<App>,
    actor: Actor,
    Path(key): Path<PartitionKey>,
) -> Result<Json<PartitionDetailOut>, Problem> {
    let served = app.rules().served.contains(&key);
    let (factory, system, partition) = app.partition(&actor, &key)?;
    Ok(Json(PartitionDetailOut::of((factory, system, partition), served)))
}

/// At which instant to look at the pools.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PoolsQuery {
    /// The instant; now, when it is not given.
    at: Option<Instant>,
}

/// Who paid what for a partition, and which hours each payer has in a quarter.
#[utoipa::path(
    get, path = "/partitions/{key}/pools", tag = "federation", security(()),
    params(
        ("key" = String, Path, description = "SYSTEM.PARTITION", example = "meluxina-ai.gpu"),
        PoolsQuery,
    ),
    responses((status = 200, body = PoolsOut, description = "The pools, or why they are unknown")),
)]
async fn pools(
    State(app): State<App>,
    actor: Actor,
    Path(key): Path<PartitionKey>,
    Query(query): Query<PoolsQuery>,
) -> Result<Json<PoolsOut>, Problem> {
    let at = query.at.map_or_else(|| app.now(), |at| at.0);
    let (.., partition) = app.partition(&actor, &key)?;
    let pools = app.partition_pools(&actor, &key, at).await?;
    Ok(Json(PoolsOut::of(pools, partition.meter)))
}
