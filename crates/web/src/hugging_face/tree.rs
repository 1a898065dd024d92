//! The files and folders of a revision.

use std::collections::BTreeMap;

use app::App;
use app::data::ListedFile;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use vault::{Blake3, FilePath, GitOid};

use super::answer::{Code, Refused};
use super::place::{Base, Place, segment};
use crate::extract::Query;

/// The most entries on one page.
const PAGE: usize = 1_000;
/// How long the text is that stands for a large file in git.
const POINTER_BYTES: u64 = 134;

/// How much of a tree a client wants.
#[derive(Deserialize)]
pub(super) struct TreeQuery {
    #[serde(default)]
    recursive: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
    /// The path of the last entry of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// What stands in a folder of a revision.
enum Entry<'a> {
    File(&'a ListedFile),
    Folder { path: &'a str, oid: GitOid },
}

impl Entry<'_> {
    fn path(&self) -> &str {
        match self {
            Self::File(file) => file.path.as_str(),
            Self::Folder { path, .. } => path,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::File(file) => {
                let mut facts = file_facts(file);
                facts.insert("type".to_owned(), json!("file"));
                facts.insert("path".to_owned(), json!(file.path.as_str()));
                Value::Object(facts)
            }
            Self::Folder { path, oid } => {
                json!({ "type": "directory", "path": path, "oid": oid.to_string(), "size": 0 })
            }
        }
    }
}

/// Size and names of a file's content: git's for a short one, SHA-256 for a large one.
pub(super) fn file_facts(file: &ListedFile) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("size".to_owned(), json!(file.entry.size_bytes));
    match file.git {
        Some(git) => {
            facts.insert("oid".to_owned(), json!(git.to_string()));
        }
        None => {
            let sha256 = file.entry.sha256.to_string();
            // Nobody compares the name of the text that would stand for the file in git.
            let stand_in = GitOid::of_folder(&Blake3::from_bytes(*file.entry.sha256.bytes()));
            facts.insert("oid".to_owned(), json!(stand_in.to_string()));
            let size = file.entry.size_bytes;
            let lfs = json!({
                "oid": sha256, "sha256": sha256, "size": size, "pointerSize": POINTER_BYTES,
            });
            facts.insert("lfs".to_owned(), lfs);
        }
    }
    facts
}

/// The top of a revision's tree.
pub(super) async fn list(
    State(app): State<App>,
    place: Place,
    base: Base,
    Query(query): Query<TreeQuery>,
) -> Result<(HeaderMap, Json<Value>), Refused> {
    page(&app, &place, &base, None, &query).await
}

/// A folder of a revision.
pub(super) async fn list_folder(
    State(app): State<App>,
    place: Place,
    base: Base,
    Query(query): Query<TreeQuery>,
) -> Result<(HeaderMap, Json<Value>), Refused> {
    let folder = place.path()?;
    page(&app, &place, &base, Some(&folder), &query).await
}

async fn page(
    app: &App,
    place: &Place,
    base: &Base,
    folder: Option<&FilePath>,
    query: &TreeQuery,
) -> Result<(HeaderMap, Json<Value>), Refused> {
    let files = files_at(app, place).await?;
    let recursive =
        query.recursive.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let all = entries(&files, folder, recursive);
    if all.is_empty() && folder.is_some() {
        return Err(Refused::missing(Code::Entry));
    }
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let after = query.cursor.as_deref();
    let mut rest = all.iter().filter(|entry| after.is_none_or(|after| entry.path() > after));
    let shown: Vec<_> = rest.by_ref().take(limit).collect();
    let mut headers = HeaderMap::new();
    if let (Some(_), Some(last)) = (rest.next(), shown.last()) {
        let kind = place.repository.kind;
        let mut address =
            format!("{}/api/{kind}s/{}/tree/{}", base.0, place.id(), segment(&place.rev));
        if let Some(folder) = folder {
            address.push_str(&format!("/{}", segment(folder.as_str())));
        }
        let cursor = segment(last.path());
        address.push_str(&format!("?recursive={recursive}&limit={limit}&cursor={cursor}"));
        if let Ok(link) = HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")) {
            headers.insert(header::LINK, link);
        }
    }
    Ok((headers, Json(shown.into_iter().map(Entry::json).collect())))
}

