//! The JSON API under `/api/v1`, one module a noun, and its OpenAPI document.

pub(crate) mod aid;
mod alerts;
mod allocations;
mod answers;
mod applications;
mod audit;
mod calls;
mod clusters;
mod decisions;
mod devices;
mod estimates;
mod federation;
mod forecasts;
mod grants;
mod health;
mod history;
mod identities;
mod invitations;
mod jobs;
mod ledger;
mod metrics;
mod notices;
mod organisations;
mod people;
mod projects;
mod reports;
mod repositories;
mod review;
mod services;
mod session;
mod sites;
mod ssh;
mod statements;
mod tokens;
mod verdicts;
mod webhooks;
pub mod wire;

use std::sync::Arc;

use app::App;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::idempotency::Operations;
use crate::problem::{ProblemBody, Reason};
use crate::{auth, idempotency, openapi};

pub(crate) use repositories::send;

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(ProblemBody, Reason)))]
struct Declared;

/// Every noun's routes.
fn nouns() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(aid::routes())
        .merge(alerts::routes())
        .merge(allocations::routes())
        .merge(applications::routes())
        .merge(audit::routes())
        .merge(calls::routes())
        .merge(decisions::routes())
        .merge(devices::routes())
        .merge(estimates::routes())
        .merge(federation::routes())
        .merge(forecasts::routes())
        .merge(grants::routes())
        .merge(health::routes())
        .merge(history::routes())
        .merge(identities::routes())
        .merge(invitations::routes())
        .merge(jobs::routes())
        .merge(ledger::routes())
        .merge(metrics::routes())
        .merge(notices::routes())
        .merge(organisations::routes())
        .merge(people::routes())
        .merge(projects::routes())
        .merge(reports::routes())
        .merge(repositories::routes())
        .merge(review::routes())
        .merge(services::routes())
        .merge(session::routes())
        .merge(clusters::routes())
        .merge(sites::routes())
        .merge(ssh::routes())
        .merge(statements::routes())
        .merge(tokens::routes())
        .merge(verdicts::routes())
        .merge(webhooks::routes())
}

/// Routes that take more than the usual size of a body, with how much.
const LARGE: [(&str, usize); 3] = [
    ("/api/v1/projects/{id}/jobs", jobs::SUBMISSION_BYTES_MAX),
    ("/api/v1/repositories/{id}/revisions", repositories::COMMIT_BYTES_MAX),
    ("/api/v1/sites/{site}/events", sites::EVENTS_BYTES_MAX),
];

/// The whole API below `/api/v1`, with its document.
pub(crate) fn router(app: &App) -> Router<App> {
    let (router, declared) =
        OpenApiRouter::with_openapi(Declared::openapi()).nest("/api/v1", nouns()).split_for_parts();
    let document: Arc<str> = openapi::document(&declared).to_string().into();
    let operations = Operations::of(&declared, &LARGE);
    let serve = move || {
        let document = Arc::clone(&document);
        async move { openapi(&document) }
    };
    router
        .route("/api/v1/openapi.json", get(serve))
        .layer(middleware::from_fn_with_state((app.clone(), operations), idempotency::once))
        .layer(middleware::from_fn(answers::with_validators))
        .layer(middleware::from_fn(answers::with_problems))
        .layer(middleware::from_fn(auth::from_our_pages))
}

/// The OpenAPI document of this service.
pub fn document() -> Value {
    let declared =
        OpenApiRouter::with_openapi(Declared::openapi()).nest("/api/v1", nouns()).into_openapi();
    openapi::document(&declared)
}

fn openapi(document: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document.to_owned()).into_response()
}
