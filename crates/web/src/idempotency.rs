//! `Idempotency-Key`: a repeated unsafe call is answered as the first was, and does nothing.
//!
//! Bodies of bytes are not covered: an upload names its content by hash, so repeating it is
//! harmless by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::App;
use app::idempotency::{Answer, Keyed, Remembered};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::OpenApi;

use crate::Actor;
use crate::extract::{Json, unreadable};
use crate::problem::{Kind, Problem};

/// The header that names a request.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that tells a repeated answer from a first one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest answer that is remembered, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A body that holds a secret: it is sent once and never remembered.
#[derive(Debug)]
pub(crate) struct ShownOnce<T>(pub(crate) T);

/// Marks an answer that must not be remembered.
#[derive(Clone, Copy, Debug)]
struct NotKept;

impl<T: Serialize> IntoResponse for ShownOnce<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(NotKept);
        response
    }
}

/// The operations of the API: the only requests whose keys are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Operations {
    known: Arc<BTreeSet<(String, String)>>,
    large: &'static [(&'static str, usize)],
}

impl Operations {
    /// Those that the document declares; a body with a key is read before its route is reached, so
    /// the routes that take `large` ones are named with how much they take.
    pub(crate) fn of(document: &OpenApi, large: &'static [(&'static str, usize)]) -> Self {
        let document = serde_json::to_value(&document.paths).unwrap_or_default();
        let paths = document.as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(|item| item.keys());
            methods.map(|method| (path.clone(), method.to_uppercase()))
        });
        Self { known: Arc::new(operations.collect()), large }
    }

    /// Lets the body of a request be as large as its route takes it, if somebody known sends it.
    fn make_room(&self, request: &mut Request) {
        let caller = request.extensions().get::<Actor>();
        if caller.is_none_or(|caller| *caller.subject() == app::Subject::Anonymous) {
            return;
        }
        let path = request.extensions().get::<MatchedPath>().cloned();
        let is_its =
            |(large, _): &&(&str, usize)| path.as_ref().is_some_and(|it| it.as_str() == *large);
        if let Some((_, bytes)) = self.large.iter().find(is_its) {
            DefaultBodyLimit::max(*bytes).apply(request);
        }
    }

    fn declare(&self, request: &Request) -> bool {
        let Some(path) = request.extensions().get::<MatchedPath>() else {
            return false;
        };
        self.known.contains(&(path.as_str().to_owned(), request.method().as_str().to_owned()))
    }
}

/// Answers a repeated request from memory; carries out and remembers a new one.
pub(crate) async fn once(
    State((app, operations)): State<(App, Operations)>,
    mut request: Request,
    next: Next,
) -> Response {
    // A method that a path does not have is refused as such, whatever key it carries.
    if !operations.declare(&request) {
        return next.run(request).await;
    }
    operations.make_room(&mut request);
    match keyed(request).await {
        Err(problem) => problem.into_response(),
        Ok((request, None)) => next.run(request).await,
        Ok((request, Some(keyed))) => match app.reserve_key(&keyed).await {
            Err(error) => Problem::from(error).into_response(),
            Ok(Remembered::New) => {
                let response = app.carry_out(keyed.clone(), next.run(request)).await;
                carried_out(&app, &keyed, response).await
            }
            Ok(Remembered::Answered(answer)) => again(answer),
            Ok(Remembered::Pending) => {
                let detail = "a request with this idempotency key is being carried out; repeat it \
                    in a moment for its answer";
                Problem::with(Kind::Conflict, detail).into_response()
            }
            Ok(Remembered::Done) => {
                let detail = "a request with this idempotency key was carried out, and its answer \
                    is on its way or was lost; look at what it made before you try again with \
                    another key";
                Problem::with(Kind::Conflict, detail).into_response()
            }
            Ok(Remembered::Other) => {
                let detail = "the idempotency key came before with another request";
                Problem::with(Kind::KeyReused, detail).into_response()
            }
        },
    }
}

/// The request, whole again, and the key it carries with what makes it this request.
async fn keyed(request: Request) -> Result<(Request, Option<Keyed>), Problem> {
    let headers = request.headers();
    let bytes = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/octet-stream"));
    let Some(key) = headers.get(KEY).filter(|_| !request.method().is_safe() && !bytes) else {
        return Ok((request, None));
    };
    let key = legible(key)?;
    let caller = match request.extensions().get::<Actor>() {
        Some(actor) => actor.subject().clone(),
        None => app::Subject::Anonymous,
    };
    let (parts, body) = request.into_parts();
    let buffered = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(buffered, &()).await.map_err(unreadable)?;
    let mut hasher = blake3::Hasher::new();
    for part in [parts.method.as_str().as_bytes(), parts.uri.to_string().as_bytes(), &body] {
        hasher.update(&part.len().to_le_bytes()).update(part);
    }
    let request = hasher.finalize().to_hex().to_string();
    Ok((Request::from_parts(parts, Body::from(body)), Some(Keyed { caller, key, request })))
}

/// The key as text.
fn legible(key: &HeaderValue) -> Result<String, Problem> {
    let visible = key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(text) if visible && (1..=255).contains(&text.len()) => Ok(text.to_owned()),
        _ => {
            let detail = "an idempotency key is 1 to 255 visible ASCII characters";
            Err(Problem::with(Kind::BadRequest, detail))
        }
    }
}

/// Remembers how a request was answered. A request that failed or was not let in may be repeated.
async fn carried_out(app: &App, keyed: &Keyed, response: Response) -> Response {
    let status = response.status();
    let transient = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || transient.contains(&status) {
        return settled(app, keyed, None, response).await;
    }
    let kept = response.extensions().get::<NotKept>().is_none();
    let (parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await else {
        return settled(app, keyed, None, Problem::new(Kind::Internal).into_response()).await;
    };
    let answer = if kept { of(status, &parts.headers, &body) } else { withheld() };
    let response = Response::from_parts(parts, Body::from(body));
    settled(app, keyed, Some(answer), response).await
}

async fn settled(app: &App, keyed: &Keyed, answer: Option<Answer>, response: Response) -> Response {
    if let Err(error) = app.settle_key(keyed, answer.as_ref()).await {
        // The request was carried out; its key stays reserved, so it will not be done again.
        tracing::error!(error = &error as &dyn std::error::Error, "could not remember an answer");
    }
    response
}

fn of(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Answer {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Answer {
        status: status.as_u16(),
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        body: String::from_utf8_lossy(body).into_owned(),
    }
}

/// What a repeated request is told when the first answer held a secret.
fn withheld() -> Answer {
    let detail = "this was done, and its answer held a secret that is shown only once";
    let problem = Problem::with(Kind::Conflict, detail);
    Answer {
        status: Kind::Conflict.status().as_u16(),
        content_type: Some(crate::problem::MEDIA_TYPE.to_owned()),
        location: None,
        body: serde_json::to_string(&problem.body()).unwrap_or_default(),
    }
}

/// The remembered answer.
fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    let stored = [(header::CONTENT_TYPE, answer.content_type), (header::LOCATION, answer.location)];
    for (name, value) in stored {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
