//! A commit as clients send it: a line of JSON for what is said about it, and one for each edit,
//! with short files within. It is read as it arrives, so its length costs no memory.

use app::App;
use app::data::{Branch, Edit, NewCommit};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use units::{RepositoryId, RevisionId};
use vault::{FilePath, GitOid, Sha256, Tree};

use super::answer::{Code, Refused};
use super::place::{Base, Place, commit_of};
use crate::Actor;
use crate::extract::Query;

/// The longest commit, in bytes.
const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024 * 1024;
/// The longest line: a short file in base64, its path and some words.
const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many bytes of short files are gathered before they go into the vault together.
const GATHERED_BYTES: usize = 16 * 1024 * 1024;
/// How many short files are gathered at most.
const GATHERED_FILES: usize = 256;

/// What clients may ask for beside the commit.
#[derive(Deserialize)]
pub(super) struct CommitQuery {
    #[serde(default)]
    create_pr: Option<String>,
}

/// One line of a commit.
#[derive(Deserialize)]
#[serde(tag = "key", content = "value")]
enum Line {
    #[serde(rename = "header")]
    Header {
        summary: String,
        #[serde(default)]
        description: String,
        #[serde(rename = "parentCommit")]
        parent: Option<String>,
    },
    #[serde(rename = "file")]
    File { path: String, content: String, encoding: Option<String> },
    #[serde(rename = "lfsFile")]
    Large { path: String, oid: String },
    #[serde(rename = "deletedFile")]
    Deleted { path: String },
    #[serde(rename = "deletedFolder")]
    DeletedFolder { path: String },
}

/// Commits what the body says to the branch that the path names.
pub(super) async fn commit(
    State(app): State<App>,
    place: Place,
    base: Base,
    Query(query): Query<CommitQuery>,
    body: Body,
) -> Result<Json<Value>, Refused> {
    if query.create_pr.is_some() {
        let text = "this factory has no pull requests: commit to a branch";
        return Err(Refused::new(StatusCode::NOT_IMPLEMENTED, text));
    }
    let branch: Branch = place.rev.parse().map_err(|_| Refused::missing(Code::Revision))?;
    let id = place.repository.id;
    app.may_write(&place.actor, id).await?;
    let mut draft = Draft::new(&app, &place.actor, id);
    let mut lines = Lines::default();
    let mut body = body.into_data_stream();
    while let Some(line) = lines.next(&mut body).await? {
        draft.take(&line).await?;
    }
    let (message, parent, edits) = draft.finish().await?;
    let new = NewCommit { branch, parent, message, edits };
    let made = app.commit_edits(&place.actor, id, new).await.map_err(|error| match error {
        app::Error::Conflict(text) => Refused::new(StatusCode::PRECONDITION_FAILED, text),
        other => other.into(),
    })?;
    let commit = commit_of(made.revision());
    let url = format!("{}/commit/{commit}", base.of(place.repository.kind, &place.id()));
    Ok(Json(json!({
        "success": true, "commitOid": commit, "commitUrl": url, "hookOutput": "",
    })))
}

/// A commit as far as it has been read.
struct Draft<'a> {
    app: &'a App,
    actor: &'a Actor,
    repository: RepositoryId,
    header: Option<(String, Option<RevisionId>)>,
    edits: Vec<Edit>,
    /// Short files on their way into the vault.
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
}

impl<'a> Draft<'a> {
    fn new(app: &'a App, actor: &'a Actor, repository: RepositoryId) -> Self {
        let (gathered, gathered_bytes) = (Vec::new(), 0);
        Self { app, actor, repository, header: None, edits: Vec::new(), gathered, gathered_bytes }
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), Refused> {
        let line: Line = serde_json::from_slice(line)
            .map_err(|error| Refused::bad(format!("a line of the commit: {error}")))?;
        if self.edits.len() >= Tree::FILES_MAX {
            let text = format!("a commit changes at most {} files", Tree::FILES_MAX);
            return Err(Refused::bad(text));
        }
        match line {
            Line::Header { summary, description, parent } => {
                let message = format!("{}\n\n{}", summary.trim(), description.trim());
                self.header = Some((message.trim().to_owned(), parent.map(started).transpose()?));
            }
            Line::File { path, content, encoding } => {
                let content = decoded(content, encoding.as_deref())?;
                self.edits.push(Edit::Put(checked(&path)?, Sha256::of(&content)));
                self.gather(content).await?;
            }
            Line::Large { path, oid } => {
                let sha256 = oid.parse();
                let sha256 = sha256.map_err(|e: vault::NotADigest| Refused::bad(e.to_string()))?;
                self.edits.push(Edit::Put(checked(&path)?, sha256));
            }
            Line::Deleted { path } => self.edits.push(Edit::Remove(checked(&path)?)),
            Line::DeletedFolder { path } => {
                self.edits.push(Edit::RemoveFolder(checked(path.trim_end_matches('/'))?));
            }
        }
        Ok(())
    }