/// The files of the revision that the path names; none of a repository without revisions.
async fn files_at(app: &App, place: &Place) -> Result<Vec<ListedFile>, Refused> {
    if place.repository.head.is_none() && place.rev == vault::RefName::MAIN {
        return Ok(Vec::new());
    }
    let id = place.repository.id;
    let revision = app.revision_named(&place.actor, id, &place.rev).await?;
    Ok(app.listing(&place.actor, id, revision.id).await?)
}

/// The entries below `folder`, by path: all of them, or only those right in it.
fn entries<'a>(
    files: &'a [ListedFile],
    folder: Option<&FilePath>,
    recursive: bool,
) -> Vec<Entry<'a>> {
    let prefix = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
    let mut found = BTreeMap::new();
    let mut folders = BTreeMap::<&str, blake3::Hasher>::new();
    for file in files {
        let Some(within) = file.path.as_str().strip_prefix(prefix.as_str()) else { continue };
        if recursive || !within.contains('/') {
            found.insert(file.path.as_str(), Entry::File(file));
        }
        let above = file.path.folders().filter(|at| at.len() > prefix.len());
        for at in above.take(if recursive { usize::MAX } else { 1 }) {
            let content = folders.entry(at).or_default();
            content.update(file.path.as_str().as_bytes());
            content.update(file.entry.sha256.bytes());
        }
    }
    for (path, content) in folders {
        let digest = Blake3::from_bytes(*content.finalize().as_bytes());
        found.insert(path, Entry::Folder { path, oid: GitOid::of_folder(&digest) });
    }
    found.into_values().collect()
}

/// What is known of some paths of a revision; those that are not there are left out.
pub(super) async fn paths(
    State(app): State<App>,
    place: Place,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let wanted = wanted_paths(&body)?;
    let files = files_at(&app, &place).await?;
    let all = entries(&files, None, true);
    let known: BTreeMap<&str, &Entry<'_>> = all.iter().map(|entry| (entry.path(), entry)).collect();
    let found = wanted.iter().filter_map(|path| known.get(path.trim_matches('/')));
    Ok(Json(found.map(|entry| entry.json()).collect()))
}

/// The paths of a form or of JSON: clients send either.
fn wanted_paths(body: &[u8]) -> Result<Vec<String>, Refused> {
    #[derive(Deserialize)]
    struct Paths {
        paths: Vec<String>,
    }
    if let Ok(Paths { paths }) = serde_json::from_slice(body) {
        return Ok(paths);
    }
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_bytes(body).map_err(|error| Refused::bad(error.to_string()))?;
    Ok(pairs.into_iter().filter(|(name, _)| name == "paths").map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use vault::{FileEntry, Sha256};

    use super::*;

    #[test]
    fn a_folder_lists_what_is_right_in_it_or_all_below() {
        let file = |path: &str| ListedFile {
            path: path.parse().unwrap(),
            entry: FileEntry { sha256: Sha256::of(b"a"), size_bytes: 1 },
            git: None,
        };
        let files = ["a", "d/x", "d/y/z", "dd"].map(file);
        let listed = |folder: Option<&str>, recursive| {
            let folder = folder.map(|folder| folder.parse().unwrap());
            let entries = entries(&files, folder.as_ref(), recursive);
            entries.iter().map(Entry::path).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(listed(None, false), "a d dd");
        assert_eq!(listed(None, true), "a d d/x d/y d/y/z dd");
        assert_eq!(listed(Some("d"), false), "d/x d/y");
        assert_eq!(listed(Some("d"), true), "d/x d/y d/y/z");
        assert_eq!(listed(Some("x"), true), "");
    }

    #[test]
    fn paths_come_as_a_form_or_as_json() {
        let form = wanted_paths(b"paths=a+b&paths=c%2Fd&expand=False").unwrap();
        assert_eq!(form, ["a b", "c/d"]);
        assert_eq!(wanted_paths(br#"{"paths":["a"],"expand":false}"#).unwrap(), ["a"]);
    }
}
