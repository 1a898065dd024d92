//! Bearer secrets, stored only as hashes: API tokens, browser sessions, site tokens.

use sea_orm::FromQueryResult;
use units::{Timestamp, TokenId};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// A bearer secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its name in lists and revocations.
    pub id: TokenId,
    /// The BLAKE3 hash of the secret, in hex.
    pub hash: String,
    /// Whom it stands for: `person:…` or `site:…`.
    pub holder: String,
    /// What its owner calls it.
    pub name: String,
    /// `api`, `session` or `site`.
    pub kind: String,
    /// What it may be used for, as `app` writes it.
    pub abilities: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it no longer works.
    pub expires_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    hash: String,
    holder: String,
    name: String,
    kind: String,
    abilities: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl Row {
    fn record(self) -> Result<TokenRecord, StoreError> {
        Ok(TokenRecord {
            id: TokenId::from_uuid(self.id),
            hash: self.hash,
            holder: self.holder,
            name: self.name,
            kind: self.kind,
            abilities: self.abilities,
            created_at: instant(self.created_at)?,
            expires_at: instant(self.expires_at)?,
            revoked_at: self.revoked_at.map(instant).transpose()?,
        })
    }
}

/// Adds a token.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, token: &TokenRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO api_token
        (id, hash, holder, name, kind, abilities, created_at, expires_at, revoked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.execute(
        SQL,
        [
            token.id.uuid().into(),
            token.hash.clone().into(),
            token.holder.clone().into(),
            token.name.clone().into(),
            token.kind.clone().into(),
            token.abilities.clone().into(),
            micros(token.created_at).into(),
            micros(token.expires_at).into(),
            token.revoked_at.map(micros).into(),
        ],
    )
    .await?;
    Ok(())
}

/// The token whose secret hashes to `hash`, if it still works at `now`.
///
/// # Errors
/// When the database fails.
pub async fn valid(tx: &Tx, hash: &str, now: Timestamp) -> Result<Option<TokenRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM api_token
        WHERE hash = $1 AND expires_at > $2 AND revoked_at IS NULL";
    tx.one::<Row>(SQL, [hash.into(), micros(now).into()]).await?.map(Row::record).transpose()
}

/// The tokens of `holder` that still work at `now`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_holder(
    tx: &Tx,
    holder: &str,
    now: Timestamp,
) -> Result<Vec<TokenRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM api_token
        WHERE holder = $1 AND expires_at > $2 AND revoked_at IS NULL
        ORDER BY created_at DESC, id DESC";
    let rows = tx.all::<Row>(SQL, [holder.into(), micros(now).into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// Revokes a token of `holder`; returns whether it worked until now.
///
/// # Errors
/// When the database fails.
pub async fn revoke(
    tx: &Tx,
    holder: &str,
    id: TokenId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE api_token SET revoked_at = $3
        WHERE id = $1 AND holder = $2 AND revoked_at IS NULL AND expires_at > $3";
    let rows = tx.execute(SQL, [id.uuid().into(), holder.into(), micros(now).into()]).await?;
    Ok(rows > 0)
}

/// Revokes every token of one kind that `holder` has.
///
/// # Errors
/// When the database fails.
pub async fn revoke_kind(
    tx: &Tx,
    holder: &str,
    kind: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE api_token SET revoked_at = $3
        WHERE holder = $1 AND kind = $2 AND revoked_at IS NULL";
    tx.execute(SQL, [holder.into(), kind.into(), micros(now).into()]).await
}

/// Revokes the tokens of one kind and name that `holder` has.
///
/// # Errors
/// When the database fails.
pub async fn revoke_named(
    tx: &Tx,
    holder: &str,
    kind: &str,
    name: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE api_token SET revoked_at = $4
        WHERE holder = $1 AND kind = $2 AND name = $3 AND revoked_at IS NULL";
    tx.execute(SQL, [holder.into(), kind.into(), name.into(), micros(now).into()]).await
}

/// Forgets the tokens of one kind that `holder` had and that work no more.
///
/// # Errors
/// When the database fails.
pub async fn forget_ended(
    tx: &Tx,
    holder: &str,
    kind: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM api_token
        WHERE holder = $1 AND kind = $2 AND (expires_at <= $3 OR revoked_at IS NOT NULL)";
    tx.execute(SQL, [holder.into(), kind.into(), micros(now).into()]).await
}

/// Revokes every token that `holder` has.
///
/// # Errors
/// When the database fails.
pub async fn revoke_all(tx: &Tx, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str =
        "UPDATE api_token SET revoked_at = $2 WHERE holder = $1 AND revoked_at IS NULL";
    tx.execute(SQL, [holder.into(), micros(now).into()]).await
}

/// Revokes the token with this secret hash.
///
/// # Errors
/// When the database fails.
pub async fn revoke_hash(tx: &Tx, hash: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE api_token SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL";
    tx.execute(SQL, [hash.into(), micros(now).into()]).await?;
    Ok(())
}
