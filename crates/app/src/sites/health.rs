//! Whether sites can take work now: what each says, what its operator ordered, how busy it is.

use ::jobs::readiness::{self, Drained, Nodes, Obstacle, Queue, Readiness, Signs};
use site::protocol::{AWAY_MAX, Health, NodeAway, RESERVED_MAX, Snapshot};
use store::sites::health::{self as records, Load};
use store::sites::{self, Site};
use store::{Tx, jobs};
use units::{PartitionKey, Slug, Timestamp};

use super::SiteDetail;
use super::events::shortened;
use crate::audit::Entry;
use crate::jobs::SiteSettings;
use crate::{Action, Actor, App, Error};

/// The longest reason for draining a site, in characters.
const REASON_LENGTH_MAX: usize = 300;

/// Whether a site can take work, with all that staff want to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteHealth {
    /// The site.
    pub settings: SiteSettings,
    /// What stands in the way of work.
    pub readiness: Readiness,
    /// Nodes on which nothing starts, by name.
    pub away: Vec<NodeAway>,
    /// When the site last told of a change in what keeps it from work.
    pub told_at: Option<Timestamp>,
    /// How busy it is.
    pub load: Option<Load>,
    /// Records that its accounting has not taken yet, where it tells.
    pub accounting_backlog: Option<u64>,
    /// The hub's own jobs there that have not ended, by state.
    pub jobs: Vec<(String, i64)>,
    /// What is known of it beside.
    pub known: Option<Site>,
}

/// Whether a partition can take work, as everybody may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// The factory.
    pub factory: Slug,
    /// The partition.
    pub partition: PartitionKey,
    /// The site that carries its jobs out.
    pub site: Slug,
    /// What stands in the way of work, without what concerns only staff.
    pub readiness: Readiness,
}

impl App {
    /// Takes in what keeps a site from taking work; the latest counts.
    pub(super) async fn note_health(&self, site: &Slug, health: Health) -> Result<(), Error> {
        let health = sound(health).map_err(|why| Error::invalid("health", why))?;
        let text = serde_json::to_string(&health);
        let text = text.map_err(|error| Error::Internal(error.to_string()))?;
        let tx = self.store().write().await?;
        sites::enter(&tx, site).await?;
        records::note(&tx, site, self.now(), &text).await?;
        Ok(tx.commit().await?)
    }

