//! Who holds which role, and where. Roles and scopes are text here; `app` gives them meaning.

use sea_orm::FromQueryResult;
use units::{CallId, PersonId, Timestamp};

use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::{StoreError, Tx};

/// A role held by a person within a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRecord {
    /// Who holds it.
    pub person: PersonId,
    /// The role's name.
    pub role: String,
    /// Where it holds.
    pub scope: String,
    /// Who gave it.
    pub granted_by: String,
    /// When.
    pub granted_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    person: uuid::Uuid,
    role: String,
    scope: String,
    granted_by: String,
    granted_at: i64,
}

impl Row {
    fn record(self) -> Result<GrantRecord, StoreError> {
        Ok(GrantRecord {
            person: PersonId::from_uuid(self.person),
            role: self.role,
            scope: self.scope,
            granted_by: self.granted_by,
            granted_at: instant(self.granted_at)?,
        })
    }
}

/// Gives a role; `false` when it was held: giving it again changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, grant: &GrantRecord) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO role_grant (person, role, scope, granted_by, granted_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person, role, scope) DO NOTHING";
    let values = [
        grant.person.uuid().into(),
        grant.role.clone().into(),
        grant.scope.clone().into(),
        grant.granted_by.clone().into(),
        micros(grant.granted_at).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Takes a role away; returns whether it was held.
///
/// # Errors
/// When the database fails.
pub async fn delete(
    tx: &Tx,
    person: PersonId,
    role: &str,
    scope: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM role_grant WHERE person = $1 AND role = $2 AND scope = $3";
    let rows = tx.execute(SQL, [person.uuid().into(), role.into(), scope.into()]).await?;
    Ok(rows > 0)
}

/// What `person` holds, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_person(tx: &Tx, person: PersonId) -> Result<Vec<GrantRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM role_grant WHERE person = $1 ORDER BY granted_at, role, scope";
    tx.all::<Row>(SQL, [person.uuid().into()]).await?.into_iter().map(Row::record).collect()
}

/// Who holds anything in `scope`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn in_scope(tx: &Tx, scope: &str) -> Result<Vec<GrantRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM role_grant WHERE scope = $1 ORDER BY granted_at, person, role";
    tx.all::<Row>(SQL, [scope.into()]).await?.into_iter().map(Row::record).collect()
}

/// What the reviewers in the pool of a call hold.
///
/// # Errors
/// When the database fails.
pub async fn of_pool(tx: &Tx, call: CallId) -> Result<Vec<GrantRecord>, StoreError> {
    const SQL: &str = "SELECT g.* FROM role_grant g JOIN call_reviewer c ON c.person = g.person
        WHERE c.call = $1 ORDER BY g.person, g.role, g.scope";
    tx.all::<Row>(SQL, [call.uuid().into()]).await?.into_iter().map(Row::record).collect()
}

/// Somebody who holds a role within a scope, and whose account is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Where.
    pub scope: String,
    /// The role's name.
    pub role: String,
    /// Who.
    pub person: PersonId,
    /// The address they sign in with.
    pub email: String,
}

/// How many scopes one statement names at most: databases bound the parameters of a statement.
const SCOPES_MAX: usize = 10_000;

/// Who holds anything in any of `scopes`, oldest grant first within each. One statement for every ten
/// thousand scopes.
///
/// # Errors
/// When the database fails.
pub async fn holders(tx: &Tx, scopes: &[String]) -> Result<Vec<Holder>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        scope: String,
        role: String,
        person: uuid::Uuid,
        email: String,
    }
    let mut found = Vec::new();
    for scopes in scopes.chunks(SCOPES_MAX) {
        let sql = format!(
            "SELECT g.scope, g.role, g.person, p.email
            FROM role_grant g JOIN person p ON p.id = g.person
            WHERE p.disabled_at IS NULL AND {} ORDER BY g.scope, g.granted_at, g.person, g.role",
            is_in("g.scope", scopes.len())
        );
        let values = scopes.iter().map(|scope| scope.as_str().into());
        for Row { scope, role, person, email } in tx.all::<Row>(&sql, values).await? {
            found.push(Holder { scope, role, person: PersonId::from_uuid(person), email });
        }
    }
    Ok(found)
}

/// How many people hold `role` in `scope`.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, role: &str, scope: &str) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Count {
        total: i64,
    }
    const SQL: &str =
        "SELECT CAST(COUNT(*) AS BIGINT) AS total FROM role_grant WHERE role = $1 AND scope = $2";
    let count = tx.one::<Count>(SQL, [role.into(), scope.into()]).await?;
    Ok(count.map_or(0, |count| count.total))
}
