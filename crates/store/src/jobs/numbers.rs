//! The short numbers of jobs and arrays: each is given once.

use ::jobs::JobNumber;
use sea_orm::FromQueryResult;
use units::JobId;
use uuid::Uuid;

use crate::{StoreError, Tx};

/// Gives the job or array `id` a number that nothing else ever had.
///
/// # Errors
/// When the database fails, or it has one already.
pub async fn number(tx: &Tx, id: JobId) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Given {
        number: i64,
    }
    const SQL: &str = "INSERT INTO job_number (job) VALUES ($1) RETURNING number";
    let given = tx.one::<Given>(SQL, [id.uuid().into()]).await?;
    given.map(|given| given.number).ok_or_else(|| StoreError::damaged("job number", "none"))
}

/// The job or array with this number, or the element of the array.
///
/// # Errors
/// When the database fails.
pub async fn numbered(tx: &Tx, wanted: JobNumber) -> Result<Option<JobId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Found {
        id: Uuid,
    }
    let JobNumber { number, index } = wanted;
    let found = match index {
        None => {
            const SQL: &str = "SELECT job AS id FROM job_number WHERE number = $1";
            tx.one::<Found>(SQL, [number.into()]).await?
        }
        Some(index) => {
            const SQL: &str =
                "SELECT job.id FROM job JOIN job_number ON job_number.job = job.array_id
                WHERE job_number.number = $1 AND job.array_index = $2";
            tx.one::<Found>(SQL, [number.into(), i64::from(index).into()]).await?
        }
    };
    Ok(found.map(|found| JobId::from_uuid(found.id)))
}
