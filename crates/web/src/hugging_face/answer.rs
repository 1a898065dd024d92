//! How these clients are told that something did not work: a status, a code that they turn into an
//! error of their own, and a sentence that they print.

use app::Error;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::problem::Problem;

/// The header with the code.
const CODE: HeaderName = HeaderName::from_static("x-error-code");
/// The header with the sentence.
const MESSAGE: HeaderName = HeaderName::from_static("x-error-message");
/// The words by which clients know that a token does not work, and do not blame the repository.
const BAD_CREDENTIALS: &str = "Invalid credentials in Authorization header";

/// What clients make an error of their own of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// There is no such repository, or the caller may not know of it.
    Repo,
    /// The repository has no such revision.
    Revision,
    /// The revision has no such file.
    Entry,
}

impl Code {
    const fn text(self) -> &'static str {
        match self {
            Self::Repo => "RepoNotFound",
            Self::Revision => "RevisionNotFound",
            Self::Entry => "EntryNotFound",
        }
    }
}

/// An answer that is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: Option<Code>,
    pub(super) text: String,
}

impl Refused {
    /// A refusal in a sentence.
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, code: None, text: text.into() }
    }

    /// The request is not one that the route reads.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// There is no such thing, in the words of the clients.
    pub(super) fn missing(code: Code) -> Self {
        let text = match code {
            Code::Repo => "Repository not found",
            Code::Revision => "Invalid rev id: the repository has no such revision",
            // The clients look for these words when a deletion fails.
            Code::Entry => "A file with this name doesn't exist",
        };
        Self { status: StatusCode::NOT_FOUND, code: Some(code), text: text.to_owned() }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            // Clients take a 401 over plain HTTP for a repository that is not there only by the code.
            Error::NotSignedIn => Self {
                status: StatusCode::UNAUTHORIZED,
                code: Some(Code::Repo),
                text: "Sign in first: hf auth login, with a token of this factory".to_owned(),
            },
            Error::BadCredentials(_) | Error::NotAdmitted(_) => {
                Self::new(StatusCode::UNAUTHORIZED, text)
            }
            Error::Refused(reasons)
                if reasons.iter().any(|it| it.rule == "data.file_bytes_max") =>
            {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, text)
            }
            Error::Forbidden(_) | Error::Refused(_) => Self::new(StatusCode::FORBIDDEN, text),
            Error::NotFound("revision") => Self::missing(Code::Revision),
            Error::NotFound("file") => Self::missing(Code::Entry),
            Error::NotFound(_) => Self::missing(Code::Repo),
            Error::Invalid(_) => Self::bad(text),
            Error::Conflict(_) => Self::new(StatusCode::CONFLICT, text),
            failed @ (Error::Store(_) | Error::Internal(_)) => {
                // The API's answer logs the cause.
                let problem = Problem::from(failed);
                Self::new(problem.kind.status(), problem.kind.title())
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = axum::Json(json!({ "error": self.text }));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        if let Some(code) = self.code {
            headers.insert(CODE, HeaderValue::from_static(code.text()));
        }
        // A header holds one line of visible ASCII; the body has the sentence as it is.
        let visible = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        let line: String = self.text.chars().map(visible).collect();
        if let Ok(line) = HeaderValue::from_str(&line) {
            headers.insert(MESSAGE, line);
        }
        response
    }
}

/// Tells clients of this kind that it is their token that does not work.
pub(crate) fn refused_credentials(mut response: Response) -> Response {
    response.headers_mut().insert(MESSAGE, HeaderValue::from_static(BAD_CREDENTIALS));
    response
}

/// What the clients may ask of a repository elsewhere, and not of a factory.
pub(super) async fn absent(request: Request) -> Refused {
    let text = format!(
        "this factory does not serve {} {}: docs/hugging-face.md lists what it serves",
        request.method(),
        request.uri().path()
    );
    Refused::new(StatusCode::NOT_IMPLEMENTED, text)
}
