//! Reviews: who may judge under a call, who judges what, and what they say.

mod pool;
mod steps;

use std::collections::BTreeMap;

use access::review::Points;
use sea_orm::FromQueryResult;
use units::{ApplicationId, CallId, PersonId, Slug, Timestamp};

use crate::db::{instant, micros};
use crate::scope::parsed;
use crate::{StoreError, Tx};

pub use pool::{
    DeclaredConflict, PoolMember, Profile, add_to_pool, declare_conflict, declared_conflicts, pool,
    profile, remove_from_pool, set_profile,
};
pub use steps::{
    Agreed, Appeal, Rebuttal, TechnicalCheck, agreed, agreed_of_call, answer_rebuttal, appeal,
    check_technically, decide_appeal, enter_agreed, make_appeal, open_rebuttal, rebuttal,
    technical_check, technical_checks,
};

/// One person's review of an application, from the day it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRecord {
    /// Of which application.
    pub application: ApplicationId,
    /// By whom.
    pub reviewer: PersonId,
    /// How they are called.
    pub name: String,
    /// Who asked for it.
    pub assigned_by: PersonId,
    /// When.
    pub assigned_at: Timestamp,
    /// Why this person.
    pub reason: String,
    /// What they say so far.
    pub written: Written,
    /// When they handed it in.
    pub submitted_at: Option<Timestamp>,
}

/// What a review says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The points, by criterion.
    pub scores: BTreeMap<Slug, Points>,
    /// What the applicant will read.
    pub to_applicant: String,
    /// What only those who decide read.
    pub confidential: String,
}

#[derive(FromQueryResult)]
struct Row {
    application: uuid::Uuid,
    reviewer: uuid::Uuid,
    name: String,
    assigned_by: uuid::Uuid,
    assigned_at: i64,
    reason: String,
    scores: Option<String>,
    to_applicant: String,
    confidential: String,
    submitted_at: Option<i64>,
}

impl Row {
    fn record(self) -> Result<ReviewRecord, StoreError> {
        let scores = self.scores.as_deref().map(points).transpose()?.unwrap_or_default();
        Ok(ReviewRecord {
            application: ApplicationId::from_uuid(self.application),
            reviewer: PersonId::from_uuid(self.reviewer),
            name: self.name,
            assigned_by: PersonId::from_uuid(self.assigned_by),
            assigned_at: instant(self.assigned_at)?,
            reason: self.reason,
            written: Written {
                scores,
                to_applicant: self.to_applicant,
                confidential: self.confidential,
            },
            submitted_at: self.submitted_at.map(instant).transpose()?,
        })
    }
}

/// Points as they are stored.
fn points(text: &str) -> Result<BTreeMap<Slug, Points>, StoreError> {
    let damaged = |error| StoreError::damaged("points", error);
    let stored: BTreeMap<String, String> = serde_json::from_str(text).map_err(damaged)?;
    let one = |(key, points): (&String, &String)| {
        Ok((parsed("criterion", key)?, parsed("points", points)?))
    };
    stored.iter().map(one).collect()
}

fn points_text(scores: &BTreeMap<Slug, Points>) -> Result<String, StoreError> {
    let texts: BTreeMap<String, String> =
        scores.iter().map(|(key, points)| (key.to_string(), points.to_string())).collect();
    serde_json::to_string(&texts).map_err(|error| StoreError::damaged("points", error))
}

/// Asks somebody for a review; asking again changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn assign(
    tx: &Tx,
    (application, reviewer): (ApplicationId, PersonId),
    (by, at): (PersonId, Timestamp),
    reason: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO review (application, reviewer, assigned_by, assigned_at, reason,
        to_applicant, confidential) VALUES ($1, $2, $3, $4, $5, '', '')
        ON CONFLICT (application, reviewer) DO NOTHING";
    let values = [
        application.uuid().into(),
        reviewer.uuid().into(),
        by.uuid().into(),
        micros(at).into(),
        reason.into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Takes back a request for a review that was not handed in; returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn unassign(
    tx: &Tx,
    application: ApplicationId,
    reviewer: PersonId,
) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM review
        WHERE application = $1 AND reviewer = $2 AND submitted_at IS NULL";
    Ok(tx.execute(SQL, [application.uuid().into(), reviewer.uuid().into()]).await? > 0)
}

