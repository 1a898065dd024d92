//! Revisions of a repository and their lineage.

use app::App;
use app::data::{NewRevision, Reference};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use units::RepositoryId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::dto::{RevisionDetailOut, RevisionIn, RevisionOut};
use super::origin::LineageOut;
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;

/// The longest list of changes, in bytes of JSON.
pub(in crate::api) const COMMIT_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, commit))
        .layer(DefaultBodyLimit::max(COMMIT_BYTES_MAX))
        .routes(routes!(show))
        .routes(routes!(lineage))
}

/// The revisions of a repository, newest first.
#[utoipa::path(
    get, path = "/repositories/{id}/revisions", tag = "data",
    params(("id" = Uuid, Path, description = "The repository"), PageQuery),
    responses((status = 200, body = Page<RevisionOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<RepositoryId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RevisionOut>>, Problem> {
    let limit = page.limit()?;
    let found = app.revisions(&actor, id, page.after()?, limit).await?;
    Ok(Json(Page::new(found, limit, |revision| revision.number)))
}

/// Commit files that were sent before as the next revision. It is refused when the repository has
/// moved on since `parent`.
#[utoipa::path(
    post, path = "/repositories/{id}/revisions", tag = "data",
    params(("id" = Uuid, Path, description = "The repository")),
    request_body = RevisionIn,
    responses((status = 201, body = RevisionOut, description = "It was committed")),
)]
async fn commit(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<RepositoryId>,
    Json(new): Json<RevisionIn>,
) -> Result<Response, Problem> {
    let made = app.commit_revision(&actor, id, NewRevision::try_from(new)?).await?;
    let location = format!("/api/v1/repositories/{id}/revisions/{}", made.id);
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, Json(RevisionOut::from(made))).into_response())
}

/// One revision with its files.
#[utoipa::path(
    get, path = "/repositories/{id}/revisions/{rev}", tag = "data",
    params(
        ("id" = Uuid, Path, description = "The repository"),
        ("rev" = String, Path, description = "`main`, a number, or a revision's identifier"),
    ),
    responses((status = 200, body = RevisionDetailOut, description = "It")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path((id, reference)): Path<(RepositoryId, Reference)>,
) -> Result<Json<RevisionDetailOut>, Problem> {
    Ok(Json(app.revision(&actor, id, reference).await?.into()))
}

/// What a revision was made from, by which job, allocation and code, and what was made from it.
#[utoipa::path(
    get, path = "/repositories/{id}/revisions/{rev}/lineage", tag = "data",
    params(
        ("id" = Uuid, Path, description = "The repository"),
        ("rev" = String, Path, description = "`main`, a number, or a revision's identifier"),
    ),
    responses((status = 200, body = LineageOut, description = "Its lineage")),
)]
async fn lineage(
    State(app): State<App>,
    actor: Actor,
    Path((id, reference)): Path<(RepositoryId, Reference)>,
) -> Result<Json<LineageOut>, Problem> {
    Ok(Json(app.lineage(&actor, id, reference).await?.into()))
}
