//! Jobs, what sites are told about them and what sites tell.

use sea_orm::{DbBackend, DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let bytes = match manager.get_database_backend() {
            DbBackend::Sqlite => "BLOB",
            _ => "BYTEA",
        };
        let statements: Vec<String> =
            STATEMENTS.iter().map(|sql| sql.replace("{bytes}", bytes)).collect();
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        super::apply(manager, &statements).await
    }
}

/// `job.touched` exists to be written: that is how a transaction takes a job for itself on both
/// databases. Amounts are unit-seconds, instants microseconds.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE site (
        name TEXT PRIMARY KEY,
        orders BIGINT NOT NULL,
        seen_at BIGINT,
        inventory_at BIGINT,
        host TEXT,
        agent TEXT,
        cores BIGINT,
        memory_mb BIGINT,
        gpus TEXT,
        isolation TEXT
    )",
    "CREATE TABLE job_script (
        sha256 TEXT PRIMARY KEY,
        text TEXT NOT NULL
    )",
    "CREATE TABLE job (
        id UUID PRIMARY KEY,
        array_id UUID,
        array_index BIGINT,
        array_at_once BIGINT,
        project UUID NOT NULL,
        organisation UUID NOT NULL,
        person UUID NOT NULL,
        allocation UUID NOT NULL,
        factory TEXT NOT NULL,
        site TEXT NOT NULL,
        partition TEXT NOT NULL,
        charge_rule TEXT NOT NULL,
        name TEXT NOT NULL,
        service TEXT,
        service_version TEXT,
        script TEXT NOT NULL REFERENCES job_script (sha256),
        environment TEXT NOT NULL,
        network BOOLEAN NOT NULL,
        folder TEXT,
        stdout TEXT,
        stderr TEXT,
        dependency TEXT,
        nodes BIGINT NOT NULL,
        tasks BIGINT NOT NULL,
        cores BIGINT NOT NULL,
        memory_mb BIGINT NOT NULL,
        gpus BIGINT NOT NULL,
        time_limit_seconds BIGINT NOT NULL,
        held BIGINT NOT NULL,
        charged BIGINT,
        submitted_at BIGINT NOT NULL,
        state TEXT NOT NULL,
        cancel_asked BOOLEAN NOT NULL,
        started_at BIGINT,
        ended_at BIGINT,
        ended_how TEXT,
        reason TEXT,
        peak_memory_mb BIGINT,
        cpu_milliseconds BIGINT,
        stdout_bytes BIGINT NOT NULL,
        stderr_bytes BIGINT NOT NULL,
        metrics BIGINT NOT NULL,
        touched BIGINT NOT NULL
    )",
    "CREATE INDEX job_project ON job (project, id)",
    "CREATE INDEX job_array ON job (array_id, array_index) WHERE array_id IS NOT NULL",
    "CREATE INDEX job_open ON job (site, state) WHERE state <> 'ended'",
    "CREATE INDEX job_name ON job (person, name) WHERE state <> 'ended'",
    "CREATE TABLE job_dependency (
        job UUID NOT NULL REFERENCES job (id),
        other UUID NOT NULL,
        PRIMARY KEY (job, other)
    )",
    "CREATE INDEX job_dependency_other ON job_dependency (other)",
    "CREATE TABLE job_input (
        job UUID NOT NULL REFERENCES job (id),
        mount TEXT NOT NULL,
        repository UUID NOT NULL,
        revision UUID NOT NULL,
        PRIMARY KEY (job, mount)
    )",
    "CREATE TABLE job_output (
        job UUID NOT NULL REFERENCES job (id),
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        kind TEXT NOT NULL,
        target TEXT NOT NULL,
        licence TEXT,
        repository UUID,
        revision UUID,
        refused TEXT,
        PRIMARY KEY (job, name)
    )",
    "CREATE TABLE site_order (
        site TEXT NOT NULL REFERENCES site (name),
        seq BIGINT NOT NULL,
        key UUID NOT NULL UNIQUE,
        job UUID NOT NULL REFERENCES job (id),
        kind TEXT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (site, seq)
    )",
    "CREATE TABLE job_event (
        key UUID PRIMARY KEY,
        job UUID NOT NULL REFERENCES job (id),
        seq BIGINT NOT NULL,
        at BIGINT NOT NULL,
        taken_at BIGINT NOT NULL,
        kind TEXT NOT NULL,
        outcome TEXT NOT NULL
    )",
    "CREATE INDEX job_event_job ON job_event (job, seq)",
    "CREATE TABLE job_log (
        job UUID NOT NULL REFERENCES job (id),
        stream TEXT NOT NULL,
        start BIGINT NOT NULL,
        bytes {bytes} NOT NULL,
        PRIMARY KEY (job, stream, start)
    )",
    "CREATE TABLE job_metric (
        job UUID NOT NULL REFERENCES job (id),
        seq BIGINT NOT NULL,
        at BIGINT NOT NULL,
        step BIGINT NOT NULL,
        name TEXT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (job, seq)
    )",
];
