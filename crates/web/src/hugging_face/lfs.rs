//! Large files, by the protocol of Git LFS: the client says what it has, is told where to send
//! what is missing, sends it without a token of its own, and asks whether it arrived.

use app::App;
use app::data::Offer;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use vault::Sha256;

use super::answer::Refused;
use super::place::{Base, Place};
use crate::extract::{Path, Query};

/// Where files are sent by ticket.
pub(super) const UPLOADS: &str = "/lfs/";
/// The most files that one request asks about.
const FILES_MAX: usize = 1_000;
/// The media type of the protocol.
const MEDIA_TYPE: [(HeaderName, &str); 1] =
    [(header::CONTENT_TYPE, "application/vnd.git-lfs+json")];

/// Where the bytes go; who sends them shows a ticket in the query.
pub(super) fn uploads() -> Router<App> {
    Router::new()
        .route("/lfs/{sha256}", put(receive).post(finish))
        .route("/lfs/{sha256}/{part}", put(receive_part))
}

/// What a client has.
#[derive(Deserialize)]
struct Batch {
    operation: String,
    objects: Vec<Object>,
    #[serde(default)]
    hash_algo: Option<String>,
    #[serde(default)]
    transfers: Vec<String>,
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    size: u64,
}

/// Tells a client where to send what is missing.
pub(super) async fn batch(
    State(app): State<App>,
    place: Place,
    base: Base,
    body: Bytes,
) -> Result<Response, Refused> {
    let asked: Batch =
        serde_json::from_slice(&body).map_err(|error| Refused::bad(error.to_string()))?;
    if asked.operation != "upload" {
        let text = "files are read from /resolve/, not by this protocol";
        return Err(Refused::new(StatusCode::NOT_IMPLEMENTED, text));
    }
    if asked.hash_algo.is_some_and(|name| name != "sha256") {
        return Err(Refused::bad("files are named by their SHA-256"));
    }
    if asked.objects.len() > FILES_MAX {
        return Err(Refused::bad(format!("ask about at most {FILES_MAX} files at once")));
    }
    let files: Vec<(Sha256, u64)> = asked
        .objects
        .iter()
        .map(|object| Ok((object.oid.parse()?, object.size)))
        .collect::<Result<_, vault::NotADigest>>()
        .map_err(|error| Refused::bad(error.to_string()))?;
    let offers = app.offer_uploads(&place.actor, place.repository.id, &files).await?;
    let verify = format!("{}.git/info/lfs/verify", base.of(place.repository.kind, &place.id()));
    let told = files.iter().zip(&offers).map(|(file, offer)| told(&base, &verify, *file, offer));
    let parts = offers.iter().any(|offer| matches!(offer, Offer::Parts { .. }));
    if parts && !asked.transfers.iter().any(|name| name == "multipart") {
        return Err(Refused::bad("a file of this size is sent in parts: offer `multipart`"));
    }
    let transfer = if parts { "multipart" } else { "basic" };
    let answer = json!({ "transfer": transfer, "objects": told.collect::<Vec<_>>() });
    Ok((MEDIA_TYPE, answer.to_string()).into_response())
}

fn told(base: &Base, verify: &str, (sha256, size): (Sha256, u64), offer: &Offer) -> Value {
    let at = |ticket: &str| format!("{}/lfs/{sha256}?ticket={ticket}", base.0);
    let with = |upload: Value| {
        let verify = json!({ "href": verify });
        json!({
            "oid": sha256.to_string(),
            "size": size,
            "authenticated": true,
            "actions": { "upload": upload, "verify": verify },
        })
    };
    match offer {
        Offer::Present => json!({ "oid": sha256.to_string(), "size": size }),
        Offer::Refused(text) => json!({
            "oid": sha256.to_string(),
            "size": size,
            "error": { "code": 422, "message": text },
        }),
        Offer::Whole(ticket) => with(json!({ "href": at(ticket) })),
        Offer::Parts { ticket, count, bytes } => {
            let mut header = Map::new();
            header.insert("chunk_size".to_owned(), json!(bytes.to_string()));
            for part in 1..=*count {
                let place = format!("{}/lfs/{sha256}/{part}?ticket={ticket}", base.0);
                header.insert(part.to_string(), json!(place));
            }
            with(json!({ "href": at(ticket), "header": header }))
        }
    }
}

/// The leave to send.
#[derive(Deserialize)]
pub(super) struct Shown {
    ticket: String,
}

/// Takes in a whole file.
async fn receive(
    State(app): State<App>,
    Path(sha256): Path<Sha256>,
    Query(Shown { ticket }): Query<Shown>,
    body: Body,
) -> Result<StatusCode, Refused> {
    app.receive_file(sha256, &ticket, body.into_data_stream()).await?;
    Ok(StatusCode::OK)
}

/// Takes in a part of a file. The client gives the tag back at the end.
async fn receive_part(
    State(app): State<App>,
    Path((sha256, part)): Path<(Sha256, u64)>,
    Query(Shown { ticket }): Query<Shown>,
    body: Body,
) -> Result<Response, Refused> {
    app.receive_part((sha256, part), &ticket, body.into_data_stream()).await?;
    Ok([(header::ETAG, format!("\"{sha256}-{part}\""))].into_response())
}

/// Puts the parts of a file together.
async fn finish(
    State(app): State<App>,
    Path(sha256): Path<Sha256>,
    Query(Shown { ticket }): Query<Shown>,
) -> Result<Json<Value>, Refused> {
    app.finish_parts(sha256, &ticket).await?;
    Ok(Json(json!({ "success": true })))
}

/// Whether a file arrived.
pub(super) async fn verify(
    State(app): State<App>,
    place: Place,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let asked: Object =
        serde_json::from_slice(&body).map_err(|error| Refused::bad(error.to_string()))?;
    let sha256 =
        asked.oid.parse().map_err(|error: vault::NotADigest| Refused::bad(error.to_string()))?;
    if app.has_file(&place.actor, place.repository.id, sha256).await? {
        Ok(Json(json!({})))
    } else {
        Err(Refused::bad(format!("the file {sha256} has not arrived")))
    }
}
