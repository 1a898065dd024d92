//! Identities that OpenID providers vouch for, each linked to one person.

use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use units::{IdentityId, PersonId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// What a provider said of a person when it was last asked, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Claims {
    /// How they are called.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Whether the provider has verified that address.
    pub email_verified: bool,
    /// Their name in the community behind the provider, such as MyAccessID's.
    pub community_id: Option<String>,
    /// The domain of the organisation they come from.
    pub home_organisation: Option<String>,
    /// What they are there, such as `member@example.org`.
    pub affiliations: Vec<String>,
    /// How well it is known who they are, as profiles and levels.
    pub assurance: Vec<String>,
}

/// An identity and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its name here.
    pub id: IdentityId,
    /// The provider by its address.
    pub issuer: String,
    /// Whom it means, for the provider.
    pub subject: String,
    /// Who that is for us.
    pub person: PersonId,
    /// The provider's name when it was last used.
    pub provider: String,
    /// What was last said.
    pub claims: Claims,
    /// Since when it is linked.
    pub linked_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
}

fn written(claims: &Claims) -> Result<String, StoreError> {
    serde_json::to_string(claims).map_err(|error| StoreError::damaged("claims", error))
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    issuer: String,
    subject: String,
    person: Uuid,
    provider: String,
    claims: String,
    linked_at: i64,
    seen_at: i64,
}

impl Row {
    fn identity(self) -> Result<Identity, StoreError> {
        Ok(Identity {
            id: IdentityId::from_uuid(self.id),
            issuer: self.issuer,
            subject: self.subject,
            person: PersonId::from_uuid(self.person),
            provider: self.provider,
            claims: serde_json::from_str(&self.claims)
                .map_err(|error| StoreError::damaged("claims", error))?,
            linked_at: instant(self.linked_at)?,
            seen_at: instant(self.seen_at)?,
        })
    }
}

/// Links an identity.
///
/// # Errors
/// [`StoreError::Exists`] when it is linked already.
pub async fn insert(tx: &Tx, identity: &Identity) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO identity
        (id, issuer, subject, person, provider, claims, linked_at, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(
        SQL,
        [
            identity.id.uuid().into(),
            identity.issuer.clone().into(),
            identity.subject.clone().into(),
            identity.person.uuid().into(),
            identity.provider.clone().into(),
            written(&identity.claims)?.into(),
            micros(identity.linked_at).into(),
            micros(identity.seen_at).into(),
        ],
    )
    .await
    .map_err(|error| error.or_exists("a link of this identity"))?;
    Ok(())
}

/// The identity that `issuer` means by `subject`, if it is linked.
///
/// # Errors
/// When the database fails.
pub async fn known(tx: &Tx, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
    const SQL: &str = "SELECT * FROM identity WHERE issuer = $1 AND subject = $2";
    let row = tx.one::<Row>(SQL, [issuer.into(), subject.into()]).await?;
    row.map(Row::identity).transpose()
}

/// The identities linked to `person`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_person(tx: &Tx, person: PersonId) -> Result<Vec<Identity>, StoreError> {
    const SQL: &str = "SELECT * FROM identity WHERE person = $1 ORDER BY linked_at, id";
    let rows = tx.all::<Row>(SQL, [person.uuid().into()]).await?;
    rows.into_iter().map(Row::identity).collect()
}

/// Remembers what was said at a sign-in.
///
/// # Errors
/// When the database fails.
pub async fn seen(
    tx: &Tx,
    id: IdentityId,
    provider: &str,
    claims: &Claims,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE identity SET provider = $2, claims = $3, seen_at = $4 WHERE id = $1";
    let claims = written(claims)?;
    tx.execute(SQL, [id.uuid().into(), provider.into(), claims.into(), micros(at).into()]).await?;
    Ok(())
}

/// Unlinks an identity.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: IdentityId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identity WHERE id = $1", [id.uuid().into()]).await?;
    Ok(())
}
