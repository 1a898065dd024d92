//! Datasets and models: repositories, their files, revisions, and where each came from.
//!
//! Files are sent first and named by a revision afterwards, so nothing half-sent is ever part of a
//! repository. What a person may read follows from the repository's sensitivity; what they may
//! write, from their role in the project that owns it.

mod commit;
mod edits;
mod files;
mod named;
mod output;
mod parcels;
mod reading;
mod refs;
mod shelf;
mod sweep;

use store::{Tx, projects, repositories as records};
use units::{OrganisationId, ProjectId, RepositoryId};
use vault::{Kind, Licence, RepositoryName, Sensitivity, Vault};

pub use commit::NewRevision;
pub use edits::{Branch, Committed, Edit, NewCommit};
pub use files::Content;
pub use named::Owned;
pub use output::{JobInput, JobOutput};
pub(crate) use parcels::Tickets;
pub use parcels::{Offer, Ticket};
pub use reading::{Lineage, NotAReference, Reference, RevisionDetail, Source};
pub use records::{Filter, ListedFile, Ref, RefKind, Repository, Revision};
pub use refs::Refs;
pub use shelf::Visibility;
pub use sweep::{Damaged, Verified};

use crate::{Action, Actor, App, Error, Scope, audit::Entry};

/// The longest title, in characters.
const TITLE_LENGTH_MAX: usize = 200;
/// The most repositories or revisions one page holds.
const PAGE_MAX: u32 = 200;

/// What data is kept in, and how much of it.
#[derive(Clone, Debug)]
pub struct Data {
    /// Where the bytes are.
    pub vault: Vault,
    /// The largest single file.
    pub file_bytes_max: u64,
    /// How long the parts are in which clients may send a large file, each in a request of its own.
    pub part_bytes: u64,
}

/// Whose a new repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The owning project.
    pub project: ProjectId,
    /// The organisation that the project belongs to.
    pub organisation: OrganisationId,
}

/// What a new repository is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRepository {
    /// What it holds.
    pub kind: Kind,
    /// Its name within the project and kind.
    pub name: RepositoryName,
    /// What people call it.
    pub title: String,
    /// The licence of its content, if one is stated.
    pub licence: Option<Licence>,
    /// How closely it must be kept.
    pub sensitivity: Sensitivity,
}

impl App {
    /// Makes an empty repository in a project.
    ///
    /// # Errors
    /// When the actor may not write the project's data, the title is no title, or the project has
    /// one of that kind and name already.
    pub async fn create_repository(
        &self,
        actor: &Actor,
        project: ProjectId,
        new: NewRepository,
    ) -> Result<Repository, Error> {
        let tx = self.store().write().await?;
        let home = self.home_of(&tx, project).await?;
        actor.may_with(
            Action::WriteData,
            Action::ViewProject,
            "project",
            &[Scope::Project(home.project)],
        )?;
        let made = self.create_repository_in(&tx, actor, home, new).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Whose the data of a project is.
    pub(crate) async fn home_of(&self, tx: &Tx, project: ProjectId) -> Result<Home, Error> {
        let project = projects::by_id(tx, project).await?.ok_or(Error::NotFound("project"))?;
        Ok(Home { project: project.id, organisation: project.organisation })
    }

    /// Makes an empty repository where the caller has found that the actor may.
    ///
    /// # Errors
    /// When the title is no title, or the project has one of that kind and name already.
    pub(crate) async fn create_repository_in(
        &self,
        tx: &Tx,
        actor: &Actor,
        home: Home,
        new: NewRepository,
    ) -> Result<Repository, Error> {
        let repository = Repository {
            id: RepositoryId::from_uuid(self.clock().mint()),
            project: home.project,
            organisation: home.organisation,
            kind: new.kind,
            name: new.name,
            title: checked_title(&new.title)?,
            licence: new.licence,
            sensitivity: new.sensitivity,
            head: None,
            revisions: 0,
            created_by: actor.subject().to_string(),
            created_at: self.now(),
        };
        records::create(tx, &repository).await?;
        let entry = Entry {
            action: "repository.create",
            object: &format!("repository:{}", repository.id),
            rule: "write-data",
            detail: &format!("{} {} in project {}", repository.kind, repository.name, home.project),
        };
        self.audit(tx, actor, entry).await?;
        Ok(repository)
    }

    /// Demands that the actor may write a repository, before they send it anything.
    ///
    /// # Errors
    /// When they may not, or may not know of it.
    pub async fn may_write(&self, actor: &Actor, id: RepositoryId) -> Result<(), Error> {
        let tx = self.store().read().await?;
        self.writable(&tx, actor, id).await.map(drop)
    }

    /// The repository, for somebody who is about to write it.
    pub(crate) async fn writable(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: RepositoryId,
    ) -> Result<Repository, Error> {
        let repository = self.readable(tx, actor, id).await?;
        actor.may(Action::WriteData, &[Scope::Project(repository.project)])?;
        Ok(repository)
    }

    pub(crate) fn data(&self) -> &Data {
        &self.parts.data
    }
}

fn checked_title(title: &str) -> Result<String, Error> {
    let title = title.trim();
    let length = title.chars().count();
    if length == 0 || length > TITLE_LENGTH_MAX || title.chars().any(char::is_control) {
        let text = format!("write a title of 1 to {TITLE_LENGTH_MAX} characters in one line");
        return Err(Error::invalid("title", text));
    }
    Ok(title.to_owned())
}

#[cfg(test)]
mod tests;
