//! Sites: where jobs run, whether the agents there work, and who lets them in.

use app::jobs::AgentKind;
use app::sites::{AgentState, SiteDetail, SiteHealth, TenancyDetail};
use app::{Action, Scope, Secret};
use askama::Template;
use axum::response::Response;
use jobs::readiness::Obstacle;
use site::protocol::{Manage, NodeAway};
use units::{Slug, Timestamp};

use super::form::Form;
use super::status::{Badge, Hurdle, hurdles};
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::Path;
use crate::problem::Problem;

/// The most nodes that a page names; the API names all.
const AWAY_SHOWN: usize = 100;
/// The most steps of a plan, and changes by hand, that a page names.
const STEPS_SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "sites.html")]
struct SitesPage {
    frame: Frame,
    sites: Vec<Line>,
}

/// A site in one line.
struct Line {
    name: String,
    partition: String,
    takes: Badge,
    state: Standing,
    seen: String,
}

/// How a site's agent stands, and the colour of that.
struct Standing {
    text: String,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "site.html")]
struct SitePage {
    frame: Frame,
    name: String,
    partition: String,
    state: Standing,
    facts: Vec<(String, String)>,
    takes: Badge,
    hurdles: Vec<Hurdle>,
    away: Vec<Away>,
    /// Whether the visitor may let the site take no more jobs.
    drains: bool,
    /// Whether that was done.
    drained: bool,
    /// Whether the visitor may let its agent in and send it away, and it is not the hub's own.
    manages: bool,
    /// Whether there is an agent to send away.
    admitted: bool,
    /// A code just made, shown only now, and until when it works.
    code: Option<(String, String)>,
    /// How the accounts in its scheduler stand; nothing where it keeps none for the hub.
    accounts: Option<AccountsPart>,
    /// Who wants a login at the site: name, address, since when.
    requests: Vec<(String, String, String)>,
}

/// A node on which nothing starts.
struct Away {
    name: String,
    condition: String,
    since: String,
    reason: String,
}

/// How accounts in a site's scheduler stand.
struct AccountsPart {
    verdict: Badge,
    /// When they were told of, and when they were last in agreement.
    told: String,
    /// What is to be done, and why.
    steps: Vec<(String, String)>,
    /// What was changed by hand, and what becomes of it.
    drift: Vec<(String, String)>,
    failed: Option<String>,
    /// The plan that the visitor may agree to.
    plan: Option<String>,
    applies: bool,
}

/// `GET /sites`.
pub(crate) async fn list(visit: Visit) -> Result<Response, Problem> {
    let t = visit.t();
    let sites = visit.app.sites(&visit.actor).await?;
    let health = visit.app.sites_health(&visit.actor).await?;
    let line = |(site, health): (&SiteDetail, &SiteHealth)| Line {
        takes: Badge::of(t, health.readiness.takes()),
        name: site.settings.name.to_string(),
        partition: site.settings.partition.to_string(),
        state: Standing::of(t, site.agent),
        seen: seen(t, site),
    };
    let sites = sites.iter().zip(&health).map(line).collect();
    page(&SitesPage { frame: visit.frame, sites })
}

/// `GET /sites/{name}`.
pub(crate) async fn show(visit: Visit, Path(name): Path<Slug>) -> Result<Response, Problem> {
    render(visit, &name, None).await
}

/// `POST /sites/{name}/code`: makes a one-time code and shows it this once.
pub(crate) async fn offer(
    visit: Visit,
    Path(name): Path<Slug>,
    _form: Form,
) -> Result<Response, Problem> {
    let code = visit.app.offer_site_code(&visit.actor, &name).await?;
    render(visit, &name, Some(code)).await
}

/// `POST /sites/{name}/revoke`.
pub(crate) async fn revoke(
    visit: Visit,
    Path(name): Path<Slug>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.revoke_agent(&visit.actor, &name).await?;
    Ok(on_to(&format!("/sites/{name}")))
}

