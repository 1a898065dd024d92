//! The steps of a job, in the words of the protocol in which its site tells them.

use sea_orm::FromQueryResult;
use units::JobId;

use crate::{StoreError, Tx};

/// Keeps what a site told of the steps of a job; the latest counts.
///
/// # Errors
/// When the database fails.
pub async fn keep_steps(tx: &Tx, job: JobId, steps: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO job_steps (job, steps) VALUES ($1, $2)
        ON CONFLICT (job) DO UPDATE SET steps = excluded.steps";
    tx.execute(SQL, [job.uuid().into(), steps.into()]).await?;
    Ok(())
}

/// What its site told last of the steps of a job.
///
/// # Errors
/// When the database fails.
pub async fn steps(tx: &Tx, job: JobId) -> Result<Option<String>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        steps: String,
    }
    const SQL: &str = "SELECT steps FROM job_steps WHERE job = $1";
    Ok(tx.one::<Row>(SQL, [job.uuid().into()]).await?.map(|row| row.steps))
}
