//! Applications: written, checked, submitted, withdrawn.

mod dto;

use app::App;
use app::applications::Filter;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use units::{ApplicationId, CallId, OrganisationId};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use dto::{ApplicationIn, ApplicationOut, CheckedOut, DecisionClockOut, WrittenIn};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(list))
        .routes(routes!(show, write))
        .routes(routes!(check))
        .routes(routes!(clock))
        .routes(routes!(submit))
        .routes(routes!(withdraw))
}

/// Which applications to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApplicationsQuery {
    /// Only those under this call.
    call: Option<Uuid>,
    /// Only this organisation's.
    organisation: Option<Uuid>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Begin an application under a call.
#[utoipa::path(
    post, path = "/calls/{id}/applications", tag = "applications",
    params(("id" = Uuid, Path, description = "Under which call")),
    request_body = ApplicationIn,
    responses((status = 201, body = ApplicationOut, description = "The draft")),
)]
async fn begin(
    State(app): State<App>,
    actor: Actor,
    Path(call): Path<CallId>,
    Json(new): Json<ApplicationIn>,
) -> Result<(StatusCode, Json<ApplicationOut>), Problem> {
    let (organisation, draft) = new.read()?;
    let application = app.begin_application(&actor, (call, organisation), draft).await?;
    Ok((StatusCode::CREATED, Json(application.into())))
}

/// The applications that the caller may see, newest first.
#[utoipa::path(
    get, path = "/applications", tag = "applications", params(ApplicationsQuery),
    responses((status = 200, body = Page<ApplicationOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ApplicationsQuery>,
) -> Result<Json<Page<ApplicationOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    let filter = Filter {
        call: query.call.map(CallId::from_uuid),
        organisation: query.organisation.map(OrganisationId::from_uuid),
        before: page.after()?,
        ..Filter::default()
    };
    let found = app.applications(&actor, filter, limit).await?;
    Ok(Json(Page::new(found, limit, |application| application.id)))
}

/// One application.
#[utoipa::path(
    get, path = "/applications/{id}", tag = "applications",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = ApplicationOut, description = "The application")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<ApplicationOut>, Problem> {
    Ok(Json(app.application(&actor, id).await?.into()))
}

/// Write a draft again. `version` is the one that was read; another writer's change is a conflict.
#[utoipa::path(
    put, path = "/applications/{id}", tag = "applications",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = WrittenIn,
    responses((status = 200, body = ApplicationOut, description = "The draft")),
)]
async fn write(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
    Json(written): Json<WrittenIn>,
) -> Result<Json<ApplicationOut>, Problem> {
    Ok(Json(app.write_application(&actor, id, written.read()?).await?.into()))
}

/// Where an application stands, check by check. Nothing is changed.
#[utoipa::path(
    post, path = "/applications/{id}/check", tag = "applications",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = CheckedOut, description = "Every check with its reason")),
)]
async fn check(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<CheckedOut>, Problem> {
    Ok(Json(app.check_application(&actor, id).await?.into()))
}

/// Until when an application that waits for people is to be decided, by the working days of the
/// Union's calendar.
#[utoipa::path(
    get, path = "/applications/{id}/clock", tag = "applications",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = DecisionClockOut, description = "The clock, if one runs")),
)]
async fn clock(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<DecisionClockOut>, Problem> {
    Ok(Json(DecisionClockOut::of(app.decision_clock(&actor, id).await?)))
}

/// Submit a draft. Where the rules decide, the answer is the decision.
#[utoipa::path(
    post, path = "/applications/{id}/submit", tag = "applications",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = ApplicationOut, description = "Submitted, awarded or refused")),
)]
async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<ApplicationOut>, Problem> {
    Ok(Json(app.submit_application(&actor, id).await?.into()))
}

/// Take an application back.
#[utoipa::path(
    post, path = "/applications/{id}/withdraw", tag = "applications",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = ApplicationOut, description = "It is withdrawn")),
)]
async fn withdraw(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ApplicationId>,
) -> Result<Json<ApplicationOut>, Problem> {
    Ok(Json(app.withdraw_application(&actor, id).await?.into()))
}

#[cfg(test)]
mod tests;
