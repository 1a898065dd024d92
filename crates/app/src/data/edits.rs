//! Commits as clients that know git make them: a list of edits on top of a branch.
//!
//! Edits apply to the branch as it stands when they are written, one after another; a client that
//! depends on what it saw says from where it started, and is refused when the branch has moved on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use store::{Tx, blobs, repositories as records};
use units::{RepositoryId, RevisionId};
use vault::{Change, FileEntry, FilePath, Making, NotARef, RefName, Sha256, Tree, TreeError};

use super::commit::{Draft, Tip, checked_message};
use super::files::holder;
use super::{RefKind, Repository, Revision};
use crate::{Actor, App, Error};

/// A branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Branch {
    /// The one that every repository has.
    Main,
    /// Another one.
    Named(RefName),
}

impl FromStr for Branch {
    type Err = NotARef;

    fn from_str(text: &str) -> Result<Self, NotARef> {
        match text.strip_prefix("refs/heads/").unwrap_or(text) {
            RefName::MAIN => Ok(Self::Main),
            name => name.parse().map(Self::Named),
        }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str(RefName::MAIN),
            Self::Named(name) => name.fmt(f),
        }
    }
}

/// One step of a commit; a later one wins over an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The file is there, with a content that was sent before or that the project has.
    Put(FilePath, Sha256),
    /// The file is not there any more.
    Remove(FilePath),
    /// No file is in this folder any more.
    RemoveFolder(FilePath),
}

/// What a client wants on a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// Which branch.
    pub branch: Branch,
    /// Where its maker started, if the edits depend on that.
    pub parent: Option<RevisionId>,
    /// What its maker says about it.
    pub message: String,
    /// The edits.
    pub edits: Vec<Edit>,
}

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// There is a new revision.
    New(Revision),
    /// The branch held all of it already, and stays.
    Unchanged(Revision),
}

impl Committed {
    /// The revision at which the branch stands.
    pub const fn revision(&self) -> &Revision {
        match self {
            Self::New(revision) | Self::Unchanged(revision) => revision,
        }
    }
}

impl App {
    /// Commits edits to a branch.
    ///
    /// # Errors
    /// When the actor may not write there, when there is no such branch, when the branch has moved
    /// on since `parent`, when a file was not sent or is not there to be removed, or when no folder
    /// could hold the result.
    pub async fn commit_edits(
        &self,
        actor: &Actor,
        repository: RepositoryId,
        new: NewCommit,
    ) -> Result<Committed, Error> {
        let by = actor.person_id()?;
        let message = checked_message(&new.message)?;
        let tx = self.store().write().await?;
        records::hold(&tx, repository).await?;
        let repository = self.writable(&tx, actor, repository).await?;
        let tip = tip(&tx, &repository, &new.branch).await?;
        if new.parent.is_some() && new.parent != tip.at() {
            return Err(moved_on(&new.branch, &tip));
        }
        let parent = match tip.at() {
            Some(at) => records::files(&tx, at).await?,
            None => Tree::default(),
        };
        let changes = self.claimed(&tx, &repository, net(&parent, &new.edits)?).await?;
        let tree = match parent.apply(&changes) {
            Ok(tree) => tree,
            Err(TreeError::Unchanged) => return unchanged(&tx, &repository, &tip).await,
            Err(error) => return Err(Error::invalid("files", error.to_string())),
        };
        let making = Making::Sent { by };
        let draft = Draft { message, tree, making, inputs: BTreeMap::new() };
        let revision = self.write_revision(&tx, actor, (&repository, &tip), draft).await?;
        blobs::settle(&tx, &holder(repository.id), revision.id).await?;
        tx.commit().await?;
        Ok(Committed::New(revision))
    }

    /// The changes with the length of every file, each claimed from the vault.
    async fn claimed(
        &self,
        tx: &Tx,
        repository: &Repository,
        net: BTreeMap<FilePath, Option<Sha256>>,
    ) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::with_capacity(net.len());
        for (path, sha256) in net {
            changes.push(match sha256 {
                None => Change::Remove(path),
                Some(sha256) => {
                    let size_bytes = self.claim_for(tx, repository, &path, sha256).await?;
                    Change::Put(path, FileEntry { sha256, size_bytes })
                }
            });
        }
        Ok(changes)
    }
}

