//! Branches, tags and the commits behind them.

use app::App;
use app::data::{RefKind, Revision};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use vault::RefName;

use super::answer::Refused;
use super::place::{Base, Place, commit_of, instant};
use crate::extract::Query;

/// How many commits one page holds.
const PAGE: u32 = 50;

/// Every branch and tag.
pub(super) async fn refs(State(app): State<App>, place: Place) -> Result<Json<Value>, Refused> {
    let found = app.refs(&place.actor, place.repository.id).await?;
    let entry = |name: &str, folder: &str, revision: &Revision| {
        json!({
            "name": name,
            "ref": format!("refs/{folder}/{name}"),
            "targetCommit": commit_of(revision),
        })
    };
    let mut branches: Vec<Value> =
        found.main.iter().map(|revision| entry(RefName::MAIN, "heads", revision)).collect();
    let mut tags = Vec::new();
    for (named, revision) in &found.others {
        match named.kind {
            RefKind::Branch => branches.push(entry(named.name.as_str(), "heads", revision)),
            RefKind::Tag => tags.push(entry(named.name.as_str(), "tags", revision)),
        }
    }
    Ok(Json(json!({ "branches": branches, "tags": tags, "converts": [], "pullRequests": [] })))
}

/// Where a page of commits begins.
#[derive(Deserialize)]
pub(super) struct CommitsQuery {
    /// The commit to go on from.
    #[serde(default)]
    cursor: Option<String>,
}

/// The commits that led to a revision, newest first.
pub(super) async fn commits(
    State(app): State<App>,
    place: Place,
    base: Base,
    Query(query): Query<CommitsQuery>,
) -> Result<(HeaderMap, Json<Value>), Refused> {
    let id = place.repository.id;
    let from = query.cursor.as_deref().unwrap_or(&place.rev);
    let newest = app.revision_named(&place.actor, id, from).await?;
    let mut line = app.line(&place.actor, id, newest.id, PAGE.saturating_add(1)).await?;
    let mut headers = HeaderMap::new();
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    if let Some(next) = line.get(page) {
        let (kind, cursor) = (place.repository.kind, commit_of(next));
        let address =
            format!("{}/api/{kind}s/{}/commits/{cursor}?cursor={cursor}", base.0, place.id());
        if let Ok(link) = HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")) {
            headers.insert(header::LINK, link);
        }
        line.truncate(page);
    }
    Ok((headers, Json(line.iter().map(told).collect())))
}

fn told(revision: &Revision) -> Value {
    let (title, rest) = revision.message.split_once('\n').unwrap_or((&revision.message, ""));
    json!({
        "id": commit_of(revision),
        "title": title,
        "message": rest.trim_start_matches('\n'),
        "date": instant(revision.created_at),
        "authors": [{ "user": revision.created_by }],
    })
}

/// Where a branch begins.
#[derive(Default, Deserialize)]
pub(super) struct NewBranch {
    #[serde(rename = "startingPoint")]
    start: Option<String>,
}

/// Makes a branch at a revision, or where the main branch stands.
pub(super) async fn branch(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewBranch>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let start = new.start.as_deref().unwrap_or(RefName::MAIN);
    make(&app, &place, (RefKind::Branch, &place.rev), start).await
}

/// What a tag is called.
#[derive(Deserialize)]
pub(super) struct NewTag {
    tag: String,
}

/// Gives a revision a tag.
pub(super) async fn tag(
    State(app): State<App>,
    place: Place,
    Json(new): Json<NewTag>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    make(&app, &place, (RefKind::Tag, &new.tag), &place.rev).await
}

async fn make(
    app: &App,
    place: &Place,
    (kind, name): (RefKind, &str),
    at: &str,
) -> Result<(StatusCode, Json<Value>), Refused> {
    if name == RefName::MAIN {
        let text = "every repository has the branch main, and nothing else of that name";
        return Err(Refused::new(StatusCode::CONFLICT, text));
    }
    let name: RefName =
        name.parse().map_err(|error: vault::NotARef| Refused::bad(error.to_string()))?;
    let made = app.create_ref(&place.actor, place.repository.id, (kind, name), at).await?;
    Ok((StatusCode::CREATED, Json(json!({ "name": made.name.as_str() }))))
}

/// Takes a branch away.
pub(super) async fn unbranch(State(app): State<App>, place: Place) -> Result<StatusCode, Refused> {
    remove(&app, &place, RefKind::Branch).await
}

/// Takes a tag away.
pub(super) async fn untag(State(app): State<App>, place: Place) -> Result<StatusCode, Refused> {
    remove(&app, &place, RefKind::Tag).await
}

async fn remove(app: &App, place: &Place, kind: RefKind) -> Result<StatusCode, Refused> {
    if place.rev == RefName::MAIN {
        return Err(Refused::new(StatusCode::FORBIDDEN, "the branch main stays"));
    }
    let name: RefName =
        place.rev.parse().map_err(|_| Refused::missing(super::answer::Code::Revision))?;
    app.delete_ref(&place.actor, place.repository.id, (kind, &name)).await?;
    Ok(StatusCode::OK)
}
