//! What agents ask before they may ask anything else: to be enrolled, to be let in, to change keys.

use jiff::SignedDuration;
use site::key::{Proven, PublicKey, Purpose, verify};
use site::protocol::{Enrolled, Enrolment, Knock, Proof, Rotation, Session, VERSION, apart};
use store::Tx;
use store::sites::agents::{self, KeyEnd};
use units::{Slug, Timestamp};

use super::clock::{ended, timely, unknown, unproven};
use super::key_named;
use crate::audit::Entry;
use crate::jobs::{AgentKind, SiteSettings};
use crate::{Action, Actor, App, Error, Secret};

impl App {
    /// Makes the key that signed the agent's by the code of its operator. After a lost answer the
    /// same key may ask again with the same code.
    ///
    /// # Errors
    /// When the code does not admit it (any more), the proof does not hold, or the key was the
    /// site's before.
    pub async fn enrol_agent(
        &self,
        actor: &Actor,
        name: &Slug,
        asked: Enrolment,
    ) -> Result<Enrolled, Error> {
        actor.may(Action::IntroduceAgent, &[])?;
        speaks(asked.version)?;
        let proven = verify(&asked.proof, Purpose::Enrol { code: &asked.code }, name);
        let proven = proven.map_err(unproven)?;
        let site = self.remote(name)?;
        let hash = Secret::presented(asked.code).hash();
        let tx = self.store().write().await?;
        let code = agents::code(&tx, &site.name, &hash).await?.ok_or_else(|| unknown(name))?;
        self.fresh(&tx, name, &asked.proof, proven).await?;
        let key = proven.key.to_string();
        match &code.used_by {
            Some(user) if *user == key => {
                self.demand_current(&tx, name, &key).await?;
                return Ok(enrolled(proven.key));
            }
            Some(_) => return Err(refused("the code was used already; ask for a new one")),
            None if code.expires_at <= self.now() => {
                return Err(refused("the code has expired; ask for a new one"));
            }
            None => {}
        }
        if !agents::spend(&tx, &hash, &key).await? {
            return Err(refused("the code was used already; ask for a new one"));
        }
        self.install(&tx, name, proven.key, KeyEnd::Replaced).await?;
        let detail = key_named(&key);
        let entry = Entry {
            action: "site.enrol",
            object: &format!("site:{name}"),
            rule: "one-time code",
            detail: &detail,
        };
        self.audit(&tx, &Actor::site(name.clone()), entry).await?;
        tx.commit().await?;
        tracing::info!(site = %name, "an agent was enrolled");
        Ok(enrolled(proven.key))
    }

    /// A token for the agent of a site that proves to be it.
    ///
    /// # Errors
    /// When the key is not the site's (any more), the proof came before, or clocks are too far
    /// apart.
    pub async fn open_agent_session(
        &self,
        actor: &Actor,
        name: &Slug,
        asked: Knock,
    ) -> Result<Session, Error> {
        actor.may(Action::IntroduceAgent, &[])?;
        speaks(asked.version)?;
        let proven = verify(&asked.proof, Purpose::Session, name).map_err(unproven)?;
        let site = self.remote(name)?;
        let tx = self.store().write().await?;
        self.demand_current(&tx, name, &proven.key.to_string()).await?;
        let ahead = self.fresh(&tx, name, &asked.proof, proven).await?;
        let ahead = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        agents::note_session(&tx, &site.name, asked.version, ahead).await?;
        let lasts = self.work().agents.session;
        let token = self.agent_token(&tx, &site.name, lasts).await?;
        tx.commit().await?;
        Ok(Session {
            version: VERSION,
            token: token.reveal().to_owned(),
            expires_in_seconds: u32::try_from(lasts.as_secs()).unwrap_or(u32::MAX),
            now: self.now(),
        })
    }

