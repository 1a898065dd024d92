//! Datasets and models: repositories, their revisions, files and lineage.

mod change;
mod lineage;
mod listing;
mod refs;
mod revisions;

use sea_orm::FromQueryResult;
use units::{OrganisationId, ProjectId, RepositoryId, RevisionId, Timestamp};
use vault::{Kind, Licence, RepositoryName, Sensitivity};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

pub use change::{delete, in_use, reclassify, rename};
pub use lineage::{Place, children, inputs, of_job, record_inputs};
pub use listing::{ListedFile, held, line, listed, listing, sources};
pub use refs::{Ref, RefKind, add_ref, advance_branch, named, refs, remove_ref};
pub use revisions::{Revision, by_number, file, files, insert, list, load, parents, repository_of};

/// A dataset or a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its identifier.
    pub id: RepositoryId,
    /// The project that owns it.
    pub project: ProjectId,
    /// The organisation that the project belongs to.
    pub organisation: OrganisationId,
    /// What it holds.
    pub kind: Kind,
    /// Its name within the project and kind.
    pub name: RepositoryName,
    /// What people call it.
    pub title: String,
    /// The licence of its content, if one was stated.
    pub licence: Option<Licence>,
    /// How closely it must be kept.
    pub sensitivity: Sensitivity,
    /// The newest revision.
    pub head: Option<RevisionId>,
    /// How many revisions there are.
    pub revisions: i64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    project: uuid::Uuid,
    organisation: uuid::Uuid,
    kind: String,
    name: String,
    title: String,
    licence: Option<String>,
    sensitivity: String,
    head: Option<uuid::Uuid>,
    revisions: i64,
    created_by: String,
    created_at: i64,
}

impl Row {
    fn repository(self) -> Result<Repository, StoreError> {
        let damaged = |error: &dyn std::fmt::Display| StoreError::damaged("repository", error);
        Ok(Repository {
            id: RepositoryId::from_uuid(self.id),
            project: ProjectId::from_uuid(self.project),
            organisation: OrganisationId::from_uuid(self.organisation),
            kind: self.kind.parse().map_err(|error| damaged(&error))?,
            name: self.name.parse().map_err(|error| damaged(&error))?,
            title: self.title,
            licence: self.licence.map(|text| text.parse()).transpose().map_err(|e| damaged(&e))?,
            sensitivity: self.sensitivity.parse().map_err(|error| damaged(&error))?,
            head: self.head.map(RevisionId::from_uuid),
            revisions: self.revisions,
            created_by: self.created_by,
            created_at: instant(self.created_at)?,
        })
    }
}

/// Which repositories a list may show: those that sensitivity and membership together admit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Projects of which everything is shown.
    pub projects: Vec<ProjectId>,
    /// Organisations of which everything is shown: the reader speaks for them.
    pub represented: Vec<OrganisationId>,
    /// Organisations of which open and internal repositories are shown.
    pub organisations: Vec<OrganisationId>,
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this project's.
    pub project: Option<ProjectId>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only those whose names hold this text, in whatever case.
    pub name: Option<String>,
    /// Only those after this one in order of age, newest first.
    pub before: Option<RepositoryId>,
}

/// Adds a repository.
///
/// # Errors
/// [`StoreError::Exists`] when the project has one of that kind and name already.
pub async fn create(tx: &Tx, repository: &Repository) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO repository
        (id, project, organisation, kind, name, title, licence, sensitivity, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = [
        repository.id.uuid().into(),
        repository.project.uuid().into(),
        repository.organisation.uuid().into(),
        repository.kind.to_string().into(),
        repository.name.to_string().into(),
        repository.title.clone().into(),
        repository.licence.as_ref().map(ToString::to_string).into(),
        repository.sensitivity.to_string().into(),
        repository.created_by.clone().into(),
        micros(repository.created_at).into(),
    ];
    tx.execute(SQL, values).await.map_err(|error| error.or_exists("a repository of that name"))?;
    Ok(())
}

