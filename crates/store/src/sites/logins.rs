//! Who has a login at a site where jobs run as persons, and who has asked for one.

use sea_orm::FromQueryResult;
use units::{PersonId, Slug, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// Whether somebody's jobs can run at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Everybody's run there.
    NotNeeded,
    /// Theirs do.
    Known,
    /// They have no login.
    Missing,
}

/// Somebody who wanted to run a job at a site and has no login there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// The address of their account.
    pub email: String,
    /// Since when they have wanted it.
    pub asked_at: Timestamp,
}

/// Notes who has a login, each by a digest of their address; `None` where everybody's jobs run.
/// Requests of those who have one now are answered.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn note(tx: &Tx, site: &Slug, digests: Option<&[String]>) -> Result<(), StoreError> {
    const MARK: &str = "UPDATE site SET as_persons = $2 WHERE name = $1";
    const FORGET: &str = "DELETE FROM site_login WHERE site = $1";
    const ADD: &str = "INSERT INTO site_login (site, digest) VALUES ($1, $2)
        ON CONFLICT (site, digest) DO NOTHING";
    const ANSWER: &str = "DELETE FROM site_login_request WHERE site = $1
        AND digest IN (SELECT digest FROM site_login WHERE site = $1)";
    let name = || site.to_string().into();
    tx.execute(MARK, [name(), digests.is_some().into()]).await?;
    tx.execute(FORGET, [name()]).await?;
    for digest in digests.unwrap_or_default() {
        tx.execute(ADD, [name(), digest.clone().into()]).await?;
    }
    tx.execute(ANSWER, [name()]).await?;
    Ok(())
}

/// Whether the person with this digest can run jobs at a site.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &Tx, site: &Slug, digest: &str) -> Result<Login, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        as_persons: Option<bool>,
        known: i64,
    }
    const SQL: &str = "SELECT s.as_persons,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM site_login l
             WHERE l.site = s.name AND l.digest = $2) AS known
        FROM site s WHERE s.name = $1";
    let row = tx.one::<Row>(SQL, [site.to_string().into(), digest.into()]).await?;
    Ok(match row {
        Some(Row { as_persons: Some(true), known: 0 }) => Login::Missing,
        Some(Row { as_persons: Some(true), .. }) => Login::Known,
        Some(_) | None => Login::NotNeeded,
    })
}

/// Notes that somebody wants a login; whether that is new.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn ask(
    tx: &Tx,
    site: &Slug,
    (person, digest): (PersonId, &str),
    at: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO site_login_request (site, person, digest, asked_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (site, person) DO NOTHING";
    let values = [site.to_string().into(), person.uuid().into(), digest.into(), micros(at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Who wants a login at a site, the longest first.
///
/// # Errors
/// When the database fails.
pub async fn requests(tx: &Tx, site: &Slug) -> Result<Vec<LoginRequest>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        person: uuid::Uuid,
        name: String,
        email: String,
        asked_at: i64,
    }
    const SQL: &str = "SELECT r.person, p.name, p.email, r.asked_at
        FROM site_login_request r JOIN person p ON p.id = r.person
        WHERE r.site = $1 ORDER BY r.asked_at, r.person";
    let rows = tx.all::<Row>(SQL, [site.to_string().into()]).await?;
    let request = |row: Row| {
        Ok(LoginRequest {
            person: PersonId::from_uuid(row.person),
            name: row.name,
            email: row.email,
            asked_at: instant(row.asked_at)?,
        })
    };
    rows.into_iter().map(request).collect()
}
