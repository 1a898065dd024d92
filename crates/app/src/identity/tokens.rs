//! API tokens: scoped, expiring, listed, revocable.

use jiff::SignedDuration;
use store::Tx;
use store::identity::tokens::{self, TokenRecord};
use units::{Timestamp, TokenId};

use super::kind;
use crate::{
    Ability, Action, Actor, App, Error, FieldError, Secret, audit::Entry, permission::Abilities,
};

/// The longest life of an API token, in days.
pub const TOKEN_DAYS_MAX: u32 = 365;

/// What somebody asks of a new API token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub abilities: Vec<Ability>,
    /// Days until it expires.
    pub days: u32,
}

/// An API token as its owner sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its name for revocation.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub abilities: Vec<Ability>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl App {
    /// Makes an API token for the actor. A token cannot make one that may do more than itself.
    ///
    /// # Errors
    /// When a field is wrong or nobody is signed in.
    pub async fn create_token(
        &self,
        actor: &Actor,
        new: NewToken,
    ) -> Result<(ApiToken, Secret), Error> {
        actor.may(Action::ManageOwnTokens, &[])?;
        actor.person_id()?;
        let abilities = Abilities::of(new.abilities.iter().copied());
        check(new.name.trim(), &new)?;
        if !abilities.within(actor.abilities()) {
            return Err(Error::Forbidden(Action::ManageOwnTokens));
        }
        let tx = self.store().write().await?;
        let made = self.token_for(&tx, actor, new).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A new API token of the actor, who may have it.
    pub(super) async fn token_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        new: NewToken,
    ) -> Result<(ApiToken, Secret), Error> {
        let abilities = Abilities::of(new.abilities.iter().copied());
        let secret = Secret::random("usine_api")?;
        let now = self.now();
        let life = SignedDuration::from_hours(i64::from(new.days).saturating_mul(24));
        let record = TokenRecord {
            id: TokenId::from_uuid(self.clock().mint()),
            hash: secret.hash(),
            holder: actor.subject().to_string(),
            name: new.name.trim().to_owned(),
            kind: kind::API.to_owned(),
            abilities: abilities.to_string(),
            created_at: now,
            expires_at: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            revoked_at: None,
        };
        tokens::insert(tx, &record).await?;
        let entry = Entry {
            action: "token.create",
            object: &format!("token:{}", record.id),
            rule: "ManageOwnTokens",
            detail: &format!("{} for {} days, for {abilities}", record.name, new.days),
        };
        self.audit(tx, actor, entry).await?;
        Ok((token(record)?, secret))
    }

    /// The actor's API tokens that still work, newest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        let all = tokens::of_holder(&tx, &actor.subject().to_string(), self.now()).await?;
        all.into_iter().filter(|record| record.kind == kind::API).map(token).collect()
    }

    /// Revokes one of the actor's tokens, or ends one of their sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they have no such working token.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<(), Error> {
        actor.may(Action::ManageOwnTokens, &[])?;
        let tx = self.store().write().await?;
        let holder = actor.subject().to_string();
        if !tokens::revoke(&tx, &holder, id, self.now()).await? {
            return Err(Error::NotFound("token"));
        }
        let entry = Entry {
            action: "token.revoke",
            object: &format!("token:{id}"),
            rule: "ManageOwnTokens",
            detail: "",
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }
}

fn check(name: &str, new: &NewToken) -> Result<(), Error> {
    let mut wrong = Vec::new();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        wrong.push(FieldError::new("name", "must be 1 to 80 printable characters"));
    }
    if new.abilities.is_empty() {
        wrong.push(FieldError::new(
            "abilities",
            "name at least one of read, apply, run, data, administer",
        ));
    }
    if !(1..=TOKEN_DAYS_MAX).contains(&new.days) {
        wrong.push(FieldError::new("days", format!("must be 1 to {TOKEN_DAYS_MAX}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

fn token(record: TokenRecord) -> Result<ApiToken, Error> {
    let abilities: Abilities = record
        .abilities
        .parse()
        .map_err(|error| Error::Internal(format!("stored abilities: {error}")))?;
    Ok(ApiToken {
        id: record.id,
        name: record.name,
        abilities: abilities.iter().collect(),
        created_at: record.created_at,
        expires_at: record.expires_at,
    })
}
