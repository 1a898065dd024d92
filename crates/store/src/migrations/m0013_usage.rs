//! What the accounting of sites tells of the runs of jobs, and how far it has told.

use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::apply(manager, STATEMENTS).await
    }
}

/// A run is named as Slurm's own database names it: by the job's number and the instant at which it
/// was submitted or put back in the queue. `usage_cursor` exists also to be written: that is how
/// those who take in the accounting of one site take turns. The last index lets a job for which
/// nothing was held be charged only once.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE usage_cursor (
        site TEXT PRIMARY KEY,
        zone TEXT NOT NULL,
        accounted_to BIGINT
    )",
    "CREATE TABLE usage_run (
        site TEXT NOT NULL,
        cluster TEXT NOT NULL,
        number BIGINT NOT NULL,
        submitted_at BIGINT NOT NULL,
        job UUID NOT NULL,
        allocation UUID,
        origin TEXT NOT NULL,
        label TEXT NOT NULL,
        account TEXT NOT NULL,
        login TEXT NOT NULL,
        partition TEXT NOT NULL,
        state TEXT NOT NULL,
        started_at BIGINT,
        ended_at BIGINT,
        ran_seconds BIGINT NOT NULL,
        suspended_seconds BIGINT NOT NULL,
        limit_seconds BIGINT,
        nodes BIGINT NOT NULL,
        cores BIGINT NOT NULL,
        memory_mb BIGINT NOT NULL,
        gpus BIGINT NOT NULL,
        tres TEXT NOT NULL,
        energy_joules BIGINT,
        charge BIGINT,
        posted BOOLEAN NOT NULL,
        PRIMARY KEY (site, cluster, number, submitted_at)
    )",
    "CREATE INDEX usage_run_job ON usage_run (job)",
    "CREATE INDEX usage_run_end ON usage_run (site, ended_at)",
    "CREATE INDEX usage_run_open ON usage_run (site, job) WHERE NOT posted",
    "CREATE UNIQUE INDEX ledger_entry_charge ON ledger_entry (job) WHERE kind = 'charge'",
];
