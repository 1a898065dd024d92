//! Notices: what was told, whose inbox it lies in, and how each person wants to be told.
//!
//! A notice and its place in every inbox are written in the transaction of what they tell of.

mod facts;
pub mod post;
pub mod webhooks;

use std::collections::BTreeMap;

use sea_orm::{FromQueryResult, Value};
use units::{PersonId, Timestamp};
use uuid::Uuid;

pub use facts::{Fact, Facts};

use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::scope::chosen;
use crate::{StoreError, Tx};

/// What was told, to whomever it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRecord {
    /// Which.
    pub id: Uuid,
    /// What it tells of, as `application.awarded`.
    pub kind: String,
    /// The particulars that its text needs, by the names of their gaps.
    pub facts: Facts,
    /// Where in the portal there is more about it.
    pub link: String,
    /// When it was told.
    pub told_at: Timestamp,
}

/// A notice in somebody's inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRecord {
    /// What was told.
    pub notice: NoticeRecord,
    /// When they read it.
    pub read_at: Option<Timestamp>,
}

/// When somebody gets their notices by e-mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByMail {
    /// Each as it comes.
    #[default]
    AtOnce,
    /// All of a day in one letter.
    Daily,
    /// Never.
    No,
}

impl ByMail {
    /// Every choice with its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("at-once", Self::AtOnce), ("daily", Self::Daily), ("no", Self::No)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, it)| *it == self).map_or("", |(word, _)| word)
    }
}

/// How somebody wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeSettings {
    /// The code of their language.
    pub language: String,
    /// When they get letters.
    pub mail: ByMail,
    /// Whether they want to hear of every call that opens or is about to close.
    pub calls: bool,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self { language: "en".to_owned(), mail: ByMail::default(), calls: false }
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    kind: String,
    facts: String,
    link: String,
    told_at: i64,
}

impl Row {
    fn record(self) -> Result<NoticeRecord, StoreError> {
        Ok(NoticeRecord {
            id: self.id,
            kind: self.kind,
            facts: facts::read(&self.facts)?,
            link: self.link,
            told_at: instant(self.told_at)?,
        })
    }
}

/// Puts a notice on record; `false` when what `once` names was told before.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, once: &str, notice: &NoticeRecord) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO notice (id, once, kind, facts, link, told_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (once) DO NOTHING";
    let values = [
        notice.id.into(),
        once.into(),
        notice.kind.as_str().into(),
        facts::written(&notice.facts)?.into(),
        notice.link.as_str().into(),
        micros(notice.told_at).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Lays a notice into somebody's inbox, once; a letter about it is due at `mail_at`, if at all.
///
/// # Errors
/// When the database fails.
pub async fn deliver(
    tx: &Tx,
    (notice, person): (Uuid, PersonId),
    (mail, mail_at): (ByMail, Option<Timestamp>),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO inbox (person, notice, mail, mail_due_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (person, notice) DO NOTHING";
    let values =
        [person.uuid().into(), notice.into(), mail.word().into(), mail_at.map(micros).into()];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Somebody's notices, newest first, from before `before`.
///
/// # Errors
/// When the database fails.
pub async fn inbox(
    tx: &Tx,
    person: PersonId,
    (unread, before): (bool, Option<Uuid>),
    limit: u32,
) -> Result<Vec<InboxRecord>, StoreError> {
    #[derive(FromQueryResult)]
    struct Lying {
        #[sea_orm(nested)]
        notice: Row,
        read_at: Option<i64>,
    }
    let mut values: Vec<Value> = vec![person.uuid().into(), i64::from(limit).into()];
    let mut demands = String::new();
    if unread {
        demands.push_str(" AND i.read_at IS NULL");
    }
    if let Some(before) = before {
        demands.push_str(" AND i.notice < $3");
        values.push(before.into());
    }
    let sql = format!(
        "SELECT n.id, n.kind, n.facts, n.link, n.told_at, i.read_at
        FROM inbox i JOIN notice n ON n.id = i.notice
        WHERE i.person = $1{demands} ORDER BY i.notice DESC LIMIT $2"
    );
    let rows = tx.all::<Lying>(&sql, values).await?;
    let record = |row: Lying| {
        let read_at = row.read_at.map(instant).transpose()?;
        Ok(InboxRecord { notice: row.notice.record()?, read_at })
    };
    rows.into_iter().map(record).collect()
}

/// How many of somebody's notices are unread.
///
/// # Errors
/// When the database fails.
pub async fn unread(tx: &Tx, person: PersonId) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Count {
        total: i64,
    }
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS total FROM inbox
        WHERE person = $1 AND read_at IS NULL";
    let count = tx.one::<Count>(SQL, [person.uuid().into()]).await?;
    Ok(count.map_or(0, |count| count.total))
}

/// Marks a notice of somebody read; `false` when it is not theirs.
///
/// # Errors
/// When the database fails.
pub async fn read(
    tx: &Tx,
    (person, notice): (PersonId, Uuid),
    at: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE inbox SET read_at = COALESCE(read_at, $3)
        WHERE person = $1 AND notice = $2";
    let values = [person.uuid().into(), notice.into(), micros(at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Marks all of somebody's notices read; gives back how many were not.
///
/// # Errors
/// When the database fails.
pub async fn read_all(tx: &Tx, person: PersonId, at: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE inbox SET read_at = $2 WHERE person = $1 AND read_at IS NULL";
    tx.execute(SQL, [person.uuid().into(), micros(at).into()]).await
}

/// How people want to be told, as far as they have said.
///
/// # Errors
/// When the database fails.
pub async fn settings(
    tx: &Tx,
    people: &[PersonId],
) -> Result<BTreeMap<PersonId, NoticeSettings>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        person: Uuid,
        language: String,
        mail: String,
        calls: bool,
    }
    let mut found = BTreeMap::new();
    for people in people.chunks(PEOPLE_MAX) {
        let sql = format!("SELECT * FROM notice_settings WHERE {}", is_in("person", people.len()));
        let values = people.iter().map(|person| person.uuid().into());
        for Row { person, language, mail, calls } in tx.all::<Row>(&sql, values).await? {
            let mail = chosen("choice of letters", &ByMail::WORDS, &mail)?;
            let settings = NoticeSettings { language, mail, calls };
            found.insert(PersonId::from_uuid(person), settings);
        }
    }
    Ok(found)
}

/// How many people one statement names at most: databases bound the parameters of a statement.
const PEOPLE_MAX: usize = 10_000;

/// Keeps how somebody wants to be told.
///
/// # Errors
/// When the database fails.
pub async fn set_settings(
    tx: &Tx,
    person: PersonId,
    settings: &NoticeSettings,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO notice_settings (person, language, mail, calls)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (person) DO UPDATE SET language = excluded.language, mail = excluded.mail,
            calls = excluded.calls";
    let values = [
        person.uuid().into(),
        settings.language.as_str().into(),
        settings.mail.word().into(),
        settings.calls.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Those with open accounts who want to hear of calls.
///
/// # Errors
/// When the database fails.
pub async fn followers_of_calls(tx: &Tx) -> Result<Vec<PersonId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        person: Uuid,
    }
    const SQL: &str = "SELECT s.person FROM notice_settings s JOIN person p ON p.id = s.person
        WHERE s.calls AND p.disabled_at IS NULL ORDER BY s.person";
    let rows = tx.all::<Row>(SQL, []).await?;
    Ok(rows.into_iter().map(|row| PersonId::from_uuid(row.person)).collect())
}

#[cfg(test)]
mod tests;
