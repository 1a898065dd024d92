//! Letters: notices of an inbox that are due to leave by e-mail, and what became of those that were.

use sea_orm::FromQueryResult;
use units::{PersonId, Timestamp};
use uuid::Uuid;

use super::{ByMail, InboxRecord, NoticeRecord, Row};
use crate::db::{instant, micros};
use crate::scope::chosen;
use crate::{StoreError, Tx};

/// A notice that is due to leave by e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// To whom.
    pub person: PersonId,
    /// Their address.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// What to tell.
    pub notice: NoticeRecord,
    /// Alone, or with the others of the day.
    pub mail: ByMail,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// A notice whose letter was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The address.
    pub email: String,
    /// What it would have told.
    pub item: InboxRecord,
    /// Why it was not sent.
    pub error: String,
    /// When it was given up.
    pub ended_at: Timestamp,
}

/// The state of all letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// Notices that wait to be sent.
    pub waiting: i64,
    /// Of these, those that were tried in vain before.
    pub tried: i64,
    /// Those that were sent.
    pub sent: i64,
    /// Those that were given up.
    pub unsent: i64,
}

/// Notices whose letters are due at `now`, those of one person together, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    #[derive(FromQueryResult)]
    struct Waiting {
        #[sea_orm(nested)]
        notice: Row,
        person: Uuid,
        email: String,
        name: String,
        mail: String,
        mail_attempts: i64,
    }
    const SQL: &str = "SELECT n.id, n.kind, n.facts, n.link, n.told_at, i.person, p.email, p.name,
            i.mail, i.mail_attempts
        FROM inbox i JOIN notice n ON n.id = i.notice JOIN person p ON p.id = i.person
        WHERE i.mail_due_at <= $1 ORDER BY i.person, i.mail, i.notice LIMIT $2";
    let rows = tx.all::<Waiting>(SQL, [micros(now).into(), i64::from(limit).into()]).await?;
    let due = |row: Waiting| {
        Ok(Due {
            person: PersonId::from_uuid(row.person),
            email: row.email,
            name: row.name,
            notice: row.notice.record()?,
            mail: chosen("choice of letters", &ByMail::WORDS, &row.mail)?,
            attempts: u32::try_from(row.mail_attempts).unwrap_or(u32::MAX),
        })
    };
    rows.into_iter().map(due).collect()
}

/// What became of the letter about a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The server took it.
    Sent,
    /// It is tried again at this instant.
    Again(Timestamp, &'a str),
    /// It is not tried again.
    GivenUp(&'a str),
}

/// Enters what became of the letter about a notice.
///
/// # Errors
/// When the database fails.
pub async fn settle(
    tx: &Tx,
    (person, notice): (PersonId, Uuid),
    outcome: Outcome<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE inbox SET mail_due_at = $3, mail_error = $4, mail_ended_at = $5,
            mail_attempts = mail_attempts + 1
        WHERE person = $1 AND notice = $2";
    let (due, error, ended) = match outcome {
        Outcome::Sent => (None, None, Some(now)),
        Outcome::Again(at, why) => (Some(at), Some(why), None),
        Outcome::GivenUp(why) => (None, Some(why), Some(now)),
    };
    let values = [
        person.uuid().into(),
        notice.into(),
        due.map(micros).into(),
        error.map(str::to_owned).into(),
        ended.map(micros).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Gives up every letter that is due: there is nobody to send it. Gives back how many there were.
///
/// # Errors
/// When the database fails.
pub async fn give_up_due(tx: &Tx, why: &str, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE inbox SET mail_due_at = NULL, mail_error = $1, mail_ended_at = $2
        WHERE mail_due_at <= $2";
    tx.execute(SQL, [why.into(), micros(now).into()]).await
}

/// How many letters wait, were sent or given up, of those told since `since`.
///
/// # Errors
/// When the database fails.
pub async fn letters(tx: &Tx, since: Timestamp) -> Result<Letters, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        waiting: i64,
        tried: i64,
        sent: i64,
        unsent: i64,
    }
    const SQL: &str = "SELECT
            CAST(COUNT(i.mail_due_at) AS BIGINT) AS waiting,
            CAST(COUNT(CASE WHEN i.mail_due_at IS NOT NULL AND i.mail_attempts > 0 THEN 1 END)
                AS BIGINT) AS tried,
            CAST(COUNT(CASE WHEN i.mail_ended_at IS NOT NULL AND i.mail_error IS NULL THEN 1 END)
                AS BIGINT) AS sent,
            CAST(COUNT(CASE WHEN i.mail_ended_at IS NOT NULL AND i.mail_error IS NOT NULL THEN 1
                END) AS BIGINT) AS unsent
        FROM inbox i JOIN notice n ON n.id = i.notice WHERE n.told_at >= $1";
    let found = tx.one::<Row>(SQL, [micros(since).into()]).await?;
    let counted = |row: Row| Letters {
        waiting: row.waiting,
        tried: row.tried,
        sent: row.sent,
        unsent: row.unsent,
    };
    Ok(found.map(counted).unwrap_or_default())
}

/// The letters that were given up, newest first, of those told since `since`.
///
/// # Errors
/// When the database fails.
pub async fn unsent(tx: &Tx, since: Timestamp, limit: u32) -> Result<Vec<Unsent>, StoreError> {
    #[derive(FromQueryResult)]
    struct GivenUp {
        #[sea_orm(nested)]
        notice: Row,
        email: String,
        read_at: Option<i64>,
        mail_error: String,
        mail_ended_at: i64,
    }
    const SQL: &str = "SELECT n.id, n.kind, n.facts, n.link, n.told_at, p.email, i.read_at,
            i.mail_error, i.mail_ended_at
        FROM inbox i JOIN notice n ON n.id = i.notice JOIN person p ON p.id = i.person
        WHERE n.told_at >= $1 AND i.mail_ended_at IS NOT NULL AND i.mail_error IS NOT NULL
        ORDER BY i.mail_ended_at DESC, n.id DESC, p.email LIMIT $2";
    let rows = tx.all::<GivenUp>(SQL, [micros(since).into(), i64::from(limit).into()]).await?;
    let unsent = |row: GivenUp| {
        let read_at = row.read_at.map(instant).transpose()?;
        Ok(Unsent {
            email: row.email,
            item: InboxRecord { notice: row.notice.record()?, read_at },
            error: row.mail_error,
            ended_at: instant(row.mail_ended_at)?,
        })
    };
    rows.into_iter().map(unsent).collect()
}
