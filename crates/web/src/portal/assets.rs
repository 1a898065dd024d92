//! The portal's own files: one style sheet, one script, two drawings. Their addresses carry their
//! hash, so browsers keep them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A file as it is served.
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        name: "portal.css",
        kind: "text/css; charset=utf-8",
        content: include_str!("../../assets/portal.css"),
    },
    Asset {
        name: "portal.js",
        kind: "text/javascript; charset=utf-8",
        content: include_str!("../../assets/portal.js"),
    },
    Asset {
        name: "icon.svg",
        kind: "image/svg+xml",
        content: include_str!("../../assets/icon.svg"),
    },
    Asset {
        name: "roof.svg",
        kind: "image/svg+xml",
        content: include_str!("../../assets/roof.svg"),
    },
];

/// The hash of all files together.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for asset in &ASSETS {
        hasher.update(asset.content.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(12).collect()
});

/// Where `name` is served.
pub(crate) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// `GET /assets/{version}/{name}`.
pub(crate) async fn serve(Path((_version, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.content).into_response()
}
