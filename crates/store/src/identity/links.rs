//! One-time sign-in links, stored only as hashes.

use sea_orm::FromQueryResult;
use units::{PersonId, Timestamp};

use crate::db::micros;
use crate::{StoreError, Tx};

/// Adds a link for `person` that works once, until `expires_at`.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &Tx,
    hash: &str,
    person: PersonId,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO sign_in_link (hash, person, expires_at) VALUES ($1, $2, $3)";
    tx.execute(SQL, [hash.into(), person.uuid().into(), micros(expires_at).into()]).await?;
    Ok(())
}

/// Uses up the link whose secret hashes to `hash`; returns whom it signs in, if it still worked.
///
/// # Errors
/// When the database fails.
pub async fn redeem(tx: &Tx, hash: &str, now: Timestamp) -> Result<Option<PersonId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        person: uuid::Uuid,
    }
    const USE: &str = "UPDATE sign_in_link SET used_at = $2
        WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
    const WHO: &str = "SELECT person FROM sign_in_link WHERE hash = $1";
    if tx.execute(USE, [hash.into(), micros(now).into()]).await? == 0 {
        return Ok(None);
    }
    let row = tx.one::<Row>(WHO, [hash.into()]).await?;
    Ok(row.map(|row| PersonId::from_uuid(row.person)))
}
