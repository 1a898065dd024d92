//! Names that other tools use: git's of small files, branches and tags of repositories, and a short
//! name for every project. A deleted repository stays on record for the lineage of others.

use sea_orm::{ConnectionTrait, DbErr, DeriveMigrationName, FromQueryResult, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};
use units::ProjectId;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::apply(manager, STATEMENTS).await?;
        name_projects(manager).await?;
        super::apply(manager, &["CREATE UNIQUE INDEX project_handle ON project (handle)"]).await
    }
}

const STATEMENTS: &[&str] = &[
    "ALTER TABLE blob ADD COLUMN git TEXT",
    "ALTER TABLE project ADD COLUMN handle TEXT",
    "ALTER TABLE repository ADD COLUMN deleted_at BIGINT",
    "CREATE TABLE repository_ref (
        repository UUID NOT NULL REFERENCES repository (id),
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('branch', 'tag')),
        revision UUID NOT NULL REFERENCES revision (id),
        PRIMARY KEY (repository, name)
    )",
];

/// Gives every project that is there the name that it would get today.
async fn name_projects(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: uuid::Uuid,
        title: String,
    }
    const FREE: &str = "UPDATE project SET handle = $2 WHERE id = $1
        AND NOT EXISTS (SELECT 1 FROM project AS other WHERE other.handle = $2)";
    let connection = manager.get_connection();
    let statement = |sql: &str, values: Vec<sea_orm::Value>| {
        Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
    };
    let rows = connection
        .query_all_raw(statement("SELECT id, title FROM project ORDER BY id", vec![]))
        .await?;
    for row in rows {
        let row = Row::from_query_result(&row, "")?;
        for handle in crate::projects::handles_for(ProjectId::from_uuid(row.id), &row.title) {
            let values = vec![row.id.into(), handle.into()];
            if connection.execute_raw(statement(FREE, values)).await?.rows_affected() > 0 {
                break;
            }
        }
    }
    Ok(())
}
