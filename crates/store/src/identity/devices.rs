//! Programs that wait for a person to say yes; their codes are stored only as hashes.

use sea_orm::FromQueryResult;
use units::{PersonId, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// A program that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRequest {
    /// The hash of the secret by which the program asks again.
    pub device: String,
    /// The hash of the code that the person types.
    pub code: String,
    /// What the program calls itself.
    pub name: String,
    /// The address it asks from.
    pub address: String,
    /// When it began.
    pub asked_at: Timestamp,
    /// Until when it may be answered and fetched.
    pub expires_at: Timestamp,
    /// How long it must wait between two questions.
    pub interval_seconds: i64,
    /// When it asked last.
    pub polled_at: Option<Timestamp>,
    /// Who has said yes.
    pub person: Option<PersonId>,
    /// Whether somebody has said no.
    pub refused: bool,
}

#[derive(FromQueryResult)]
struct Row {
    device: String,
    code: String,
    name: String,
    address: String,
    asked_at: i64,
    expires_at: i64,
    interval_seconds: i64,
    polled_at: Option<i64>,
    person: Option<uuid::Uuid>,
    refused: bool,
}

impl Row {
    fn request(self) -> Result<DeviceRequest, StoreError> {
        Ok(DeviceRequest {
            device: self.device,
            code: self.code,
            name: self.name,
            address: self.address,
            asked_at: instant(self.asked_at)?,
            expires_at: instant(self.expires_at)?,
            interval_seconds: self.interval_seconds,
            polled_at: self.polled_at.map(instant).transpose()?,
            person: self.person.map(PersonId::from_uuid),
            refused: self.refused,
        })
    }
}

/// Remembers a program that asks, and forgets those whose time is over.
///
/// # Errors
/// [`StoreError::Exists`] when another waits with the same code.
pub async fn insert(tx: &Tx, request: &DeviceRequest, now: Timestamp) -> Result<(), StoreError> {
    const FORGET: &str = "DELETE FROM device_request WHERE expires_at <= $1";
    const SQL: &str = "INSERT INTO device_request
        (device, code, name, address, asked_at, expires_at, interval_seconds, refused)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(FORGET, [micros(now).into()]).await?;
    tx.execute(
        SQL,
        [
            request.device.clone().into(),
            request.code.clone().into(),
            request.name.clone().into(),
            request.address.clone().into(),
            micros(request.asked_at).into(),
            micros(request.expires_at).into(),
            request.interval_seconds.into(),
            request.refused.into(),
        ],
    )
    .await
    .map_err(|error| error.or_exists("a program with this code"))?;
    Ok(())
}

/// The program that waits at `now` for an answer to this code.
///
/// # Errors
/// When the database fails.
pub async fn waiting(
    tx: &Tx,
    code: &str,
    now: Timestamp,
) -> Result<Option<DeviceRequest>, StoreError> {
    const SQL: &str = "SELECT * FROM device_request
        WHERE code = $1 AND expires_at > $2 AND person IS NULL AND refused = $3";
    let row = tx.one::<Row>(SQL, [code.into(), micros(now).into(), false.into()]).await?;
    row.map(Row::request).transpose()
}

/// Answers the program that waits at `now` with this code: yes by `person`, or no. Whether it still
/// waited.
///
/// # Errors
/// When the database fails.
pub async fn answer(
    tx: &Tx,
    code: &str,
    person: Option<PersonId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE device_request SET person = $3, refused = $4
        WHERE code = $1 AND expires_at > $2 AND person IS NULL AND refused = $5";
    let (who, refused) = (person.map(PersonId::uuid), person.is_none());
    let values = [code.into(), micros(now).into(), who.into(), refused.into(), false.into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Takes the program with this secret into hand until the transaction ends, as it asks again.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &Tx, device: &str) -> Result<Option<DeviceRequest>, StoreError> {
    const SQL: &str = "UPDATE device_request SET name = name WHERE device = $1 RETURNING *";
    tx.one::<Row>(SQL, [device.into()]).await?.map(Row::request).transpose()
}

/// Notes that the program asked at `now`, and how long it must wait from now on.
///
/// # Errors
/// When the database fails.
pub async fn polled(
    tx: &Tx,
    device: &str,
    interval_seconds: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE device_request SET polled_at = $2, interval_seconds = $3 WHERE device = $1";
    tx.execute(SQL, [device.into(), micros(now).into(), interval_seconds.into()]).await?;
    Ok(())
}

/// Forgets a program that has its answer.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, device: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM device_request WHERE device = $1", [device.into()]).await?;
    Ok(())
}
