//! Answers remembered by idempotency key, so that a repeated request is answered, not repeated.

use sea_orm::FromQueryResult;
use units::Timestamp;

use crate::db::micros;
use crate::{StoreError, Tx};

/// A remembered answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its `Content-Type`, if it has a body.
    pub content_type: Option<String>,
    /// Its `Location`, if something was made.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// The key is new and now reserved for this request.
    New,
    /// The same request is being carried out.
    Pending,
    /// The same request was carried out, and its answer is not known: it is on its way, or was
    /// lost with the process that had it.
    Done,
    /// The same request was answered so.
    Answered(Answer),
    /// The key was used for another request.
    Other,
}

#[derive(FromQueryResult)]
struct Row {
    request: String,
    done: bool,
    status: Option<i64>,
    content_type: Option<String>,
    location: Option<String>,
    body: Option<String>,
}

/// Reserves `key` of `caller` for the request that hashes to `request`, or says what is known of it.
/// A request that was begun before `stale` is under way no more.
///
/// # Errors
/// When the database fails.
pub async fn reserve(
    tx: &Tx,
    caller: &str,
    key: &str,
    request: &str,
    (now, stale): (Timestamp, Timestamp),
) -> Result<Remembered, StoreError> {
    const INSERT: &str = "INSERT INTO idempotency (caller, key, request, created_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (caller, key) DO NOTHING";
    const SELECT: &str = "SELECT request, done, status, content_type, location, body
        FROM idempotency WHERE caller = $1 AND key = $2";
    let values = [caller.into(), key.into(), request.into(), micros(now).into()];
    if tx.execute(INSERT, values).await? == 1 {
        return Ok(Remembered::New);
    }
    let Some(row) = tx.one::<Row>(SELECT, [caller.into(), key.into()]).await? else {
        return Ok(Remembered::Pending);
    };
    if row.request != request {
        return Ok(Remembered::Other);
    }
    let Some(status) = row.status else {
        if row.done {
            return Ok(Remembered::Done);
        }
        // Whoever carried it out cannot be at it any more; its connection broke, and it with it.
        const TAKE_OVER: &str = "UPDATE idempotency SET created_at = $3
            WHERE caller = $1 AND key = $2 AND status IS NULL AND NOT done AND created_at < $4";
        let values = [caller.into(), key.into(), micros(now).into(), micros(stale).into()];
        let taken_over = tx.execute(TAKE_OVER, values).await? == 1;
        return Ok(if taken_over { Remembered::New } else { Remembered::Pending });
    };
    Ok(Remembered::Answered(Answer {
        status: u16::try_from(status).map_err(|error| StoreError::damaged("status", error))?,
        content_type: row.content_type,
        location: row.location,
        body: row.body.unwrap_or_default(),
    }))
}

/// Notes, in the transaction of the change itself, that the request of a reserved key was carried
/// out.
///
/// # Errors
/// When the database fails.
pub async fn done(tx: &Tx, caller: &str, key: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE idempotency SET done = TRUE WHERE caller = $1 AND key = $2";
    tx.execute(SQL, [caller.into(), key.into()]).await?;
    Ok(())
}

/// Forgets reservations whose requests were never carried out; for when no request can be under
/// way, as at the start of the hub.
///
/// # Errors
/// When the database fails.
pub async fn forget_unfinished(tx: &Tx) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM idempotency WHERE status IS NULL AND NOT done";
    tx.execute(SQL, []).await
}

/// Remembers the answer to a reserved key.
///
/// # Errors
/// When the database fails.
pub async fn answer(tx: &Tx, caller: &str, key: &str, answer: &Answer) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE idempotency
        SET status = $3, content_type = $4, location = $5, body = $6
        WHERE caller = $1 AND key = $2";
    let values = [
        caller.into(),
        key.into(),
        i64::from(answer.status).into(),
        answer.content_type.clone().into(),
        answer.location.clone().into(),
        answer.body.clone().into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Forgets a reservation whose request failed without effect, so that it may be tried again.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &Tx, caller: &str, key: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM idempotency
        WHERE caller = $1 AND key = $2 AND status IS NULL AND NOT done";
    tx.execute(SQL, [caller.into(), key.into()]).await?;
    Ok(())
}

/// Forgets every answer older than `before`.
///
/// # Errors
/// When the database fails.
pub async fn forget_before(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM idempotency WHERE created_at < $1";
    tx.execute(SQL, [micros(before).into()]).await
}
