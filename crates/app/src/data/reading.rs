//! Who may read what, and what there is to read.

use std::fmt;
use std::str::FromStr;

use store::{Tx, repositories as records};
use units::{RepositoryId, RevisionId, Slug};
use vault::{FilePath, Reader, Tree};

use super::files::Content;
use super::{Filter, PAGE_MAX, Repository, Revision};
use crate::{Action, Actor, App, Error, Role, Scope, Subject};

/// The text does not refer to a revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a revision: use main, a number such as 3, or a revision's identifier")]
pub struct NotAReference(String);

/// How people refer to a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The newest.
    Main,
    /// The one with this number.
    Number(i64),
    /// This one.
    Id(RevisionId),
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let refused = || NotAReference(text.chars().take(80).collect());
        if text == "main" {
            return Ok(Self::Main);
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Number).map_err(|_| refused());
        }
        text.parse().map(Self::Id).map_err(|_| refused())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

/// A revision with everything it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionDetail {
    /// The revision itself.
    pub revision: Revision,
    /// The revisions it follows.
    pub parents: Vec<RevisionId>,
    /// Its files.
    pub tree: Tree,
}

/// A revision in somebody's lineage, as far as the reader may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The reader may see it.
    Known {
        /// Where it is.
        repository: Box<Repository>,
        /// The revision.
        revision: Box<Revision>,
    },
    /// It exists, and the reader may not know what it is.
    Withheld,
}

/// What a revision was made from, and what was made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// Where the revision is.
    pub repository: Repository,
    /// The revision, whose `making` names the job, allocation and code.
    pub revision: Revision,
    /// What it was made from, by the name under which the work saw it.
    pub inputs: Vec<(Slug, Source)>,
    /// What was made from it, as far as the reader may know it.
    pub children: Vec<Source>,
}

/// How close `actor` stands to a repository: members of the project and those who speak for its
/// organisation are inside; other members of the organisation are near.
fn reader(actor: &Actor, repository: &Repository) -> Reader {
    let organisation = Scope::Organisation(repository.organisation);
    let speaks = actor
        .grants()
        .iter()
        .any(|grant| grant.role == Role::OrganisationRepresentative && grant.scope == organisation);
    let within = |scope: Scope| actor.can(Action::ReadData, &[scope]);
    if *actor.subject() == Subject::System || speaks || within(Scope::Project(repository.project)) {
        Reader::OfProject
    } else if within(organisation) {
        Reader::OfOrganisation
    } else {
        Reader::Other
    }
}

/// Which repositories a list for `actor` may show.
fn visible(actor: &Actor) -> records::Visible {
    let mut visible =
        records::Visible { projects: vec![], represented: vec![], organisations: vec![] };
    for grant in actor.grants() {
        match (&grant.scope, grant.role) {
            (Scope::Organisation(id), Role::OrganisationRepresentative) => {
                visible.represented.push(*id);
            }
            (scope, _) if !actor.can(Action::ReadData, std::slice::from_ref(scope)) => {}
            (Scope::Organisation(id), _) => visible.organisations.push(*id),
            (Scope::Project(id), _) => visible.projects.push(*id),
            (Scope::Federation | Scope::Factory(_), _) => {}
        }
    }
    visible
}