    /// Puts another key in the place of the one that signed. After a lost answer the same may be
    /// asked again.
    ///
    /// # Errors
    /// As for a session; or when the other key was the site's before.
    pub async fn rotate_agent_key(
        &self,
        actor: &Actor,
        name: &Slug,
        asked: Rotation,
    ) -> Result<Enrolled, Error> {
        actor.may(Action::IntroduceAgent, &[])?;
        speaks(asked.version)?;
        let to: PublicKey = asked.to.parse().map_err(unproven)?;
        let proven = verify(&asked.proof, Purpose::Rotate { to: &to }, name).map_err(unproven)?;
        self.remote(name)?;
        let tx = self.store().write().await?;
        let old = agents::key(&tx, name, &proven.key.to_string()).await?;
        let current = agents::last_key(&tx, name).await?;
        let is_done = matches!(old.and_then(|key| key.ended), Some((_, KeyEnd::Rotated)))
            && current.is_some_and(|key| key.ended.is_none() && key.key == to.to_string());
        if is_done {
            return Ok(enrolled(to));
        }
        self.demand_current(&tx, name, &proven.key.to_string()).await?;
        self.fresh(&tx, name, &asked.proof, proven).await?;
        self.install(&tx, name, to, KeyEnd::Rotated).await?;
        let entry = Entry {
            action: "site.rotate",
            object: &format!("site:{name}"),
            rule: "signed by the key before",
            detail: &key_named(&to.to_string()),
        };
        self.audit(&tx, &Actor::site(name.clone()), entry).await?;
        tx.commit().await?;
        Ok(enrolled(to))
    }

    /// A site whose agent is not the hub's own.
    fn remote(&self, name: &Slug) -> Result<&SiteSettings, Error> {
        let found = self.settings_of(name).filter(|site| site.agent == AgentKind::Remote);
        found.ok_or_else(|| unknown(name))
    }

    /// Demands that `key` is the one of the site.
    async fn demand_current(&self, tx: &Tx, name: &Slug, key: &str) -> Result<(), Error> {
        let found = agents::key(tx, name, key).await?.ok_or_else(|| unknown(name))?;
        found.ended.map_or(Ok(()), |(at, how)| {
            tracing::info!(site = %name, "turned away an agent whose key has ended");
            Err(ended(name, at, how))
        })
    }

    /// Demands that a proof was made just now and did not come before; how far the site's clock is
    /// ahead.
    async fn fresh(
        &self,
        tx: &Tx,
        name: &Slug,
        proof: &Proof,
        proven: Proven,
    ) -> Result<SignedDuration, Error> {
        let (now, allowed) = (self.now(), self.work().agents.clock);
        let ahead = timely(proven.at, now, allowed)?;
        // Proofs made ahead of time stay usable for twice as long as clocks may differ.
        let forget = now.saturating_sub(allowed.saturating_add(allowed)).unwrap_or(Timestamp::MIN);
        if !agents::first_use(tx, name, &proof.nonce, now, forget).await? {
            return Err(refused("this proof came before; sign a new one for each request"));
        }
        Ok(ahead)
    }

    /// Makes `key` the site's in place of the one before, whose tokens stop working.
    async fn install(
        &self,
        tx: &Tx,
        name: &Slug,
        key: PublicKey,
        how: KeyEnd,
    ) -> Result<(), Error> {
        let (key, now) = (key.to_string(), self.now());
        match agents::key(tx, name, &key).await? {
            Some(known) if known.ended.is_none() => return Ok(()),
            Some(_) => {
                let text = "this key was the site's before and was given up; make a new one";
                return Err(Error::Conflict(text.to_owned()));
            }
            None => {}
        }
        agents::end_key(tx, name, now, how).await?;
        self.revoke_site_tokens(tx, name).await?;
        Ok(agents::admit(tx, name, &key, now).await?)
    }
}

fn enrolled(key: PublicKey) -> Enrolled {
    Enrolled { version: VERSION, fingerprint: key.fingerprint() }
}

fn refused(why: &str) -> Error {
    Error::NotAdmitted(why.to_owned())
}

/// Refuses an agent whose version is too far from the hub's.
fn speaks(version: u32) -> Result<(), Error> {
    apart(("hub", VERSION), ("agent", version)).map_or(Ok(()), |why| Err(Error::Conflict(why)))
}
