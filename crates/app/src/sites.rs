//! Sites: what their agents pull and push, and what staff see of them.
//!
//! An agent acts for its own site only, and only about jobs of that site; anything else does not
//! exist for it.

mod agents;
mod cluster;
mod events;
mod files;
mod health;
mod logins;
mod machine;
mod orders;
mod steps;
mod tenancy;

use store::sites::Site;
use store::{Tx, jobs};
use units::{JobId, Slug};

use crate::jobs::{Job, SiteSettings};
use crate::{Action, Actor, App, Error, Scope, Subject};

pub use agents::{AgentKey, AgentState};
pub use cluster::{Cluster, Node};
pub use health::{PartitionStatus, SiteHealth};
pub(crate) use machine::SiteMachine;
pub use store::sites::health::Load;
pub use store::sites::logins::LoginRequest;
pub use store::sites::tenancy::HeldBack;
pub use tenancy::{Standing, TenancyDetail};

/// A site, as configured and as its agent reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteDetail {
    /// How it is configured.
    pub settings: SiteSettings,
    /// What is known of it, once its agent has called or a job was submitted to it.
    pub known: Option<Site>,
    /// Whether its agent works.
    pub agent: AgentState,
    /// The key that lets its agent in; a site that the hub itself runs has none.
    pub key: Option<AgentKey>,
}

impl App {
    /// The sites that the actor may see, by name.
    ///
    /// # Errors
    /// When the actor may see none.
    pub async fn sites(&self, actor: &Actor) -> Result<Vec<SiteDetail>, Error> {
        let visible = self.visible_sites(actor)?;
        let tx = self.store().read().await?;
        let mut sites = Vec::with_capacity(visible.len());
        for settings in visible {
            sites.push(self.site_detail(&tx, settings).await?);
        }
        Ok(sites)
    }

    /// How the sites that the actor may see are configured; refuses who may see none.
    fn visible_sites(&self, actor: &Actor) -> Result<Vec<&SiteSettings>, Error> {
        let may_see = |site: &&SiteSettings| {
            actor.can(Action::ViewSites, &[Scope::Factory(site.factory.clone())])
        };
        let visible: Vec<&SiteSettings> = self.work().sites.iter().filter(may_see).collect();
        if visible.is_empty() {
            actor.may(Action::ViewSites, &[])?;
        }
        Ok(visible)
    }

    /// Demands that the actor is the agent of `site`.
    pub(crate) fn serves(&self, actor: &Actor, site: &Slug) -> Result<&SiteSettings, Error> {
        actor.may(Action::ServeSite, &[])?;
        let own = *actor.subject() == Subject::Site(site.clone());
        let found = self.work().sites.iter().find(|settings| own && settings.name == *site);
        found.ok_or(Error::NotFound("site"))
    }

    /// The job `id`, for the agent of the site it runs at.
    async fn job_of_site(&self, tx: &Tx, site: &Slug, id: JobId) -> Result<Job, Error> {
        let found = jobs::by_id(tx, id).await?;
        found.filter(|job| job.place.site == *site).ok_or(Error::NotFound("job"))
    }
}

#[cfg(test)]
mod tests;
