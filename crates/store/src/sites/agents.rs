//! Agents of remote sites: their keys, the codes that admit them, the proofs they have used.

use sea_orm::FromQueryResult;
use units::{Slug, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// Why a key has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEnd {
    /// The operator withdrew it.
    Revoked,
    /// Its agent put another one in its place.
    Rotated,
    /// Another agent was enrolled.
    Replaced,
}

impl KeyEnd {
    const ALL: [Self; 3] = [Self::Revoked, Self::Rotated, Self::Replaced];

    const fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Rotated => "rotated",
            Self::Replaced => "replaced",
        }
    }
}

/// A key of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteKey {
    /// Its public part, as the protocol writes it.
    pub key: String,
    /// Since when it is the site's.
    pub made_at: Timestamp,
    /// When it ended, and why.
    pub ended: Option<(Timestamp, KeyEnd)>,
}

#[derive(FromQueryResult)]
struct KeyRow {
    key: String,
    made_at: i64,
    ended_at: Option<i64>,
    ended_how: Option<String>,
}

impl KeyRow {
    fn key(self) -> Result<SiteKey, StoreError> {
        let ended = match (self.ended_at, self.ended_how) {
            (Some(at), Some(how)) => {
                let known = KeyEnd::ALL.into_iter().find(|end| end.name() == how);
                Some((instant(at)?, known.ok_or_else(|| StoreError::damaged("site key", how))?))
            }
            _ => None,
        };
        Ok(SiteKey { key: self.key, made_at: instant(self.made_at)?, ended })
    }
}

/// What is on record of one key of a site.
///
/// # Errors
/// When the database fails.
pub async fn key(tx: &Tx, site: &Slug, key: &str) -> Result<Option<SiteKey>, StoreError> {
    const SQL: &str = "SELECT key, made_at, ended_at, ended_how FROM site_key
        WHERE site = $1 AND key = $2";
    let row = tx.one::<KeyRow>(SQL, [site.to_string().into(), key.into()]).await?;
    row.map(KeyRow::key).transpose()
}

/// The key that a site had last, whether it has ended or not.
///
/// # Errors
/// When the database fails.
pub async fn last_key(tx: &Tx, site: &Slug) -> Result<Option<SiteKey>, StoreError> {
    const SQL: &str = "SELECT key, made_at, ended_at, ended_how FROM site_key
        WHERE site = $1 ORDER BY ended_at IS NULL DESC, made_at DESC, ended_at DESC LIMIT 1";
    let row = tx.one::<KeyRow>(SQL, [site.to_string().into()]).await?;
    row.map(KeyRow::key).transpose()
}

/// Makes `key` the site's. The one before it must have ended.
///
/// # Errors
/// When the database fails, the key was on record before, or another one has not ended.
pub async fn admit(tx: &Tx, site: &Slug, key: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_key (site, key, made_at) VALUES ($1, $2, $3)";
    tx.execute(SQL, [site.to_string().into(), key.into(), micros(at).into()]).await?;
    Ok(())
}

/// Ends the key of a site; whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn end_key(tx: &Tx, site: &Slug, at: Timestamp, how: KeyEnd) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE site_key SET ended_at = $2, ended_how = $3
        WHERE site = $1 AND ended_at IS NULL";
    let values = [site.to_string().into(), micros(at).into(), how.name().into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// A one-time code, without the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// From when on it admits nobody.
    pub expires_at: Timestamp,
    /// The key that it admitted.
    pub used_by: Option<String>,
}

/// Puts a code on record by its hash; codes of the site that were not used admit nobody any more.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn offer(
    tx: &Tx,
    site: &Slug,
    hash: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_code (hash, site, expires_at) VALUES ($1, $2, $3)";
    withdraw_codes(tx, site).await?;
    tx.execute(SQL, [hash.into(), site.to_string().into(), micros(expires_at).into()]).await?;
    Ok(())
}

/// Takes back the codes of a site that were not used.
///
/// # Errors
/// When the database fails.
pub async fn withdraw_codes(tx: &Tx, site: &Slug) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM site_code WHERE site = $1 AND used_by IS NULL";
    tx.execute(SQL, [site.to_string().into()]).await?;
    Ok(())
}

/// The code of a site with this hash.
///
/// # Errors
/// When the database fails.
pub async fn code(tx: &Tx, site: &Slug, hash: &str) -> Result<Option<Code>, StoreError> {
    #[derive(FromQueryResult)]
    struct CodeRow {
        expires_at: i64,
        used_by: Option<String>,
    }
    const SQL: &str = "SELECT expires_at, used_by FROM site_code WHERE site = $1 AND hash = $2";
    let row = tx.one::<CodeRow>(SQL, [site.to_string().into(), hash.into()]).await?;
    row.map(|row| Ok(Code { expires_at: instant(row.expires_at)?, used_by: row.used_by }))
        .transpose()
}

/// Uses a code up for `key`; whether nobody else had.
///
/// # Errors
/// When the database fails.
pub async fn spend(tx: &Tx, hash: &str, key: &str) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE site_code SET used_by = $2 WHERE hash = $1 AND used_by IS NULL";
    Ok(tx.execute(SQL, [hash.into(), key.into()]).await? > 0)
}

/// Notes the nonce of a proof; whether it came for the first time. Those from before `forget` are
/// forgotten: proofs of that age are refused for their age.
///
/// # Errors
/// When the database fails.
pub async fn first_use(
    tx: &Tx,
    site: &Slug,
    nonce: &str,
    at: Timestamp,
    forget: Timestamp,
) -> Result<bool, StoreError> {
    const FORGET: &str = "DELETE FROM site_nonce WHERE site = $1 AND at < $2";
    const NOTE: &str = "INSERT INTO site_nonce (site, nonce, at) VALUES ($1, $2, $3)
        ON CONFLICT (site, nonce) DO NOTHING";
    let site = site.to_string();
    tx.execute(FORGET, [site.clone().into(), micros(forget).into()]).await?;
    Ok(tx.execute(NOTE, [site.into(), nonce.into(), micros(at).into()]).await? > 0)
}

/// Notes what an agent said of itself when it was let in: its version of the protocol, and how far
/// its clock is ahead of the hub's.
///
/// # Errors
/// When the database fails.
pub async fn note_session(
    tx: &Tx,
    site: &Slug,
    protocol: u32,
    ahead_milliseconds: i64,
) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE site SET protocol = $2, clock_ahead_milliseconds = $3 WHERE name = $1";
    let values = [site.to_string().into(), i64::from(protocol).into(), ahead_milliseconds.into()];
    tx.execute(SQL, values).await?;
    Ok(())
}
