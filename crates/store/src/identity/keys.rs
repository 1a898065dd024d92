//! Keys that the hub keeps to itself, each for one purpose, made when they are first needed.

use sea_orm::FromQueryResult;
use units::Timestamp;

use crate::db::micros;
use crate::{StoreError, Tx};

/// The key for `purpose`: the one that is kept, or else `fresh`, which is kept from now on.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    tx: &Tx,
    purpose: &str,
    fresh: [u8; 32],
    now: Timestamp,
) -> Result<[u8; 32], StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        secret: String,
    }
    const MAKE: &str = "INSERT INTO hub_key (purpose, secret, made_at) VALUES ($1, $2, $3)
        ON CONFLICT (purpose) DO NOTHING";
    const READ: &str = "SELECT secret FROM hub_key WHERE purpose = $1";
    let hex = blake3::Hash::from_bytes(fresh).to_hex().to_string();
    tx.execute(MAKE, [purpose.into(), hex.into(), micros(now).into()]).await?;
    let kept = tx.one::<Row>(READ, [purpose.into()]).await?.map(|row| row.secret);
    let kept = kept.ok_or_else(|| StoreError::damaged("key", purpose))?;
    let kept = blake3::Hash::from_hex(kept).map_err(|error| StoreError::damaged("key", error))?;
    Ok(*kept.as_bytes())
}
