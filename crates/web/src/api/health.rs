//! Whether the hub works, for whoever watches over it.

use app::App;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wire::Instant;
use crate::extract::Json;
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(health))
}

/// The hub works.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; otherwise the answer is a problem.
    #[schema(example = "ok")]
    status: String,
    /// The instant the hub believes it is.
    now: Instant,
    /// The version of the program.
    version: String,
}

/// Whether the hub answers and reaches its records.
#[utoipa::path(
    get, path = "/health", tag = "audit", security(()),
    responses((status = 200, body = Health, description = "It does")),
)]
async fn health(State(app): State<App>) -> Result<Json<Health>, Problem> {
    app.health().await.map_err(|_| Problem::new(Kind::Unavailable).retry_after(5))?;
    Ok(Json(Health {
        status: "ok".to_owned(),
        now: app.now().into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}