impl App {
    /// Repositories that the actor may read, newest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn repositories(
        &self,
        actor: &Actor,
        filter: &Filter,
        limit: u32,
    ) -> Result<Vec<Repository>, Error> {
        actor.may(Action::BrowseData, &[])?;
        let tx = self.store().read().await?;
        Ok(records::page(&tx, &visible(actor), filter, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// One repository.
    ///
    /// # Errors
    /// When there is none that the actor may read.
    pub async fn repository(&self, actor: &Actor, id: RepositoryId) -> Result<Repository, Error> {
        let tx = self.store().read().await?;
        self.readable(&tx, actor, id).await
    }

    /// The revisions of a repository below the number `before`, newest first.
    ///
    /// # Errors
    /// When there is no such repository that the actor may read.
    pub async fn revisions(
        &self,
        actor: &Actor,
        id: RepositoryId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Revision>, Error> {
        let tx = self.store().read().await?;
        self.readable(&tx, actor, id).await?;
        Ok(records::list(&tx, id, before, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// One revision with its files.
    ///
    /// # Errors
    /// When there is none that the actor may read.
    pub async fn revision(
        &self,
        actor: &Actor,
        id: RepositoryId,
        reference: Reference,
    ) -> Result<RevisionDetail, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        let revision = find(&tx, &repository, reference).await?;
        let parents = records::parents(&tx, revision.id).await?;
        let tree = records::files(&tx, revision.id).await?;
        Ok(RevisionDetail { revision, parents, tree })
    }

    /// One file of a revision, for [`App::bytes`].
    ///
    /// # Errors
    /// When there is none that the actor may read.
    pub async fn file(
        &self,
        actor: &Actor,
        id: RepositoryId,
        reference: Reference,
        path: &FilePath,
    ) -> Result<Content, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        let revision = find(&tx, &repository, reference).await?;
        content(&tx, revision.id, path).await
    }

    /// What a revision was made from, and what was made from it. Neighbours that the actor may
    /// not read are counted among the sources, not named; among the children they are left out.
    ///
    /// # Errors
    /// When there is no such revision that the actor may read.
    pub async fn lineage(
        &self,
        actor: &Actor,
        id: RepositoryId,
        reference: Reference,
    ) -> Result<Lineage, Error> {
        let tx = self.store().read().await?;
        let repository = self.readable(&tx, actor, id).await?;
        let revision = find(&tx, &repository, reference).await?;
        let mut inputs = Vec::new();
        for (name, place) in records::inputs(&tx, revision.id).await? {
            inputs.push((name, self.source(&tx, actor, place).await?));
        }
        let mut children = Vec::new();
        for place in records::children(&tx, revision.id).await? {
            children.push(self.source(&tx, actor, place).await?);
        }
        children.retain(|child| *child != Source::Withheld);
        Ok(Lineage { repository, revision, inputs, children })
    }

    async fn source(
        &self,
        tx: &Tx,
        actor: &Actor,
        (repository, revision): records::Place,
    ) -> Result<Source, Error> {
        let repository = match self.readable(tx, actor, repository).await {
            Err(Error::NotFound(_)) => return Ok(Source::Withheld),
            other => other?,
        };
        let revision = find(tx, &repository, Reference::Id(revision)).await?;
        Ok(Source::Known { repository: Box::new(repository), revision: Box::new(revision) })
    }

    /// The repository, if the actor may read it.
    pub(crate) async fn readable(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: RepositoryId,
    ) -> Result<Repository, Error> {
        actor.may(Action::BrowseData, &[])?;
        match records::by_id(tx, id).await? {
            Some(found) if found.sensitivity.admits(reader(actor, &found)) => Ok(found),
            _ => Err(Error::NotFound("repository")),
        }
    }

    /// A revision by its identifier alone, if the actor may read it.
    pub(crate) async fn readable_revision(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: RevisionId,
    ) -> Result<Repository, Error> {
        match records::repository_of(tx, id).await? {
            Some(repository) => self.readable(tx, actor, repository).await,
            None => Err(Error::NotFound("revision")),
        }
    }
}

/// The revision of `repository` that `reference` means.
pub(super) async fn find(
    tx: &Tx,
    repository: &Repository,
    reference: Reference,
) -> Result<Revision, Error> {
    let found = match reference {
        Reference::Main => match repository.head {
            Some(head) => records::load(tx, repository.id, head).await?,
            None => None,
        },
        Reference::Number(number) => records::by_number(tx, repository.id, number).await?,
        Reference::Id(id) => records::load(tx, repository.id, id).await?,
    };
    found.ok_or(Error::NotFound("revision"))
}

/// The file at `path` of a revision.
pub(super) async fn content(
    tx: &Tx,
    revision: RevisionId,
    path: &FilePath,
) -> Result<Content, Error> {
    match records::file(tx, revision, path).await? {
        Some(entry) => Ok(Content { path: path.clone(), entry }),
        None => Err(Error::NotFound("file")),
    }
}
