//! Branches and tags. The main branch is the head of its repository and stands there; every other
//! branch, and every tag, is a name for a revision.

use std::fmt;
use std::str::FromStr;

use sea_orm::FromQueryResult;
use units::{RepositoryId, RevisionId};
use vault::RefName;

use super::Revision;
use crate::{StoreError, Tx};

/// Whether a name moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefKind {
    /// It moves with every commit.
    Branch,
    /// It stays.
    Tag,
}

impl fmt::Display for RefKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        })
    }
}

impl FromStr for RefKind {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "branch" => Ok(Self::Branch),
            "tag" => Ok(Self::Tag),
            _ => Err(StoreError::damaged("ref", text)),
        }
    }
}

/// A name for a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The name.
    pub name: RefName,
    /// Whether it moves.
    pub kind: RefKind,
    /// Which revision.
    pub revision: RevisionId,
}

#[derive(FromQueryResult)]
struct Row {
    name: String,
    kind: String,
    revision: uuid::Uuid,
}

impl Row {
    fn named(self) -> Result<Ref, StoreError> {
        Ok(Ref {
            name: self.name.parse().map_err(|error| StoreError::damaged("ref", error))?,
            kind: self.kind.parse()?,
            revision: RevisionId::from_uuid(self.revision),
        })
    }
}

/// The branches and tags of a repository but the main branch, by name.
///
/// # Errors
/// When the database fails.
pub async fn refs(tx: &Tx, repository: RepositoryId) -> Result<Vec<Ref>, StoreError> {
    const SQL: &str = "SELECT name, kind, revision FROM repository_ref
        WHERE repository = $1 ORDER BY name";
    let rows = tx.all::<Row>(SQL, [repository.uuid().into()]).await?;
    rows.into_iter().map(Row::named).collect()
}

/// What a repository calls `name`.
///
/// # Errors
/// When the database fails.
pub async fn named(
    tx: &Tx,
    repository: RepositoryId,
    name: &RefName,
) -> Result<Option<Ref>, StoreError> {
    const SQL: &str = "SELECT name, kind, revision FROM repository_ref
        WHERE repository = $1 AND name = $2";
    let row = tx.one::<Row>(SQL, [repository.uuid().into(), name.to_string().into()]).await?;
    row.map(Row::named).transpose()
}

/// Gives a revision a name.
///
/// # Errors
/// [`StoreError::Exists`] when the repository has a branch or tag of that name.
pub async fn add_ref(tx: &Tx, repository: RepositoryId, made: &Ref) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO repository_ref (repository, name, kind, revision)
        VALUES ($1, $2, $3, $4)";
    let values = [
        repository.uuid().into(),
        made.name.to_string().into(),
        made.kind.to_string().into(),
        made.revision.uuid().into(),
    ];
    let added = tx.execute(SQL, values).await;
    added.map_err(|error| error.or_exists("a branch or tag of that name"))?;
    Ok(())
}

/// Takes a name away. `false` when there is no such branch, or no such tag.
///
/// # Errors
/// When the database fails.
pub async fn remove_ref(
    tx: &Tx,
    repository: RepositoryId,
    kind: RefKind,
    name: &RefName,
) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM repository_ref
        WHERE repository = $1 AND kind = $2 AND name = $3";
    let values = [repository.uuid().into(), kind.to_string().into(), name.to_string().into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Moves a branch from `from` to `to`. `false` when it stands elsewhere by now, or when another
/// revision took the number of `to` meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn advance_branch(
    tx: &Tx,
    (repository, branch): (RepositoryId, &RefName),
    from: RevisionId,
    to: &Revision,
) -> Result<bool, StoreError> {
    const COUNT: &str = "UPDATE repository SET revisions = $2
        WHERE id = $1 AND revisions = $3 AND deleted_at IS NULL";
    const MOVE: &str = "UPDATE repository_ref SET revision = $3
        WHERE repository = $1 AND name = $2 AND kind = 'branch' AND revision = $4";
    let before = to.number.saturating_sub(1);
    let counted = tx.execute(COUNT, [repository.uuid().into(), to.number.into(), before.into()]);
    if counted.await? == 0 {
        return Ok(false);
    }
    let values = [
        repository.uuid().into(),
        branch.to_string().into(),
        to.id.uuid().into(),
        from.uuid().into(),
    ];
    Ok(tx.execute(MOVE, values).await? > 0)
}