    /// Whether a site can take work, and why not.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn site_health(&self, actor: &Actor, name: &Slug) -> Result<SiteHealth, Error> {
        let settings = self.site_for(actor, Action::ViewSites, name)?;
        let tx = self.store().read().await?;
        self.health_of(&tx, settings).await
    }

    /// Whether each of the sites that the actor may see can take work, by name.
    ///
    /// # Errors
    /// When the actor may see none.
    pub async fn sites_health(&self, actor: &Actor) -> Result<Vec<SiteHealth>, Error> {
        let visible = self.visible_sites(actor)?;
        let tx = self.store().read().await?;
        let mut all = Vec::with_capacity(visible.len());
        for settings in visible {
            all.push(self.health_of(&tx, settings).await?);
        }
        Ok(all)
    }

    /// Whether each partition that a site serves can take work now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn status(&self, actor: &Actor) -> Result<Vec<PartitionStatus>, Error> {
        actor.may(Action::ViewFederation, &[])?;
        let tx = self.store().read().await?;
        let mut all = Vec::with_capacity(self.work().sites.len());
        for settings in &self.work().sites {
            let signs = self.examined(&tx, settings).await?.signs;
            // What a scheduler answers may name machines of the site.
            let failing = signs.failing.as_ref().map(|_| String::new());
            let signs = Signs { failing, ..signs };
            all.push(PartitionStatus {
                factory: settings.factory.clone(),
                partition: settings.partition.clone(),
                site: settings.name.clone(),
                readiness: readiness::assess(&signs, self.now()),
            });
        }
        all.sort_by(|one, other| one.partition.cmp(&other.partition));
        Ok(all)
    }

    /// Lets a site take no more jobs; what runs and waits there goes on. Said again, the reason is the
    /// new one.
    ///
    /// # Errors
    /// When the actor may not, or the reason is empty or too long.
    pub async fn drain_site(
        &self,
        actor: &Actor,
        name: &Slug,
        reason: &str,
    ) -> Result<SiteHealth, Error> {
        let settings = self.site_for(actor, Action::ManageSite, name)?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX {
            let text =
                format!("say why in 1 to {REASON_LENGTH_MAX} characters: users will read it");
            return Err(Error::invalid("reason", text));
        }
        if reason.chars().any(char::is_control) {
            return Err(Error::invalid("reason", "it is one line of text"));
        }
        let tx = self.store().write().await?;
        sites::enter(&tx, name).await?;
        records::drain(&tx, name, self.now(), reason).await?;
        let entry = Entry {
            action: "site.drain",
            object: &format!("site:{name}"),
            rule: "ManageSite",
            detail: reason,
        };
        self.audit(&tx, actor, entry).await?;
        let health = self.health_of(&tx, settings).await?;
        tx.commit().await?;
        Ok(health)
    }

    /// Lets a site take jobs again.
    ///
    /// # Errors
    /// When the actor may not, or the site was not drained here.
    pub async fn resume_site(&self, actor: &Actor, name: &Slug) -> Result<SiteHealth, Error> {
        let settings = self.site_for(actor, Action::ManageSite, name)?;
        let tx = self.store().write().await?;
        if !records::resume(&tx, name).await? {
            let text = format!("the site {name} is not drained here");
            return Err(match self.drained(&tx, name).await? {
                Some(_) => {
                    Error::Conflict(format!("{text}: it drained itself, and resumes itself"))
                }
                None => Error::Conflict(text),
            });
        }
        let entry = Entry {
            action: "site.resume",
            object: &format!("site:{name}"),
            rule: "ManageSite",
            detail: "takes jobs again",
        };
        self.audit(&tx, actor, entry).await?;
        let health = self.health_of(&tx, settings).await?;
        tx.commit().await?;
        Ok(health)
    }

    /// Why a site takes no new jobs by somebody's order, if so.
    pub(crate) async fn drained(&self, tx: &Tx, site: &Slug) -> Result<Option<Obstacle>, Error> {
        if let Some(drained) = drained_at_hub(tx, site).await? {
            return Ok(Some(Obstacle::Drained { by_site: false, drained }));
        }
        let told = told(tx, site).await?.and_then(|(_, health)| drained_at_site(&health));
        Ok(told.map(|drained| Obstacle::Drained { by_site: true, drained }))
    }

    /// Whether a site can take work now.
    pub(crate) async fn readiness(
        &self,
        tx: &Tx,
        settings: &SiteSettings,
    ) -> Result<Readiness, Error> {
        let signs = self.examined(tx, settings).await?.signs;
        Ok(readiness::assess(&signs, self.now()))
    }

    async fn health_of(&self, tx: &Tx, settings: &SiteSettings) -> Result<SiteHealth, Error> {
        let Examined { signs, told, load, known } = self.examined(tx, settings).await?;
        let (told_at, away) =
            told.map_or((None, Vec::new()), |(at, health)| (Some(at), health.away));
        Ok(SiteHealth {
            settings: settings.clone(),
            readiness: readiness::assess(&signs, self.now()),
            away,
            told_at,
            load,
            accounting_backlog: signs.accounting_backlog,
            jobs: jobs::open_by_state(tx, &settings.name).await?,
            known,
        })
    }

    /// All that is known of a site.
    async fn examined(&self, tx: &Tx, settings: &SiteSettings) -> Result<Examined, Error> {
        let name = &settings.name;
        let SiteDetail { agent, known, .. } = self.site_detail(tx, settings).await?;
        let told = told(tx, name).await?;
        let health = told.as_ref().map(|(_, health)| health.clone()).unwrap_or_default();
        let load = records::load(tx, name).await?;
        let count = |number: i64| u32::try_from(number).unwrap_or_default();
        let signs = Signs {
            agent,
            drained_at_hub: drained_at_hub(tx, name).await?,
            drained_at_site: drained_at_site(&health),
            failing: health.failing,
            closed: health.closed,
            nodes: load.map(|load| Nodes { up: count(load.nodes_up), all: count(load.nodes) }),
            reserved: health.reserved.into_iter().map(reserved).collect(),
            accounting_backlog: health.accounting_backlog,
            clock_ahead_milliseconds: known.as_ref().and_then(|it| it.clock_ahead_milliseconds),
            queue: load.map(|load| Queue {
                jobs: count(load.waiting),
                node_seconds: u64::try_from(load.waiting_node_seconds).unwrap_or_default(),
            }),
        };
        Ok(Examined { signs, told, load, known })
    }
}

