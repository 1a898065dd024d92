//! Who has hours at a site, for the books of its scheduler: what the hub wishes, what the site tells
//! of the difference, and what its operator lets come about.

use std::collections::BTreeMap;
use std::time::Duration;

use access::allocation::{Allocation, Stage};
use jiff::SignedDuration;
use site::protocol::{
    self, DriftTold, Member, StepTold, TOLD_MAX, Tenancy, TenancyReceipt, TenancyReport, Tenant,
    VERSION, apart,
};
use store::allocations::{self, OnPartition};
use store::identity::grants;
use store::sites::tenancy::{self as records, HeldBack, Told};
use store::{Tx, sites};
use units::{AllocationId, ProjectId, Slug, Timestamp};

use super::events::shortened;
use crate::allocations::beyond_their_part;
use crate::audit::Entry;
use crate::jobs::SiteSettings;
use crate::{Action, Actor, App, Error, Role, Scope, Topic};

/// How long an allocation that is over is still told of, so that a site surely closes it.
const LONG_OVER: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How often the hub looks, while an agent waits, for what nobody announces: new allocations and
/// members, and time.
const LOOK_SECONDS: u64 = 5;
/// The longest reason for holding an allocation back, in characters.
const REASON_LENGTH_MAX: usize = 300;

/// How an operator lets an allocation stand at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its jobs run.
    Active,
    /// Its jobs run behind all others.
    Downscaled,
    /// Nothing may be submitted.
    Paused,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 3] = [Self::Active, Self::Downscaled, Self::Paused];

    /// Its name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Downscaled => "downscaled",
            Self::Paused => "paused",
        }
    }
}

/// What is known of the books of a site's scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenancyDetail {
    /// The site.
    pub site: Slug,
    /// When it told of them last; nothing else is known where it never did.
    pub told_at: Option<Timestamp>,
    /// When they were last as the hub wishes.
    pub agreed_at: Option<Timestamp>,
    /// What it told.
    pub report: Option<TenancyReport>,
    /// Whether the plan that it told is to be carried out.
    pub applies: bool,
    /// Allocations that its operator holds back.
    pub held_back: Vec<HeldBack>,
}

impl App {
    /// What the hub wishes to be on the books of a site, as soon as it is not what the agent has
    /// `seen`; waits for that up to `wait`.
    ///
    /// # Errors
    /// When the actor is not the agent of that site.
    pub async fn tenancy_wanted(
        &self,
        actor: &Actor,
        site: &Slug,
        seen: &str,
        wait: Duration,
    ) -> Result<Tenancy, Error> {
        let settings = self.serves(actor, site)?;
        self.note_call(site).await?;
        let deadline = tokio::time::Instant::now() + wait;
        let mut listener = self.announcements().listen();
        loop {
            let wanted = self.wanted_at(settings).await?;
            let now = tokio::time::Instant::now();
            if wanted.revision != seen || now >= deadline {
                return Ok(wanted);
            }
            let news = listener.heard(|topic| *topic == Topic::Tenancy(site.clone()));
            let look = deadline.min(now + Duration::from_secs(LOOK_SECONDS));
            let _news_or_time = tokio::time::timeout_at(look, news).await;
        }
    }

    /// Takes in what a site tells of its books; the latest counts.
    ///
    /// # Errors
    /// When the actor is not the agent of that site, or the message cannot be so.
    pub async fn take_tenancy(
        &self,
        actor: &Actor,
        site: &Slug,
        report: TenancyReport,
    ) -> Result<TenancyReceipt, Error> {
        let settings = self.serves(actor, site)?;
        if let Some(why) = apart(("hub", VERSION), ("agent", report.version)) {
            return Err(Error::Conflict(why));
        }
        let report = sound(report).map_err(|why| Error::invalid("report", why))?;
        let text = serde_json::to_string(&report);
        let text = text.map_err(|error| Error::Internal(error.to_string()))?;
        let tx = self.store().write().await?;
        sites::enter(&tx, site).await?;
        let told = records::of(&tx, site).await?;
        records::note(&tx, site, (self.now(), report.agrees), &text).await?;
        // An agreement holds for one plan; what failed is to be looked at by somebody first.
        if told.apply.is_some_and(|agreed| agreed != report.plan || report.failed.is_some()) {
            records::set_apply(&tx, site, None).await?;
        }
        if !report.done.is_empty() {
            let entry = Entry {
                action: "site.accounts-applied",
                object: &format!("site:{site}"),
                rule: "ServeSite",
                detail: &shortened(report.done.join("; ")),
            };
            self.audit(&tx, actor, entry).await?;
        }
        tx.commit().await?;
        let current = self.wanted_at(settings).await?.revision == report.revision;
        Ok(TenancyReceipt { current })
    }

    /// What is known of the books of a site's scheduler.
    ///
    /// # Errors
    /// When there is no such site, or the actor may not see its accounting.
    pub async fn site_tenancy(&self, actor: &Actor, site: &Slug) -> Result<TenancyDetail, Error> {
        let settings = self.site_for(actor, Action::ViewAccounting, site)?;
        let tx = self.store().read().await?;
        detail(&tx, &settings.name).await
    }

