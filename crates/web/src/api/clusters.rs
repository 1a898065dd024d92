//! The machines behind partitions, for everybody with an account.

use app::App;
use app::sites::{Cluster, Node};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::extract::Json;
use crate::page::Page;
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A node of a machine.
#[derive(Serialize, ToSchema)]
struct NodeOut {
    name: String,
    /// Whether new jobs may start on it.
    up: bool,
    cores: u32,
    /// Cores that jobs have.
    cores_taken: u32,
    gpus: u32,
    /// GPUs that jobs have.
    gpus_taken: u32,
    memory_mb: u64,
    /// What jobs may ask for by name.
    features: Vec<String>,
}

/// The machine behind a partition.
#[derive(Serialize, ToSchema)]
struct ClusterOut {
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    /// Whether its site's agent calls, so that jobs could be ordered now.
    answers: bool,
    /// Whether jobs start there, in Slurm's word: `up`, `drain`, `inact` or `down`.
    #[schema(example = "up")]
    availability: &'static str,
    /// The longest time limit of a job.
    time_limit_max_seconds: u32,
    /// By name; none where the site does not show any.
    nodes: Vec<NodeOut>,
}

impl From<Node> for NodeOut {
    fn from(node: Node) -> Self {
        Self {
            name: node.name,
            up: node.up,
            cores: node.cores.0,
            cores_taken: node.cores.1,
            gpus: node.gpus.0,
            gpus_taken: node.gpus.1,
            memory_mb: node.memory_mb,
            features: node.features,
        }
    }
}

impl From<Cluster> for ClusterOut {
    fn from(cluster: Cluster) -> Self {
        Self {
            partition: cluster.partition.to_string(),
            answers: cluster.answers,
            availability: cluster.availability,
            time_limit_max_seconds: cluster.time_limit_max_seconds,
            nodes: cluster.nodes.into_iter().map(Into::into).collect(),
        }
    }
}

/// Every partition that a site serves, with its nodes and how much of each jobs have.
#[utoipa::path(
    get, path = "/clusters", tag = "sites",
    responses((status = 200, body = Page<ClusterOut>, description = "All of them, by partition")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<ClusterOut>>, Problem> {
    Ok(Json(Page::whole(app.clusters(&actor).await?)))
}
