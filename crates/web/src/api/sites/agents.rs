//! The agent of a site: its operator admits it by a code and sends it away; in between its key lets
//! it in.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use site::protocol::{Enrolled, Enrolment, Knock, Rotation, Session};
use units::Slug;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Actor;
use crate::api::wire::Instant;
use crate::extract::{Json, Path};
use crate::idempotency::ShownOnce;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(offer))
        .routes(routes!(enrol, revoke))
        .routes(routes!(open))
        .routes(routes!(rotate))
}

/// A one-time code, to be given to `usine agent enrol` at the site.
#[derive(Serialize, ToSchema)]
struct CodeOut {
    /// It is shown only here.
    code: String,
    /// From when on it admits nobody.
    expires_at: Instant,
}

/// Make a one-time code by which an agent becomes that of the site. A code that was made before and
/// not used stops working.
#[utoipa::path(
    post, path = "/sites/{site}/code", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 201, body = CodeOut, description = "The code")),
)]
async fn offer(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<(StatusCode, ShownOnce<CodeOut>), Problem> {
    let (code, expires_at) = app.offer_site_code(&actor, &site).await?;
    let out = CodeOut { code: code.reveal().to_owned(), expires_at: expires_at.into() };
    Ok((StatusCode::CREATED, ShownOnce(out)))
}

/// Send the agent of the site away: its key and its tokens stop working at once.
#[utoipa::path(
    delete, path = "/sites/{site}/agent", tag = "sites",
    params(("site" = String, Path, description = "The site")),
    responses((status = 204, description = "The site has no agent any more")),
)]
async fn revoke(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
) -> Result<StatusCode, Problem> {
    app.revoke_agent(&actor, &site).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enrol the key that signed as that of the site's agent, by a one-time code. The same key may ask
/// again with the same code, when the answer was lost.
#[utoipa::path(
    post, path = "/sites/{site}/agent", tag = "sites", security(()),
    params(("site" = String, Path, description = "The site")),
    request_body = Enrolment,
    responses((status = 201, body = Enrolled, description = "The key is the site's")),
)]
async fn enrol(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(asked): Json<Enrolment>,
) -> Result<(StatusCode, Json<Enrolled>), Problem> {
    Ok((StatusCode::CREATED, Json(app.enrol_agent(&actor, &site, asked).await?)))
}

/// Open a session by the key of the site: a token for all other calls of its agent.
#[utoipa::path(
    post, path = "/sites/{site}/agent/session", tag = "sites", security(()),
    params(("site" = String, Path, description = "The site")),
    request_body = Knock,
    responses((status = 201, body = Session, description = "The token")),
)]
async fn open(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(asked): Json<Knock>,
) -> Result<(StatusCode, ShownOnce<Session>), Problem> {
    Ok((StatusCode::CREATED, ShownOnce(app.open_agent_session(&actor, &site, asked).await?)))
}

/// Put another key in the place of the one that signed.
#[utoipa::path(
    post, path = "/sites/{site}/agent/key", tag = "sites", security(()),
    params(("site" = String, Path, description = "The site")),
    request_body = Rotation,
    responses((status = 201, body = Enrolled, description = "The other key is the site's")),
)]
async fn rotate(
    State(app): State<App>,
    actor: Actor,
    Path(site): Path<Slug>,
    Json(asked): Json<Rotation>,
) -> Result<(StatusCode, Json<Enrolled>), Problem> {
    Ok((StatusCode::CREATED, Json(app.rotate_agent_key(&actor, &site, asked).await?)))
}
