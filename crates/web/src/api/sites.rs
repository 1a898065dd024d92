//! Sites: what staff see of them, and what their agents pull and push (`site::protocol`).

mod accounting;
mod agents;
mod health;
mod logins;
mod steps;
mod tenancy;
pub(crate) mod view;

use std::time::Duration;

use app::App;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use site::protocol::{Events, Orders, Receipt, StoredFile};
use units::{JobId, Slug};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use vault::{FilePath, Sha256};

use super::repositories::{announced_length, send};
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::Page;
use crate::problem::{Kind, Problem};
use view::SiteOut;

/// The longest wait for an order, in seconds.
const WAIT_SECONDS_MAX: u32 = 60;
/// The longest batch of events, in bytes of JSON.
pub(super) const EVENTS_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report))
        .layer(DefaultBodyLimit::max(EVENTS_BYTES_MAX))
        .routes(routes!(list))
        .routes(routes!(show))
        .merge(accounting::routes())
        .merge(agents::routes())
        .merge(health::routes())
        .merge(logins::routes())
        .merge(steps::routes())
        .merge(tenancy::routes())
        .routes(routes!(orders))
        .routes(routes!(input))
        .routes(routes!(output))
}

/// The sites that the caller may see.
#[utoipa::path(
    get, path = "/sites", tag = "sites",
    responses((status = 200, body = Page<SiteOut>, description = "All of them")),
)]
async fn list(State(app): State<App>, actor: Actor) -> Result<Json<Page<SiteOut>>, Problem> {
    Ok(Json(Page::whole(app.sites(&actor).await?)))
}

/// One site: what it has, whether its agent works, when it called last.
#[utoipa::path(
    get, path = "/sites/{site}", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 200, body = SiteOut, description = "The site")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<Json<SiteOut>, Problem> {
    Ok(Json(app.site(&actor, &site).await?.into()))
}

/// From where on, and how long to wait.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrdersQuery {
    /// The number of the last order that was seen; 0 for all.
    #[param(minimum = 0, default = 0)]
    after: Option<i64>,
    /// How long to wait for an order when there is none.
    #[param(minimum = 0, maximum = 60, default = 0)]
    wait_seconds: Option<u32>,
}

/// Orders for a site, as soon as there are any.
#[utoipa::path(
    get, path = "/sites/{site}/orders", tag = "sites",
    params(("site" = String, Path, description = "The caller's site"), OrdersQuery),
    responses((status = 200, body = Orders, description = "What the hub wants it to do")),
)]
async fn orders(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<Orders>, Problem> {
    let wait_seconds = query.wait_seconds.unwrap_or_default();
    let after = query.after.unwrap_or_default();
    if wait_seconds > WAIT_SECONDS_MAX || after < 0 {
        let detail = format!("after is not negative, wait_seconds is at most {WAIT_SECONDS_MAX}");
        return Err(Problem::with(Kind::BadRequest, detail));
    }
    let wait = Duration::from_secs(u64::from(wait_seconds));
    Ok(Json(app.site_orders(&actor, &site, after, wait).await?))
}

/// Take in what a site has to tell. Every event is taken in once, however often it comes.
#[utoipa::path(
    post, path = "/sites/{site}/events", tag = "sites",
    params(("site" = String, Path, description = "The caller's site")),
    request_body = Events,
    responses((status = 200, body = Receipt, description = "All of it is durable")),
)]
async fn report(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(events): Json<Events>,
) -> Result<Json<Receipt>, Problem> {
    Ok(Json(app.take_events(&actor, &site, events).await?))
}

/// Read a file that a job of the site reads.
#[utoipa::path(
    get, path = "/sites/{site}/jobs/{job}/inputs/{mount}/{*path}", tag = "sites",
    params(
        ("site" = String, Path, description = "The caller's site"),
        ("job" = Uuid, Path, description = "The job"),
        ("mount" = String, Path, description = "The mount"),
        ("path" = String, Path, description = "Where the file stands in the revision"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "The file"),
        (status = 206, content_type = "application/octet-stream", description = "The part"),
        (status = 304, description = "The caller has it"),
        (status = 416, description = "The file does not reach that far",
            content_type = "application/problem+json", body = crate::problem::ProblemBody),
    ),
)]
async fn input(
    State(app): State<App>,
    actor: Actor,
    Path((site, job, mount, path)): Path<(Slug, JobId, Slug, FilePath)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let content = app.site_input(&actor, (&site, job), &mount, &path).await?;
    send(&app, &content, &headers).await
}

/// What is announced of a file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OutputQuery {
    /// SHA-256 of the content, in lower-case hexadecimal.
    #[param(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
}

/// Take in a file that a job of the site wrote. It is kept only if it has the announced digest;
/// sending it again is harmless.
#[utoipa::path(
    put, path = "/sites/{site}/jobs/{job}/outputs/{output}/{*path}", tag = "sites",
    params(
        ("site" = String, Path, description = "The caller's site"),
        ("job" = Uuid, Path, description = "The job"),
        ("output" = String, Path, description = "The output"),
        ("path" = String, Path, description = "Where the file stands in the output"),
        OutputQuery,
    ),
    request_body(content_type = "application/octet-stream", description = "The content"),
    responses((status = 201, body = StoredFile, description = "The vault has it")),
)]
async fn output(
    State(app): State<App>,
    actor: Actor,
    Path((site, job, output, path)): Path<(Slug, JobId, Slug, FilePath)>,
    Query(query): Query<OutputQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<StoredFile>), Problem> {
    let sha256: Sha256 = query
        .sha256
        .parse()
        .map_err(|error: vault::NotADigest| Problem::with(Kind::BadRequest, error.to_string()))?;
    let announced = (sha256, announced_length(&headers)?);
    let stored = body.into_data_stream();
    let blob = app.site_output(&actor, (&site, job), &output, announced, stored).await?;
    let file = StoredFile {
        path: path.to_string(),
        size_bytes: blob.size_bytes,
        sha256: blob.sha256.to_string(),
    };
    Ok((StatusCode::CREATED, Json(file)))
}
