//! A repository is called otherwise, opened or closed, or given up.

use store::{Tx, repositories as records};
use units::RepositoryId;
use vault::{RepositoryName, Sensitivity};

use super::Repository;
use crate::{Action, Actor, App, Error, Scope, audit::Entry};

/// Who may read a repository, in the two words that other tools have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Anybody who has signed in.
    Public,
    /// Those whom its sensitivity admits.
    Private,
}

impl Visibility {
    /// How closely a new repository is kept that is to be seen so: a private one by its project.
    pub const fn sensitivity(self) -> Sensitivity {
        match self {
            Self::Public => Sensitivity::Open,
            Self::Private => Sensitivity::Confidential,
        }
    }
}

impl App {
    /// Gives a repository another name within its project.
    ///
    /// # Errors
    /// When the actor may not manage the project's data, or the name is taken.
    pub async fn rename_repository(
        &self,
        actor: &Actor,
        id: RepositoryId,
        name: RepositoryName,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let repository = self.manageable(&tx, actor, id).await?;
        records::rename(&tx, id, &name).await?;
        let detail = format!("from {} to {name}", repository.name);
        self.note(&tx, actor, (id, "repository.rename"), &detail).await?;
        Ok(tx.commit().await?)
    }

    /// Opens a repository to everybody who has signed in, or closes an open one to its project.
    ///
    /// # Errors
    /// When the actor may not manage the project's data, or when the repository holds, or was made
    /// from, what must be kept more closely.
    pub async fn set_visibility(
        &self,
        actor: &Actor,
        id: RepositoryId,
        visibility: Visibility,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let repository = self.manageable(&tx, actor, id).await?;
        let before = repository.sensitivity;
        let after = match visibility {
            Visibility::Private if before == Sensitivity::Open => visibility.sensitivity(),
            Visibility::Private => before,
            Visibility::Public => visibility.sensitivity(),
        };
        if after == before {
            return Ok(());
        }
        self.may_be_as_open(&tx, &repository, after).await?;
        records::reclassify(&tx, id, after).await?;
        let detail = format!("from {before} to {after}");
        self.note(&tx, actor, (id, "repository.classify"), &detail).await?;
        Ok(tx.commit().await?)
    }

    /// Gives a repository up: nobody sees it any more, and its files go unless something else names
    /// them. Its revisions stay on record for the lineage of what was made from them.
    ///
    /// # Errors
    /// When the actor may not manage the project's data, or when a job still reads it.
    pub async fn delete_repository(&self, actor: &Actor, id: RepositoryId) -> Result<(), Error> {
        let tx = self.store().write().await?;
        records::hold(&tx, id).await?;
        let repository = self.manageable(&tx, actor, id).await?;
        if records::in_use(&tx, id).await? {
            let text = "a job that has not ended reads this repository: wait for it or cancel it";
            return Err(Error::Conflict(text.to_owned()));
        }
        records::delete(&tx, id, self.now()).await?;
        let detail = format!(
            "{} {} with {} revisions",
            repository.kind, repository.name, repository.revisions
        );
        self.note(&tx, actor, (id, "repository.delete"), &detail).await?;
        Ok(tx.commit().await?)
    }

    async fn manageable(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: RepositoryId,
    ) -> Result<Repository, Error> {
        let repository = self.readable(tx, actor, id).await?;
        actor.may(Action::ManageData, &[Scope::Project(repository.project)])?;
        Ok(repository)
    }

    /// Demands that nobody comes to read through this repository what they could not read before.
    async fn may_be_as_open(
        &self,
        tx: &Tx,
        repository: &Repository,
        wanted: Sensitivity,
    ) -> Result<(), Error> {
        let refused = |what: String| {
            Err(Error::refused("data.sensitivity", format!("{what}: it cannot become {wanted}")))
        };
        if repository.sensitivity == Sensitivity::Personal && wanted != Sensitivity::Personal {
            return refused("the repository holds personal data".to_owned());
        }
        for source in records::sources(tx, repository.id).await? {
            let Some(source) = records::by_id(tx, source).await? else {
                return refused("it was made from a repository that is deleted".to_owned());
            };
            if !wanted.admits_content_of(source.sensitivity) {
                return refused(format!("it was made from {} data", source.sensitivity));
            }
        }
        Ok(())
    }

    async fn note(
        &self,
        tx: &Tx,
        actor: &Actor,
        (id, action): (RepositoryId, &str),
        detail: &str,
    ) -> Result<(), Error> {
        let object = format!("repository:{id}");
        let entry = Entry { action, object: &object, rule: "manage-data", detail };
        self.audit(tx, actor, entry).await
    }
}
