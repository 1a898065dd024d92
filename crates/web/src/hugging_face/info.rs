//! What there is: one repository, or all that the caller may read.

use app::App;
use app::data::{Filter, ListedFile, Repository, Revision};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::{Extension, http::StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use units::RepositoryId;
use vault::{Kind, Sensitivity};

use super::answer::Refused;
use super::place::{Base, Place, commit_of, instant, segment};
use super::tree::file_facts;
use crate::Actor;
use crate::extract::Query;

/// How many repositories one page holds unless the client says otherwise.
const PAGE: u32 = 100;

/// What a client wants to know of a repository beyond its names.
#[derive(Deserialize)]
pub(super) struct ShowQuery {
    /// Whether sizes and digests of files are wanted.
    #[serde(default)]
    blobs: Option<String>,
}

/// One repository as its main branch stands.
pub(super) async fn show(
    State(app): State<App>,
    place: Place,
    Query(query): Query<ShowQuery>,
) -> Result<Json<Value>, Refused> {
    let revision = match place.repository.head {
        Some(_) => Some(app.revision_named(&place.actor, place.repository.id, "main").await?),
        None => None,
    };
    described(&app, &place, revision.as_ref(), &query).await
}

/// One repository as it stood at a revision.
pub(super) async fn show_at(
    State(app): State<App>,
    place: Place,
    Query(query): Query<ShowQuery>,
) -> Result<Json<Value>, Refused> {
    let revision = app.revision_named(&place.actor, place.repository.id, &place.rev).await?;
    described(&app, &place, Some(&revision), &query).await
}

/// Whether the caller may read the repository: the extractor has found so.
pub(super) async fn check(_place: Place) -> StatusCode {
    StatusCode::OK
}

async fn described(
    app: &App,
    place: &Place,
    revision: Option<&Revision>,
    query: &ShowQuery,
) -> Result<Json<Value>, Refused> {
    let mut facts = facts(&place.repository, &place.id());
    if let Some(revision) = revision {
        let files = app.listing(&place.actor, place.repository.id, revision.id).await?;
        let blobs = query.blobs.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let sibling = |file: &ListedFile| {
            let mut sibling = if blobs { file_facts(file) } else { Map::new() };
            if let Some(oid) = sibling.remove("oid") {
                sibling.insert("blobId".to_owned(), oid);
            }
            sibling.insert("rfilename".to_owned(), json!(file.path.as_str()));
            Value::Object(sibling)
        };
        facts.insert("sha".to_owned(), json!(commit_of(revision)));
        facts.insert("lastModified".to_owned(), json!(instant(revision.created_at)));
        facts.insert("siblings".to_owned(), files.iter().map(sibling).collect());
        facts.insert("usedStorage".to_owned(), json!(revision.size_bytes));
    }
    Ok(Json(Value::Object(facts)))
}

/// What can be said of a repository without its files.
fn facts(repository: &Repository, id: &str) -> Map<String, Value> {
    let author = id.split('/').next().unwrap_or_default();
    let mut tags = vec![format!("sensitivity:{}", repository.sensitivity)];
    tags.extend(
        repository
            .licence
            .as_ref()
            .map(|licence| format!("license:{}", licence.as_str().to_ascii_lowercase())),
    );
    let mut facts = Map::new();
    for (name, value) in [
        ("_id", json!(repository.id.to_string())),
        ("id", json!(id)),
        ("author", json!(author)),
        ("private", json!(repository.sensitivity != Sensitivity::Open)),
        ("gated", json!(false)),
        ("disabled", json!(false)),
        ("createdAt", json!(instant(repository.created_at))),
        ("downloads", json!(0)),
        ("likes", json!(0)),
        ("tags", json!(tags)),
    ] {
        facts.insert(name.to_owned(), value);
    }
    if repository.kind == Kind::Model {
        facts.insert("modelId".to_owned(), json!(id));
    }
    facts
}

/// Which repositories a client looks for.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    search: Option<String>,
    author: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Repositories that the caller may read, newest first.
pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    Extension(kind): Extension<Kind>,
    base: Base,
    Query(query): Query<ListQuery>,
) -> Result<(HeaderMap, Json<Value>), Refused> {
    let before = query.cursor.as_deref().map(str::parse::<RepositoryId>).transpose();
    let before = before.map_err(|error| Refused::bad(error.to_string()))?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let (owner, name) = wanted(&query);
    let project = match owner {
        None => None,
        Some(owner) => match app.project_called(&actor, owner).await? {
            Some(project) => Some(project),
            None => return Ok((HeaderMap::new(), Json(json!([])))),
        },
    };
    let name = name.map(str::to_owned);
    let filter = Filter { project, kind: Some(kind), name, before };
    let found = app.repositories(&actor, &filter, limit).await?;
    let owners = app.owners(&found).await?;
    let entries: Vec<Value> = found
        .iter()
        .filter_map(|repository| {
            let owner = owners.get(&repository.project)?;
            let id = format!("{owner}/{}", repository.name);
            Some(Value::Object(facts(repository, &id)))
        })
        .collect();
    let full = u32::try_from(found.len()).is_ok_and(|count| count >= limit);
    let last = found.last().filter(|_| full);
    Ok((next_page(&base, kind, &query, last), Json(Value::Array(entries))))
}

/// The owner and the part of a name that a search means: `OWNER/NAME` means both.
fn wanted(query: &ListQuery) -> (Option<&str>, Option<&str>) {
    let search = query.search.as_deref().filter(|text| !text.is_empty());
    match (query.author.as_deref(), search.and_then(|text| text.split_once('/'))) {
        (None, Some((owner, name))) => (Some(owner), Some(name)),
        (author, _) => (author, search),
    }
}

fn next_page(base: &Base, kind: Kind, query: &ListQuery, last: Option<&Repository>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(last) = last else { return headers };
    let mut address = format!("{}/api/{kind}s?cursor={}", base.0, last.id);
    let limit = query.limit.map(|limit| limit.to_string());
    let given = [("search", &query.search), ("author", &query.author), ("limit", &limit)];
    for (name, value) in given {
        if let Some(value) = value {
            address.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    if let Ok(link) = HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")) {
        headers.insert(header::LINK, link);
    }
    headers
}
