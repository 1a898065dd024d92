//! What the API answers when it cannot do what was asked: problem details (RFC 9457).
//!
//! Each situation has a stable `type`, one status and one title. What differs from one request to
//! the next stands in `detail` and in `reasons`. Not here: how a page tells the same to a person
//! (`portal::error`).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of problem details.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A situation with a stable `type`, a status and a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The request cannot be understood: bad syntax, a malformed identifier.
    BadRequest,
    /// Nobody is signed in, or the token is unknown, expired or revoked.
    Unauthenticated,
    /// The actor is known and may not do this.
    Forbidden,
    /// A cookie was sent by a page of another site.
    CrossSite,
    /// There is no such thing, or the actor may not know of it.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The thing is in a state that does not allow this.
    Conflict,
    /// The body is longer than the route accepts.
    TooLarge,
    /// The body is not of a media type that the route reads.
    UnsupportedMediaType,
    /// The requested part of a file lies outside it.
    RangeNotSatisfiable,
    /// The precondition of the request (`If-Match`) does not hold.
    PreconditionFailed,
    /// Fields of the request are missing or invalid.
    Invalid,
    /// A rule says no, with its reasons.
    Refused,
    /// The same `Idempotency-Key` came before with another request.
    KeyReused,
    /// Too many requests from this client.
    RateLimited,
    /// The request took longer than the service allows.
    Timeout,
    /// A part that the service depends on does not answer.
    Unavailable,
    /// The service failed; the operator finds the cause by the request id.
    Internal,
}

impl Kind {
    /// Every situation, in the order of their statuses.
    pub const ALL: [Self; 18] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::Invalid,
        Self::Refused,
        Self::KeyReused,
        Self::RateLimited,
        Self::Internal,
        Self::Timeout,
        Self::Unavailable,
    ];

    /// The last segment of the `type` URI.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::CrossSite => "cross-site",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::RangeNotSatisfiable => "range-not-satisfiable",
            Self::PreconditionFailed => "precondition-failed",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::KeyReused => "key-reused",
            Self::RateLimited => "rate-limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The status that carries it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Invalid | Self::Refused | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What happened, the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be understood",
            Self::Unauthenticated => "Sign in first",
            Self::Forbidden => "This is not yours to do",
            Self::CrossSite => "The request came from another site",
            Self::NotFound => "There is no such thing here",
            Self::MethodNotAllowed => "This address does not know that method",
            Self::Conflict => "The present state does not allow this",
            Self::PreconditionFailed => "It has changed since you read it",
            Self::TooLarge => "The request is too large",
            Self::UnsupportedMediaType => "The media type is not read here",
            Self::RangeNotSatisfiable => "The file does not reach that far",
            Self::Invalid => "Some fields are not valid",
            Self::Refused => "The rules do not allow this",
            Self::KeyReused => "The idempotency key belongs to another request",
            Self::RateLimited => "Too many requests",
            Self::Timeout => "The request took too long",
            Self::Unavailable => "A part of the service is not available",
            Self::Internal => "The service failed",
        }
    }

    /// The situation that a bare status stands for.
    pub(crate) const fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PRECONDITION_FAILED => Self::PreconditionFailed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::RANGE_NOT_SATISFIABLE => Self::RangeNotSatisfiable,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Invalid,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            _ => Self::BadRequest,
        }
    }
}

/// One reason for a refusal, or one invalid field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The rule that spoke, a policy entry or an article; `field` for an invalid field.
    #[schema(example = "playground.amount_max")]
    pub rule: String,
    /// What happened and what would help, for people, in English.
    pub text: String,
    /// The field of the request that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of situation this is.
    pub kind: Kind,
    /// What happened this time, for people.
    pub detail: Option<String>,
    /// Why, one by one.
    pub reasons: Vec<Reason>,
    /// How long to wait before trying again.
    pub retry_after_seconds: Option<u64>,
}

impl Problem {
    /// The bare situation.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, detail: None, reasons: Vec::new(), retry_after_seconds: None }
    }

    /// The situation, and what happened this time.
    pub fn with(kind: Kind, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(kind) }
    }

    /// Invalid fields, one reason each.
    pub fn invalid(reasons: Vec<Reason>) -> Self {
        Self { reasons, ..Self::new(Kind::Invalid) }
    }

    /// One invalid field.
    pub fn field(field: &str, text: impl Into<String>) -> Self {
        Self::invalid(vec![Reason {
            rule: "field".to_owned(),
            text: text.into(),
            field: Some(field.to_owned()),
        }])
    }

    /// The same, with the time to wait.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// What goes over the wire.
    pub(crate) fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            reasons: self.reasons.clone(),
        }
    }
}

/// Problem details (RFC 9457) with the reasons of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// What kind of situation this is: stable, relative to the service, with a page behind it.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Why, one by one: every rule that refused, every field that is not valid.
    #[serde(default)]
    pub reasons: Vec<Reason>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (status, Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated {
            let challenge = HeaderValue::from_static("Bearer realm=\"usine\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<app::Error> for Problem {
    fn from(error: app::Error) -> Self {
        use app::Error;
        let detail = error.to_string();
        match error {
            Error::NotSignedIn => Self::with(Kind::Unauthenticated, detail),
            Error::BadCredentials(_) | Error::NotAdmitted(_) => {
                Self::with(Kind::Unauthenticated, detail)
            }
            Error::Forbidden(_) => Self::with(Kind::Forbidden, detail),
            Error::NotFound(_) => Self::with(Kind::NotFound, detail),
            Error::Invalid(fields) => Self::invalid(fields.into_iter().map(Into::into).collect()),
            Error::Refused(reasons) => Self {
                reasons: reasons.into_iter().map(Into::into).collect(),
                ..Self::new(Kind::Refused)
            },
            Error::Conflict(_) => Self::with(Kind::Conflict, detail),
            Error::Store(cause) => {
                tracing::error!(cause = &cause as &dyn std::error::Error, "the store failed");
                Self::with(Kind::Internal, detail)
            }
            Error::Internal(cause) => {
                tracing::error!(cause, "a use case failed");
                Self::new(Kind::Internal)
            }
        }
    }
}

impl From<app::FieldError> for Reason {
    fn from(error: app::FieldError) -> Self {
        let field = Some(error.field).filter(|field| !field.is_empty());
        Self { rule: "field".to_owned(), text: error.text, field }
    }
}

impl From<app::Reason> for Reason {
    fn from(reason: app::Reason) -> Self {
        Self { rule: reason.rule, text: reason.text, field: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_slug() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
    }

    #[test]
    fn a_problem_reads_as_the_standard_says() {
        let problem = Problem::field("name", "a name is needed");
        expect_test::expect![[r#"
            {
              "type": "/problems/invalid",
              "title": "Some fields are not valid",
              "status": 422,
              "reasons": [
                {
                  "rule": "field",
                  "text": "a name is needed",
                  "field": "name"
                }
              ]
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&problem.body()).unwrap());
    }
}
