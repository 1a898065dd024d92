//! Local accounts.

use store::identity::people::{self, Person};
use store::identity::{grants, tokens};
use units::{PersonId, Timestamp};

use super::password;
use crate::{Action, Actor, App, Error, FieldError, Grant, Role, audit::Entry};

/// What somebody sends to make an account.
#[derive(Clone)]
pub struct NewAccount {
    /// The address to sign in with.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// Their password.
    pub password: String,
}

/// A person's account as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub id: PersonId,
    /// The address they sign in with.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// What they hold.
    pub grants: Vec<Grant>,
}

impl App {
    /// Makes a local account.
    ///
    /// # Errors
    /// When a field is wrong, or the address has an account.
    pub async fn register(&self, actor: &Actor, new: NewAccount) -> Result<Account, Error> {
        actor.may(Action::Register, &[])?;
        let (email, name) = checked(&new)?;
        let hash = self.hashing.hash(new.password).await?;
        let person = Person {
            id: PersonId::from_uuid(self.clock().mint()),
            email,
            name,
            password: Some(hash),
            created_at: self.now(),
            disabled_at: None,
        };
        let tx = self.store().write().await?;
        people::insert(&tx, &person).await?;
        let entry = Entry {
            action: "person.register",
            object: &format!("person:{}", person.id),
            rule: "Register",
            detail: "local account",
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok(account(person, Vec::new()))
    }

    /// The actor's own account.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn me(&self, actor: &Actor) -> Result<Account, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let id = actor.person_id()?;
        let tx = self.store().read().await?;
        let person = people::by_id(&tx, id).await?.ok_or(Error::NotFound("account"))?;
        Ok(account(person, actor.grants().to_vec()))
    }

    /// Sets the actor's password, after which their browser sessions end.
    ///
    /// # Errors
    /// When nobody is signed in, or the password is too short or long.
    pub async fn set_password(&self, actor: &Actor, password: String) -> Result<(), Error> {
        actor.may(Action::ManageOwnTokens, &[])?;
        let id = actor.person_id()?;
        if let Some(complaint) = password::complaint(&password) {
            return Err(Error::Invalid(vec![complaint]));
        }
        let hash = self.hashing.hash(password).await?;
        let tx = self.store().write().await?;
        people::set_password(&tx, id, &hash).await?;
        self.end_sessions(&tx, id).await?;
        let entry = Entry {
            action: "person.set-password",
            object: &format!("person:{id}"),
            rule: "ManageOwnTokens",
            detail: "browser sessions ended",
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }
}

/// What becomes of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its holder may sign in.
    Open,
    /// Nothing of its holder's works any more: sessions and tokens are revoked for good, sign-in
    /// is refused until the account is opened again.
    Closed,
}

impl App {
    /// Closes somebody's account, or opens it again. What they hold and what they did stay on
    /// record; their jobs go on.
    ///
    /// # Errors
    /// When the actor may not, when there is no such account, or when an administrator's would be
    /// closed: that role must be taken away first, so that the federation never loses its last.
    pub async fn set_access(
        &self,
        actor: &Actor,
        id: PersonId,
        access: Access,
    ) -> Result<(), Error> {
        actor.may(Action::CloseAccounts, &[])?;
        let tx = self.store().write().await?;
        people::take(&tx, id).await?.ok_or(Error::NotFound("account"))?;
        let object = format!("person:{id}");
        let (since, action, detail) = match access {
            Access::Open => (None, "person.open", "may sign in again"),
            Access::Closed => {
                let held = grants::of_person(&tx, id).await?;
                if held.iter().any(|grant| grant.role == Role::Administrator.name()) {
                    let text = "this is an administrator; take that role away first";
                    return Err(Error::refused("account.administrator", text));
                }
                tokens::revoke_all(&tx, &object, self.now()).await?;
                store::ssh::revoke_all(&tx, id, self.now()).await?;
                (Some(self.now()), "person.close", "sessions, tokens and certificates revoked")
            }
        };
        people::set_disabled(&tx, id, since).await?;
        let entry = Entry { action, object: &object, rule: "CloseAccounts", detail };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }
}

fn account(person: Person, grants: Vec<Grant>) -> Account {
    Account {
        id: person.id,
        email: person.email,
        name: person.name,
        created_at: person.created_at,
        grants,
    }
}

/// The address in lower case and the name without surrounding space.
fn checked(new: &NewAccount) -> Result<(String, String), Error> {
    let mut wrong = Vec::new();
    let email = new.email.trim().to_lowercase();
    if !plausible(&email) {
        wrong.push(FieldError::new("email", "is not an e-mail address, such as ada@example.org"));
    }
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        wrong.push(FieldError::new("name", "must be 1 to 120 printable characters"));
    }
    wrong.extend(password::complaint(&new.password));
    if wrong.is_empty() { Ok((email, name)) } else { Err(Error::Invalid(wrong)) }
}

/// Whether the text can be an address: one `@`, something before, a dotted name after, no spaces.
/// Only a letter that arrives proves more.
pub(super) fn plausible(email: &str) -> bool {
    let clean = email.len() <= 254 && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    match email.split_once('@') {
        Some((local, domain)) => {
            clean
                && !local.is_empty()
                && !domain.contains('@')
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        }
        None => false,
    }
}
