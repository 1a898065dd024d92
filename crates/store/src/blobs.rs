//! Which bytes are in the vault and who still needs them.
//!
//! A blob lives while an upload or a revision names it. Nothing counts references, so no crash can
//! make a count wrong. An upload is on record before its first byte and until a revision names the
//! blob; a blob that nothing names is doomed in one transaction, deleted from the vault, and only
//! then forgotten, so whichever step a crash interrupts, the next sweep takes it up again. While
//! an upload is on record its blob cannot be doomed; so an upload that is still on record after
//! its last byte knows that its bytes are there. Whoever comes to need a blob writes its
//! `touched_at` in the same transaction: the row is where a sweep and a newcomer meet, whichever
//! of the two the database lets through first.

use sea_orm::FromQueryResult;
use units::{RevisionId, Timestamp};
use uuid::Uuid;
use vault::{Blob, GitOid, Sha256};

use crate::db::micros;
use crate::{StoreError, Tx};

/// Whether an upload may send its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is on record.
    Begun,
    /// The blob is being deleted; the same upload will be admitted in a moment.
    Wait,
}

#[derive(FromQueryResult)]
struct Row {
    sha256: String,
    blake3: Option<String>,
    size_bytes: Option<i64>,
    git: Option<String>,
}

impl Row {
    fn sha256(&self) -> Result<Sha256, StoreError> {
        self.sha256.parse().map_err(|error| StoreError::damaged("blob", error))
    }

    /// `None` while it is arriving.
    fn blob(&self) -> Result<Option<Blob>, StoreError> {
        let (Some(blake3), Some(size)) = (&self.blake3, self.size_bytes) else { return Ok(None) };
        Ok(Some(Blob {
            sha256: self.sha256()?,
            blake3: blake3.parse().map_err(|error| StoreError::damaged("blob", error))?,
            size_bytes: size_of(size)?,
            git: git_of(self.git.as_deref())?,
        }))
    }
}

pub(crate) fn size_of(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|error| StoreError::damaged("size", error))
}

pub(crate) fn git_of(stored: Option<&str>) -> Result<Option<GitOid>, StoreError> {
    stored.map(|text| text.parse().map_err(|error| StoreError::damaged("blob", error))).transpose()
}

pub(crate) fn size_to_store(size_bytes: u64) -> i64 {
    i64::try_from(size_bytes).unwrap_or(i64::MAX)
}

/// Puts an upload of `sha256` on record for `holder`, before its first byte.
///
/// # Errors
/// When the database fails.
pub async fn begin(
    tx: &Tx,
    id: Uuid,
    holder: &str,
    sha256: Sha256,
    now: Timestamp,
) -> Result<Admission, StoreError> {
    const ARRIVE: &str = "INSERT INTO blob (sha256, state, touched_at)
        VALUES ($1, 'arriving', $2) ON CONFLICT (sha256) DO NOTHING";
    const ADMIT: &str = "UPDATE blob SET touched_at = $2 WHERE sha256 = $1 AND state <> 'doomed'";
    const RECORD: &str = "INSERT INTO upload (id, holder, sha256, complete, begun_at)
        VALUES ($1, $2, $3, $4, $5)";
    let name = sha256.to_string();
    let touch = || [name.clone().into(), micros(now).into()];
    tx.execute(ARRIVE, touch()).await?;
    if tx.execute(ADMIT, touch()).await? == 0 {
        return Ok(Admission::Wait);
    }
    let values = [id.into(), holder.into(), name.into(), false.into(), micros(now).into()];
    tx.execute(RECORD, values).await?;
    Ok(Admission::Begun)
}

/// Notes that every byte of an upload is in the vault. `false` when the upload is no longer on
/// record: it took so long that it was given up, and its bytes may be gone.
///
/// # Errors
/// When the database fails.
pub async fn complete(tx: &Tx, id: Uuid, blob: &Blob) -> Result<bool, StoreError> {
    const FINISH: &str = "UPDATE upload SET complete = $2 WHERE id = $1";
    const STORED: &str = "UPDATE blob SET state = 'stored', blake3 = $2, size_bytes = $3, git = $4
        WHERE sha256 = $1";
    if tx.execute(FINISH, [id.into(), true.into()]).await? == 0 {
        return Ok(false);
    }
    let values = [
        blob.sha256.to_string().into(),
        blob.blake3.to_string().into(),
        size_to_store(blob.size_bytes).into(),
        blob.git.map(|git| git.to_string()).into(),
    ];
    Ok(tx.execute(STORED, values).await? > 0)
}