    /// Has the agent of a site carry out `plan`, which must be the one that it told last.
    ///
    /// # Errors
    /// When the actor may not, or the site has told another plan, or none.
    pub async fn apply_tenancy(
        &self,
        actor: &Actor,
        site: &Slug,
        plan: &str,
    ) -> Result<TenancyDetail, Error> {
        self.site_for(actor, Action::ManageSite, site)?;
        let tx = self.store().write().await?;
        let report = detail(&tx, site).await?.report;
        let Some(report) = report else {
            let why = format!("the agent of {site} has told of no accounts; see docs/slurm.md");
            return Err(Error::Conflict(why));
        };
        if report.plan != plan {
            let why = format!("{site} has another plan by now: look at it and agree to that");
            return Err(Error::Conflict(why));
        }
        if report.steps.is_empty() {
            return Err(Error::Conflict(format!("there is nothing to be done at {site}")));
        }
        records::set_apply(&tx, site, Some(plan)).await?;
        let (object, detail_text) =
            (format!("site:{site}"), format!("plan {plan}: {} steps", report.steps_total));
        let (action, rule) = ("site.accounts-apply", "ManageSite");
        let entry = Entry { action, object: &object, rule, detail: &detail_text };
        self.audit(&tx, actor, entry).await?;
        let detail = detail(&tx, site).await?;
        tx.commit().await?;
        self.announcements().tell(Topic::Tenancy(site.clone()));
        Ok(detail)
    }

    /// Lets an allocation run slower at a site, or not at all, or again as usual.
    ///
    /// # Errors
    /// When the actor may not, there is no such allocation on the site's partition, or no reason.
    pub async fn set_standing(
        &self,
        actor: &Actor,
        site: &Slug,
        allocation: AllocationId,
        (standing, reason): (Standing, &str),
    ) -> Result<TenancyDetail, Error> {
        let settings = self.site_for(actor, Action::ManageSite, site)?;
        let reason = reason.trim();
        let length = reason.chars().count();
        if length > REASON_LENGTH_MAX || reason.chars().any(char::is_control) {
            let text = format!("it is one line of at most {REASON_LENGTH_MAX} characters");
            return Err(Error::invalid("reason", text));
        }
        if standing != Standing::Active && reason.is_empty() {
            return Err(Error::invalid("reason", "say why: the project's members will read it"));
        }
        let tx = self.store().write().await?;
        let found = allocations::by_id(&tx, allocation).await?;
        if found.is_none_or(|found| found.partition != settings.partition) {
            return Err(Error::NotFound("allocation"));
        }
        sites::enter(&tx, site).await?;
        if standing == Standing::Active {
            records::let_go(&tx, site, allocation).await?;
        } else {
            let (standing, reason) = (standing.name().to_owned(), reason.to_owned());
            let held = HeldBack { allocation, standing, reason, since: self.now() };
            records::hold_back(&tx, site, &held).await?;
        }
        let entry = Entry {
            action: "site.standing",
            object: &format!("allocation:{allocation}"),
            rule: "ManageSite",
            detail: &format!("{} at {site}: {reason}", standing.name()),
        };
        self.audit(&tx, actor, entry).await?;
        let detail = detail(&tx, site).await?;
        tx.commit().await?;
        self.announcements().tell(Topic::Tenancy(site.clone()));
        Ok(detail)
    }

    /// Why nothing may be submitted against an allocation at a site, if its operator paused it.
    pub(crate) async fn paused_at(
        &self,
        tx: &Tx,
        site: &Slug,
        allocation: AllocationId,
    ) -> Result<Option<String>, Error> {
        let held = records::held_back(tx, site).await?;
        let paused = held
            .into_iter()
            .find(|held| held.allocation == allocation && held.standing == Standing::Paused.name());
        Ok(paused.map(|held| {
            format!(
                "the operator of {site} has paused this allocation since {}: {}",
                held.since, held.reason
            )
        }))
    }

    /// What should be on the books of a site.
    async fn wanted_at(&self, settings: &SiteSettings) -> Result<Tenancy, Error> {
        let tx = self.store().read().await?;
        self.still_admitted(&tx, &settings.name).await?;
        let since = self.now().saturating_sub(LONG_OVER).unwrap_or(Timestamp::UNIX_EPOCH);
        let held = records::held_back(&tx, &settings.name).await?;
        let found = allocations::on_partition(&tx, &settings.partition, since).await?;
        let all: Vec<&Allocation> = found.iter().map(|it| &it.allocation).collect();
        let beyond = beyond_their_part(self, &tx, &settings.partition, (since, &all)).await?;
        let members = members_of(&tx, found.iter().map(|it| it.allocation.project)).await?;
        let tenant = |it: OnPartition| {
            let standing = match standing(&it.allocation, &held, self.now()) {
                protocol::Standing::Active if beyond.contains(&it.allocation.id) => {
                    protocol::Standing::Downscaled
                }
                standing => standing,
            };
            let members = members.get(&it.allocation.project).cloned().unwrap_or_default();
            tenant(it, standing, members)
        };
        let tenants: Vec<Tenant> = found.into_iter().map(tenant).collect();
        let apply = records::of(&tx, &settings.name).await?.apply;
        let revision = revision(&tenants, apply.as_deref())?;
        Ok(Tenancy { version: VERSION, revision, allocations: tenants, apply })
    }
}