/// Writes what a review says; with `submitted_at`, it is handed in and stays as it is. `false`
/// when there is none to write any more.
///
/// # Errors
/// When the database fails.
pub async fn write(
    tx: &Tx,
    (application, reviewer): (ApplicationId, PersonId),
    written: &Written,
    submitted_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE review SET scores = $3, to_applicant = $4, confidential = $5,
        submitted_at = $6 WHERE application = $1 AND reviewer = $2 AND submitted_at IS NULL";
    let values = [
        application.uuid().into(),
        reviewer.uuid().into(),
        points_text(&written.scores)?.into(),
        written.to_applicant.clone().into(),
        written.confidential.clone().into(),
        submitted_at.map(micros).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

const SELECT: &str = "SELECT r.*, p.name FROM review r JOIN person p ON p.id = r.reviewer";

/// The reviews of an application, in the order in which they were asked for.
///
/// # Errors
/// When the database fails.
pub async fn of_application(
    tx: &Tx,
    application: ApplicationId,
) -> Result<Vec<ReviewRecord>, StoreError> {
    let sql = format!("{SELECT} WHERE r.application = $1 ORDER BY r.assigned_at, r.reviewer");
    read(tx, &sql, application.uuid()).await
}

/// The reviews of every application that waits for a decision under a call.
///
/// # Errors
/// When the database fails.
pub async fn of_call(tx: &Tx, call: CallId) -> Result<Vec<ReviewRecord>, StoreError> {
    let sql = format!(
        "{SELECT} JOIN application a ON a.id = r.application
         WHERE a.call = $1 AND a.state = 'submitted'
         ORDER BY r.application, r.assigned_at, r.reviewer"
    );
    read(tx, &sql, call.uuid()).await
}

/// What a review comes to, without its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rated {
    /// Of which application.
    pub application: ApplicationId,
    /// The points, by criterion, once it is handed in.
    pub scores: Option<BTreeMap<Slug, Points>>,
}

/// The reviews of every application that waits for a decision under a call, without their texts:
/// there are many, and an order needs none.
///
/// # Errors
/// When the database fails.
pub async fn rated(tx: &Tx, call: CallId) -> Result<Vec<Rated>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        application: uuid::Uuid,
        scores: Option<String>,
    }
    const SQL: &str = "SELECT r.application,
            CASE WHEN r.submitted_at IS NULL THEN NULL ELSE r.scores END AS scores
        FROM review r JOIN application a ON a.id = r.application
        WHERE a.call = $1 AND a.state = 'submitted' ORDER BY r.application, r.assigned_at, r.reviewer";
    let read = |row: Row| {
        let scores = row.scores.as_deref().map(points).transpose()?;
        Ok(Rated { application: ApplicationId::from_uuid(row.application), scores })
    };
    tx.all::<Row>(SQL, [call.uuid().into()]).await?.into_iter().map(read).collect()
}

/// How many reviews of applications that wait for a decision under a call each person was asked
/// for, and how many of them they have handed in.
///
/// # Errors
/// When the database fails.
pub async fn loads(tx: &Tx, call: CallId) -> Result<BTreeMap<PersonId, (u32, u32)>, StoreError> {
    #[derive(FromQueryResult)]
    struct Load {
        reviewer: uuid::Uuid,
        asked: i64,
        handed_in: i64,
    }
    const SQL: &str = "SELECT r.reviewer, CAST(COUNT(*) AS BIGINT) AS asked,
            CAST(COUNT(r.submitted_at) AS BIGINT) AS handed_in
        FROM review r JOIN application a ON a.id = r.application
        WHERE a.call = $1 AND a.state = 'submitted' GROUP BY r.reviewer";
    let count = |number: i64| {
        u32::try_from(number).map_err(|error| StoreError::damaged("count of reviews", error))
    };
    let rows = tx.all::<Load>(SQL, [call.uuid().into()]).await?;
    let load = |row: Load| {
        Ok((PersonId::from_uuid(row.reviewer), (count(row.asked)?, count(row.handed_in)?)))
    };
    rows.into_iter().map(load).collect()
}

/// Reviews asked for after `from` and not after `to` that did not come yet, of applications that wait
/// for a decision.
///
/// # Errors
/// When the database fails.
pub async fn missing(
    tx: &Tx,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<ReviewRecord>, StoreError> {
    let sql = format!(
        "{SELECT} JOIN application a ON a.id = r.application
         WHERE r.assigned_at > $1 AND r.assigned_at <= $2 AND r.submitted_at IS NULL
           AND a.state = 'submitted' ORDER BY r.assigned_at, r.application, r.reviewer"
    );
    let rows = tx.all::<Row>(&sql, [micros(from).into(), micros(to).into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// What somebody was asked to review and is still to be decided, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn of_reviewer(tx: &Tx, person: PersonId) -> Result<Vec<ReviewRecord>, StoreError> {
    let sql = format!(
        "{SELECT} JOIN application a ON a.id = r.application
         WHERE r.reviewer = $1 AND a.state = 'submitted'
         ORDER BY r.assigned_at DESC, r.application LIMIT 500"
    );
    read(tx, &sql, person.uuid()).await
}

/// Somebody's review of an application.
///
/// # Errors
/// When the database fails.
pub async fn one(
    tx: &Tx,
    application: ApplicationId,
    reviewer: PersonId,
) -> Result<Option<ReviewRecord>, StoreError> {
    let sql = format!("{SELECT} WHERE r.application = $1 AND r.reviewer = $2");
    let found = tx.one::<Row>(&sql, [application.uuid().into(), reviewer.uuid().into()]).await?;
    found.map(Row::record).transpose()
}

async fn read(tx: &Tx, sql: &str, id: uuid::Uuid) -> Result<Vec<ReviewRecord>, StoreError> {
    tx.all::<Row>(sql, [id.into()]).await?.into_iter().map(Row::record).collect()
}

#[cfg(test)]
mod tests;
