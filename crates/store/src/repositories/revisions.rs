//! Revisions: what was in a repository at one time, and where that came from.

use sea_orm::FromQueryResult;
use units::{AllocationId, JobId, PersonId, RepositoryId, RevisionId, Timestamp};
use vault::{Blake3, Code, FileEntry, FilePath, Making, Program, Recipe, Tree};

use crate::blobs::{size_of, size_to_store};
use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// How many files one statement inserts.
const ROWS_AT_ONCE: usize = 500;

/// One state of a repository, without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its identifier.
    pub id: RevisionId,
    /// The repository it is a state of.
    pub repository: RepositoryId,
    /// Its place among the repository's revisions, from 1.
    pub number: i64,
    /// What its maker said about it.
    pub message: String,
    /// The digest over all paths and contents.
    pub tree: Blake3,
    /// How many files there are.
    pub files: u64,
    /// Their bytes together.
    pub size_bytes: u64,
    /// Who recorded it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// How it came to be.
    pub making: Making,
}

#[derive(FromQueryResult)]
pub(super) struct Row {
    id: uuid::Uuid,
    repository: uuid::Uuid,
    number: i64,
    message: String,
    tree: String,
    files: i64,
    size_bytes: i64,
    created_by: String,
    created_at: i64,
    sender: Option<uuid::Uuid>,
    job: Option<uuid::Uuid>,
    allocation: Option<uuid::Uuid>,
    service: Option<String>,
    service_version: Option<String>,
    script: Option<String>,
    program_version: Option<String>,
    program_commit: Option<String>,
}

impl Row {
    pub(super) fn revision(self) -> Result<Revision, StoreError> {
        let making = self.making()?;
        Ok(Revision {
            id: RevisionId::from_uuid(self.id),
            repository: RepositoryId::from_uuid(self.repository),
            number: self.number,
            message: self.message,
            tree: self.tree.parse().map_err(|error| StoreError::damaged("revision", error))?,
            files: size_of(self.files)?,
            size_bytes: size_of(self.size_bytes)?,
            created_by: self.created_by,
            created_at: instant(self.created_at)?,
            making,
        })
    }

    fn making(&self) -> Result<Making, StoreError> {
        let damaged = |detail: &dyn std::fmt::Display| StoreError::damaged("lineage", detail);
        let (Some(job), Some(allocation)) = (self.job, self.allocation) else {
            let by = self.sender.ok_or_else(|| damaged(&"neither a sender nor a job"))?;
            return Ok(Making::Sent { by: PersonId::from_uuid(by) });
        };
        let recipe = match (&self.service, &self.service_version, &self.script) {
            (Some(name), Some(version), None) => Recipe::Service {
                name: name.parse().map_err(|error| damaged(&error))?,
                version: version.clone(),
            },
            (None, None, Some(sha256)) => {
                Recipe::Script { sha256: sha256.parse().map_err(|error| damaged(&error))? }
            }
            _ => return Err(damaged(&"neither a service nor a script")),
        };
        let version = self.program_version.clone().ok_or_else(|| damaged(&"no program"))?;
        let commit = self.program_commit.as_deref().map(str::parse).transpose();
        let program = Program { version, commit: commit.map_err(|error| damaged(&error))? };
        Ok(Making::Job {
            job: JobId::from_uuid(job),
            allocation: AllocationId::from_uuid(allocation),
            code: Code { recipe, program },
        })
    }
}

/// Records a revision with its parents and files. Its head is moved by
/// [`advance`](super::advance), its inputs recorded by
/// [`record_inputs`](super::record_inputs).
///
/// # Errors
/// [`StoreError::Exists`] when another revision took the number meanwhile.
pub async fn insert(
    tx: &Tx,
    revision: &Revision,
    parents: &[RevisionId],
    tree: &Tree,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO revision (id, repository, number, message, tree, files,
        size_bytes, created_by, created_at, sender, job, allocation, service, service_version,
        script, program_version, program_commit)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let mut values: Vec<sea_orm::Value> = vec![
        revision.id.uuid().into(),
        revision.repository.uuid().into(),
        revision.number.into(),
        revision.message.clone().into(),
        revision.tree.to_string().into(),
        size_to_store(revision.files).into(),
        size_to_store(revision.size_bytes).into(),
        revision.created_by.clone().into(),
        micros(revision.created_at).into(),
    ];
    values.extend(making_values(&revision.making));
    tx.execute(SQL, values).await.map_err(|error| error.or_exists("a newer revision"))?;
    insert_parents(tx, revision.id, parents).await?;
    insert_files(tx, revision.id, tree).await
}

fn making_values(making: &Making) -> [sea_orm::Value; 8] {
    let none = || sea_orm::Value::from(None::<String>);
    let no_id = || sea_orm::Value::from(None::<uuid::Uuid>);
    match making {
        Making::Sent { by } => {
            [by.uuid().into(), no_id(), no_id(), none(), none(), none(), none(), none()]
        }
        Making::Job { job, allocation, code } => {
            let [service, version, script] = match &code.recipe {
                Recipe::Service { name, version } => {
                    [name.to_string().into(), version.clone().into(), none()]
                }
                Recipe::Script { sha256 } => [none(), none(), sha256.to_string().into()],
            };
            [
                no_id(),
                job.uuid().into(),
                allocation.uuid().into(),
                service,
                version,
                script,
                code.program.version.clone().into(),
                code.program.commit.as_ref().map(ToString::to_string).into(),
            ]
        }
    }
}

