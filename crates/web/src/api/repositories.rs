//! Datasets and models: repositories, and what each revision of them holds and comes from.

mod dto;
mod files;
mod origin;
mod revisions;

use app::App;
use app::data::{Filter, NewRepository};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use units::{ProjectId, RepositoryId};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub(crate) use files::{announced_length, send};
pub(super) use revisions::COMMIT_BYTES_MAX;

use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::{Kind, Problem};
use dto::{RepositoryIn, RepositoryOut};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(of_project, create))
        .routes(routes!(show))
        .merge(revisions::routes())
        .merge(files::routes())
}

/// Which repositories to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RepositoriesQuery {
    /// Only this project's.
    project: Option<Uuid>,
    /// Only `dataset` or only `model`.
    kind: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// Datasets and models that the caller may read, newest first.
#[utoipa::path(
    get, path = "/repositories", tag = "data", params(RepositoriesQuery),
    responses((status = 200, body = Page<RepositoryOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<RepositoriesQuery>,
) -> Result<Json<Page<RepositoryOut>>, Problem> {
    let project = query.project.map(ProjectId::from_uuid);
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    listed(&app, &actor, project, query.kind.as_deref(), &page).await
}

/// Which repositories of a project to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfProjectQuery {
    /// Only `dataset` or only `model`.
    kind: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// A project's datasets and models that the caller may read, newest first.
#[utoipa::path(
    get, path = "/projects/{id}/repositories", tag = "data",
    params(("id" = Uuid, Path, description = "The project"), OfProjectQuery),
    responses((status = 200, body = Page<RepositoryOut>, description = "One page of them")),
)]
async fn of_project(
    State(app): State<App>,
    actor: Actor,
    Path(project): Path<ProjectId>,
    Query(query): Query<OfProjectQuery>,
) -> Result<Json<Page<RepositoryOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    listed(&app, &actor, Some(project), query.kind.as_deref(), &page).await
}

async fn listed(
    app: &App,
    actor: &Actor,
    project: Option<ProjectId>,
    kind: Option<&str>,
    page: &PageQuery,
) -> Result<Json<Page<RepositoryOut>>, Problem> {
    let kind = kind.map(str::parse).transpose();
    let kind =
        kind.map_err(|error: vault::NotAKind| Problem::with(Kind::BadRequest, error.to_string()))?;
    let limit = page.limit()?;
    let filter = Filter { project, kind, name: None, before: page.after()? };
    let found = app.repositories(actor, &filter, limit).await?;
    Ok(Json(Page::new(found, limit, |repository| repository.id)))
}

/// Make an empty dataset or model in a project.
#[utoipa::path(
    post, path = "/projects/{id}/repositories", tag = "data",
    params(("id" = Uuid, Path, description = "The project")),
    request_body = RepositoryIn,
    responses((status = 201, body = RepositoryOut, description = "It was made")),
)]
async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(project): Path<ProjectId>,
    Json(new): Json<RepositoryIn>,
) -> Result<Response, Problem> {
    let new = NewRepository::try_from(new)?;
    let made = app.create_repository(&actor, project, new).await?;
    let location = [(header::LOCATION, format!("/api/v1/repositories/{}", made.id))];
    Ok((StatusCode::CREATED, location, Json(RepositoryOut::from(made))).into_response())
}

/// One dataset or model.
#[utoipa::path(
    get, path = "/repositories/{id}", tag = "data",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = RepositoryOut, description = "It")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<RepositoryId>,
) -> Result<Json<RepositoryOut>, Problem> {
    Ok(Json(app.repository(&actor, id).await?.into()))
}

#[cfg(test)]
mod tests;