/// `POST /sites/{name}/drain`.
pub(crate) async fn drain(
    visit: Visit,
    Path(name): Path<Slug>,
    form: Form,
) -> Result<Response, Problem> {
    visit.app.drain_site(&visit.actor, &name, form.text("reason")).await?;
    Ok(on_to(&format!("/sites/{name}")))
}

/// `POST /sites/{name}/resume`.
pub(crate) async fn resume(
    visit: Visit,
    Path(name): Path<Slug>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.resume_site(&visit.actor, &name).await?;
    Ok(on_to(&format!("/sites/{name}")))
}

/// `POST /sites/{name}/accounts`: agrees to the plan that was shown.
pub(crate) async fn agree(
    visit: Visit,
    Path(name): Path<Slug>,
    form: Form,
) -> Result<Response, Problem> {
    visit.app.apply_tenancy(&visit.actor, &name, form.text("plan")).await?;
    Ok(on_to(&format!("/sites/{name}")))
}

async fn render(
    visit: Visit,
    name: &Slug,
    code: Option<(Secret, Timestamp)>,
) -> Result<Response, Problem> {
    let t = visit.t();
    let site = visit.app.site(&visit.actor, name).await?;
    let scope = Scope::Factory(site.settings.factory.clone());
    let drains = visit.actor.can(Action::ManageSite, &[scope]);
    let manages = drains && site.settings.agent == AgentKind::Remote;
    let health = visit.app.site_health(&visit.actor, name).await?;
    let away = |node: &NodeAway| Away {
        name: node.name.clone(),
        condition: t.sub("node-", node.condition.name()),
        since: node.since.map(|since| t.minute(since)).unwrap_or_default(),
        reason: node.reason.clone(),
    };
    let accounts = visit.app.site_tenancy(&visit.actor, name).await?;
    let accounts = AccountsPart::of(t, accounts, drains);
    let is_drain = |it: &Obstacle| matches!(it, Obstacle::Drained { by_site: false, .. });
    let requests = match manages {
        true => visit.app.login_requests(&visit.actor, name).await?,
        false => Vec::new(),
    };
    let requests = requests.into_iter().map(|it| (it.name, it.email, t.minute(it.asked_at)));
    page(&SitePage {
        accounts,
        requests: requests.collect(),
        frame: visit.frame,
        name: site.settings.name.to_string(),
        partition: site.settings.partition.to_string(),
        state: Standing::of(t, site.agent),
        facts: facts(t, &site),
        takes: Badge::of(t, health.readiness.takes()),
        hurdles: hurdles(t, &health.readiness),
        away: health.away.iter().take(AWAY_SHOWN).map(away).collect(),
        drains,
        drained: health.readiness.obstacles.iter().any(is_drain),
        manages,
        admitted: site.key.is_some(),
        code: code.map(|(code, until)| (code.reveal().to_owned(), t.minute(until))),
    })
}

impl AccountsPart {
    fn of(t: Tongue, detail: TenancyDetail, may_agree: bool) -> Option<Self> {
        let (report, told_at) = (detail.report?, detail.told_at?);
        let verdict = match report.agrees {
            true => Badge { text: t.say("site-accounts-agree"), class: "good" },
            false => Badge { text: t.say("site-accounts-differ"), class: "wait" },
        };
        let agreed =
            detail.agreed_at.map_or_else(|| t.say("site-accounts-never"), |at| t.minute(at));
        let told = [("at", t.minute(told_at)), ("agreed", agreed)];
        let told = told.each_ref().map(|(name, value)| (*name, value.as_str()));
        let waits = report.manage == Manage::Plan && !report.steps.is_empty() && !detail.applies;
        // A later agent may have other words; they are shown as they are.
        let why = |word: &str| match word {
            "missing" | "wish" | "mend" | "left" => t.sub("site-accounts-why-", word),
            other => other.to_owned(),
        };
        let becomes = |word: &str| match word {
            "mend" | "accept" | "report" => t.sub("site-accounts-hand-", word),
            other => other.to_owned(),
        };
        let steps = report.steps.into_iter().take(STEPS_SHOWN);
        let drift = report.drift.into_iter().take(STEPS_SHOWN);
        Some(Self {
            verdict,
            told: t.fill("site-accounts-told", &told),
            steps: steps.map(|it| (it.text, why(&it.why))).collect(),
            drift: drift.map(|it| (it.text, becomes(&it.response))).collect(),
            failed: report.failed,
            plan: (may_agree && waits).then_some(report.plan),
            applies: detail.applies,
        })
    }
}

