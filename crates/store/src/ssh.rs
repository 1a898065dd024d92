//! Certificates for SSH that were issued.

use sea_orm::FromQueryResult;
use units::{PersonId, Slug, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshCertificate {
    /// Its number.
    pub serial: i64,
    /// Whose it is.
    pub person: PersonId,
    /// For which site.
    pub site: Slug,
    /// The key that it certifies, as OpenSSH writes it, without a comment.
    pub key: String,
    /// Since when it lasts.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    serial: i64,
    person: Uuid,
    site: String,
    key: String,
    issued_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl Row {
    fn certificate(self) -> Result<SshCertificate, StoreError> {
        let damaged = |error| StoreError::damaged("ssh_certificate", error);
        Ok(SshCertificate {
            serial: self.serial,
            person: PersonId::from_uuid(self.person),
            site: self.site.parse().map_err(damaged)?,
            key: self.key,
            issued_at: instant(self.issued_at)?,
            expires_at: instant(self.expires_at)?,
            revoked_at: self.revoked_at.map(instant).transpose()?,
        })
    }
}

/// Puts a certificate on record.
///
/// # Errors
/// When the database fails, or one with its number is there.
pub async fn insert(tx: &Tx, certificate: &SshCertificate) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ssh_certificate (serial, person, site, key, issued_at,
            expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        certificate.serial.into(),
        certificate.person.uuid().into(),
        certificate.site.to_string().into(),
        certificate.key.clone().into(),
        micros(certificate.issued_at).into(),
        micros(certificate.expires_at).into(),
        certificate.revoked_at.map(micros).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The certificate with this number.
///
/// # Errors
/// When the database fails.
pub async fn by_serial(tx: &Tx, serial: i64) -> Result<Option<SshCertificate>, StoreError> {
    const SQL: &str = "SELECT * FROM ssh_certificate WHERE serial = $1";
    tx.one::<Row>(SQL, [serial.into()]).await?.map(Row::certificate).transpose()
}

/// The certificates of a person that still last at `now`, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_person(
    tx: &Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<SshCertificate>, StoreError> {
    const SQL: &str = "SELECT * FROM ssh_certificate WHERE person = $1 AND expires_at > $2
        ORDER BY issued_at DESC, serial";
    let rows = tx.all::<Row>(SQL, [person.uuid().into(), micros(now).into()]).await?;
    rows.into_iter().map(Row::certificate).collect()
}

/// Revokes a certificate; whether it was not revoked before.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &Tx, serial: i64, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE ssh_certificate SET revoked_at = $2
        WHERE serial = $1 AND revoked_at IS NULL";
    Ok(tx.execute(SQL, [serial.into(), micros(at).into()]).await? > 0)
}

/// Revokes all certificates of a person that still last.
///
/// # Errors
/// When the database fails.
pub async fn revoke_all(tx: &Tx, person: PersonId, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE ssh_certificate SET revoked_at = $2
        WHERE person = $1 AND revoked_at IS NULL AND expires_at > $2";
    tx.execute(SQL, [person.uuid().into(), micros(at).into()]).await?;
    Ok(())
}

/// The keys of all certificates that were revoked and would still last at `now`.
///
/// # Errors
/// When the database fails.
pub async fn revoked(tx: &Tx, now: Timestamp) -> Result<Vec<String>, StoreError> {
    #[derive(FromQueryResult)]
    struct KeyRow {
        key: String,
    }
    const SQL: &str = "SELECT key FROM ssh_certificate
        WHERE revoked_at IS NOT NULL AND expires_at > $1 ORDER BY serial";
    let rows = tx.all::<KeyRow>(SQL, [micros(now).into()]).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Deletes certificates that ended before `before`. That they were issued stays in the audit trail.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &Tx, before: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM ssh_certificate WHERE expires_at < $1";
    tx.execute(SQL, [micros(before).into()]).await?;
    Ok(())
}
