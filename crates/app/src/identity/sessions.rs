//! From a password, link or bearer secret to an [`Actor`].

use jiff::SignedDuration;
use store::{
    Tx,
    identity::{grants, links, people, tokens},
};
use units::{PersonId, Slug, Timestamp, TokenId};

use super::kind;
use crate::{
    Action, Actor, App, Error, Grant, Secret, Subject, audit::Entry, permission::Abilities,
};

/// How long a browser session or a `usine login` lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// How long a sign-in link waits to be used.
const LINK: SignedDuration = SignedDuration::from_hours(24);
/// How long an embedded site's token lasts; a new one is made at every start.
const SITE_TOKEN: SignedDuration = SignedDuration::from_hours(24 * 400);

/// A session just opened, with the secret that carries it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Shown to the holder once.
    pub secret: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub person: PersonId,
}

/// Who presents a bearer secret, and by what.
#[derive(Clone, Debug)]
pub struct Session {
    /// What they may do.
    pub actor: Actor,
    /// Whether the secret is a browser session or `usine login`, rather than an API token.
    pub interactive: bool,
    /// The token's id, for its owner's list.
    pub token: TokenId,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A sign-in that still holds, as its owner sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// Its name for revocation.
    pub id: TokenId,
    /// How it was opened: `password`, `sign-in link`, `provider NAME`.
    pub means: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it is the one by which the list was asked for.
    pub current: bool,
}

