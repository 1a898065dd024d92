//! What every answer of the API has in common: bare errors become problems, and JSON carries a
//! validator (`ETag`) so that a client need not receive twice what it has.

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{self, Kind, Problem};

/// The largest JSON body that gets a validator.
const VALIDATED_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Gives an error without problem details (an unknown path, a wrong method) the details of its
/// status, keeping headers such as `Allow`.
pub(crate) async fn with_problems(request: Request, next: Next) -> Response {
    let head = request.method() == Method::HEAD;
    let response = next.run(request).await;
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(problem::MEDIA_TYPE.as_bytes()));
    if !(status.is_client_error() || status.is_server_error()) || is_problem || head {
        return response;
    }
    let mut problem = Problem::new(Kind::of(status)).into_response();
    for (name, value) in response.headers() {
        if name == header::ALLOW || name == header::RETRY_AFTER || name == header::CONTENT_RANGE {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

/// Adds a validator to JSON answers, and answers 304 to a client that has this very state.
pub(crate) async fn with_validators(request: Request, next: Next) -> Response {
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let complete = response.body().size_hint().exact();
    let short = complete.is_some_and(|bytes| bytes <= VALIDATED_BYTES_MAX);
    if !readable || response.status() != StatusCode::OK || !short || !is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let limit = usize::try_from(VALIDATED_BYTES_MAX).unwrap_or(usize::MAX);
    let Ok(bytes) = axum::body::to_bytes(body, limit).await else {
        return Problem::new(Kind::Internal).into_response();
    };
    let tag = format!("W/\"{}\"", &blake3::hash(&bytes).to_hex().as_str()[..32]);
    let matches = known.is_some_and(|known| names(&known, &tag));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if matches {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// Whether an `If-None-Match` names `tag`.
fn names(known: &HeaderValue, tag: &str) -> bool {
    known.to_str().is_ok_and(|known| {
        known.trim() == "*" || known.split(',').any(|candidate| candidate.trim() == tag)
    })
}
