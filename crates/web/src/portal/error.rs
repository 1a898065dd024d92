//! Problems as pages, for people.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::tongue::Tongue;
use super::visit::{self, Frame, Visit};
use crate::extract::Path;
use crate::problem::{self, Kind, Problem, ProblemBody};

/// The longest problem that is read back.
const PROBLEM_BYTES_MAX: usize = 256 * 1024;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    kind: Kind,
    detail: String,
    reasons: Vec<problem::Reason>,
    request: String,
}

/// Renders every problem outside the API as a page, and leads those who must sign in to the door.
pub(crate) async fn for_people(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let asked = request.uri().path_and_query().map_or(path.clone(), ToString::to_string);
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let response = next.run(request).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let for_programs = path.starts_with("/api/") || crate::hugging_face::answers(&path);
    if for_programs || !failed || is_page(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, PROBLEM_BYTES_MAX).await.unwrap_or_default();
    let said: Option<ProblemBody> = serde_json::from_slice(&bytes).ok();
    let kind = said.as_ref().and_then(of_type).unwrap_or_else(|| Kind::of(status));
    if kind == Kind::Unauthenticated && method == Method::GET {
        return visit::on_to(&sign_in_for(&asked));
    }
    let page = ErrorPage {
        frame: bare(&headers, path),
        kind,
        detail: said.as_ref().and_then(|said| said.detail.clone()).unwrap_or_default(),
        reasons: said.map(|said| said.reasons).unwrap_or_default(),
        request: text(&parts.headers, "x-request-id"),
    };
    let mut rendered = match visit::page(&page) {
        Ok(rendered) => rendered,
        Err(problem) => return problem.into_response(),
    };
    *rendered.status_mut() = status;
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}

/// Whether the handler rendered a page itself, such as a form with its complaints.
fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The door, remembering where the visitor wanted to go.
fn sign_in_for(asked: &str) -> String {
    let to = serde_urlencoded::to_string([("to", asked)]).unwrap_or_default();
    format!("/sign-in?{to}")
}

/// A frame for somebody whom we could not get to know.
fn bare(headers: &HeaderMap, path: String) -> Frame {
    let t = Tongue::wanted(headers);
    let (csrf, account) = (String::new(), None);
    Frame { t, path, csrf, account, sees_sites: false, judges: false, unread: 0 }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn of_type(said: &ProblemBody) -> Option<Kind> {
    let slug = said.kind.strip_prefix("/problems/")?;
    Kind::ALL.into_iter().find(|kind| kind.slug() == slug)
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    kind: Kind,
}

/// `GET /problems/{slug}`: what a problem's `type` means.
pub(crate) async fn explain(visit: Visit, Path(slug): Path<String>) -> Result<Response, Problem> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.slug() == slug);
    let kind = kind.ok_or_else(|| Problem::new(Kind::NotFound))?;
    visit::page(&ProblemPage { frame: visit.frame, kind })
}