/// The repository `id`.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: RepositoryId) -> Result<Option<Repository>, StoreError> {
    const SQL: &str = "SELECT * FROM repository WHERE id = $1 AND deleted_at IS NULL";
    let row = tx.one::<Row>(SQL, [id.uuid().into()]).await?;
    row.map(Row::repository).transpose()
}

/// The repository that a project calls `name`.
///
/// # Errors
/// When the database fails.
pub async fn by_name(
    tx: &Tx,
    project: ProjectId,
    kind: Kind,
    name: &RepositoryName,
) -> Result<Option<Repository>, StoreError> {
    const SQL: &str = "SELECT * FROM repository
        WHERE project = $1 AND kind = $2 AND name = $3 AND deleted_at IS NULL";
    let values = [project.uuid().into(), kind.to_string().into(), name.to_string().into()];
    tx.one::<Row>(SQL, values).await?.map(Row::repository).transpose()
}

/// Repositories that `visible` and `filter` let through, newest first.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    visible: &Visible,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Repository>, StoreError> {
    let mut values = Vec::<sea_orm::Value>::new();
    let mut bind = |value: sea_orm::Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut any = vec!["sensitivity = 'open'".to_owned()];
    for project in &visible.projects {
        any.push(format!("project = {}", bind(project.uuid().into())));
    }
    for organisation in &visible.represented {
        any.push(format!("organisation = {}", bind(organisation.uuid().into())));
    }
    for organisation in &visible.organisations {
        let organisation = bind(organisation.uuid().into());
        any.push(format!("(sensitivity = 'internal' AND organisation = {organisation})"));
    }
    let mut all = vec!["deleted_at IS NULL".to_owned(), format!("({})", any.join(" OR "))];
    if let Some(project) = filter.project {
        all.push(format!("project = {}", bind(project.uuid().into())));
    }
    if let Some(kind) = filter.kind {
        all.push(format!("kind = {}", bind(kind.to_string().into())));
    }
    if let Some(part) = &filter.name {
        let mut like = "%".to_owned();
        for character in part.to_lowercase().chars() {
            if matches!(character, '%' | '_' | '!') {
                like.push('!');
            }
            like.push(character);
        }
        like.push('%');
        all.push(format!("LOWER(name) LIKE {} ESCAPE '!'", bind(like.into())));
    }
    if let Some(before) = filter.before {
        all.push(format!("id < {}", bind(before.uuid().into())));
    }
    let limit = bind(i64::from(limit).into());
    let sql = format!(
        "SELECT * FROM repository WHERE {} ORDER BY id DESC LIMIT {limit}",
        all.join(" AND ")
    );
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::repository).collect()
}

/// Holds the record of a repository until this transaction ends, so that commits to it come one
/// after another.
///
/// # Errors
/// When the database fails.
pub async fn hold(tx: &Tx, id: RepositoryId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE repository SET revisions = revisions WHERE id = $1";
    tx.execute(SQL, [id.uuid().into()]).await?;
    Ok(())
}

/// Moves the head of a repository from `from` to `to`. `false` when it stands elsewhere by now, or
/// when another revision took the number of `to` meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn advance(
    tx: &Tx,
    repository: RepositoryId,
    from: Option<RevisionId>,
    to: &Revision,
) -> Result<bool, StoreError> {
    const FIRST: &str = "UPDATE repository SET head = $2, revisions = $3
        WHERE id = $1 AND head IS NULL AND revisions = $4 AND deleted_at IS NULL";
    const NEXT: &str = "UPDATE repository SET head = $2, revisions = $3
        WHERE id = $1 AND head = $5 AND revisions = $4 AND deleted_at IS NULL";
    let before = to.number.saturating_sub(1);
    let mut values: Vec<sea_orm::Value> =
        vec![repository.uuid().into(), to.id.uuid().into(), to.number.into(), before.into()];
    let moved = match from {
        None => tx.execute(FIRST, values).await?,
        Some(from) => {
            values.push(from.uuid().into());
            tx.execute(NEXT, values).await?
        }
    };
    Ok(moved > 0)
}

#[cfg(test)]
mod tests;
