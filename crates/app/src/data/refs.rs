//! Branches and tags, and what people mean when they name a revision.

use store::{Tx, repositories as records};
use units::{RepositoryId, RevisionId};
use vault::{FilePath, GitOid, RefName};

use super::reading::{Reference, find};
use super::{ListedFile, Ref, RefKind, Repository, Revision};
use crate::{Actor, App, Error, audit::Entry};

/// The most revisions of one line.
const LINE_MAX: u32 = 1_000;

/// Every name that a repository has for its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refs {
    /// Where the main branch stands.
    pub main: Option<Revision>,
    /// The others, by name, with the revisions they name.
    pub others: Vec<(Ref, Revision)>,
}

impl App {
    /// The revision that `text` means in a repository: a branch, a tag, a commit, a number or an
    /// identifier.
    ///
    /// # Errors
    /// When there is no such revision that the actor may read.
    pub async fn revision_named(
        &self,
        actor: &Actor,
        id: RepositoryId,
        text: &str,
    ) -> Result<Revision, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        find_named(&tx, &repository, text).await
    }

    /// The files of a revision with git's names for them, by path.
    ///
    /// # Errors
    /// When there is no such revision that the actor may read.
    pub async fn listing(
        &self,
        actor: &Actor,
        id: RepositoryId,
        revision: RevisionId,
    ) -> Result<Vec<ListedFile>, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        find(&tx, &repository, Reference::Id(revision)).await?;
        Ok(records::listing(&tx, revision).await?)
    }

    /// One file of a revision with git's name for it.
    ///
    /// # Errors
    /// When there is none that the actor may read.
    pub async fn listed_file(
        &self,
        actor: &Actor,
        id: RepositoryId,
        revision: RevisionId,
        path: &FilePath,
    ) -> Result<ListedFile, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        find(&tx, &repository, Reference::Id(revision)).await?;
        records::listed(&tx, revision, path).await?.ok_or(Error::NotFound("file"))
    }

    /// The revisions that led to `revision`, itself first.
    ///
    /// # Errors
    /// When there is no such revision that the actor may read.
    pub async fn line(
        &self,
        actor: &Actor,
        id: RepositoryId,
        revision: RevisionId,
        limit: u32,
    ) -> Result<Vec<Revision>, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        find(&tx, &repository, Reference::Id(revision)).await?;
        Ok(records::line(&tx, revision, limit.clamp(1, LINE_MAX)).await?)
    }

    /// The branches and tags of a repository.
    ///
    /// # Errors
    /// When there is no such repository that the actor may read.
    pub async fn refs(&self, actor: &Actor, id: RepositoryId) -> Result<Refs, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        let main = match repository.head {
            Some(head) => records::load(&tx, id, head).await?,
            None => None,
        };
        let mut others = Vec::new();
        for found in records::refs(&tx, id).await? {
            let revision = records::load(&tx, id, found.revision).await?;
            others.push((found, revision.ok_or(Error::NotFound("revision"))?));
        }
        Ok(Refs { main, others })
    }

    /// Makes a branch or a tag at the revision that `from` means.
    ///
    /// # Errors
    /// When the actor may not write there, when there is no such revision, or when the name is
    /// taken.
    pub async fn create_ref(
        &self,
        actor: &Actor,
        id: RepositoryId,
        (kind, name): (RefKind, RefName),
        from: &str,
    ) -> Result<Ref, Error> {
        let tx = self.store().write().await?;
        let repository = self.writable(&tx, actor, id).await?;
        let revision = find_named(&tx, &repository, from).await?;
        let made = Ref { name, kind, revision: revision.id };
        records::add_ref(&tx, id, &made).await?;
        let entry = Entry {
            action: match kind {
                RefKind::Branch => "branch.create",
                RefKind::Tag => "tag.create",
            },
            object: &format!("repository:{id}"),
            rule: "write-data",
            detail: &format!("{kind} {} at revision {}", made.name, revision.number),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Takes a branch or a tag away. Its revisions stay.
    ///
    /// # Errors
    /// When the actor may not write there, or there is no such branch or tag.
    pub async fn delete_ref(
        &self,
        actor: &Actor,
        id: RepositoryId,
        (kind, name): (RefKind, &RefName),
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        self.writable(&tx, actor, id).await?;
        if !records::remove_ref(&tx, id, kind, name).await? {
            return Err(Error::NotFound("revision"));
        }
        let entry = Entry {
            action: match kind {
                RefKind::Branch => "branch.delete",
                RefKind::Tag => "tag.delete",
            },
            object: &format!("repository:{id}"),
            rule: "write-data",
            detail: &format!("{kind} {name}"),
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }
}

/// The revision of `repository` that `text` means.
pub(super) async fn find_named(
    tx: &Tx,
    repository: &Repository,
    text: &str,
) -> Result<Revision, Error> {
    let name = text.strip_prefix("refs/heads/").or_else(|| text.strip_prefix("refs/tags/"));
    let text = name.unwrap_or(text);
    if let Ok(oid) = text.parse::<GitOid>() {
        let found = records::load(tx, repository.id, oid.revision()).await?;
        // Only the whole name is the name.
        return found
            .filter(|found| GitOid::of_revision(found.id, found.tree) == oid)
            .ok_or(Error::NotFound("revision"));
    }
    if let Ok(name) = text.parse::<RefName>() {
        let found = records::named(tx, repository.id, &name).await?;
        let found = found.ok_or(Error::NotFound("revision"))?;
        return find(tx, repository, Reference::Id(found.revision)).await;
    }
    match text.parse::<Reference>() {
        Ok(reference) => find(tx, repository, reference).await,
        Err(_) => Err(Error::NotFound("revision")),
    }
}
