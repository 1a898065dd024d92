//! How files are about to be sent: a short one within the commit, a large one by itself before it.

use std::collections::BTreeMap;

use app::App;
use app::data::ListedFile;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use vault::{GitOid, RefName};

use super::answer::{Code, Refused};
use super::place::Place;

/// Files that a client is about to send.
#[derive(Deserialize)]
pub(super) struct Files {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    size: u64,
}

/// Says of each file how it is to be sent, and what stands at its path now, so that the client can
/// leave out what has not changed.
pub(super) async fn modes(
    State(app): State<App>,
    place: Place,
    Json(asked): Json<Files>,
) -> Result<Json<Value>, Refused> {
    app.may_write(&place.actor, place.repository.id).await?;
    let known = standing(&app, &place).await?;
    let told: Vec<Value> = asked
        .files
        .iter()
        .map(|file| {
            let short = file.size <= GitOid::CONTENT_BYTES_MAX;
            let there = known.get(file.path.as_str()).and_then(|there| match short {
                true => there.git.map(|git| git.to_string()),
                false => Some(there.entry.sha256.to_string()),
            });
            json!({
                "path": file.path,
                "uploadMode": if short { "regular" } else { "lfs" },
                "shouldIgnore": false,
                "oid": there,
            })
        })
        .collect();
    Ok(Json(json!({ "files": told })))
}

/// The files at the tip of the branch that the path names.
async fn standing(app: &App, place: &Place) -> Result<BTreeMap<String, ListedFile>, Refused> {
    let id = place.repository.id;
    if place.repository.head.is_none() && place.rev == RefName::MAIN {
        return Ok(BTreeMap::new());
    }
    if place.rev.parse::<app::data::Branch>().is_err() {
        return Err(Refused::missing(Code::RevisionNotFound));
    }
    let revision = app.revision_named(&place.actor, id, &place.rev).await?;
    let files = app.listing(&place.actor, id, revision.id).await?;
    Ok(files.into_iter().map(|file| (file.path.to_string(), file)).collect())
}
