//! The bytes of a file, by revision and path.

use app::App;
use app::data::Reference;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::Refused;
use super::place::{Place, commit_of};
use crate::api::send;

const COMMIT: HeaderName = HeaderName::from_static("x-repo-commit");
const LINKED_TAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// A file, or what its head says: clients ask for that first, and keep the bytes under the tag.
pub(super) async fn resolve(
    State(app): State<App>,
    method: Method,
    place: Place,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let path = place.path()?;
    let id = place.repository.id;
    let revision = app.revision_named(&place.actor, id, &place.rev).await?;
    let file = app.listed_file(&place.actor, id, revision.id, &path).await?;
    let mut response = if method == Method::HEAD {
        let length = [(header::CONTENT_LENGTH, file.entry.size_bytes.to_string())];
        let plain = [(header::CONTENT_ENCODING, "identity"), (header::ACCEPT_RANGES, "bytes")];
        (StatusCode::OK, length, plain, Body::empty()).into_response()
    } else {
        let content = app.file(&place.actor, id, Reference::Id(revision.id), &path).await?;
        send(&app, &content, &headers).await.unwrap_or_else(IntoResponse::into_response)
    };
    let tag = match file.git {
        Some(git) => format!("\"{git}\""),
        None => format!("\"{}\"", file.entry.sha256),
    };
    for (name, value) in [
        (COMMIT, commit_of(&revision)),
        (LINKED_TAG, tag),
        (LINKED_SIZE, file.entry.size_bytes.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}
