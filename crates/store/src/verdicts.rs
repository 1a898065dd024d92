//! Verdicts: proposed by one, adopted by another, published; none is ever erased.

use std::collections::BTreeMap;

use access::review::Verdict;
use sea_orm::FromQueryResult;
use units::{ApplicationId, CallId, PersonId, PoolId, Slug, Timestamp, Work};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::scope::parsed;
use crate::{StoreError, Tx};

/// What people propose to become of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictRecord {
    /// Which.
    pub id: Uuid,
    /// Of what.
    pub application: ApplicationId,
    /// What.
    pub verdict: Verdict,
    /// Why, in words that the applicant reads.
    pub remark: String,
    /// Who proposed it.
    pub proposed_by: PersonId,
    /// When.
    pub proposed_at: Timestamp,
    /// Who adopted it, and when.
    pub adopted: Option<(PersonId, Timestamp)>,
    /// Since when it holds for everybody.
    pub published_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    application: Uuid,
    verdict: String,
    hours: Option<i64>,
    remark: String,
    proposed_by: Uuid,
    proposed_at: i64,
    adopted_by: Option<Uuid>,
    adopted_at: Option<i64>,
    published_at: Option<i64>,
}

impl Row {
    fn record(self) -> Result<VerdictRecord, StoreError> {
        let verdict = match (self.verdict.as_str(), self.hours.map(u32::try_from)) {
            ("award", Some(Ok(hours))) => Verdict::Award { hours },
            ("refuse", None) => Verdict::Refuse,
            (other, _) => return Err(StoreError::damaged("verdict", other)),
        };
        let adopted = match (self.adopted_by, self.adopted_at) {
            (Some(by), Some(at)) => Some((PersonId::from_uuid(by), instant(at)?)),
            _ => None,
        };
        Ok(VerdictRecord {
            id: self.id,
            application: ApplicationId::from_uuid(self.application),
            verdict,
            remark: self.remark,
            proposed_by: PersonId::from_uuid(self.proposed_by),
            proposed_at: instant(self.proposed_at)?,
            adopted,
            published_at: self.published_at.map(instant).transpose()?,
        })
    }
}

/// Enters a verdict that somebody proposes.
///
/// # Errors
/// When the database fails.
pub async fn propose(tx: &Tx, verdict: &VerdictRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO verdict (id, application, verdict, hours, remark, proposed_by,
        proposed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let hours = match verdict.verdict {
        Verdict::Award { hours } => Some(i64::from(hours)),
        Verdict::Refuse => None,
    };
    let values = [
        verdict.id.into(),
        verdict.application.uuid().into(),
        verdict.verdict.name().into(),
        hours.into(),
        verdict.remark.clone().into(),
        verdict.proposed_by.uuid().into(),
        micros(verdict.proposed_at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The verdict that stands over an application: the newest that was not sent back.
///
/// # Errors
/// When the database fails.
pub async fn standing(
    tx: &Tx,
    application: ApplicationId,
) -> Result<Option<VerdictRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM verdict WHERE application = $1 AND returned_at IS NULL
        ORDER BY proposed_at DESC, id DESC LIMIT 1";
    tx.one::<Row>(SQL, [application.uuid().into()]).await?.map(Row::record).transpose()
}

/// Enters that somebody adopts a proposal; the hours of an award are set aside in `pool` until it
/// is published. `false` when it no longer waits.
///
/// # Errors
/// When the database fails.
pub async fn adopt(
    tx: &Tx,
    id: Uuid,
    (by, at): (PersonId, Timestamp),
    aside: Option<(PoolId, Work)>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE verdict SET adopted_by = $2, adopted_at = $3, pool = $4, seconds = $5
        WHERE id = $1 AND adopted_at IS NULL AND returned_at IS NULL";
    let values = [
        id.into(),
        by.uuid().into(),
        micros(at).into(),
        aside.map(|(pool, _)| pool.uuid()).into(),
        aside.map_or(0, |(_, work)| work.count()).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Sends a verdict back to those who propose; what was set aside is free again. `false` when it
/// was published or sent back already.
///
/// # Errors
/// When the database fails.
pub async fn send_back(
    tx: &Tx,
    id: Uuid,
    (by, at): (PersonId, Timestamp),
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE verdict SET returned_by = $2, returned_at = $3
        WHERE id = $1 AND published_at IS NULL AND returned_at IS NULL";
    let values = [id.into(), by.uuid().into(), micros(at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Enters that an adopted verdict holds for everybody. `false` when it was published already, sent
/// back, or never adopted.
///
/// # Errors
/// When the database fails.
pub async fn publish(tx: &Tx, id: Uuid, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE verdict SET published_at = $2
        WHERE id = $1 AND adopted_at IS NOT NULL AND published_at IS NULL AND returned_at IS NULL";
    Ok(tx.execute(SQL, [id.into(), micros(at).into()]).await? > 0)
}

/// What adopted awards that are not published yet will take from `pool`, by access mode, but for
/// that of `application`.
///
/// # Errors
/// When the database fails.
pub async fn set_aside(
    tx: &Tx,
    pool: PoolId,
    application: ApplicationId,
) -> Result<BTreeMap<Slug, Work>, StoreError> {
    #[derive(FromQueryResult)]
    struct Sum {
        mode: String,
        total: i64,
    }
    const SQL: &str = "SELECT c.mode AS mode, CAST(SUM(v.seconds) AS BIGINT) AS total
        FROM verdict v JOIN application p ON p.id = v.application JOIN call c ON c.id = p.call
        WHERE v.pool = $1 AND v.adopted_at IS NOT NULL AND v.published_at IS NULL
            AND v.returned_at IS NULL AND v.application <> $2
        GROUP BY c.mode ORDER BY c.mode";
    let rows = tx.all::<Sum>(SQL, [pool.uuid().into(), application.uuid().into()]).await?;
    let aside = |row: Sum| Ok((parsed("access mode", &row.mode)?, Work::seconds(row.total)));
    rows.into_iter().map(aside).collect()
}

/// The verdicts that stand over the applications that wait for a decision under a call.
///
/// # Errors
/// When the database fails.
pub async fn standing_of_call(tx: &Tx, call: CallId) -> Result<Vec<VerdictRecord>, StoreError> {
    const SQL: &str = "SELECT v.* FROM verdict v JOIN application a ON a.id = v.application
        WHERE a.call = $1 AND a.state = 'submitted' AND v.returned_at IS NULL
            AND v.published_at IS NULL ORDER BY v.proposed_at, v.id";
    tx.all::<Row>(SQL, [call.uuid().into()]).await?.into_iter().map(Row::record).collect()
}
