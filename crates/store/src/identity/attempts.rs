//! Sign-ins on their way to a provider and back, stored only as hashes.

use sea_orm::FromQueryResult;
use units::{PersonId, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// A sign-in on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The provider's name.
    pub provider: String,
    /// Who was signed in already and adds an identity.
    pub person: Option<PersonId>,
    /// Where to go afterwards, within the portal.
    pub destination: String,
    /// Until when it may come back.
    pub expires_at: Timestamp,
}

/// Remembers an attempt under its hash, and forgets those that never came back.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &Tx,
    hash: &str,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM sign_in_attempt WHERE expires_at <= $1";
    const SQL: &str = "INSERT INTO sign_in_attempt
        (hash, provider, person, destination, expires_at) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(FORGET, [micros(now).into()]).await?;
    tx.execute(
        SQL,
        [
            hash.into(),
            attempt.provider.clone().into(),
            attempt.person.map(PersonId::uuid).into(),
            attempt.destination.clone().into(),
            micros(attempt.expires_at).into(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes the attempt with this hash out, so that it comes back once.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &Tx, hash: &str) -> Result<Option<Attempt>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        provider: String,
        person: Option<uuid::Uuid>,
        destination: String,
        expires_at: i64,
    }
    const SQL: &str = "DELETE FROM sign_in_attempt WHERE hash = $1
        RETURNING provider, person, destination, expires_at";
    let Some(row) = tx.one::<Row>(SQL, [hash.into()]).await? else { return Ok(None) };
    Ok(Some(Attempt {
        provider: row.provider,
        person: row.person.map(PersonId::from_uuid),
        destination: row.destination,
        expires_at: instant(row.expires_at)?,
    }))
}
