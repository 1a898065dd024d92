//! What a job reads, writes and runs.

use sea_orm::FromQueryResult;
use units::{JobId, RepositoryId, RevisionId, Slug};
use uuid::Uuid;
use vault::{Kind, Licence, Sha256};

use crate::{StoreError, Tx};

/// A revision that a job reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The folder, under `inputs/`, where it lies.
    pub mount: Slug,
    /// Where it comes from.
    pub repository: RepositoryId,
    /// The revision.
    pub revision: RevisionId,
}

/// A folder that a job writes and that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: Slug,
    /// Where the job writes it.
    pub path: String,
    /// What it holds.
    pub kind: Kind,
    /// The name of the repository that it becomes a revision of.
    pub target: Slug,
    /// The licence, if the submitter stated one.
    pub licence: Option<Licence>,
    /// What became of it, once the site has reported.
    pub result: Option<Result<(RepositoryId, RevisionId), String>>,
}

/// Keeps the text of a script, once for all jobs that run it.
///
/// # Errors
/// When the database fails.
pub async fn keep_script(tx: &Tx, text: &str) -> Result<Sha256, StoreError> {
    const SQL: &str = "INSERT INTO job_script (sha256, text) VALUES ($1, $2)
        ON CONFLICT (sha256) DO NOTHING";
    let sha256 = Sha256::of(text.as_bytes());
    tx.execute(SQL, [sha256.to_string().into(), text.into()]).await?;
    Ok(sha256)
}

/// The text of a script.
///
/// # Errors
/// When the database fails or never kept it.
pub async fn script(tx: &Tx, sha256: Sha256) -> Result<String, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        text: String,
    }
    const SQL: &str = "SELECT text FROM job_script WHERE sha256 = $1";
    let row = tx.one::<Row>(SQL, [sha256.to_string().into()]).await?;
    row.map(|row| row.text).ok_or_else(|| StoreError::damaged("script", sha256))
}

#[derive(FromQueryResult)]
struct InputRow {
    mount: String,
    repository: Uuid,
    revision: Uuid,
}

impl InputRow {
    fn input(self) -> Result<Input, StoreError> {
        Ok(Input {
            mount: self.mount.parse().map_err(|error| StoreError::damaged("mount", error))?,
            repository: RepositoryId::from_uuid(self.repository),
            revision: RevisionId::from_uuid(self.revision),
        })
    }
}

/// Records what a job reads.
///
/// # Errors
/// When the database fails.
pub async fn put_input(tx: &Tx, job: JobId, input: &Input) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO job_input (job, mount, repository, revision) VALUES ($1, $2, $3, $4)";
    let values = [
        job.uuid().into(),
        input.mount.to_string().into(),
        input.repository.uuid().into(),
        input.revision.uuid().into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What a job reads.
///
/// # Errors
/// When the database fails.
pub async fn inputs(tx: &Tx, job: JobId) -> Result<Vec<Input>, StoreError> {
    const SQL: &str =
        "SELECT mount, repository, revision FROM job_input WHERE job = $1 ORDER BY mount";
    let rows = tx.all::<InputRow>(SQL, [job.uuid().into()]).await?;
    rows.into_iter().map(InputRow::input).collect()
}

/// What a job reads under `mount`.
///
/// # Errors
/// When the database fails.
pub async fn mounted(tx: &Tx, job: JobId, mount: &Slug) -> Result<Option<Input>, StoreError> {
    const SQL: &str =
        "SELECT mount, repository, revision FROM job_input WHERE job = $1 AND mount = $2";
    let row = tx.one::<InputRow>(SQL, [job.uuid().into(), mount.to_string().into()]).await?;
    row.map(InputRow::input).transpose()
}

/// Records what a job writes.
///
/// # Errors
/// When the database fails.
pub async fn put_output(tx: &Tx, job: JobId, output: &Output) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO job_output (job, name, path, kind, target, licence)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        job.uuid().into(),
        output.name.to_string().into(),
        output.path.clone().into(),
        output.kind.to_string().into(),
        output.target.to_string().into(),
        output.licence.as_ref().map(ToString::to_string).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Records what became of an output.
///
/// # Errors
/// When the database fails.
pub async fn note_output(
    tx: &Tx,
    job: JobId,
    name: &Slug,
    result: &Result<(RepositoryId, RevisionId), String>,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE job_output SET repository = $3, revision = $4, refused = $5
        WHERE job = $1 AND name = $2";
    let (made, refused) = match result {
        Ok(made) => (Some(*made), None),
        Err(reason) => (None, Some(reason.clone())),
    };
    let values = [
        job.uuid().into(),
        name.to_string().into(),
        made.map(|(repository, _)| repository.uuid()).into(),
        made.map(|(_, revision)| revision.uuid()).into(),
        refused.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What a job writes, and what became of it.
///
/// # Errors
/// When the database fails.
pub async fn outputs(tx: &Tx, job: JobId) -> Result<Vec<Output>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        name: String,
        path: String,
        kind: String,
        target: String,
        licence: Option<String>,
        repository: Option<Uuid>,
        revision: Option<Uuid>,
        refused: Option<String>,
    }
    const SQL: &str = "SELECT name, path, kind, target, licence, repository, revision, refused
        FROM job_output WHERE job = $1 ORDER BY name";
    let damaged = |error: &dyn std::fmt::Display| StoreError::damaged("output", error);
    let rows = tx.all::<Row>(SQL, [job.uuid().into()]).await?;
    rows.into_iter()
        .map(|row| {
            let result = match (row.repository, row.revision, row.refused) {
                (Some(repository), Some(revision), _) => {
                    Some(Ok((RepositoryId::from_uuid(repository), RevisionId::from_uuid(revision))))
                }
                (_, _, Some(reason)) => Some(Err(reason)),
                _ => None,
            };
            Ok(Output {
                name: row.name.parse().map_err(|error| damaged(&error))?,
                path: row.path,
                kind: row.kind.parse().map_err(|error| damaged(&error))?,
                target: row.target.parse().map_err(|error| damaged(&error))?,
                licence: row
                    .licence
                    .map(|text| text.parse())
                    .transpose()
                    .map_err(|e| damaged(&e))?,
                result,
            })
        })
        .collect()
}
