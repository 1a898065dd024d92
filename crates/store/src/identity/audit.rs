//! The audit trail: who did what to which object, when, under which rule. Append only.

use sea_orm::FromQueryResult;
use units::Timestamp;
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Ordered by time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who: `person:…`, `site:…` or `system`.
    pub actor: String,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// To what, as `noun:id`.
    pub object: String,
    /// Under which rule or permission.
    pub rule: String,
    /// The particulars, for people. Never a secret.
    pub detail: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    at: i64,
    actor: String,
    action: String,
    object: String,
    rule: String,
    detail: String,
}

/// Appends a line.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, record: &AuditRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO audit (id, at, actor, action, object, rule, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(
        SQL,
        [
            record.id.into(),
            micros(record.at).into(),
            record.actor.clone().into(),
            record.action.clone().into(),
            record.object.clone().into(),
            record.rule.clone().into(),
            record.detail.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Up to `limit` lines before the line `before` (newest first); all objects, or one.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    object: Option<&str>,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<AuditRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM audit
        WHERE ($1 = '' OR object = $1) AND id < $2
        ORDER BY id DESC LIMIT $3";
    let values = [
        object.unwrap_or_default().into(),
        before.unwrap_or(Uuid::max()).into(),
        i64::from(limit).into(),
    ];
    tx.all::<Row>(SQL, values)
        .await?
        .into_iter()
        .map(|row| {
            Ok(AuditRecord {
                id: row.id,
                at: instant(row.at)?,
                actor: row.actor,
                action: row.action,
                object: row.object,
                rule: row.rule,
                detail: row.detail,
            })
        })
        .collect()
}
