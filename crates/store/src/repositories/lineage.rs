//! Which revisions were made from which.

use std::collections::BTreeMap;

use sea_orm::FromQueryResult;
use units::{JobId, RepositoryId, RevisionId, Slug};

use crate::{StoreError, Tx};

/// A revision and the repository it is a state of.
pub type Place = (RepositoryId, RevisionId);

/// Records what `revision` was made from.
///
/// # Errors
/// When the database fails.
pub async fn record_inputs(
    tx: &Tx,
    revision: RevisionId,
    inputs: &BTreeMap<Slug, RevisionId>,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO revision_input (revision, name, input) VALUES ($1, $2, $3)";
    for (name, input) in inputs {
        let values = [revision.uuid().into(), name.to_string().into(), input.uuid().into()];
        tx.execute(SQL, values).await?;
    }
    Ok(())
}

/// What `revision` was made from, by the name under which the work saw it.
///
/// # Errors
/// When the database fails.
pub async fn inputs(tx: &Tx, revision: RevisionId) -> Result<BTreeMap<Slug, Place>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        name: String,
        repository: uuid::Uuid,
        input: uuid::Uuid,
    }
    const SQL: &str = "SELECT revision_input.name, revision.repository, revision_input.input
        FROM revision_input JOIN revision ON revision.id = revision_input.input
        WHERE revision_input.revision = $1";
    let rows = tx.all::<Row>(SQL, [revision.uuid().into()]).await?;
    rows.into_iter()
        .map(|row| {
            let name = row.name.parse().map_err(|error| StoreError::damaged("input", error))?;
            let place = (RepositoryId::from_uuid(row.repository), RevisionId::from_uuid(row.input));
            Ok((name, place))
        })
        .collect()
}

#[derive(FromQueryResult)]
struct PlaceRow {
    repository: uuid::Uuid,
    id: uuid::Uuid,
}

impl PlaceRow {
    fn place(self) -> Place {
        (RepositoryId::from_uuid(self.repository), RevisionId::from_uuid(self.id))
    }
}

/// What was made from `revision`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn children(tx: &Tx, revision: RevisionId) -> Result<Vec<Place>, StoreError> {
    const SQL: &str = "SELECT DISTINCT revision.repository, revision.id
        FROM revision_input JOIN revision ON revision.id = revision_input.revision
        WHERE revision_input.input = $1 ORDER BY revision.id";
    let rows = tx.all::<PlaceRow>(SQL, [revision.uuid().into()]).await?;
    Ok(rows.into_iter().map(PlaceRow::place).collect())
}

/// What a job made, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_job(tx: &Tx, job: JobId) -> Result<Vec<Place>, StoreError> {
    const SQL: &str = "SELECT repository, id FROM revision WHERE job = $1 ORDER BY id";
    let rows = tx.all::<PlaceRow>(SQL, [job.uuid().into()]).await?;
    Ok(rows.into_iter().map(PlaceRow::place).collect())
}