impl App {
    /// The actor's sign-ins that still hold: the one they call by, then the newest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn sessions(
        &self,
        actor: &Actor,
        by: Option<&Secret>,
    ) -> Result<Vec<OpenSession>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let mine = by.map(Secret::hash);
        let tx = self.store().read().await?;
        let all = tokens::of_holder(&tx, &actor.subject().to_string(), self.now()).await?;
        let sessions = all.into_iter().filter(|record| record.kind == kind::SESSION);
        let open = sessions.map(|record| OpenSession {
            current: mine.as_ref() == Some(&record.hash),
            id: record.id,
            means: record.name,
            opened_at: record.created_at,
            expires_at: record.expires_at,
        });
        let mut open: Vec<_> = open.collect();
        open.sort_by_key(|session| !session.current);
        Ok(open)
    }

    /// Signs in with address and password.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], the same for an unknown address and a wrong password.
    pub async fn sign_in(&self, email: &str, password: String) -> Result<Opened, Error> {
        let tx = self.store().read().await?;
        let person = people::by_email(&tx, &email.trim().to_lowercase()).await?;
        drop(tx);
        let hash = person
            .as_ref()
            .filter(|person| person.disabled_at.is_none())
            .and_then(|person| person.password.clone());
        let matches = self.hashing.verify(password, hash).await?;
        match person {
            Some(person) if matches => self.open_session(person.id, "password").await,
            _ => Err(Error::BadCredentials("the address or the password is wrong")),
        }
    }

    /// Signs in with a one-time link.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] when the link was used, has expired or never was.
    pub async fn redeem_link(&self, secret: &Secret) -> Result<Opened, Error> {
        let tx = self.store().write().await?;
        let person = links::redeem(&tx, &secret.hash(), self.now()).await?;
        tx.commit().await?;
        match person {
            Some(person) => self.open_session(person, "sign-in link").await,
            None => Err(Error::BadCredentials(
                "the link was used already or has expired; ask for a new one",
            )),
        }
    }

    /// Opens a session for somebody who has proved who they are by `means`.
    async fn open_session(&self, person: PersonId, means: &str) -> Result<Opened, Error> {
        let tx = self.store().write().await?;
        if !open_account(&tx, person).await? {
            return Err(Error::BadCredentials("the account is closed; ask an administrator"));
        }
        let opened = self.session_for(&tx, person, means).await?;
        tx.commit().await?;
        Ok(opened)
    }

    /// A session of somebody whose account is open, by `means`.
    pub(super) async fn session_for(
        &self,
        tx: &Tx,
        person: PersonId,
        means: &str,
    ) -> Result<Opened, Error> {
        let holder = Subject::Person(person);
        let (secret, expires_at) = self.issue(tx, &holder, means, kind::SESSION, SESSION).await?;
        let actor = Actor::person(person, Vec::new(), Abilities::ALL);
        let entry = Entry {
            action: "session.open",
            object: &holder.to_string(),
            rule: "sign-in",
            detail: means,
        };
        self.audit(tx, &actor, entry).await?;
        Ok(Opened { secret, expires_at, person })
    }

    /// Ends the session or revokes the token that `secret` carries.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, secret: &Secret) -> Result<(), Error> {
        let tx = self.store().write().await?;
        tokens::revoke_hash(&tx, &secret.hash(), self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Who presents `secret`.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] when it is unknown, revoked or expired, or its holder's account
    /// is closed.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Session, Error> {
        let refused = Error::BadCredentials("the token is unknown, revoked or expired");
        let tx = self.store().read().await?;
        let Some(token) = tokens::valid(&tx, &secret.hash(), self.now()).await? else {
            return Err(refused);
        };
        let abilities = token
            .abilities
            .parse()
            .map_err(|error| Error::Internal(format!("stored abilities: {error}")))?;
        let actor = match token.holder.split_once(':') {
            Some(("person", id)) => {
                let id: PersonId = id
                    .parse()
                    .map_err(|error| Error::Internal(format!("token holder: {error}")))?;
                self.person_as(&tx, id, abilities).await?.ok_or(refused)?
            }
            Some(("site", key)) => Actor::site(
                key.parse().map_err(|error| Error::Internal(format!("token holder: {error}")))?,
            ),
            _ => return Err(refused),
        };
        let interactive = token.kind == kind::SESSION;
        Ok(Session { actor, interactive, token: token.id, expires_at: token.expires_at })
    }

    /// A person with what they hold now; `None` when their account is closed.
    pub(crate) async fn person_as(
        &self,
        tx: &Tx,
        id: PersonId,
        abilities: Abilities,
    ) -> Result<Option<Actor>, Error> {
        if !open_account(tx, id).await? {
            return Ok(None);
        }
        Ok(Some(Actor::person(id, held(tx, id).await?, abilities)))
    }

    /// A one-time sign-in link's secret for `person`: shown by the operator, or sent by mail.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_in_link(&self, person: PersonId) -> Result<Secret, Error> {
        let secret = Secret::random("usine_link")?;
        let expires_at = self.now().saturating_add(LINK).unwrap_or(Timestamp::MAX);
        let tx = self.store().write().await?;
        links::insert(&tx, &secret.hash(), person, expires_at).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// A one-time sign-in link's secret for the account with this address: for the operator, whose
    /// own access to the hub's records is the permission.
    ///
    /// # Errors
    /// When there is no such account, or the store fails.
    pub async fn sign_in_link_for(&self, email: &str) -> Result<Secret, Error> {
        let tx = self.store().read().await?;
        let found = people::by_email(&tx, &email.trim().to_lowercase()).await?;
        drop(tx);
        self.sign_in_link(found.ok_or(Error::NotFound("account"))?.id).await
    }

    /// A token for the agent of an embedded site. Earlier tokens of the site stop working.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn site_token(&self, site: &Slug) -> Result<Secret, Error> {
        let holder = Subject::Site(site.clone());
        let tx = self.store().write().await?;
        tokens::revoke_kind(&tx, &holder.to_string(), kind::SITE, self.now()).await?;
        let (secret, _) = self.issue(&tx, &holder, "agent", kind::SITE, SITE_TOKEN).await?;
        let entry = Entry {
            action: "site.token",
            object: &holder.to_string(),
            rule: "start of the embedded site",
            detail: "earlier tokens revoked",
        };
        self.audit(&tx, &Actor::system(), entry).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// A token for the agent of a remote site that has proved to be it; those that have ended are
    /// forgotten.
    pub(crate) async fn agent_token(
        &self,
        tx: &Tx,
        site: &Slug,
        lasts: SignedDuration,
    ) -> Result<Secret, Error> {
        let holder = Subject::Site(site.clone());
        tokens::forget_ended(tx, &holder.to_string(), kind::SITE, self.now()).await?;
        let (secret, _) = self.issue(tx, &holder, "agent", kind::SITE, lasts).await?;
        Ok(secret)
    }

    /// Ends every token of a site's agent.
    pub(crate) async fn revoke_site_tokens(&self, tx: &Tx, site: &Slug) -> Result<(), Error> {
        let holder = Subject::Site(site.clone()).to_string();
        tokens::revoke_kind(tx, &holder, kind::SITE, self.now()).await?;
        Ok(())
    }

    /// Stores a new bearer secret of one of the kinds that may do everything its holder may.
    async fn issue(
        &self,
        tx: &Tx,
        holder: &Subject,
        name: &str,
        kind: &str,
        lasts: SignedDuration,
    ) -> Result<(Secret, Timestamp), Error> {
        let secret = Secret::random(&format!("usine_{kind}"))?;
        let now = self.now();
        let expires_at = now.saturating_add(lasts).unwrap_or(Timestamp::MAX);
        let record = tokens::TokenRecord {
            id: TokenId::from_uuid(self.clock().mint()),
            hash: secret.hash(),
            holder: holder.to_string(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            abilities: Abilities::ALL.to_string(),
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        tokens::insert(tx, &record).await?;
        Ok((secret, expires_at))
    }

    /// Ends every browser session of `person`.
    pub(super) async fn end_sessions(&self, tx: &Tx, person: PersonId) -> Result<(), Error> {
        let holder = Subject::Person(person).to_string();
        tokens::revoke_kind(tx, &holder, kind::SESSION, self.now()).await?;
        Ok(())
    }
}

/// Whether `person` has an account that is not closed.
async fn open_account(tx: &Tx, person: PersonId) -> Result<bool, Error> {
    Ok(people::by_id(tx, person).await?.is_some_and(|person| person.disabled_at.is_none()))
}

/// What `person` holds.
async fn held(tx: &Tx, person: PersonId) -> Result<Vec<Grant>, Error> {
    let records = grants::of_person(tx, person).await?;
    records.into_iter().map(super::grants::parsed).collect()
}
