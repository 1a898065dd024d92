//! Blobs and who holds them, repositories, revisions and their lineage.

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

/// Digests are lower-case hexadecimal. A blob lives while an upload or a revision names it.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE blob (
        sha256 TEXT PRIMARY KEY,
        blake3 TEXT,
        size_bytes BIGINT,
        state TEXT NOT NULL CHECK (state IN ('arriving', 'stored', 'doomed')),
        touched_at BIGINT NOT NULL
    )",
    "CREATE INDEX blob_state ON blob (state)",
    "CREATE TABLE upload (
        id UUID PRIMARY KEY,
        holder TEXT NOT NULL,
        sha256 TEXT NOT NULL REFERENCES blob (sha256),
        complete BOOLEAN NOT NULL,
        begun_at BIGINT NOT NULL
    )",
    "CREATE INDEX upload_holder ON upload (holder, sha256)",
    "CREATE INDEX upload_blob ON upload (sha256)",
    "CREATE TABLE repository (
        id UUID PRIMARY KEY,
        project UUID NOT NULL,
        organisation UUID NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        title TEXT NOT NULL,
        licence TEXT,
        sensitivity TEXT NOT NULL,
        head UUID,
        revisions BIGINT NOT NULL DEFAULT 0,
        created_by TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        UNIQUE (project, kind, name)
    )",
    "CREATE INDEX repository_organisation ON repository (organisation)",
    "CREATE TABLE revision (
        id UUID PRIMARY KEY,
        repository UUID NOT NULL REFERENCES repository (id),
        number BIGINT NOT NULL,
        message TEXT NOT NULL,
        tree TEXT NOT NULL,
        files BIGINT NOT NULL,
        size_bytes BIGINT NOT NULL,
        created_by TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        sender UUID,
        job UUID,
        allocation UUID,
        service TEXT,
        service_version TEXT,
        script TEXT,
        program_version TEXT,
        program_commit TEXT,
        UNIQUE (repository, number)
    )",
    "CREATE INDEX revision_job ON revision (job)",
    "CREATE TABLE revision_parent (
        revision UUID NOT NULL REFERENCES revision (id),
        position BIGINT NOT NULL,
        parent UUID NOT NULL REFERENCES revision (id),
        PRIMARY KEY (revision, position)
    )",
    "CREATE TABLE revision_input (
        revision UUID NOT NULL REFERENCES revision (id),
        name TEXT NOT NULL,
        input UUID NOT NULL REFERENCES revision (id),
        PRIMARY KEY (revision, name)
    )",
    "CREATE INDEX revision_input_input ON revision_input (input)",
    "CREATE TABLE revision_file (
        revision UUID NOT NULL REFERENCES revision (id),
        path TEXT NOT NULL,
        sha256 TEXT NOT NULL REFERENCES blob (sha256),
        size_bytes BIGINT NOT NULL,
        PRIMARY KEY (revision, path)
    )",
    "CREATE INDEX revision_file_blob ON revision_file (sha256)",
];
