//! Declarations of size with their assessment, as they were made and under which rule.

mod rows;

use access::sme::{Assessment, Group, StartUp};
use sea_orm::FromQueryResult;
use units::{OrganisationId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};
use rows::AssessmentRow;
pub(crate) use rows::GroupRow;

/// What an organisation declared, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub organisation: OrganisationId,
    /// Who declared it.
    pub declared_by: String,
    /// When.
    pub declared_at: Timestamp,
    /// The group and its accounts.
    pub group: Group,
    /// The assessment at that time.
    pub assessment: Assessment,
    /// Whether it was a start-up at that time.
    pub start_up: StartUp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    organisation: Uuid,
    declared_by: String,
    declared_at: i64,
    content: String,
    assessment: String,
}

impl Row {
    fn declaration(self) -> Result<Declaration, StoreError> {
        let damaged = |error: serde_json::Error| StoreError::damaged("declaration", error);
        let group: GroupRow = serde_json::from_str(&self.content).map_err(damaged)?;
        let result: AssessmentRow = serde_json::from_str(&self.assessment).map_err(damaged)?;
        let (assessment, start_up) = result.read()?;
        Ok(Declaration {
            id: self.id,
            organisation: OrganisationId::from_uuid(self.organisation),
            declared_by: self.declared_by,
            declared_at: instant(self.declared_at)?,
            group: group.read()?,
            assessment,
            start_up,
        })
    }
}

/// Adds a declaration; earlier ones stay.
///
/// # Errors
/// When the database fails.
pub async fn declare(tx: &Tx, declaration: &Declaration) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO declaration (id, organisation, declared_by, declared_at, content,
        class, rule, assessment) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let damaged = |error: serde_json::Error| StoreError::damaged("declaration", error);
    let content = serde_json::to_string(&GroupRow::of(&declaration.group)).map_err(damaged)?;
    let result = AssessmentRow::of(&declaration.assessment, &declaration.start_up);
    let result = serde_json::to_string(&result).map_err(damaged)?;
    let values = [
        declaration.id.into(),
        declaration.organisation.uuid().into(),
        declaration.declared_by.clone().into(),
        micros(declaration.declared_at).into(),
        content.into(),
        declaration.assessment.class.to_string().into(),
        declaration.assessment.rule.to_string().into(),
        result.into(),
    ];
    tx.execute(SQL, values).await?;
    // Of those before nothing more is told: they are relied on no more.
    const BEFORE: &str = "UPDATE declaration SET told = 3 WHERE organisation = $1 AND id <> $2";
    let which = [declaration.organisation.uuid().into(), declaration.id.into()];
    tx.execute(BEFORE, which).await?;
    Ok(())
}

/// How much was told of the end of a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeclarationTold {
    /// Nothing yet.
    Nothing,
    /// That it is near.
    EndsSoon,
    /// That it is very near.
    EndsVerySoon,
    /// That it has ended: there is nothing more to tell.
    Ended,
}

impl DeclarationTold {
    const fn stored(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::EndsSoon => 1,
            Self::EndsVerySoon => 2,
            Self::Ended => 3,
        }
    }
}

/// The declarations made not after `at` of which so much was told, oldest first; those that another
/// has followed are not among them.
///
/// # Errors
/// When the database fails.
pub async fn declarations_to_tell_of(
    tx: &Tx,
    (told, at): (DeclarationTold, Timestamp),
    limit: u32,
) -> Result<Vec<Declaration>, StoreError> {
    const SQL: &str = "SELECT * FROM declaration WHERE told = $1 AND told < 3 AND declared_at <= $2
        ORDER BY declared_at, id LIMIT $3";
    let values = [told.stored().into(), micros(at).into(), i64::from(limit).into()];
    tx.all::<Row>(SQL, values).await?.into_iter().map(Row::declaration).collect()
}

/// Enters how much was told of the end of a declaration.
///
/// # Errors
/// When the database fails.
pub async fn set_declaration_told(
    tx: &Tx,
    id: Uuid,
    told: DeclarationTold,
) -> Result<(), StoreError> {
    let values = [id.into(), told.stored().into()];
    tx.execute("UPDATE declaration SET told = $2 WHERE id = $1", values).await?;
    Ok(())
}

/// The newest declaration of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn latest_declaration(
    tx: &Tx,
    organisation: OrganisationId,
) -> Result<Option<Declaration>, StoreError> {
    const SQL: &str = "SELECT * FROM declaration WHERE organisation = $1
        ORDER BY declared_at DESC, id DESC LIMIT 1";
    tx.one::<Row>(SQL, [organisation.uuid().into()]).await?.map(Row::declaration).transpose()
}
