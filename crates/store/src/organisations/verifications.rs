//! Verifications: entered once, never changed.

use access::organisation::Verified;
use sea_orm::FromQueryResult;
use units::{OrganisationId, PersonId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::scope::chosen;
use crate::{StoreError, Tx};

/// That somebody verified something of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub organisation: OrganisationId,
    /// What was verified.
    pub subject: Verified,
    /// The declaration that it was verified of, where it is about one.
    pub declaration: Option<Uuid>,
    /// Against what.
    pub evidence: String,
    /// Who did it.
    pub verified_by: PersonId,
    /// When.
    pub verified_at: Timestamp,
    /// How they are called.
    pub name: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    organisation: Uuid,
    subject: String,
    declaration: Option<Uuid>,
    evidence: String,
    verified_by: Uuid,
    verified_at: i64,
    name: String,
}

/// Enters a verification.
///
/// # Errors
/// When the database fails.
pub async fn verify(tx: &Tx, it: &Verification) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO verification (id, organisation, subject, declaration, evidence,
        verified_by, verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        it.id.into(),
        it.organisation.uuid().into(),
        it.subject.to_string().into(),
        it.declaration.into(),
        it.evidence.clone().into(),
        it.verified_by.uuid().into(),
        micros(it.verified_at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What was verified of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn verifications(
    tx: &Tx,
    organisation: OrganisationId,
) -> Result<Vec<Verification>, StoreError> {
    const SQL: &str = "SELECT v.*, p.name FROM verification v JOIN person p ON p.id = v.verified_by
        WHERE v.organisation = $1 ORDER BY v.verified_at DESC, v.id DESC LIMIT 200";
    let rows = tx.all::<Row>(SQL, [organisation.uuid().into()]).await?;
    let read = |row: Row| {
        Ok(Verification {
            id: row.id,
            organisation: OrganisationId::from_uuid(row.organisation),
            subject: chosen("subject of a verification", &Verified::WORDS, &row.subject)?,
            declaration: row.declaration,
            evidence: row.evidence,
            verified_by: PersonId::from_uuid(row.verified_by),
            verified_at: instant(row.verified_at)?,
            name: row.name,
        })
    };
    rows.into_iter().map(read).collect()
}