async fn insert_parents(
    tx: &Tx,
    revision: RevisionId,
    parents: &[RevisionId],
) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO revision_parent (revision, position, parent) VALUES ($1, $2, $3)";
    for (position, parent) in (0_i64..).zip(parents) {
        let values = [revision.uuid().into(), position.into(), parent.uuid().into()];
        tx.execute(SQL, values).await?;
    }
    Ok(())
}

async fn insert_files(tx: &Tx, revision: RevisionId, tree: &Tree) -> Result<(), StoreError> {
    let files: Vec<_> = tree.files().collect();
    for rows in files.chunks(ROWS_AT_ONCE) {
        let mut values = Vec::<sea_orm::Value>::with_capacity(rows.len().saturating_mul(4));
        let mut places = Vec::with_capacity(rows.len());
        for (path, entry) in rows {
            let first = values.len();
            places.push(format!(
                "(${}, ${}, ${}, ${})",
                first + 1,
                first + 2,
                first + 3,
                first + 4
            ));
            values.push(revision.uuid().into());
            values.push(path.to_string().into());
            values.push(entry.sha256.to_string().into());
            values.push(size_to_store(entry.size_bytes).into());
        }
        let sql = format!(
            "INSERT INTO revision_file (revision, path, sha256, size_bytes) VALUES {}",
            places.join(", ")
        );
        tx.execute(&sql, values).await?;
    }
    Ok(())
}

/// The revision `id` of `repository`.
///
/// # Errors
/// When the database fails.
pub async fn load(
    tx: &Tx,
    repository: RepositoryId,
    id: RevisionId,
) -> Result<Option<Revision>, StoreError> {
    const SQL: &str = "SELECT * FROM revision WHERE repository = $1 AND id = $2";
    let values = [repository.uuid().into(), id.uuid().into()];
    tx.one::<Row>(SQL, values).await?.map(Row::revision).transpose()
}

/// The revision of `repository` with this number.
///
/// # Errors
/// When the database fails.
pub async fn by_number(
    tx: &Tx,
    repository: RepositoryId,
    number: i64,
) -> Result<Option<Revision>, StoreError> {
    const SQL: &str = "SELECT * FROM revision WHERE repository = $1 AND number = $2";
    let values = [repository.uuid().into(), number.into()];
    tx.one::<Row>(SQL, values).await?.map(Row::revision).transpose()
}

/// Revisions of `repository` with numbers below `before`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &Tx,
    repository: RepositoryId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Revision>, StoreError> {
    const SQL: &str = "SELECT * FROM revision WHERE repository = $1 AND number < $2
        ORDER BY number DESC LIMIT $3";
    let values =
        [repository.uuid().into(), before.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
    tx.all::<Row>(SQL, values).await?.into_iter().map(Row::revision).collect()
}

/// The revisions that `revision` follows, first parent first.
///
/// # Errors
/// When the database fails.
pub async fn parents(tx: &Tx, revision: RevisionId) -> Result<Vec<RevisionId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Parent {
        parent: uuid::Uuid,
    }
    const SQL: &str = "SELECT parent FROM revision_parent WHERE revision = $1 ORDER BY position";
    let rows = tx.all::<Parent>(SQL, [revision.uuid().into()]).await?;
    Ok(rows.into_iter().map(|row| RevisionId::from_uuid(row.parent)).collect())
}

/// The files of a revision.
///
/// # Errors
/// When the database fails.
pub async fn files(tx: &Tx, revision: RevisionId) -> Result<Tree, StoreError> {
    #[derive(FromQueryResult)]
    struct File {
        path: String,
        sha256: String,
        size_bytes: i64,
    }
    const SQL: &str = "SELECT path, sha256, size_bytes FROM revision_file WHERE revision = $1";
    let rows = tx.all::<File>(SQL, [revision.uuid().into()]).await?;
    let entries = rows.into_iter().map(|row| {
        let path = row.path.parse().map_err(|error| StoreError::damaged("file path", error))?;
        let sha256 = row.sha256.parse().map_err(|error| StoreError::damaged("file", error))?;
        Ok((path, FileEntry { sha256, size_bytes: size_of(row.size_bytes)? }))
    });
    Ok(Tree::from_entries(entries.collect::<Result<Vec<_>, StoreError>>()?))
}

/// The file at `path` of a revision.
///
/// # Errors
/// When the database fails.
pub async fn file(
    tx: &Tx,
    revision: RevisionId,
    path: &FilePath,
) -> Result<Option<FileEntry>, StoreError> {
    #[derive(FromQueryResult)]
    struct Entry {
        sha256: String,
        size_bytes: i64,
    }
    const SQL: &str =
        "SELECT sha256, size_bytes FROM revision_file WHERE revision = $1 AND path = $2";
    let row = tx.one::<Entry>(SQL, [revision.uuid().into(), path.to_string().into()]).await?;
    row.map(|row| {
        let sha256 = row.sha256.parse().map_err(|error| StoreError::damaged("file", error))?;
        Ok(FileEntry { sha256, size_bytes: size_of(row.size_bytes)? })
    })
    .transpose()
}

/// The repository that a revision is a state of.
///
/// # Errors
/// When the database fails.
pub async fn repository_of(
    tx: &Tx,
    revision: RevisionId,
) -> Result<Option<RepositoryId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Owner {
        repository: uuid::Uuid,
    }
    const SQL: &str = "SELECT repository FROM revision WHERE id = $1";
    let row = tx.one::<Owner>(SQL, [revision.uuid().into()]).await?;
    Ok(row.map(|row| RepositoryId::from_uuid(row.repository)))
}
