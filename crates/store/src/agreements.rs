//! Agreements whose contributions the ledger has entered. What they say is the federation's files'.

use units::{AgreementId, Slug, Timestamp};

use crate::db::micros;
use crate::{StoreError, Tx};

/// Notes that the contributions to the agreement on `system` are entered; `false` when they were
/// already.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &Tx,
    id: AgreementId,
    system: &Slug,
    at: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO agreement (id, system, entered_at) VALUES ($1, $2, $3)
        ON CONFLICT (system) DO NOTHING";
    let values = [id.uuid().into(), system.to_string().into(), micros(at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}
