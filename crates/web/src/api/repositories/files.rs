//! Bytes in and out, streamed: a file is sent under its digest, and read by revision and path.

use app::App;
use app::data::{Content, Reference};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use units::RepositoryId;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use vault::{ByteRange, FilePath, Sha256};

use super::dto::{BlobOut, FilesCheckedOut};
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};

/// After how many bytes one request to read back comes to its end.
const CHECK_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// The media type of bytes.
const BYTES: &str = "application/octet-stream";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(upload)).routes(routes!(read)).routes(routes!(check))
}

/// Send a file for a later revision. It is kept only if its content has the digest of the path;
/// sending it again is harmless.
#[utoipa::path(
    put, path = "/repositories/{id}/blobs/{sha256}", tag = "data",
    params(
        ("id" = Uuid, Path, description = "The repository"),
        ("sha256" = String, Path, description = "SHA-256 of the content, in lower-case hexadecimal"),
    ),
    request_body(content_type = "application/octet-stream", description = "The content"),
    responses((status = 201, body = BlobOut, description = "The vault has it")),
)]
async fn upload(
    State(app): State<App>,
    actor: Actor,
    Path((id, sha256)): Path<(RepositoryId, Sha256)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<BlobOut>), Problem> {
    let announced = (sha256, announced_length(&headers)?);
    let blob = app.upload(&actor, id, announced, body.into_data_stream()).await?;
    Ok((StatusCode::CREATED, Json(blob.into())))
}

/// The length that the sender announces, of a body of bytes.
pub(crate) fn announced_length(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind != Some(BYTES) {
        let detail = format!("send the bytes with Content-Type: {BYTES}");
        return Err(Problem::with(Kind::UnsupportedMediaType, detail));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    Ok(length.and_then(|text| text.parse().ok()))
}

/// Read a file of a revision, or a part of it.
#[utoipa::path(
    get, path = "/repositories/{id}/revisions/{rev}/files/{*path}", tag = "data",
    params(
        ("id" = Uuid, Path, description = "The repository"),
        ("rev" = String, Path, description = "`main`, a number, or a revision's identifier"),
        ("path" = String, Path, description = "Where the file stands in the revision"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
        ("If-Range" = Option<String>, Header, description = "The ETag that the range is for"),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "The file"),
        (status = 206, content_type = "application/octet-stream", description = "The part"),
        (status = 304, description = "The caller has it"),
        (status = 416, description = "The file does not reach that far",
            content_type = "application/problem+json", body = crate::problem::ProblemBody),
    ),
)]
async fn read(
    State(app): State<App>,
    actor: Actor,
    Path((id, reference, path)): Path<(RepositoryId, Reference, FilePath)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let content = app.file(&actor, id, reference, &path).await?;
    send(&app, &content, &headers).await
}

/// From where to read back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CheckQuery {
    /// Where to go on: the `next` of the answer before.
    after: Option<String>,
}

/// Read stored files back and compare them with their digests, as many as one request may take.
#[utoipa::path(
    get, path = "/vault/check", tag = "data", params(CheckQuery),
    responses((status = 200, body = FilesCheckedOut, description = "What was found")),
)]
async fn check(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<CheckQuery>,
) -> Result<Json<FilesCheckedOut>, Problem> {
    let after = query.after.as_deref().map(str::parse).transpose();
    let after = after
        .map_err(|error: vault::NotADigest| Problem::with(Kind::BadRequest, error.to_string()))?;
    Ok(Json(app.verify_data(&actor, after, CHECK_BYTES_MAX).await?.into()))
}

/// Answers with a file, or with the part or validator that `headers` ask for.
pub(crate) async fn send(
    app: &App,
    content: &Content,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let entry = content.entry();
    let tag = format!("\"{}\"", entry.sha256);
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_NONE_MATCH).is_some_and(|known| names(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let wanted = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|of| of == tag));
    let range = wanted.and_then(byte_range);
    if range.is_some_and(|range| range.within(entry.size_bytes).is_none()) {
        let mut response = Problem::new(Kind::RangeNotSatisfiable).into_response();
        set(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", entry.size_bytes));
        return Ok(response);
    }
    let download = app.bytes(content, range).await?;
    let (first, end) = (download.range.start, download.range.end);
    let mut response = Body::from_stream(download.bytes).into_response();
    set(&mut response, header::CONTENT_TYPE, BYTES);
    set(&mut response, header::ETAG, &tag);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::CONTENT_LENGTH, &end.saturating_sub(first).to_string());
    set(&mut response, header::CONTENT_DISPOSITION, &disposition(content.path().name()));
    // Stored bytes go out as they are: their length and digest are what the client checks.
    set(&mut response, header::CONTENT_ENCODING, "identity");
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let part = format!("bytes {first}-{}/{}", end.saturating_sub(1), download.size_bytes);
        set(&mut response, header::CONTENT_RANGE, &part);
    }
    Ok(response)
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Whether an `If-None-Match` names `tag`.
fn names(known: &str, tag: &str) -> bool {
    known.trim() == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
}

/// One range of a `Range` header. Several ranges, other units and bad syntax are ignored, as the
/// standard allows: the answer is then the whole file.
fn byte_range(header: &str) -> Option<ByteRange> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    match (first, last) {
        ("", last) => number(last).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => match (number(first)?, number(last)?) {
            (first, last) if first <= last => Some(ByteRange::Inclusive(first, last)),
            _ => None,
        },
    }
}

/// A file is saved under its own name and never shown as a page.
fn disposition(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_ignored() {
        assert_eq!(byte_range("bytes=0-9"), Some(ByteRange::Inclusive(0, 9)));
        assert_eq!(byte_range("bytes=5-"), Some(ByteRange::From(5)));
        assert_eq!(byte_range("bytes=-3"), Some(ByteRange::Last(3)));
        for text in
            ["bytes=9-0", "bytes=0-1,4-5", "bytes=-", "bytes=a-b", "bytes=+1-2", "lines=1-2", ""]
        {
            assert_eq!(byte_range(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        assert_eq!(disposition("a\"b é.txt"), "attachment; filename*=UTF-8''a%22b%20%C3%A9.txt");
    }
}
