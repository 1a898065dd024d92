//! What handlers take from a request. A rejection of any of these is a problem.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem, Reason};

/// A JSON body, in either direction.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !speaks_json(&request) {
            let detail = "send a body with Content-Type: application/json";
            return Err(Problem::with(Kind::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if holds_nul(&bytes) {
            let detail = "text must not contain the character U+0000";
            return Err(Problem::with(Kind::BadRequest, detail));
        }
        match axum::Json::<T>::from_bytes(&bytes) {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(error)) => Err(Problem::invalid(vec![Reason {
                rule: "schema".to_owned(),
                text: error.body_text(),
                field: None,
            }])),
            Err(other) => Err(Problem::with(Kind::BadRequest, other.body_text())),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Whether the body says that it is JSON.
fn speaks_json(request: &Request) -> bool {
    let kind = request.headers().get(axum::http::header::CONTENT_TYPE);
    let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A body that could not be read to its end.
pub(crate) fn unreadable(rejection: BytesRejection) -> Problem {
    let kind = Kind::of(rejection.status());
    let kind = if kind == Kind::TooLarge { kind } else { Kind::BadRequest };
    Problem::with(kind, rejection.body_text())
}

/// Whether a JSON text holds U+0000, which no text column of PostgreSQL can keep.
fn holds_nul(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"\\u0000")
        && serde_json::from_slice(bytes).is_ok_and(|value| nul_within(&value))
}

fn nul_within(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(nul_within),
        serde_json::Value::Object(map) => {
            map.iter().any(|(key, value)| key.contains('\0') || nul_within(value))
        }
        _ => false,
    }
}

/// The query string, as a type that says what it may hold.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if query.contains("%00") {
            let detail = "text must not contain the character U+0000";
            return Err(Problem::with(Kind::BadRequest, detail));
        }
        axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| Problem::with(Kind::BadRequest, rejection.body_text()))
    }
}

/// One or more segments of the path, parsed: `Path<CallId>`, `Path<(JobId, String)>`.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: Segments, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::with(Kind::BadRequest, rejection.body_text()))?;
        T::parse(&mut params.iter().map(|(_, value)| value)).map(Self)
    }
}

/// A job of the path: by its id, or by its number (`17`, `17_3`).
#[derive(Clone, Copy, Debug)]
pub struct JobPath(pub units::JobId);

impl FromRequestParts<app::App> for JobPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &app::App) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, app).await?;
        let Ok(number) = text.parse::<jobs::JobNumber>() else { return parsed(&text).map(Self) };
        let actor = crate::Actor::from_request_parts(parts, app).await?;
        Ok(Self(app.job_numbered(&actor, number).await?))
    }
}

/// A type that one segment of a path can be parsed into.
pub trait Segment: Sized {
    /// Parses one segment.
    ///
    /// # Errors
    /// When the text does not name such a thing.
    fn segment(text: &str) -> Result<Self, Problem>;
}

/// The segments of a path, in the order of the route's placeholders.
pub trait Segments: Sized {
    /// Parses as many segments as the type has parts.
    ///
    /// # Errors
    /// When one of them is missing or malformed.
    fn parse<'a>(segments: &mut impl Iterator<Item = &'a str>) -> Result<Self, Problem>;
}

impl<T: Segment> Segments for T {
    fn parse<'a>(segments: &mut impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let text = segments.next().ok_or_else(|| Problem::new(Kind::NotFound))?;
        if text.contains('\0') {
            return Err(Problem::with(Kind::BadRequest, "a path must not contain U+0000"));
        }
        T::segment(text)
    }
}

impl<A: Segment, B: Segment> Segments for (A, B) {
    fn parse<'a>(segments: &mut impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        Ok((<A as Segments>::parse(segments)?, <B as Segments>::parse(segments)?))
    }
}

impl<A: Segment, B: Segment, C: Segment> Segments for (A, B, C) {
    fn parse<'a>(segments: &mut impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let (a, b) = <(A, B)>::parse(segments)?;
        Ok((a, b, <C as Segments>::parse(segments)?))
    }
}

impl<A: Segment, B: Segment, C: Segment, D: Segment> Segments for (A, B, C, D) {
    fn parse<'a>(segments: &mut impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let (a, b, c) = <(A, B, C)>::parse(segments)?;
        Ok((a, b, c, <D as Segments>::parse(segments)?))
    }
}

/// Parses `text`, telling the caller what was wrong with it.
fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| Problem::with(Kind::BadRequest, error.to_string()))
}

macro_rules! segments {
    ($($name:ty),* $(,)?) => {$(
        impl Segment for $name {
            fn segment(text: &str) -> Result<Self, Problem> {
                parsed(text)
            }
        }
    )*};
}

segments!(
    String,
    u64,
    app::Role,
    app::Scope,
    app::data::Reference,
    units::AgreementId,
    units::AllocationId,
    units::ApplicationId,
    units::CallId,
    units::EntryId,
    units::EventId,
    units::IdentityId,
    units::JobId,
    units::OrderId,
    units::OrganisationId,
    units::PartitionKey,
    units::PersonId,
    units::PoolId,
    units::ProjectId,
    units::RepositoryId,
    uuid::Uuid,
    units::RevisionId,
    units::Slug,
    units::TokenId,
    vault::FilePath,
    vault::Sha256,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_wherever_it_hides_and_only_then() {
        assert!(holds_nul(br#"{"a":["\u0000"]}"#));
        assert!(holds_nul(br#"{"\u0000":1}"#));
        assert!(!holds_nul(br#"{"a":"\\u0000"}"#));
    }

    #[test]
    fn segments_are_parsed_in_order() {
        let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
        let (job, stream) =
            <(units::JobId, String)>::parse(&mut [id, "stdout"].into_iter()).unwrap();
        assert_eq!((job.to_string(), stream.as_str()), (id.to_owned(), "stdout"));
        let refused = <units::JobId as Segments>::parse(&mut ["7"].into_iter()).unwrap_err();
        assert_eq!(refused.kind, Kind::BadRequest);
    }
}
