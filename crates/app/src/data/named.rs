//! Repositories by the names that other tools give them: a project's handle and the repository's
//! own name.

use std::collections::BTreeMap;

use store::{projects, repositories as records};
use units::{ProjectId, Slug};
use vault::{Kind, RepositoryName, Tree};

use super::commit::{Draft, Tip};
use super::{NewRepository, Repository};
use crate::{Action, Actor, App, Error, Scope};

/// A project by whose handle its repositories are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The project.
    pub project: ProjectId,
    /// What other tools call it.
    pub handle: Slug,
    /// What people call it.
    pub title: String,
}

/// What the first revision of a repository says that has nothing in it yet.
const FIRST_MESSAGE: &str = "Initial commit";

impl App {
    /// The repository that `owner` calls `name`.
    ///
    /// # Errors
    /// When there is none that the actor may read.
    pub async fn repository_named(
        &self,
        actor: &Actor,
        kind: Kind,
        (owner, name): (&Slug, &RepositoryName),
    ) -> Result<Repository, Error> {
        actor.may(Action::BrowseData, &[])?;
        let tx = self.store().read().await?;
        let missing = || Error::NotFound("repository");
        let project = projects::by_handle(&tx, owner).await?.ok_or_else(missing)?;
        let found = records::by_name(&tx, project, kind, name).await?.ok_or_else(missing)?;
        self.readable(&tx, actor, found.id).await
    }

    /// Makes a repository with a first revision that holds no file, in the project with the handle
    /// `owner`: such a repository can be read, branched and tagged at once.
    ///
    /// # Errors
    /// When there is no such project in which the actor may write data, when the title is no title,
    /// or when the project has a repository of that kind and name.
    pub async fn open_repository(
        &self,
        actor: &Actor,
        owner: &Slug,
        new: NewRepository,
    ) -> Result<Repository, Error> {
        let tx = self.store().write().await?;
        let project = projects::by_handle(&tx, owner).await?.ok_or(Error::NotFound("project"))?;
        let home = self.home_of(&tx, project).await?;
        let scope = [Scope::Project(project)];
        actor.may_with(Action::WriteData, Action::ViewProject, "project", &scope)?;
        let making = vault::Making::Sent { by: actor.person_id()? };
        let made = self.create_repository_in(&tx, actor, home, new).await?;
        let draft = Draft {
            message: FIRST_MESSAGE.to_owned(),
            tree: Tree::default(),
            making,
            inputs: BTreeMap::new(),
        };
        let first = self.write_revision(&tx, actor, (&made, &Tip::Main(None)), draft).await?;
        tx.commit().await?;
        Ok(Repository { head: Some(first.id), revisions: first.number, ..made })
    }

    /// The project of this handle, to look among the repositories that the actor may read; `None`
    /// when there is none.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn project_called(
        &self,
        actor: &Actor,
        handle: &str,
    ) -> Result<Option<ProjectId>, Error> {
        actor.may(Action::BrowseData, &[])?;
        let Ok(handle) = handle.parse() else { return Ok(None) };
        let tx = self.store().read().await?;
        Ok(projects::by_handle(&tx, &handle).await?)
    }

    /// What the projects of these repositories are called, for somebody who may read them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn owners(&self, of: &[Repository]) -> Result<BTreeMap<ProjectId, Slug>, Error> {
        let tx = self.store().read().await?;
        let mut owners = BTreeMap::new();
        for repository in of {
            if !owners.contains_key(&repository.project)
                && let Some(handle) = projects::handle(&tx, repository.project).await?
            {
                owners.insert(repository.project, handle);
            }
        }
        Ok(owners)
    }

    /// The projects of which the actor is a member, by handle.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn own_projects(&self, actor: &Actor) -> Result<Vec<Owned>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        let mut owned = BTreeMap::new();
        for grant in actor.grants() {
            let Scope::Project(id) = grant.scope else { continue };
            let (Some(project), Some(handle)) =
                (projects::by_id(&tx, id).await?, projects::handle(&tx, id).await?)
            else {
                continue;
            };
            let entry = Owned { project: id, handle: handle.clone(), title: project.title };
            owned.insert(handle, entry);
        }
        Ok(owned.into_values().collect())
    }
}
