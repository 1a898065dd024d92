//! People with accounts.

use sea_orm::FromQueryResult;
use units::{PersonId, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The address they sign in with, in lower case.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// The argon2 hash of their password in PHC format, once they have set one.
    pub password: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Since when the account is closed.
    pub disabled_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    email: String,
    name: String,
    password: Option<String>,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl Row {
    fn person(self) -> Result<Person, StoreError> {
        Ok(Person {
            id: PersonId::from_uuid(self.id),
            email: self.email,
            name: self.name,
            password: self.password,
            created_at: instant(self.created_at)?,
            disabled_at: self.disabled_at.map(instant).transpose()?,
        })
    }
}

/// Adds a person.
///
/// # Errors
/// [`StoreError::Exists`] when the address has an account already.
pub async fn insert(tx: &Tx, person: &Person) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO person (id, email, name, password, created_at, disabled_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(
        SQL,
        [
            person.id.uuid().into(),
            person.email.clone().into(),
            person.name.clone().into(),
            person.password.clone().into(),
            micros(person.created_at).into(),
            person.disabled_at.map(micros).into(),
        ],
    )
    .await
    .map_err(|error| error.or_exists("an account with this address"))?;
    Ok(())
}

/// The person with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: PersonId) -> Result<Option<Person>, StoreError> {
    const SQL: &str = "SELECT * FROM person WHERE id = $1";
    tx.one::<Row>(SQL, [id.uuid().into()]).await?.map(Row::person).transpose()
}

/// The person who signs in with this address (lower case).
///
/// # Errors
/// When the database fails.
pub async fn by_email(tx: &Tx, email: &str) -> Result<Option<Person>, StoreError> {
    const SQL: &str = "SELECT * FROM person WHERE email = $1";
    tx.one::<Row>(SQL, [email.into()]).await?.map(Row::person).transpose()
}

/// Stores a new password hash.
///
/// # Errors
/// When the database fails.
pub async fn set_password(tx: &Tx, id: PersonId, password: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE person SET password = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), password.into()]).await?;
    Ok(())
}

/// Forgets the password, so that nobody signs in with it.
///
/// # Errors
/// When the database fails.
pub async fn clear_password(tx: &Tx, id: PersonId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE person SET password = NULL WHERE id = $1";
    tx.execute(SQL, [id.uuid().into()]).await?;
    Ok(())
}

/// Holds the person's record until the transaction ends, so that decisions about them are made one
/// after the other; `None` when there is no such person.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &Tx, id: PersonId) -> Result<Option<Person>, StoreError> {
    const SQL: &str = "UPDATE person SET name = name WHERE id = $1 RETURNING *";
    tx.one::<Row>(SQL, [id.uuid().into()]).await?.map(Row::person).transpose()
}

/// Closes the account since an instant, or opens it again.
///
/// # Errors
/// When the database fails.
pub async fn set_disabled(
    tx: &Tx,
    id: PersonId,
    since: Option<Timestamp>,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE person SET disabled_at = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), since.map(micros).into()]).await?;
    Ok(())
}