impl Standing {
    fn of(t: Tongue, agent: AgentState) -> Self {
        let (text, class) = match agent {
            AgentState::NotEnrolled => (t.say("agent-not-enrolled"), "wait"),
            AgentState::Silent => (t.say("agent-silent"), "wait"),
            AgentState::Present => (t.say("agent-present"), "good"),
            AgentState::Away { since } => {
                (t.fill("agent-away", &[("at", &t.minute(since))]), "bad")
            }
            AgentState::Dismissed { since } => {
                (t.fill("agent-dismissed", &[("at", &t.minute(since))]), "bad")
            }
        };
        Self { text, class }
    }
}

/// When the agent called last; empty when it never did.
fn seen(t: Tongue, site: &SiteDetail) -> String {
    let seen_at = site.known.as_ref().and_then(|known| known.seen_at);
    seen_at.map(|at| t.minute(at)).unwrap_or_default()
}

/// What is known of a site, by what it is called.
fn facts(t: Tongue, site: &SiteDetail) -> Vec<(String, String)> {
    let known = site.known.as_ref();
    let inventory = known.and_then(|known| known.inventory.as_ref());
    let ahead = known.and_then(|known| known.clock_ahead_milliseconds);
    let protocol = known.and_then(|known| known.protocol);
    let key = site.key.as_ref();
    let of = |label: String, value: Option<String>| {
        value.filter(|value| !value.is_empty()).map(|value| (label, value))
    };
    let kind = match site.settings.agent {
        AgentKind::Embedded => t.say("agent-embedded"),
        AgentKind::Remote => t.say("agent-remote"),
    };
    let facts = [
        of(t.say("site-agent"), Some(kind)),
        of(t.say("site-seen"), Some(seen(t, site))),
        of(t.say("site-key"), key.map(|key| key.fingerprint.clone())),
        of(t.say("site-key-since"), key.map(|key| t.minute(key.since))),
        of(t.say("site-clock"), ahead.map(|ahead| clock(t, ahead))),
        of(t.say("site-version"), inventory.map(|inventory| inventory.agent.clone())),
        of(t.say("site-protocol"), protocol.map(|version| version.to_string())),
        of(t.say("site-engine"), inventory.and_then(|inventory| inventory.engine.clone())),
        of(t.say("site-host"), inventory.map(|inventory| inventory.host.clone())),
        of(t.say("site-nodes"), inventory.map(|inventory| t.number(inventory.nodes))),
        of(t.say("site-cores"), inventory.map(|inventory| t.number(inventory.cores))),
        of(t.say("site-memory"), inventory.map(|it| t.bytes(it.memory_mb.saturating_mul(1 << 20)))),
        of(t.say("site-gpus"), inventory.map(|inventory| inventory.gpus.join(", "))),
        of(t.say("site-rule"), Some(site.settings.charge_rule.to_string())),
        of(t.say("site-isolation"), inventory.map(|inventory| inventory.isolation.join("; "))),
    ];
    facts.into_iter().flatten().collect()
}

/// How far a clock is off, in words.
fn clock(t: Tongue, ahead_milliseconds: i64) -> String {
    let seconds = ahead_milliseconds / 1_000;
    let off = t.number(seconds.saturating_abs());
    match seconds {
        0 => t.say("clock-agrees"),
        1.. => t.fill("clock-ahead", &[("seconds", &off)]),
        _ => t.fill("clock-behind", &[("seconds", &off)]),
    }
}
