//! Identities that OpenID providers vouch for: whose they are, and how they come to be so.
//!
//! An identity is a provider's address and its name for somebody. Once linked it means one person,
//! whatever its claims say later. How it is linked first is
//! [decision 0034](../../../../docs/decisions/0034-identities-are-linked-by-proof.md): a person who
//! is signed in adds it; or its address, verified by a provider that is trusted for addresses,
//! names an account that nothing else speaks for; or it makes an account of its own.

use store::Tx;
use store::identity::{grants, people, provided, tokens};
use units::{IdentityId, PersonId, Slug};

use super::accounts::plausible;
use super::{Opened, kind};
use crate::audit::Entry;
use crate::permission::Abilities;
use crate::{Action, Actor, App, Error, Subject};

pub use store::identity::provided::{Claims, Identity};

/// What a provider has vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The provider's name here.
    pub provider: Slug,
    /// The provider by its address.
    pub issuer: String,
    /// Whom it means.
    pub subject: String,
    /// What it says of them.
    pub claims: Claims,
}

/// How far a provider is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Whether an address that it has verified opens the account with that address.
    pub addresses: bool,
    /// Whether somebody new gets an account.
    pub newcomers: bool,
    /// Assurance of which the provider must state one; none is asked for when empty.
    pub assurance: Vec<String>,
}

impl App {
    /// Signs in whom a provider vouches for.
    ///
    /// # Errors
    /// `sign-in.assurance`, `sign-in.address`, `sign-in.account-exists`, `sign-in.no-account` or
    /// `sign-in.closed`, when policy says no.
    pub async fn sign_in_vouched(&self, vouched: &Vouched, trust: &Trust) -> Result<Opened, Error> {
        assured(&vouched.claims, trust)?;
        let tx = self.store().write().await?;
        let known = provided::known(&tx, &vouched.issuer, &vouched.subject).await?;
        let person = match known {
            Some(identity) => {
                let (provider, now) = (vouched.provider.as_str(), self.now());
                provided::seen(&tx, identity.id, provider, &vouched.claims, now).await?;
                identity.person
            }
            None => self.newly_vouched(&tx, vouched, trust).await?,
        };
        let account = people::by_id(&tx, person).await?.ok_or(Error::NotFound("account"))?;
        if account.disabled_at.is_some() {
            return Err(Error::refused("sign-in.closed", "the account is closed"));
        }
        let opened = self.session_for(&tx, person, &means(vouched.provider.as_str())).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// Links what a provider vouches for to the account of somebody who is signed in.
    ///
    /// # Errors
    /// `sign-in.assurance`; `identity.other-person` when it is linked to somebody else's.
    pub async fn link_vouched(
        &self,
        actor: &Actor,
        vouched: &Vouched,
        trust: &Trust,
    ) -> Result<(), Error> {
        actor.may(Action::ManageOwnTokens, &[])?;
        let person = actor.person_id()?;
        assured(&vouched.claims, trust)?;
        let tx = self.store().write().await?;
        if let Some(known) = provided::known(&tx, &vouched.issuer, &vouched.subject).await? {
            if known.person != person {
                let text = "this identity belongs to another account already";
                return Err(Error::refused("identity.other-person", text));
            }
            let (provider, now) = (vouched.provider.as_str(), self.now());
            provided::seen(&tx, known.id, provider, &vouched.claims, now).await?;
            return Ok(tx.commit().await?);
        }
        self.link(&tx, actor, person, vouched, "added by its holder").await?;
        Ok(tx.commit().await?)
    }

    /// The actor's linked identities, oldest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn identities(&self, actor: &Actor) -> Result<Vec<Identity>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        Ok(provided::of_person(&tx, actor.person_id()?).await?)
    }