/// What is known of a site, and what it is weighed by.
struct Examined {
    signs: Signs,
    /// What it told itself, and when.
    told: Option<(Timestamp, Health)>,
    load: Option<Load>,
    known: Option<Site>,
}

/// How busy a site is by what it shows.
pub(super) fn load(snapshot: &Snapshot) -> Load {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let work = snapshot.waiting.iter().map(|job| {
        let seconds = i64::try_from(job.time_limit_seconds).unwrap_or(i64::MAX);
        i64::from(job.nodes).saturating_mul(seconds)
    });
    Load {
        nodes: count(snapshot.nodes.len()),
        nodes_up: count(snapshot.nodes.iter().filter(|node| node.up).count()),
        running: count(snapshot.running.len()),
        waiting: count(snapshot.waiting.len()),
        waiting_node_seconds: work.fold(0, i64::saturating_add),
    }
}

/// What a site tells, with texts of a length that people can read; or why it cannot be taken in.
fn sound(health: Health) -> Result<Health, String> {
    let many = [(health.away.len(), AWAY_MAX), (health.reserved.len(), RESERVED_MAX)];
    if let Some((count, most)) = many.into_iter().find(|(count, most)| count > most) {
        return Err(format!("{count} are more than the {most} that can be told"));
    }
    let Health { drained, failing, closed, away, reserved, accounting_backlog } = health;
    let away = away.into_iter().map(|node| NodeAway {
        name: shortened(node.name),
        reason: shortened(node.reason),
        ..node
    });
    let reserved = reserved
        .into_iter()
        .map(|one| site::protocol::Reserved { name: shortened(one.name), ..one });
    Ok(Health {
        drained: drained.map(|it| site::protocol::Drained { reason: shortened(it.reason), ..it }),
        failing: failing.map(shortened),
        closed: closed.map(shortened),
        away: away.collect(),
        reserved: reserved.collect(),
        accounting_backlog,
    })
}

/// What a site said last of what keeps it from work.
async fn told(tx: &Tx, site: &Slug) -> Result<Option<(Timestamp, Health)>, Error> {
    let Some((at, text)) = records::of(tx, site).await? else { return Ok(None) };
    let health = serde_json::from_str(&text);
    let health = health.map_err(|error| Error::Internal(format!("health of {site}: {error}")))?;
    Ok(Some((at, health)))
}

async fn drained_at_hub(tx: &Tx, site: &Slug) -> Result<Option<Drained>, Error> {
    let drained = records::drained(tx, site).await?;
    Ok(drained.map(|(since, reason)| Drained { since, reason }))
}

fn drained_at_site(health: &Health) -> Option<Drained> {
    let site::protocol::Drained { since, reason } = health.drained.clone()?;
    Some(Drained { since, reason })
}

fn reserved(told: site::protocol::Reserved) -> readiness::Reserved {
    let site::protocol::Reserved { name, from, until, nodes, maintenance } = told;
    readiness::Reserved { name, from, until, nodes, maintenance }
}

#[cfg(test)]
mod tests;
