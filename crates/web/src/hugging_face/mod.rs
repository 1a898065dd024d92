//! The face for the clients of the Hugging Face Hub: `huggingface_hub` and its `hf`, `datasets`,
//! `transformers`, with `HF_ENDPOINT` set to this factory.
//!
//! It answers what those clients ask, in their words, from the same use cases as the API; what it
//! answers to what is documented in `docs/hugging-face.md`. A repository is `OWNER/NAME`: a
//! project's handle and the repository's own name. Not here: decisions, and spaces, discussions or
//! anything else that a factory has not.

mod account;
mod answer;
mod commit;
mod files;
mod history;
mod info;
mod lfs;
mod place;
mod preupload;
mod shelf;
mod tree;

use app::App;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use vault::Kind;

use crate::settings::Scheme;

pub(crate) use answer::refused_credentials;

/// The longest list of paths, of files about to be sent, or README to look at, in bytes.
const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Whether a request to `path` may move many bytes.
pub(crate) fn moves_bytes(path: &str) -> bool {
    path.starts_with(lfs::UPLOADS)
        || ["/api/models/", "/api/datasets/"].iter().any(|prefix| path.starts_with(prefix))
            && path.contains("/commit/")
}

/// Whether a path outside `/api/` belongs to programs: they are told what is wrong, not led to a page.
pub(crate) fn answers(path: &str) -> bool {
    path.starts_with(lfs::UPLOADS)
        || path.contains(".git/info/lfs/")
        || path.split('/').any(|part| part == "resolve")
}

/// Every route of the face.
pub(crate) fn router(scheme: Scheme) -> Router<App> {
    Router::new()
        .route("/api/whoami-v2", get(account::whoami))
        .route("/api/validate-yaml", post(account::validate_card))
        .route("/api/repos/create", post(shelf::create))
        .route("/api/repos/delete", delete(shelf::delete))
        .route("/api/repos/move", post(shelf::rename))
        .merge(of_kind(Kind::Model))
        .merge(of_kind(Kind::Dataset))
        .merge(lfs::uploads())
        .layer(DefaultBodyLimit::max(LIST_BYTES_MAX))
        .layer(Extension(scheme))
}

/// The routes of repositories of one kind.
fn of_kind(kind: Kind) -> Router<App> {
    let (api, files) = match kind {
        Kind::Model => ("/api/models", ""),
        Kind::Dataset => ("/api/datasets", "/datasets"),
    };
    let api = |rest: &str| format!("{api}{rest}");
    let one = |rest: &str| format!("{}{rest}", api("/{owner}/{name}"));
    Router::new()
        .route(&api(""), get(info::list))
        .route(&one(""), get(info::show))
        .route(&one("/revision/{rev}"), get(info::show_at))
        .route(&one("/tree/{rev}"), get(tree::list))
        .route(&one("/tree/{rev}/{*path}"), get(tree::list_folder))
        .route(&one("/paths-info/{rev}"), post(tree::paths))
        .route(&one("/refs"), get(history::refs))
        .route(&one("/commits/{rev}"), get(history::commits))
        .route(&one("/branch/{rev}"), post(history::branch).delete(history::unbranch))
        .route(&one("/tag/{rev}"), post(history::tag).delete(history::untag))
        .route(&one("/settings"), put(shelf::settings))
        .route(&one("/auth-check"), get(info::check))
        .route(&one("/preupload/{rev}"), post(preupload::modes))
        .route(&one("/commit/{rev}"), post(commit::commit))
        .route(&one("/{*rest}"), get(answer::absent).fallback(answer::absent))
        .route(
            &format!("{files}/{{owner}}/{{name}}/resolve/{{rev}}/{{*path}}"),
            get(files::resolve),
        )
        .route(&format!("{files}/{{owner}}/{{name}}/info/lfs/objects/batch"), post(lfs::batch))
        .route(&format!("{files}/{{owner}}/{{name}}/info/lfs/verify"), post(lfs::verify))
        .layer(Extension(kind))
}