/// Where a branch stands.
async fn tip(tx: &Tx, repository: &Repository, branch: &Branch) -> Result<Tip, Error> {
    let Branch::Named(name) = branch else { return Ok(Tip::Main(repository.head)) };
    match records::named(tx, repository.id, name).await? {
        Some(found) if found.kind == RefKind::Branch => Ok(Tip::Branch(found.name, found.revision)),
        _ => Err(Error::NotFound("revision")),
    }
}

/// What the edits come to: a content for each path, or none where a file goes.
fn net(parent: &Tree, edits: &[Edit]) -> Result<BTreeMap<FilePath, Option<Sha256>>, Error> {
    let mut net = BTreeMap::new();
    for edit in edits {
        match edit {
            Edit::Put(path, sha256) => {
                net.insert(path.clone(), Some(*sha256));
            }
            Edit::Remove(path) => {
                let there = match net.get(path) {
                    Some(content) => content.is_some(),
                    None => parent.file(path).is_some(),
                };
                if !there {
                    return Err(Error::NotFound("file"));
                }
                net.insert(path.clone(), None);
            }
            Edit::RemoveFolder(folder) => {
                let within = |path: &&FilePath| path.folders().any(|at| at == folder.as_str());
                let old = parent.files().map(|(path, _)| path).filter(within);
                let all: BTreeSet<FilePath> =
                    old.chain(net.keys().filter(within)).cloned().collect();
                net.extend(all.into_iter().map(|path| (path, None)));
            }
        }
    }
    // What was put and then removed again, and was never there, needs no change.
    net.retain(|path, content| content.is_some() || parent.file(path).is_some());
    Ok(net)
}

async fn unchanged(tx: &Tx, repository: &Repository, tip: &Tip) -> Result<Committed, Error> {
    let at = tip.at().ok_or_else(|| Error::invalid("files", TreeError::Unchanged.to_string()))?;
    let revision = records::load(tx, repository.id, at).await?;
    revision.map(Committed::Unchanged).ok_or(Error::NotFound("revision"))
}

fn moved_on(branch: &Branch, tip: &Tip) -> Error {
    Error::Conflict(match tip.at() {
        Some(at) => format!(
            "a commit has happened since: branch {branch} stands at revision {at} by now; start \
             from it and commit again"
        ),
        None => format!("branch {branch} has no revision yet: commit without a parent"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FilePath {
        text.parse().unwrap()
    }

    fn edited(before: &[&str], edits: &[Edit]) -> String {
        let entry = FileEntry { sha256: Sha256::of(b"old"), size_bytes: 3 };
        let parent = Tree::from_entries(before.iter().map(|name| (path(name), entry)));
        match net(&parent, edits) {
            Err(error) => error.to_string(),
            Ok(net) => {
                let line = |(path, content): (&FilePath, &Option<Sha256>)| {
                    format!("{}{path}", if content.is_some() { '+' } else { '-' })
                };
                net.iter().map(line).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn later_edits_win_over_earlier_ones() {
        let new = Sha256::of(b"new");
        let put = |name: &str| Edit::Put(path(name), new);
        let remove = |name: &str| Edit::Remove(path(name));
        let folder = |name: &str| Edit::RemoveFolder(path(name));
        let before = ["a", "d/x", "d/y/z", "dd"];
        assert_eq!(edited(&before, &[folder("d"), put("d/x")]), "+d/x -d/y/z");
        assert_eq!(edited(&before, &[put("d/new"), folder("d")]), "-d/x -d/y/z");
        assert_eq!(edited(&before, &[remove("a"), put("a")]), "+a");
        assert_eq!(edited(&before, &[put("b"), remove("b")]), "");
        assert_eq!(edited(&before, &[remove("b")]), "there is no such file");
        assert_eq!(edited(&before, &[remove("a"), remove("a")]), "there is no such file");
    }
}
