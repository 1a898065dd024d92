//! Which orders a site's agent was given.
//!
//! Orders are given out one transaction after the other, each noting how far it went before the
//! reply leaves. Whoever takes an order back keeps the others out first ([`keep`]), so that an order
//! is either given out or taken back, never both.

use sea_orm::FromQueryResult;
use units::{JobId, Slug, Timestamp};
use uuid::Uuid;

use crate::db::micros;
use crate::{StoreError, Tx};

/// Lets nobody be given orders of `site` until the transaction ends; the last order that somebody
/// was given. Nothing if the site was never entered.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &Tx, site: &Slug) -> Result<Option<i64>, StoreError> {
    #[derive(FromQueryResult)]
    struct Given {
        given: i64,
    }
    const SQL: &str = "UPDATE site SET given = given WHERE name = $1 RETURNING given";
    let row = tx.one::<Given>(SQL, [site.to_string().into()]).await?;
    Ok(row.map(|row| row.given))
}

/// Notes that the agent of `site` is given the orders up to `seq`.
///
/// # Errors
/// When the database fails.
pub async fn note(tx: &Tx, site: &Slug, seq: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE site SET given = $2 WHERE name = $1 AND given < $2";
    tx.execute(SQL, [site.to_string().into(), seq.into()]).await?;
    Ok(())
}

/// The order by which `site` is to start `job`, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn start_of(tx: &Tx, site: &Slug, job: JobId) -> Result<Option<i64>, StoreError> {
    #[derive(FromQueryResult)]
    struct Seq {
        seq: i64,
    }
    const SQL: &str = "SELECT seq FROM site_order WHERE job = $1 AND site = $2 AND kind = 'start'";
    let row = tx.one::<Seq>(SQL, [job.uuid().into(), site.to_string().into()]).await?;
    Ok(row.map(|row| row.seq))
}

/// Takes an order back that nobody was given.
///
/// # Errors
/// When the database fails.
pub async fn take_back(tx: &Tx, site: &Slug, seq: i64) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM site_order WHERE site = $1 AND seq = $2";
    tx.execute(SQL, [site.to_string().into(), seq.into()]).await?;
    Ok(())
}

/// Jobs that may leave their site, and whose orders nobody has fetched since `before`: the first
/// `limit`, each with the array it belongs to or its own id.
///
/// # Errors
/// When the database fails.
pub async fn stranded(
    tx: &Tx,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(JobId, JobId)>, StoreError> {
    #[derive(FromQueryResult)]
    struct Stranded {
        id: Uuid,
        submission: Uuid,
    }
    const SQL: &str = "SELECT job.id, job_wish.submission FROM site_order
        JOIN site ON site.name = site_order.site
        JOIN job ON job.id = site_order.job AND job.site = site.name
        JOIN job_wish ON job_wish.submission = COALESCE(job.array_id, job.id)
        WHERE site_order.seq > site.given AND site_order.kind = 'start' AND site_order.at < $1
            AND job.state = 'ordered' AND job_wish.may_move IS NOT NULL
        ORDER BY job_wish.submission, job.id LIMIT $2";
    let rows = tx.all::<Stranded>(SQL, [micros(before).into(), i64::from(limit).into()]).await?;
    let ids = |row: Stranded| (JobId::from_uuid(row.submission), JobId::from_uuid(row.id));
    Ok(rows.into_iter().map(ids).collect())
}
