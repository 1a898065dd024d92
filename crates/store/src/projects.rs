//! Projects. Their members are role grants in the project's scope.

mod handles;

use std::collections::BTreeMap;

use access::project::Project;
use sea_orm::FromQueryResult;
use units::{OrganisationId, ProjectId};

use crate::db::{instant, micros};
use crate::scope::{Columns, Conditions, Scope};
use crate::{StoreError, Tx};

pub(crate) use handles::handles_for;
pub use handles::{by_handle, handle};

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    organisation: uuid::Uuid,
    title: String,
    purpose: String,
    created_at: i64,
}

impl Row {
    fn project(self) -> Result<Project, StoreError> {
        Ok(Project {
            id: ProjectId::from_uuid(self.id),
            organisation: OrganisationId::from_uuid(self.organisation),
            title: self.title,
            purpose: self.purpose,
            created_at: instant(self.created_at)?,
        })
    }
}

/// Adds a project, and gives it a handle.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, project: &Project) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO project (id, organisation, title, purpose, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    let values = [
        project.id.uuid().into(),
        project.organisation.uuid().into(),
        project.title.clone().into(),
        project.purpose.clone().into(),
        micros(project.created_at).into(),
    ];
    tx.execute(SQL, values).await?;
    handles::name(tx, project.id, &project.title).await
}

/// The project with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: ProjectId) -> Result<Option<Project>, StoreError> {
    const SQL: &str = "SELECT * FROM project WHERE id = $1";
    tx.one::<Row>(SQL, [id.uuid().into()]).await?.map(Row::project).transpose()
}

/// Whose these projects are.
///
/// # Errors
/// When the database fails.
pub async fn owners(
    tx: &Tx,
    projects: &[ProjectId],
) -> Result<BTreeMap<ProjectId, OrganisationId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Owner {
        id: uuid::Uuid,
        organisation: uuid::Uuid,
    }
    let mut owners = BTreeMap::new();
    for portion in projects.chunks(500) {
        let places: Vec<String> = (1..=portion.len()).map(|place| format!("${place}")).collect();
        let sql =
            format!("SELECT id, organisation FROM project WHERE id IN ({})", places.join(", "));
        let ids = portion.iter().map(|id| id.uuid().into());
        for row in tx.all::<Owner>(&sql, ids).await? {
            owners
                .insert(ProjectId::from_uuid(row.id), OrganisationId::from_uuid(row.organisation));
        }
    }
    Ok(owners)
}

/// What a list is narrowed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this organisation's.
    pub organisation: Option<OrganisationId>,
    /// Only those older than this one.
    pub before: Option<ProjectId>,
}

/// Projects in `scope` that `filter` lets through, newest first.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    scope: &Scope,
    filter: Filter,
    limit: u32,
) -> Result<Vec<Project>, StoreError> {
    const COLUMNS: Columns = Columns {
        organisation: Some("organisation"),
        project: Some("id"),
        partition: Some("id IN (SELECT project FROM allocation WHERE partition IN ({}))"),
    };
    let mut conditions = Conditions::within(scope, COLUMNS);
    if let Some(organisation) = filter.organisation {
        conditions.and("organisation = {}", organisation.uuid());
    }
    if let Some(before) = filter.before {
        conditions.and("id < {}", before.uuid());
    }
    let (sql, values) = conditions.page("SELECT * FROM project", limit);
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::project).collect()
}