    async fn gather(&mut self, content: Bytes) -> Result<(), Refused> {
        self.gathered_bytes = self.gathered_bytes.saturating_add(content.len());
        self.gathered.push(content);
        if self.gathered_bytes >= GATHERED_BYTES || self.gathered.len() >= GATHERED_FILES {
            self.store().await?;
        }
        Ok(())
    }

    async fn store(&mut self) -> Result<(), Refused> {
        self.gathered_bytes = 0;
        let files = std::mem::take(&mut self.gathered);
        self.app.upload_all(self.actor, self.repository, files).await?;
        Ok(())
    }

    /// What is said about the commit, where it starts, and its edits.
    async fn finish(mut self) -> Result<(String, Option<RevisionId>, Vec<Edit>), Refused> {
        self.store().await?;
        let header = self.header.take();
        let (message, parent) =
            header.ok_or_else(|| Refused::bad("the commit has no line with the key `header`"))?;
        Ok((message, parent, self.edits))
    }
}

fn checked(path: &str) -> Result<FilePath, Refused> {
    path.parse().map_err(|error: vault::BadPath| Refused::bad(error.to_string()))
}

fn started(parent: String) -> Result<RevisionId, Refused> {
    let oid: GitOid =
        parent.parse().map_err(|error: vault::NotAGitOid| Refused::bad(error.to_string()))?;
    Ok(oid.revision())
}

fn decoded(content: String, encoding: Option<&str>) -> Result<Bytes, Refused> {
    match encoding {
        Some("base64") => STANDARD
            .decode(content)
            .map(Bytes::from)
            .map_err(|error| Refused::bad(format!("a file of the commit: {error}"))),
        None | Some("utf-8") => Ok(Bytes::from(content)),
        Some(other) => Err(Refused::bad(format!("`{other}` is not an encoding: use base64"))),
    }
}

/// Lines of a body, whatever pieces it comes in.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    /// How much of `rest` has been looked at.
    searched: usize,
    received: usize,
    ended: bool,
}

impl Lines {
    /// The next line that is not empty; `None` at the end.
    async fn next<S, E>(&mut self, body: &mut S) -> Result<Option<Vec<u8>>, Refused>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        loop {
            let unseen = self.rest.get(self.searched..).unwrap_or_default();
            if let Some(found) = unseen.iter().position(|byte| *byte == b'\n') {
                let end = self.searched.saturating_add(found);
                let after = self.rest.split_off(end.saturating_add(1));
                let mut line = std::mem::replace(&mut self.rest, after);
                self.searched = 0;
                line.truncate(end);
                if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.rest.len();
            if self.rest.len() > LINE_BYTES_MAX {
                return Err(too_large("a line of the commit", LINE_BYTES_MAX));
            }
            if self.ended {
                let line = std::mem::take(&mut self.rest);
                return Ok((!line.trim_ascii().is_empty()).then_some(line));
            }
            match body.next().await {
                None => self.ended = true,
                Some(Err(error)) => {
                    return Err(Refused::bad(format!("the commit was interrupted: {error}")));
                }
                Some(Ok(chunk)) => {
                    self.received = self.received.saturating_add(chunk.len());
                    if self.received > COMMIT_BYTES_MAX {
                        return Err(too_large("the commit", COMMIT_BYTES_MAX));
                    }
                    self.rest.extend_from_slice(&chunk);
                }
            }
        }
    }
}

fn too_large(what: &str, bytes: usize) -> Refused {
    let text = format!("{what} is longer than {bytes} bytes: send large files by themselves");
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn lines(chunks: &[&[u8]]) -> Result<Vec<String>, Refused> {
        let mut body =
            stream::iter(chunks.iter().map(|c| Ok::<_, std::io::Error>(Bytes::copy_from_slice(c))));
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        while let Some(line) = lines.next(&mut body).await? {
            found.push(String::from_utf8(line).unwrap());
        }
        Ok(found)
    }

    #[tokio::test]
    async fn lines_come_out_whatever_pieces_they_come_in() {
        let expected = ["ab", "c", "def"];
        assert_eq!(lines(&[b"ab\nc\n\ndef"]).await.unwrap(), expected);
        assert_eq!(lines(&[b"a", b"b\n", b"c", b"\n \nd", b"ef", b"\n"]).await.unwrap(), expected);
        assert_eq!(lines(&[]).await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_line_without_end_is_refused() {
        let chunk = vec![b'x'; 1024 * 1024];
        let chunks: Vec<&[u8]> = std::iter::repeat_n(chunk.as_slice(), 9).collect();
        assert_eq!(lines(&chunks).await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
