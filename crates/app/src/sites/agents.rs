//! Agents of remote sites: a code admits one, its key lets it in again and again, and its operator
//! sends it away.
//!
//! What an agent sends here is proved by signatures (`site::key`), so these use cases are open to
//! everybody who can make one. Whoever is turned away hears why only as far as the signature shows
//! that they may know.

mod admit;
mod clock;

pub use ::jobs::readiness::Agent as AgentState;
use store::Tx;
use store::sites::{self as records, agents};
use units::{Slug, Timestamp};

use super::SiteDetail;
use crate::audit::Entry;
use crate::jobs::{AgentKind, SiteSettings};
use crate::{Action, Actor, App, Error, Scope, Secret, Topic};

/// The key of a site's agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentKey {
    /// The name by which people compare keys.
    pub fingerprint: String,
    /// Since when it is the site's.
    pub since: Timestamp,
}

impl App {
    /// One site.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn site(&self, actor: &Actor, name: &Slug) -> Result<SiteDetail, Error> {
        let settings = self.site_for(actor, Action::ViewSites, name)?;
        let tx = self.store().read().await?;
        self.site_detail(&tx, settings).await
    }

    /// A one-time code by which an agent becomes that of the site; codes that were not used stop
    /// working.
    ///
    /// # Errors
    /// When the actor may not, or the hub itself runs the site.
    pub async fn offer_site_code(
        &self,
        actor: &Actor,
        name: &Slug,
    ) -> Result<(Secret, Timestamp), Error> {
        let site = self.remote_site(actor, name)?;
        let secret = Secret::random("usine_code")?;
        let expires_at =
            self.now().saturating_add(self.work().agents.code).unwrap_or(Timestamp::MAX);
        let tx = self.store().write().await?;
        records::enter(&tx, &site.name).await?;
        agents::offer(&tx, &site.name, &secret.hash(), expires_at).await?;
        let entry = Entry {
            action: "site.code",
            object: &format!("site:{name}"),
            rule: "ManageSite",
            detail: &format!("admits one agent until {expires_at}"),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok((secret, expires_at))
    }

    /// Sends the agent of a site away: its key and its tokens stop working at once, and so does a
    /// code that was not used.
    ///
    /// # Errors
    /// When the actor may not, or there is no agent.
    pub async fn revoke_agent(&self, actor: &Actor, name: &Slug) -> Result<(), Error> {
        let site = self.remote_site(actor, name)?;
        let tx = self.store().write().await?;
        agents::withdraw_codes(&tx, &site.name).await?;
        let last = agents::last_key(&tx, &site.name).await?;
        if !agents::end_key(&tx, &site.name, self.now(), agents::KeyEnd::Revoked).await? {
            return Err(Error::Conflict(format!("the site {name} has no agent to revoke")));
        }
        self.revoke_site_tokens(&tx, &site.name).await?;
        let entry = Entry {
            action: "site.revoke",
            object: &format!("site:{name}"),
            rule: "ManageSite",
            detail: &last.map(|key| key_named(&key.key)).unwrap_or_default(),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        // A request of the agent may be waiting for orders: it is to find out now.
        self.announcements().tell(Topic::Orders(site.name.clone()));
        Ok(())
    }

    /// A site with what is known of it and of its agent.
    pub(super) async fn site_detail(
        &self,
        tx: &Tx,
        settings: &SiteSettings,
    ) -> Result<SiteDetail, Error> {
        let known = records::by_name(tx, &settings.name).await?;
        let key = match settings.agent {
            AgentKind::Embedded => None,
            AgentKind::Remote => agents::last_key(tx, &settings.name).await?,
        };
        let dismissed = key.as_ref().and_then(|key| key.ended);
        let seen_at = known.as_ref().and_then(|known| known.seen_at);
        let agent = match (settings.agent, &key, dismissed, seen_at) {
            (AgentKind::Remote, None, ..) => AgentState::NotEnrolled,
            (_, _, Some((since, _)), _) => AgentState::Dismissed { since },
            (_, _, None, None) => AgentState::Silent,
            (_, _, None, Some(since)) if self.is_late(since) => AgentState::Away { since },
            (_, _, None, Some(_)) => AgentState::Present,
        };
        let key = key
            .filter(|key| key.ended.is_none())
            .map(|key| AgentKey { fingerprint: fingerprint(&key.key), since: key.made_at });
        Ok(SiteDetail { settings: settings.clone(), known, agent, key })
    }

    /// Whether an agent that called last at `seen_at` should have called again by now.
    pub(crate) fn is_late(&self, seen_at: Timestamp) -> bool {
        let due = seen_at.saturating_add(self.work().agents.away).unwrap_or(Timestamp::MAX);
        self.now() > due
    }

    /// Demands that the agent of a site was not sent away since its call began.
    pub(super) async fn still_admitted(&self, tx: &Tx, name: &Slug) -> Result<(), Error> {
        let Some(SiteSettings { agent: AgentKind::Remote, .. }) = self.settings_of(name) else {
            return Ok(());
        };
        match agents::last_key(tx, name).await?.and_then(|key| key.ended) {
            Some((at, how)) => Err(clock::ended(name, at, how)),
            None => Ok(()),
        }
    }

    pub(crate) fn settings_of(&self, name: &Slug) -> Option<&SiteSettings> {
        self.work().sites.iter().find(|site| site.name == *name)
    }

    pub(crate) fn site_for(
        &self,
        actor: &Actor,
        action: Action,
        name: &Slug,
    ) -> Result<&SiteSettings, Error> {
        let Some(site) = self.settings_of(name) else {
            actor.may(Action::ViewSites, &[])?;
            return Err(Error::NotFound("site"));
        };
        let scopes = [Scope::Factory(site.factory.clone())];
        actor.may_with(action, Action::ViewSites, "site", &scopes)?;
        Ok(site)
    }

    /// A site whose agent is not the hub's own, for somebody who may manage it.
    fn remote_site(&self, actor: &Actor, name: &Slug) -> Result<&SiteSettings, Error> {
        let site = self.site_for(actor, Action::ManageSite, name)?;
        match site.agent {
            AgentKind::Remote => Ok(site),
            AgentKind::Embedded => Err(Error::Conflict(format!(
                "the hub itself runs the site {name}; only a remote site has an agent to enrol or \
                 to revoke"
            ))),
        }
    }
}

/// The name of a key that is kept as the protocol writes it.
fn fingerprint(key: &str) -> String {
    key.parse::<site::key::PublicKey>().map_or_else(|_| key.to_owned(), |key| key.fingerprint())
}

/// The same for the audit trail.
fn key_named(key: &str) -> String {
    format!("key {}", fingerprint(key))
}

#[cfg(test)]
mod tests;
