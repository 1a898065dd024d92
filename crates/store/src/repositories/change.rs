//! A repository is called otherwise, kept more or less closely, or given up.

use units::{RepositoryId, Timestamp};
use vault::{RepositoryName, Sensitivity};

use crate::db::micros;
use crate::{StoreError, Tx};

/// Gives a repository another name.
///
/// # Errors
/// [`StoreError::Exists`] when the project has one of that kind and name already.
pub async fn rename(tx: &Tx, id: RepositoryId, name: &RepositoryName) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE repository SET name = $2 WHERE id = $1";
    let renamed = tx.execute(SQL, [id.uuid().into(), name.to_string().into()]).await;
    renamed.map_err(|error| error.or_exists("a repository of that name"))?;
    Ok(())
}

/// Says how closely a repository is kept from now on.
///
/// # Errors
/// When the database fails.
pub async fn reclassify(
    tx: &Tx,
    id: RepositoryId,
    sensitivity: Sensitivity,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE repository SET sensitivity = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), sensitivity.to_string().into()]).await?;
    Ok(())
}

/// Takes a repository out of sight with its files, branches and tags, and frees its name. Its
/// revisions stay on record without their files: others may have been made from them.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: RepositoryId, now: Timestamp) -> Result<(), StoreError> {
    const FILES: &str = "DELETE FROM revision_file WHERE revision IN
        (SELECT id FROM revision WHERE repository = $1)";
    const REFS: &str = "DELETE FROM repository_ref WHERE repository = $1";
    // A name of its own frees the one it had, whatever other repositories are called.
    const REPOSITORY: &str = "UPDATE repository SET deleted_at = $2, name = $3 WHERE id = $1";
    tx.execute(FILES, [id.uuid().into()]).await?;
    tx.execute(REFS, [id.uuid().into()]).await?;
    let name = format!("deleted-{}", id.uuid().simple());
    tx.execute(REPOSITORY, [id.uuid().into(), micros(now).into(), name.into()]).await?;
    Ok(())
}

/// Whether a job that has not ended reads a revision of the repository.
///
/// # Errors
/// When the database fails.
pub async fn in_use(tx: &Tx, id: RepositoryId) -> Result<bool, StoreError> {
    #[derive(sea_orm::FromQueryResult)]
    struct Jobs {
        count: i64,
    }
    const SQL: &str = "SELECT COUNT(*) AS count FROM job_input
        JOIN job ON job.id = job_input.job
        WHERE job_input.repository = $1 AND job.ended_at IS NULL";
    let row = tx.one::<Jobs>(SQL, [id.uuid().into()]).await?;
    Ok(row.is_some_and(|jobs| jobs.count > 0))
}
