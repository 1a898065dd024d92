//! A revision: files that were sent become a state of a repository.

use std::collections::BTreeMap;

use store::{Tx, blobs, repositories as records};
use units::{RepositoryId, RevisionId, Slug};
use vault::{Change, FileEntry, FilePath, Making, RefName, Sha256, Tree};

use super::files::holder;
use super::{Repository, Revision};
use crate::{Actor, App, Error, audit::Entry};

/// The longest message, in characters.
const MESSAGE_LENGTH_MAX: usize = 2_000;

/// What a commit changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRevision {
    /// The revision it follows: the head as its maker saw it, absent for the first.
    pub parent: Option<RevisionId>,
    /// What its maker says about it.
    pub message: String,
    /// Files to add or replace; each was sent before, or is in the parent.
    pub put: Vec<(FilePath, Sha256)>,
    /// Files to remove.
    pub remove: Vec<FilePath>,
    /// What it was made from, by names of the maker's choice.
    pub inputs: BTreeMap<Slug, RevisionId>,
}

/// Where a revision is added: a branch, and the revision it stands at.
pub(super) enum Tip {
    /// The main branch, which begins with the first revision.
    Main(Option<RevisionId>),
    /// Another branch.
    Branch(RefName, RevisionId),
}

impl Tip {
    pub(super) fn at(&self) -> Option<RevisionId> {
        match self {
            Self::Main(at) => *at,
            Self::Branch(_, at) => Some(*at),
        }
    }
}

/// A revision as it is about to be written.
pub(super) struct Draft {
    pub(super) message: String,
    pub(super) tree: Tree,
    pub(super) making: Making,
    pub(super) inputs: BTreeMap<Slug, RevisionId>,
}

impl App {
    /// Commits files that were sent before as the next revision of a repository.
    ///
    /// # Errors
    /// When the actor may not write there, when the repository has moved on since `parent`, when a
    /// file was not sent, or when no folder could hold the result.
    pub async fn commit_revision(
        &self,
        actor: &Actor,
        repository: RepositoryId,
        new: NewRevision,
    ) -> Result<Revision, Error> {
        let by = actor.person_id()?;
        let message = checked_message(&new.message)?;
        let tx = self.store().write().await?;
        records::hold(&tx, repository).await?;
        let repository = self.writable(&tx, actor, repository).await?;
        if repository.head != new.parent {
            return Err(moved_on(&repository));
        }
        let parent = match repository.head {
            Some(head) => records::files(&tx, head).await?,
            None => Tree::default(),
        };
        let changes = self.changes(&tx, &repository, &parent, &new).await?;
        let tree =
            parent.apply(&changes).map_err(|error| Error::invalid("files", error.to_string()))?;
        for input in new.inputs.values() {
            self.readable_revision(&tx, actor, *input).await?;
        }
        let draft = Draft { message, tree, making: Making::Sent { by }, inputs: new.inputs };
        let tip = Tip::Main(repository.head);
        let revision = self.write_revision(&tx, actor, (&repository, &tip), draft).await?;
        blobs::settle(&tx, &holder(repository.id), revision.id).await?;
        tx.commit().await?;
        Ok(revision)
    }

    /// What `new` changes, with every file to put claimed from the vault.
    async fn changes(
        &self,
        tx: &Tx,
        repository: &Repository,
        parent: &Tree,
        new: &NewRevision,
    ) -> Result<Vec<Change>, Error> {
        let known: BTreeMap<Sha256, u64> =
            parent.files().map(|(_, entry)| (entry.sha256, entry.size_bytes)).collect();
        let mut changes = Vec::with_capacity(new.put.len().saturating_add(new.remove.len()));
        for (path, sha256) in &new.put {
            let size_bytes = match known.get(sha256) {
                Some(size_bytes) => *size_bytes,
                None => self.claim_for(tx, repository, path, *sha256).await?,
            };
            changes.push(Change::Put(path.clone(), FileEntry { sha256: *sha256, size_bytes }));
        }
        changes.extend(new.remove.iter().cloned().map(Change::Remove));
        Ok(changes)
    }

    /// Claims a file for a revision of `repository`: one that was sent for it, or one that its
    /// project has in any of its repositories. Returns its length.
    pub(super) async fn claim_for(
        &self,
        tx: &Tx,
        repository: &Repository,
        path: &FilePath,
        sha256: Sha256,
    ) -> Result<u64, Error> {
        match records::held(tx, repository.project, sha256).await? {
            Some(size_bytes) if blobs::claim(tx, sha256, self.now()).await? => Ok(size_bytes),
            _ => self.claim(tx, &holder(repository.id), path, sha256).await,
        }
    }

    /// Claims a file that `holder` sent; returns its length.
    pub(super) async fn claim(
        &self,
        tx: &Tx,
        holder: &str,
        path: &FilePath,
        sha256: Sha256,
    ) -> Result<u64, Error> {
        let sent = blobs::uploaded(tx, holder, sha256).await?;
        let claimed = blobs::claim(tx, sha256, self.now()).await?;
        match sent {
            Some(blob) if claimed => Ok(blob.size_bytes),
            _ => {
                let text = format!("`{path}`: the file {sha256} was not sent; send it first");
                Err(Error::invalid("files", text))
            }
        }
    }

    /// Writes the next revision of `repository` and moves the branch that `tip` is of.
    pub(super) async fn write_revision(
        &self,
        tx: &Tx,
        actor: &Actor,
        (repository, tip): (&Repository, &Tip),
        draft: Draft,
    ) -> Result<Revision, Error> {
        let revision = Revision {
            id: RevisionId::from_uuid(self.clock().mint()),
            repository: repository.id,
            number: repository.revisions.saturating_add(1),
            message: draft.message,
            tree: draft.tree.digest(),
            files: u64::try_from(draft.tree.files().len()).unwrap_or(u64::MAX),
            size_bytes: draft.tree.size_bytes(),
            created_by: actor.subject().to_string(),
            created_at: self.now(),
            making: draft.making,
        };
        records::insert(tx, &revision, tip.at().as_slice(), &draft.tree).await?;
        records::record_inputs(tx, revision.id, &draft.inputs).await?;
        let moved = match tip {
            Tip::Main(at) => records::advance(tx, repository.id, *at, &revision).await?,
            Tip::Branch(name, at) => {
                records::advance_branch(tx, (repository.id, name), *at, &revision).await?
            }
        };
        if !moved {
            return Err(moved_on(repository));
        }
        let entry = Entry {
            action: "revision.commit",
            object: &format!("repository:{}", repository.id),
            rule: "write-data",
            detail: &format!("revision {} with {} files", revision.number, revision.files),
        };
        self.audit(tx, actor, entry).await?;
        Ok(revision)
    }
}

fn moved_on(repository: &Repository) -> Error {
    Error::Conflict(match repository.head {
        Some(head) => format!(
            "the repository stands at revision {} ({head}) by now: start from it and commit again",
            repository.revisions
        ),
        None => "the repository has no revision yet: commit without a parent".to_owned(),
    })
}

pub(super) fn checked_message(message: &str) -> Result<String, Error> {
    let message = message.trim();
    let length = message.chars().count();
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if length == 0 || length > MESSAGE_LENGTH_MAX || !message.chars().all(plain) {
        let text = format!("say in 1 to {MESSAGE_LENGTH_MAX} characters what changed");
        return Err(Error::invalid("message", text));
    }
    Ok(message.to_owned())
}
