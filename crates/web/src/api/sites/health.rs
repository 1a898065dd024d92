//! Whether sites can take work, and why not.

use app::App;
use app::sites::{PartitionStatus, SiteHealth};
use axum::extract::State;
use jobs::readiness::{Obstacle, Readiness};
use serde::{Deserialize, Serialize};
use units::Slug;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::api::wire::Instant;
use crate::extract::{Json, Path};
use crate::page::Page;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(status))
        .routes(routes!(health))
        .routes(routes!(drain, resume))
}

/// Something that stands in the way of work.
#[derive(Serialize, ToSchema)]
struct ObstacleOut {
    /// `not-enrolled`, `silent`, `agent-away`, `dismissed`, `drained`, `failing`, `closed`,
    /// `nodes-away`, `maintenance`, `accounting-behind`, `clock-off` or `queue`.
    #[schema(example = "nodes-away")]
    kind: &'static str,
    /// `blocks` (nothing can start), `limits` (there is less room than usual) or `note`.
    #[schema(example = "limits")]
    weight: &'static str,
    /// What it is, for people.
    #[schema(example = "nothing can start on 1 of 4 nodes")]
    text: String,
}

impl From<&Obstacle> for ObstacleOut {
    fn from(obstacle: &Obstacle) -> Self {
        Self { kind: obstacle.kind(), weight: obstacle.weight().name(), text: obstacle.to_string() }
    }
}

fn obstacles(readiness: &Readiness) -> Vec<ObstacleOut> {
    readiness.obstacles.iter().map(Into::into).collect()
}

/// Whether a partition can take work now.
#[derive(Serialize, ToSchema)]
struct PartitionStatusOut {
    factory: String,
    partition: String,
    /// The site that carries its jobs out.
    site: String,
    /// `work`, `less` (part of it is away) or `nothing`.
    #[schema(example = "work")]
    takes: &'static str,
    /// What stands in the way, the heaviest first.
    obstacles: Vec<ObstacleOut>,
}

impl From<PartitionStatus> for PartitionStatusOut {
    fn from(status: PartitionStatus) -> Self {
        Self {
            factory: status.factory.to_string(),
            partition: status.partition.to_string(),
            site: status.site.to_string(),
            takes: status.readiness.takes().name(),
            obstacles: obstacles(&status.readiness),
        }
    }
}

/// A node on which nothing starts.
#[derive(Serialize, ToSchema)]
struct NodeAwayOut {
    name: String,
    /// `draining`, `drained`, `maintenance`, `rebooting`, `off`, `failing`, `down` or `unknown`.
    #[schema(example = "drained")]
    condition: &'static str,
    /// What its administrator wrote about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Instant>,
}

/// How busy a site is, by what it showed last.
#[derive(Serialize, ToSchema)]
struct LoadOut {
    nodes: i64,
    /// Nodes on which jobs may start.
    nodes_up: i64,
    /// Jobs that run, also for others than the hub.
    running: i64,
    /// Jobs that wait for room.
    waiting: i64,
}

/// Whether a site can take work, for its staff.
#[derive(Serialize, ToSchema)]
pub(super) struct SiteHealthOut {
    site: String,
    partition: String,
    /// `work`, `less` (part of it is away) or `nothing`.
    #[schema(example = "work")]
    takes: &'static str,
    /// What stands in the way, the heaviest first.
    obstacles: Vec<ObstacleOut>,
    /// Nodes on which nothing starts.
    nodes_away: Vec<NodeAwayOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<LoadOut>,
    /// When the site last told of a change in what keeps it from work.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_at: Option<Instant>,
}

impl From<SiteHealth> for SiteHealthOut {
    fn from(health: SiteHealth) -> Self {
        let away = health.away.into_iter().map(|node| NodeAwayOut {
            name: node.name,
            condition: node.condition.name(),
            reason: node.reason,
            since: node.since.map(Into::into),
        });
        Self {
            site: health.settings.name.to_string(),
            partition: health.settings.partition.to_string(),
            takes: health.readiness.takes().name(),
            obstacles: obstacles(&health.readiness),
            nodes_away: away.collect(),
            load: health.load.map(|load| LoadOut {
                nodes: load.nodes,
                nodes_up: load.nodes_up,
                running: load.running,
                waiting: load.waiting,
            }),
            told_at: health.told_at.map(Into::into),
        }
    }
}

/// Whether each partition can take work now, and why not.
#[utoipa::path(
    get, path = "/status", tag = "sites", security(()),
    responses((status = 200, body = Page<PartitionStatusOut>, description = "All of them")),
)]
async fn status(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<Page<PartitionStatusOut>>, Problem> {
    Ok(Json(Page::whole(app.status(&actor).await?)))
}

/// Whether the site can take work now, why not, and which nodes are away.
#[utoipa::path(
    get, path = "/sites/{site}/health", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 200, body = SiteHealthOut, description = "How it stands")),
)]
async fn health(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<Json<SiteHealthOut>, Problem> {
    Ok(Json(app.site_health(&actor, &site).await?.into()))
}

/// Why a site is to take no more jobs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DrainIn {
    /// In one line, for users.
    #[schema(min_length = 1, max_length = 300, example = "cooling is repaired until Monday")]
    reason: String,
}

/// Let the site take no more jobs. What runs and waits there goes on; new jobs are refused with the
/// reason, and placement chooses other sites.
#[utoipa::path(
    put, path = "/sites/{site}/drain", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    request_body = DrainIn,
    responses((status = 200, body = SiteHealthOut, description = "How it stands")),
)]
async fn drain(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(asked): Json<DrainIn>,
) -> Result<Json<SiteHealthOut>, Problem> {
    Ok(Json(app.drain_site(&actor, &site, &asked.reason).await?.into()))
}

/// Let the site take jobs again.
#[utoipa::path(
    delete, path = "/sites/{site}/drain", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 200, body = SiteHealthOut, description = "How it stands")),
)]
async fn resume(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<Json<SiteHealthOut>, Problem> {
    Ok(Json(app.resume_site(&actor, &site).await?.into()))
}
