//! Decisions with all they rested on: the facts, and the texts of the policy of that day.

mod rows;

use access::application::Facts;
use access::document::Document;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use units::{ApplicationId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};
use rows::FactsRow;

/// A decision on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Which.
    pub id: Uuid,
    /// On which application.
    pub application: ApplicationId,
    /// When.
    pub decided_at: Timestamp,
    /// The digest of the policy it was decided by.
    pub policy: String,
    /// What it rested on.
    pub facts: Facts,
    /// What was decided, one thing a line.
    pub told: Vec<(String, String)>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    application: Uuid,
    decided_at: i64,
    policy: String,
    facts: String,
    told: String,
}

#[derive(FromQueryResult)]
struct PolicyRow {
    documents: String,
}

#[derive(Serialize, Deserialize)]
struct DocumentRow {
    name: String,
    text: String,
}

fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::damaged("decision", error)
}

impl Row {
    fn record(self) -> Result<DecisionRecord, StoreError> {
        let facts: FactsRow = serde_json::from_str(&self.facts).map_err(damaged)?;
        Ok(DecisionRecord {
            id: self.id,
            application: ApplicationId::from_uuid(self.application),
            decided_at: instant(self.decided_at)?,
            policy: self.policy,
            facts: facts.read()?,
            told: serde_json::from_str(&self.told).map_err(damaged)?,
        })
    }
}

/// The facts as they are kept, in JSON.
///
/// # Errors
/// When they cannot be written.
pub fn written(facts: &Facts) -> Result<String, StoreError> {
    serde_json::to_string(&FactsRow::of(facts)).map_err(damaged)
}

/// Puts a decision on record.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, record: &DecisionRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO decision_record
        (id, application, decided_at, policy, facts, told) VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        record.id.into(),
        record.application.uuid().into(),
        micros(record.decided_at).into(),
        record.policy.clone().into(),
        written(&record.facts)?.into(),
        serde_json::to_string(&record.told).map_err(damaged)?.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The newest decision on an application.
///
/// # Errors
/// When the database fails.
pub async fn latest(
    tx: &Tx,
    application: ApplicationId,
) -> Result<Option<DecisionRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM decision_record WHERE application = $1
        ORDER BY decided_at DESC, id DESC LIMIT 1";
    tx.one::<Row>(SQL, [application.uuid().into()]).await?.map(Row::record).transpose()
}

/// Keeps the texts of a policy under their digest, once.
///
/// # Errors
/// When the database fails.
pub async fn keep_policy(
    tx: &Tx,
    digest: &str,
    (documents, at): (&[Document], Timestamp),
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO policy_text (digest, documents, kept_at) VALUES ($1, $2, $3)
        ON CONFLICT (digest) DO NOTHING";
    let row = |it: &Document| DocumentRow { name: it.name.clone(), text: it.text.clone() };
    let rows: Vec<DocumentRow> = documents.iter().map(row).collect();
    let text = serde_json::to_string(&rows).map_err(damaged)?;
    tx.execute(SQL, [digest.into(), text.into(), micros(at).into()]).await?;
    Ok(())
}

/// Whether the texts of a policy are kept.
///
/// # Errors
/// When the database fails.
pub async fn has_policy(tx: &Tx, digest: &str) -> Result<bool, StoreError> {
    #[derive(FromQueryResult)]
    struct Found {}
    const SQL: &str = "SELECT 1 AS found FROM policy_text WHERE digest = $1";
    Ok(tx.one::<Found>(SQL, [digest.into()]).await?.is_some())
}

/// The texts of the policy with this digest.
///
/// # Errors
/// When the database fails.
pub async fn policy(tx: &Tx, digest: &str) -> Result<Option<Vec<Document>>, StoreError> {
    const SQL: &str = "SELECT documents FROM policy_text WHERE digest = $1";
    let Some(row) = tx.one::<PolicyRow>(SQL, [digest.into()]).await? else { return Ok(None) };
    let rows: Vec<DocumentRow> = serde_json::from_str(&row.documents).map_err(damaged)?;
    Ok(Some(rows.into_iter().map(|row| Document::new(row.name, row.text)).collect()))
}

#[cfg(test)]
mod tests;