    /// Unlinks one of the actor's identities; the sessions of its provider end.
    ///
    /// # Errors
    /// When it is none of theirs; `identity.last` when there would be no way in left.
    pub async fn unlink_identity(&self, actor: &Actor, id: IdentityId) -> Result<(), Error> {
        actor.may(Action::ManageOwnTokens, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        let account = people::take(&tx, person).await?.ok_or(Error::NotFound("account"))?;
        let all = provided::of_person(&tx, person).await?;
        let found = all.iter().find(|identity| identity.id == id);
        let found = found.ok_or(Error::NotFound("identity"))?;
        if all.len() == 1 && account.password.is_none() {
            let text = "this is your only way to sign in; set a password or add another first";
            return Err(Error::refused("identity.last", text));
        }
        provided::delete(&tx, id).await?;
        let holder = Subject::Person(person).to_string();
        let name = means(&found.provider);
        tokens::revoke_named(&tx, &holder, kind::SESSION, &name, self.now()).await?;
        let entry = Entry {
            action: "identity.unlink",
            object: &holder,
            rule: "ManageOwnTokens",
            detail: &format!("{} at {}", found.subject, found.issuer),
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Whose an identity becomes that nobody has used before.
    async fn newly_vouched(
        &self,
        tx: &Tx,
        vouched: &Vouched,
        trust: &Trust,
    ) -> Result<PersonId, Error> {
        let email = verified_address(&vouched.claims)?;
        let Some(person) = people::by_email(tx, &email).await? else {
            if !trust.newcomers {
                let text = "nobody here is known by this identity, and this provider's people get \
                            no account by themselves; ask an administrator";
                return Err(Error::refused("sign-in.no-account", text));
            }
            return self.newcomer(tx, vouched, email).await;
        };
        if !trust.addresses || self.spoken_for(tx, person.id).await? {
            let text = format!(
                "the address {email} has an account; sign in to it as before, and add this \
                 identity in its settings"
            );
            return Err(Error::refused("sign-in.account-exists", text));
        }
        self.hand_over(tx, person.id, vouched).await?;
        Ok(person.id)
    }

    /// Whether an account is not to be had by its address alone: an identity speaks for it already,
    /// or its holder is staff.
    async fn spoken_for(&self, tx: &Tx, person: PersonId) -> Result<bool, Error> {
        if !provided::of_person(tx, person).await?.is_empty() {
            return Ok(true);
        }
        let held = grants::of_person(tx, person).await?;
        let of_staff = |scope: &str| scope == "federation" || scope.starts_with("factory:");
        Ok(held.iter().any(|grant| of_staff(&grant.scope)))
    }

    /// Gives the account to whom the provider verified its address for. Who made it never had to
    /// prove that address, so whatever opened it until now does so no more.
    async fn hand_over(&self, tx: &Tx, person: PersonId, vouched: &Vouched) -> Result<(), Error> {
        people::clear_password(tx, person).await?;
        let holder = Subject::Person(person).to_string();
        tokens::revoke_all(tx, &holder, self.now()).await?;
        store::ssh::revoke_all(tx, person, self.now()).await?;
        let detail = "by its verified address; password, sessions, tokens and certificates ended";
        self.link(tx, &Actor::system(), person, vouched, detail).await
    }

    /// Makes an account for somebody who never came before.
    async fn newcomer(&self, tx: &Tx, vouched: &Vouched, email: String) -> Result<PersonId, Error> {
        let name = vouched.claims.name.as_deref().map(str::trim);
        let printable = |name: &&str| {
            (1..=120).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        let person = people::Person {
            id: PersonId::from_uuid(self.clock().mint()),
            name: name.filter(printable).unwrap_or(&email).to_owned(),
            email,
            password: None,
            created_at: self.now(),
            disabled_at: None,
        };
        people::insert(tx, &person).await?;
        let actor = Actor::person(person.id, Vec::new(), Abilities::ALL);
        let entry = Entry {
            action: "person.register",
            object: &format!("person:{}", person.id),
            rule: "Register",
            detail: &means(vouched.provider.as_str()),
        };
        self.audit(tx, &actor, entry).await?;
        self.link(tx, &actor, person.id, vouched, "with a new account").await?;
        Ok(person.id)
    }

    async fn link(
        &self,
        tx: &Tx,
        actor: &Actor,
        person: PersonId,
        vouched: &Vouched,
        how: &str,
    ) -> Result<(), Error> {
        let identity = Identity {
            id: IdentityId::from_uuid(self.clock().mint()),
            issuer: vouched.issuer.clone(),
            subject: vouched.subject.clone(),
            person,
            provider: vouched.provider.to_string(),
            claims: vouched.claims.clone(),
            linked_at: self.now(),
            seen_at: self.now(),
        };
        provided::insert(tx, &identity).await?;
        let entry = Entry {
            action: "identity.link",
            object: &Subject::Person(person).to_string(),
            rule: "0034",
            detail: &format!("{} at {}, {how}", vouched.subject, vouched.issuer),
        };
        self.audit(tx, actor, entry).await
    }
}

/// How a session by a provider is called in lists.
fn means(provider: &str) -> String {
    format!("provider {provider}")
}

/// Demands the assurance that policy asks for.
fn assured(claims: &Claims, trust: &Trust) -> Result<(), Error> {
    let enough = |wanted: &String| claims.assurance.contains(wanted);
    if trust.assurance.is_empty() || trust.assurance.iter().any(enough) {
        return Ok(());
    }
    let stated = match claims.assurance.as_slice() {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    let text = format!(
        "it is not known well enough who you are: one of {} is asked for, and your provider states \
         {stated}; ask your home organisation to identify you better",
        trust.assurance.join(", "),
    );
    Err(Error::refused("sign-in.assurance", text))
}

/// The address that the provider has verified, in lower case.
fn verified_address(claims: &Claims) -> Result<String, Error> {
    let email = claims.email.as_deref().map(|email| email.trim().to_lowercase());
    match email.filter(|email| plausible(email)) {
        Some(email) if claims.email_verified => Ok(email),
        Some(email) => {
            let text = format!(
                "your provider has not verified the address {email}; verify it there, or make an \
                 account here and add this identity in its settings"
            );
            Err(Error::refused("sign-in.address", text))
        }
        None => {
            let text = "your provider tells no e-mail address; allow it to, or make an account \
                        here and add this identity in its settings";
            Err(Error::refused("sign-in.address", text))
        }
    }
}

#[cfg(test)]
mod tests;