/// Takes an upload that failed off the record.
///
/// # Errors
/// When the database fails.
pub async fn abandon(tx: &Tx, id: Uuid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM upload WHERE id = $1", [id.into()]).await?;
    Ok(())
}

/// The blob `sha256`, if `holder` has sent all of it and no revision has taken it over since.
///
/// # Errors
/// When the database fails.
pub async fn uploaded(tx: &Tx, holder: &str, sha256: Sha256) -> Result<Option<Blob>, StoreError> {
    const SQL: &str = "SELECT blob.sha256, blob.blake3, blob.size_bytes, blob.git FROM blob
        WHERE sha256 = $1 AND EXISTS (
            SELECT 1 FROM upload
            WHERE upload.sha256 = blob.sha256 AND upload.holder = $2 AND upload.complete = $3)";
    let values = [sha256.to_string().into(), holder.into(), true.into()];
    let row = tx.one::<Row>(SQL, values).await?;
    Ok(row.map(|row| row.blob()).transpose()?.flatten())
}

/// Takes the finished uploads of `holder` that a revision names by now off the record. What else
/// it sent may be on its way into the next revision, and waits.
///
/// # Errors
/// When the database fails.
pub async fn settle(tx: &Tx, holder: &str, revision: RevisionId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM upload WHERE holder = $1 AND complete = $2
        AND sha256 IN (SELECT sha256 FROM revision_file WHERE revision = $3)";
    tx.execute(SQL, [holder.into(), true.into(), revision.uuid().into()]).await?;
    Ok(())
}

/// Claims a stored blob for a revision that is being written in this transaction. `false` when it
/// is not there, or being deleted.
///
/// # Errors
/// When the database fails.
pub async fn claim(tx: &Tx, sha256: Sha256, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE blob SET touched_at = $2 WHERE sha256 = $1 AND state = 'stored'";
    Ok(tx.execute(SQL, [sha256.to_string().into(), micros(now).into()]).await? > 0)
}

/// Gives up uploads begun before `cutoff`, and dooms every blob that nothing names.
///
/// # Errors
/// When the database fails.
pub async fn doom(tx: &Tx, cutoff: Timestamp) -> Result<u64, StoreError> {
    const DOOM: &str = "UPDATE blob SET state = 'doomed'
        WHERE state <> 'doomed' AND touched_at < $1
        AND NOT EXISTS (SELECT 1 FROM upload WHERE upload.sha256 = blob.sha256)
        AND NOT EXISTS (SELECT 1 FROM revision_file WHERE revision_file.sha256 = blob.sha256)";
    tx.execute("DELETE FROM upload WHERE begun_at < $1", [micros(cutoff).into()]).await?;
    tx.execute(DOOM, [micros(cutoff).into()]).await
}

/// The blobs whose bytes are to be deleted.
///
/// # Errors
/// When the database fails.
pub async fn doomed(tx: &Tx) -> Result<Vec<Sha256>, StoreError> {
    const SQL: &str = "SELECT sha256, blake3, size_bytes, git FROM blob WHERE state = 'doomed'
        ORDER BY sha256";
    tx.all::<Row>(SQL, []).await?.iter().map(Row::sha256).collect()
}

/// Holds the record of a doomed blob until this transaction ends. `false` when somebody else has
/// deleted it meanwhile; then its bytes must not be touched.
///
/// # Errors
/// When the database fails.
pub async fn hold_doomed(tx: &Tx, sha256: Sha256) -> Result<bool, StoreError> {
    const SQL: &str =
        "UPDATE blob SET touched_at = touched_at WHERE sha256 = $1 AND state = 'doomed'";
    Ok(tx.execute(SQL, [sha256.to_string().into()]).await? > 0)
}

/// Forgets a doomed blob after its bytes were deleted.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &Tx, sha256: Sha256) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM blob WHERE sha256 = $1 AND state = 'doomed'";
    tx.execute(SQL, [sha256.to_string().into()]).await?;
    Ok(())
}

/// The stored blobs in order of their digests, after `after`, for reading everything back.
///
/// # Errors
/// When the database fails.
pub async fn stored(tx: &Tx, after: Option<Sha256>, limit: u32) -> Result<Vec<Blob>, StoreError> {
    const SQL: &str = "SELECT sha256, blake3, size_bytes, git FROM blob
        WHERE state = 'stored' AND sha256 > $1 ORDER BY sha256 LIMIT $2";
    let after = after.map(|sha256| sha256.to_string()).unwrap_or_default();
    let rows = tx.all::<Row>(SQL, [after.into(), i64::from(limit).into()]).await?;
    rows.iter().filter_map(|row| row.blob().transpose()).collect()
}

#[cfg(test)]
mod tests;
