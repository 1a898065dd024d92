//! What clients that know git ask of revisions: their files with git's names, and their line of
//! ancestors.

use sea_orm::FromQueryResult;
use units::{ProjectId, RepositoryId, RevisionId};
use vault::{FileEntry, FilePath, GitOid, Sha256};

use super::revisions::{Revision, Row};
use crate::blobs::{git_of, size_of};
use crate::{StoreError, Tx};

/// A file of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Where it stands.
    pub path: FilePath,
    /// Its content.
    pub entry: FileEntry,
    /// What git calls its content, if it is short.
    pub git: Option<GitOid>,
}

#[derive(FromQueryResult)]
struct FileRow {
    path: String,
    sha256: String,
    size_bytes: i64,
    git: Option<String>,
}

impl FileRow {
    fn listed(self) -> Result<ListedFile, StoreError> {
        let damaged = |error: &dyn std::fmt::Display| StoreError::damaged("file", error);
        Ok(ListedFile {
            path: self.path.parse().map_err(|error| damaged(&error))?,
            entry: FileEntry {
                sha256: self.sha256.parse().map_err(|error| damaged(&error))?,
                size_bytes: size_of(self.size_bytes)?,
            },
            git: git_of(self.git.as_deref())?,
        })
    }
}

/// The files of a revision in order of their paths.
///
/// # Errors
/// When the database fails.
pub async fn listing(tx: &Tx, revision: RevisionId) -> Result<Vec<ListedFile>, StoreError> {
    const SQL: &str = "SELECT revision_file.path, revision_file.sha256, revision_file.size_bytes,
        blob.git FROM revision_file JOIN blob ON blob.sha256 = revision_file.sha256
        WHERE revision_file.revision = $1";
    let rows = tx.all::<FileRow>(SQL, [revision.uuid().into()]).await?;
    let mut files = rows.into_iter().map(FileRow::listed).collect::<Result<Vec<_>, _>>()?;
    // Databases order text each in its own way.
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The file at `path` of a revision.
///
/// # Errors
/// When the database fails.
pub async fn listed(
    tx: &Tx,
    revision: RevisionId,
    path: &FilePath,
) -> Result<Option<ListedFile>, StoreError> {
    const SQL: &str = "SELECT revision_file.path, revision_file.sha256, revision_file.size_bytes,
        blob.git FROM revision_file JOIN blob ON blob.sha256 = revision_file.sha256
        WHERE revision_file.revision = $1 AND revision_file.path = $2";
    let row = tx.one::<FileRow>(SQL, [revision.uuid().into(), path.to_string().into()]).await?;
    row.map(FileRow::listed).transpose()
}

/// `revision` and the first parents behind it, newest first.
///
/// # Errors
/// When the database fails.
pub async fn line(tx: &Tx, revision: RevisionId, limit: u32) -> Result<Vec<Revision>, StoreError> {
    const SQL: &str = "WITH RECURSIVE line (id, depth) AS (
            SELECT revision.id, CAST(0 AS BIGINT) FROM revision WHERE revision.id = $1
            UNION ALL
            SELECT revision_parent.parent, line.depth + 1 FROM line
            JOIN revision_parent ON revision_parent.revision = line.id
                AND revision_parent.position = 0
            WHERE line.depth + 1 < $2)
        SELECT revision.* FROM line JOIN revision ON revision.id = line.id ORDER BY line.depth";
    let rows = tx.all::<Row>(SQL, [revision.uuid().into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(Row::revision).collect()
}

/// The length of `sha256`, if a revision of a repository of `project` names it.
///
/// # Errors
/// When the database fails.
pub async fn held(tx: &Tx, project: ProjectId, sha256: Sha256) -> Result<Option<u64>, StoreError> {
    #[derive(FromQueryResult)]
    struct Held {
        size_bytes: i64,
    }
    const SQL: &str = "SELECT revision_file.size_bytes FROM revision_file
        JOIN revision ON revision.id = revision_file.revision
        JOIN repository ON repository.id = revision.repository
        WHERE revision_file.sha256 = $1 AND repository.project = $2
            AND repository.deleted_at IS NULL LIMIT 1";
    let row = tx.one::<Held>(SQL, [sha256.to_string().into(), project.uuid().into()]).await?;
    row.map(|row| size_of(row.size_bytes)).transpose()
}

/// The repositories of whose revisions something in `repository` was made.
///
/// # Errors
/// When the database fails.
pub async fn sources(tx: &Tx, repository: RepositoryId) -> Result<Vec<RepositoryId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Source {
        repository: uuid::Uuid,
    }
    const SQL: &str = "SELECT DISTINCT source.repository FROM revision
        JOIN revision_input ON revision_input.revision = revision.id
        JOIN revision AS source ON source.id = revision_input.input
        WHERE revision.repository = $1";
    let rows = tx.all::<Source>(SQL, [repository.uuid().into()]).await?;
    Ok(rows.into_iter().map(|row| RepositoryId::from_uuid(row.repository)).collect())
}
