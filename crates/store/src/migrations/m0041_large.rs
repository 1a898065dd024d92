//! What keeps lists short to read over a hundred thousand organisations: the words of their names,
//! and indexes by what people look for.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, DeriveMigrationName, FromQueryResult, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::apply(manager, &[words_table(manager.get_database_backend())]).await?;
        enter_words(manager).await?;
        super::apply(manager, INDEXES).await
    }
}

/// Words are compared byte by byte, so that all with one beginning stand together; PostgreSQL
/// compares by language where nothing else is said.
const fn words_table(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "CREATE TABLE organisation_word (
                word TEXT COLLATE \"C\" NOT NULL,
                organisation UUID NOT NULL REFERENCES organisation (id),
                PRIMARY KEY (word, organisation)
            )"
        }
        _ => {
            "CREATE TABLE organisation_word (
                word TEXT NOT NULL,
                organisation UUID NOT NULL REFERENCES organisation (id),
                PRIMARY KEY (word, organisation)
            ) WITHOUT ROWID"
        }
    }
}

const INDEXES: &[&str] = &[
    "CREATE INDEX application_of_organisation ON application (organisation, id)",
    "DROP INDEX application_organisation",
    "CREATE INDEX application_on_partition ON application (partition, id)",
    "CREATE INDEX application_under_call ON application (call, state)",
    "DROP INDEX application_call",
    "CREATE INDEX allocation_of_partition ON allocation (partition, project)",
    "CREATE INDEX allocation_share_pool ON allocation_share (pool)",
];

/// Enters the words of every organisation that is there.
async fn enter_words(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        id: uuid::Uuid,
        name: String,
    }
    const ENTER: &str = "INSERT INTO organisation_word (word, organisation) VALUES ($1, $2)";
    let connection = manager.get_connection();
    let statement = |sql: &str, values: Vec<sea_orm::Value>| {
        Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
    };
    let rows = connection
        .query_all_raw(statement("SELECT id, name FROM organisation ORDER BY id", vec![]))
        .await?;
    for row in rows {
        let row = Row::from_query_result(&row, "")?;
        for word in crate::organisations::words(&row.name) {
            connection.execute_raw(statement(ENTER, vec![word.into(), row.id.into()])).await?;
        }
    }
    Ok(())
}
