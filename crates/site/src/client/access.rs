//! What a client proves who it is by: nothing, a token, or an agent's key.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use units::Slug;

use super::{Client, Error, Key, segment};
use crate::identity::Identity;
use crate::key::{Purpose, SecretKey};
use crate::protocol::{Knock, Session, VERSION, apart};

/// A bearer token as it is sent.
pub(super) type Token = String;

/// How calls of a client are let in.
#[derive(Debug, Default)]
pub(super) enum Access {
    /// As anybody's.
    #[default]
    Nobody,
    /// By a token that is given.
    Token(Token),
    /// By a token that the agent's key opens again and again.
    Agent(Door),
}

/// The way in of one agent.
#[derive(Debug)]
pub(super) struct Door {
    site: Slug,
    identity: Identity,
    open: Mutex<Option<Pass>>,
}

/// A token that works for a while.
struct Pass {
    token: Token,
    renew_at: Instant,
}

impl std::fmt::Debug for Pass {
    /// Leaves the token out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass").finish_non_exhaustive()
    }
}

impl Door {
    pub(super) fn new(site: Slug, identity: Identity) -> Self {
        Self { site, identity, open: Mutex::default() }
    }

    /// A token that works; a new one when the last is about to end.
    pub(super) async fn token(&self, client: &Client) -> Result<Token, Error> {
        let mut open = self.open.lock().await;
        if let Some(pass) = open.as_ref().filter(|pass| Instant::now() < pass.renew_at) {
            return Ok(pass.token.clone());
        }
        let asked = Instant::now();
        let session = self.knock(client).await?;
        if let Some(why) = apart(("agent", VERSION), ("hub", session.version)) {
            return Err(Error::Version(why));
        }
        // Renewed in time: a quarter before its end.
        let life = Duration::from_secs(u64::from(session.expires_in_seconds));
        let pass = Pass { token: session.token.clone(), renew_at: asked + life / 4 * 3 };
        *open = Some(pass);
        Ok(session.token)
    }

    /// Forgets a token that the hub does not take any more.
    pub(super) async fn forget(&self, token: &Token) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|pass| pass.token == *token) {
            *open = None;
        }
    }

    /// Proves to be the site by the key that the hub knows. After an exchange of keys whose answer
    /// was lost that is the new one.
    async fn knock(&self, client: &Client) -> Result<Session, Error> {
        let key = self.identity.key()?;
        let refused = match self.knock_with(client, &key).await {
            Err(error) if error.status() == Some(401) => error,
            answer => return answer,
        };
        let Some(coming) = self.identity.coming()? else { return Err(refused) };
        let session = self.knock_with(client, &coming).await.map_err(|_| refused)?;
        self.identity.adopt()?;
        Ok(session)
    }

    async fn knock_with(&self, client: &Client, key: &SecretKey) -> Result<Session, Error> {
        let proof = key.prove(Purpose::Session, &self.site, client.now())?;
        let path = format!("/sites/{}/agent/session", segment(self.site.as_str()));
        let body = Knock { version: VERSION, proof };
        client.anonymous().post(&path, &body, Key::fresh()).await
    }
}
