//! Reviewers: what they know, whose call they serve, where they have a conflict.

use sea_orm::FromQueryResult;
use units::{ApplicationId, CallId, PersonId, Slug, Timestamp};

use crate::applications::{list_text, slugs};
use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// What a reviewer states of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What they know, by the fields of policy.
    pub fields: Vec<Slug>,
    /// With whom they have published.
    pub published_with: Vec<String>,
    /// The most applications they take, when they have said.
    pub load_max: Option<u32>,
}

/// A reviewer of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolMember {
    /// Who.
    pub person: PersonId,
    /// How they are called.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Since when they are in the pool.
    pub added_at: Timestamp,
    /// What they state of themselves, once they have.
    pub profile: Option<Profile>,
}

/// That somebody has said that they may not judge an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredConflict {
    /// Which.
    pub application: ApplicationId,
    /// Who.
    pub person: PersonId,
    /// Why.
    pub text: String,
}

#[derive(FromQueryResult)]
struct MemberRow {
    person: uuid::Uuid,
    name: String,
    email: String,
    added_at: i64,
    fields: Option<String>,
    published_with: Option<String>,
    load_max: Option<i64>,
}

#[derive(FromQueryResult)]
struct ProfileRow {
    fields: String,
    published_with: String,
    load_max: Option<i64>,
}

impl ProfileRow {
    fn profile(self) -> Result<Profile, StoreError> {
        let count = |load| u32::try_from(load).map_err(|error| StoreError::damaged("load", error));
        let names = serde_json::from_str(&self.published_with);
        Ok(Profile {
            fields: slugs(&self.fields)?,
            published_with: names.map_err(|error| StoreError::damaged("names", error))?,
            load_max: self.load_max.map(count).transpose()?,
        })
    }
}

/// States what a reviewer knows, in place of what they stated before.
///
/// # Errors
/// When the database fails.
pub async fn set_profile(
    tx: &Tx,
    person: PersonId,
    profile: &Profile,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO reviewer (person, fields, published_with, load_max, stated_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (person) DO UPDATE SET fields = $2, published_with = $3, load_max = $4,
            stated_at = $5";
    let values = [
        person.uuid().into(),
        list_text(&profile.fields)?.into(),
        list_text(&profile.published_with)?.into(),
        profile.load_max.map(i64::from).into(),
        micros(at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What a reviewer states of themselves.
///
/// # Errors
/// When the database fails.
pub async fn profile(tx: &Tx, person: PersonId) -> Result<Option<Profile>, StoreError> {
    const SQL: &str = "SELECT fields, published_with, load_max FROM reviewer WHERE person = $1";
    let found = tx.one::<ProfileRow>(SQL, [person.uuid().into()]).await?;
    found.map(ProfileRow::profile).transpose()
}

/// Puts somebody into the pool of a call; doing it again changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn add_to_pool(
    tx: &Tx,
    (call, person): (CallId, PersonId),
    (by, at): (PersonId, Timestamp),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO call_reviewer (call, person, added_by, added_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (call, person) DO NOTHING";
    let values = [call.uuid().into(), person.uuid().into(), by.uuid().into(), micros(at).into()];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Takes somebody out of the pool of a call; returns whether they were in it. What they were asked
/// to review stays theirs.
///
/// # Errors
/// When the database fails.
pub async fn remove_from_pool(tx: &Tx, call: CallId, person: PersonId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM call_reviewer WHERE call = $1 AND person = $2";
    Ok(tx.execute(SQL, [call.uuid().into(), person.uuid().into()]).await? > 0)
}

/// The pool of a call, by name.
///
/// # Errors
/// When the database fails.
pub async fn pool(tx: &Tx, call: CallId) -> Result<Vec<PoolMember>, StoreError> {
    const SQL: &str = "SELECT c.person, p.name, p.email, c.added_at, r.fields, r.published_with,
            r.load_max
        FROM call_reviewer c JOIN person p ON p.id = c.person
        LEFT JOIN reviewer r ON r.person = c.person
        WHERE c.call = $1 ORDER BY p.name, c.person";
    let rows = tx.all::<MemberRow>(SQL, [call.uuid().into()]).await?;
    let member = |row: MemberRow| {
        let profile = match (row.fields, row.published_with) {
            (Some(fields), Some(published_with)) => {
                Some(ProfileRow { fields, published_with, load_max: row.load_max }.profile()?)
            }
            _ => None,
        };
        Ok(PoolMember {
            person: PersonId::from_uuid(row.person),
            name: row.name,
            email: row.email,
            added_at: instant(row.added_at)?,
            profile,
        })
    };
    rows.into_iter().map(member).collect()
}

/// Enters that somebody may not judge an application, in their words.
///
/// # Errors
/// When the database fails.
pub async fn declare_conflict(
    tx: &Tx,
    conflict: &DeclaredConflict,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO conflict (application, person, text, declared_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (application, person) DO UPDATE SET text = $3, declared_at = $4";
    let values = [
        conflict.application.uuid().into(),
        conflict.person.uuid().into(),
        conflict.text.clone().into(),
        micros(at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The conflicts that were declared over applications of a call.
///
/// # Errors
/// When the database fails.
pub async fn declared_conflicts(
    tx: &Tx,
    call: CallId,
) -> Result<Vec<DeclaredConflict>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        application: uuid::Uuid,
        person: uuid::Uuid,
        text: String,
    }
    const SQL: &str = "SELECT c.application, c.person, c.text FROM conflict c
        JOIN application a ON a.id = c.application
        WHERE a.call = $1 ORDER BY c.application, c.person";
    let rows = tx.all::<Row>(SQL, [call.uuid().into()]).await?;
    let read = |row: Row| DeclaredConflict {
        application: ApplicationId::from_uuid(row.application),
        person: PersonId::from_uuid(row.person),
        text: row.text,
    };
    Ok(rows.into_iter().map(read).collect())
}
