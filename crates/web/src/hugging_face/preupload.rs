//! How files are about to be sent: a short one within the commit, a large one by itself before it.

use std::collections::BTreeMap;

use app::App;
use app::data::ListedFile;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use vault::{GitOid, RefName};

use super::answer::{Code, Refused};
use super::place::Place;

/// Ends of names of files that go by themselves however short they are: clients count on that, and
/// `datasets` has deleted its tables by the time of the commit.
const BY_THEMSELVES: [&str; 25] = [
    "parquet",
    "arrow",
    "bin",
    "safetensors",
    "gguf",
    "onnx",
    "pt",
    "pth",
    "ckpt",
    "h5",
    "npy",
    "npz",
    "pickle",
    "pkl",
    "msgpack",
    "tflite",
    "model",
    "joblib",
    "tar",
    "gz",
    "bz2",
    "xz",
    "zst",
    "zip",
    "7z",
];
/// Clients print what such a header says, once.
const WARNING: HeaderName = HeaderName::from_static("x-hf-warning");
/// What to do where the client does not ask the hub how to send large files.
const USE_LFS: &str = "xet; Large files are sent to this factory by Git LFS. If this one fails for \
    want of a xet-write-token, set HF_HUB_DISABLE_XET=1.";

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
) -> Result<(HeaderMap, Json<Value>), Refused> {
    app.may_write(&place.actor, place.repository.id).await?;
    let known = standing(&app, &place).await?;
    let told: Vec<Value> = asked
        .files
        .iter()
        .map(|file| {
            let alone = by_itself(&file.path, file.size);
            let there = known.get(file.path.as_str()).and_then(|there| match alone {
                true => Some(there.entry.sha256.to_string()),
                false => there.git.map(|git| git.to_string()),
            });
            json!({
                "path": file.path,
                "uploadMode": if alone { "lfs" } else { "regular" },
                "shouldIgnore": false,
                "oid": there,
            })
        })
        .collect();
    let mut headers = HeaderMap::new();
    if asked.files.iter().any(|file| by_itself(&file.path, file.size)) {
        headers.insert(WARNING, HeaderValue::from_static(USE_LFS));
    }
    Ok((headers, Json(json!({ "files": told }))))
}

/// Whether a file is sent by itself before the commit, and not within it.
fn by_itself(path: &str, size_bytes: u64) -> bool {
    let end = path.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    size_bytes > GitOid::CONTENT_BYTES_MAX
        || size_bytes > 0 && end.is_some_and(|end| BY_THEMSELVES.contains(&end.as_str()))
}

/// The files at the tip of the branch that the path names.
async fn standing(app: &App, place: &Place) -> Result<BTreeMap<String, ListedFile>, Refused> {
    let id = place.repository.id;
    if place.repository.head.is_none() && place.rev == RefName::MAIN {
        return Ok(BTreeMap::new());
    }
    if place.rev.parse::<app::data::Branch>().is_err() {
        return Err(Refused::missing(Code::Revision));
    }
    let revision = app.revision_named(&place.actor, id, &place.rev).await?;
    let files = app.listing(&place.actor, id, revision.id).await?;
    Ok(files.into_iter().map(|file| (file.path.to_string(), file)).collect())
}
