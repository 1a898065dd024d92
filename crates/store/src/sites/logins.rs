//! Who has a login at a site where jobs run as persons, and who has asked for one.

use sea_orm::FromQueryResult;
use units::{PersonId, Slug, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// How many logins are written in one statement.
const AT_ONCE: usize = 500;

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
    const ANSWER: &str = "DELETE FROM site_login_request WHERE site = $1
        AND digest IN (SELECT digest FROM site_login WHERE site = $1)";
    let name = || site.to_string().into();
    tx.execute(MARK, [name(), digests.is_some().into()]).await?;
    tx.execute(FORGET, [name()]).await?;
    for digests in digests.unwrap_or_default().chunks(AT_ONCE) {
        let places: Vec<String> =
            (0..digests.len()).map(|index| format!("($1, ${})", index.saturating_add(2))).collect();
        let sql = format!(
            "INSERT INTO site_login (site, digest) VALUES {}
            ON CONFLICT (site, digest) DO NOTHING",
            places.join(", ")
        );
        let values = std::iter::once(name()).chain(digests.iter().map(|it| it.clone().into()));
        tx.execute(&sql, values.collect::<Vec<sea_orm::Value>>()).await?;
    }
    tx.execute(ANSWER, [name()]).await?;
    Ok(())
}

/// Whether the person with this digest has a login at a site where jobs run as persons.
///
/// # Errors
/// When the database fails.
pub async fn has(tx: &Tx, site: &Slug, digest: &str) -> Result<bool, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        known: i64,
    }
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS known FROM site_login
        WHERE site = $1 AND digest = $2";
    let row = tx.one::<Row>(SQL, [site.to_string().into(), digest.into()]).await?;
    Ok(row.is_some_and(|row| row.known > 0))
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
