//! Short numbers of jobs, the nodes that carry them, and what a site's own scheduler is asked.

use sea_orm::{DatabaseBackend, DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Neither database gives a number twice that it gave to a transaction which was kept.
        let number = match manager.get_database_backend() {
            DatabaseBackend::Postgres => "BIGSERIAL PRIMARY KEY",
            _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
        };
        let table = format!("CREATE TABLE job_number (number {number}, job UUID NOT NULL UNIQUE)");
        super::apply(manager, &[&table]).await?;
        super::apply(manager, STATEMENTS).await
    }
}

/// Jobs and arrays that are there already get their numbers in the order of their submission.
const STATEMENTS: &[&str] = &[
    "ALTER TABLE job ADD COLUMN number BIGINT",
    "ALTER TABLE job ADD COLUMN array_number BIGINT",
    "ALTER TABLE job ADD COLUMN options TEXT",
    "ALTER TABLE job ADD COLUMN node_list TEXT",
    "ALTER TABLE site ADD COLUMN scheduler TEXT",
    "ALTER TABLE site ADD COLUMN plugins TEXT",
    "INSERT INTO job_number (job) SELECT id FROM (
        SELECT id FROM job UNION SELECT array_id FROM job WHERE array_id IS NOT NULL
    ) AS known ORDER BY id",
    "UPDATE job SET
        number = (SELECT number FROM job_number WHERE job_number.job = job.id),
        array_number = (SELECT number FROM job_number WHERE job_number.job = job.array_id)",
];