async fn detail(tx: &Tx, site: &Slug) -> Result<TenancyDetail, Error> {
    let Told { at, agreed_at, report, apply } = records::of(tx, site).await?;
    let report = report.map(|text| serde_json::from_str::<TenancyReport>(&text)).transpose();
    let report = report.map_err(|error| Error::Internal(format!("accounts of {site}: {error}")))?;
    let applies = report.as_ref().is_some_and(|report| apply.as_ref() == Some(&report.plan));
    let held_back = records::held_back(tx, site).await?;
    Ok(TenancyDetail { site: site.clone(), told_at: at, agreed_at, report, applies, held_back })
}

fn standing(allocation: &Allocation, held: &[HeldBack], now: Timestamp) -> protocol::Standing {
    match allocation.stage(now) {
        Stage::Active { .. } => {}
        Stage::Suspended { .. } => return protocol::Standing::Paused,
        Stage::Granted { .. } | Stage::Expired { .. } | Stage::Closed { .. } => {
            return protocol::Standing::Closed;
        }
    }
    let held = held.iter().find(|held| held.allocation == allocation.id);
    match held.map(|held| held.standing.as_str()) {
        None => protocol::Standing::Active,
        Some("downscaled") => protocol::Standing::Downscaled,
        Some(_) => protocol::Standing::Paused,
    }
}

/// Who may run jobs in each of these projects.
async fn members_of(
    tx: &Tx,
    projects: impl Iterator<Item = ProjectId>,
) -> Result<BTreeMap<ProjectId, Vec<Member>>, Error> {
    let by_scope: BTreeMap<String, ProjectId> =
        projects.map(|project| (Scope::Project(project).to_string(), project)).collect();
    let runs = [Role::User.name(), Role::ProjectManager.name()];
    let mut members: BTreeMap<ProjectId, Vec<Member>> = BTreeMap::new();
    let scopes: Vec<String> = by_scope.keys().cloned().collect();
    for holder in grants::holders(tx, &scopes).await? {
        let Some(project) = by_scope.get(&holder.scope) else { continue };
        let theirs = members.entry(*project).or_default();
        let known = theirs.iter().any(|member| member.person == holder.person);
        if !known && runs.contains(&holder.role.as_str()) {
            theirs.push(Member { person: holder.person, email: holder.email });
        }
    }
    Ok(members)
}

fn tenant(it: OnPartition, standing: protocol::Standing, members: Vec<Member>) -> Tenant {
    let OnPartition { allocation, mode, used } = it;
    Tenant {
        allocation: allocation.id,
        project: allocation.project,
        mode: mode.to_string(),
        meter: allocation.meter.to_string(),
        granted_seconds: u64::try_from(allocation.amount.count()).unwrap_or_default(),
        used_seconds: u64::try_from(used.count()).unwrap_or_default(),
        standing,
        members,
    }
}

/// Changes with everything but what was used.
fn revision(tenants: &[Tenant], apply: Option<&str>) -> Result<String, Error> {
    let unused: Vec<Tenant> =
        tenants.iter().map(|tenant| Tenant { used_seconds: 0, ..tenant.clone() }).collect();
    let text = serde_json::to_string(&(unused, apply));
    let text = text.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(vault::Sha256::of(text.as_bytes()).to_string())
}

/// The report with texts of bounded length, if it tells no more than is taken in.
fn sound(report: TenancyReport) -> Result<TenancyReport, String> {
    let lengths = [report.steps.len(), report.drift.len(), report.done.len()];
    if lengths.iter().any(|length| *length > TOLD_MAX) {
        return Err(format!("at most {TOLD_MAX} steps, changes or deeds are told"));
    }
    if report.plan.len() > 64 || !report.plan.bytes().all(|mark| mark.is_ascii_alphanumeric()) {
        return Err("a plan goes by up to 64 letters and digits".to_owned());
    }
    let steps = report.steps.into_iter();
    let steps = steps.map(|it| StepTold { text: shortened(it.text), why: shortened(it.why) });
    let drift = report.drift.into_iter().map(|it| DriftTold {
        text: shortened(it.text),
        kind: shortened(it.kind),
        response: shortened(it.response),
    });
    Ok(TenancyReport {
        revision: shortened(report.revision),
        steps: steps.collect(),
        drift: drift.collect(),
        done: report.done.into_iter().map(shortened).collect(),
        failed: report.failed.map(shortened),
        ..report
    })
}

#[cfg(test)]
mod tests;
