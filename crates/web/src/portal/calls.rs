//! Calls: what may be asked, by whom, and how much is left of it.

use access::call::{Call, Stage};
use access::document::Figure;
use access::organisation::Organisation;
use access::policy::{AccessMode, DecidedBy};
use app::Action;
use askama::Template;
use axum::response::Response;
use units::{CallId, OrganisationId, PartitionKey};

use super::form::Form;
use super::hours;
use super::paging::{LISTED, Listing};
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::{Path, Query};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "calls.html")]
struct CallsPage {
    frame: Frame,
    calls: Vec<Line>,
    next: Option<String>,
}

/// A call at a glance.
struct Line {
    id: String,
    title: String,
    mode: String,
    summary: String,
    unit: &'static str,
    hours: String,
    stage: &'static str,
    until: Option<String>,
    by_rules: bool,
}

#[derive(Template)]
#[template(path = "call.html")]
struct CallPage {
    frame: Frame,
    call: Line,
    rule: String,
    facts: Vec<(String, String)>,
    duties: Vec<String>,
    partitions: Vec<Offer>,
    organisations: Vec<Organisation>,
    /// Whether the visitor may ask what granting everything would mean.
    may_weigh: bool,
    may_arrange: bool,
}

/// What a partition has to offer under a call.
struct Offer {
    key: String,
    factory: String,
    factory_key: String,
    left: Option<String>,
}

/// `GET /calls`.
pub(crate) async fn list(
    visit: Visit,
    Query(listing): Query<Listing>,
) -> Result<Response, Problem> {
    let mut calls = Vec::new();
    let found = visit.app.calls(&visit.actor, listing.after()?, LISTED).await?;
    let (found, next) = listing.page(found, "/calls", |it| it.id);
    for call in found {
        let mode = visit.app.mode_of(&call)?;
        calls.push(line(&visit, &call, &mode.says));
    }
    page(&CallsPage { frame: visit.frame, calls, next })
}

/// `GET /calls/{id}`.
pub(crate) async fn show(visit: Visit, Path(id): Path<CallId>) -> Result<Response, Problem> {
    let (call, mode) = visit.app.call(&visit.actor, id).await?;
    let mut partitions = Vec::new();
    for key in &call.partitions {
        partitions.push(offer(&visit, key, &mode.says).await?);
    }
    let organisations = match visit.frame.account {
        Some(_) => visit.app.organisations_to_apply_for(&visit.actor).await?,
        None => Vec::new(),
    };
    page(&CallPage {
        call: line(&visit, &call, &mode.says),
        rule: call.rule.to_string(),
        facts: facts(visit.t(), &mode.says),
        duties: mode.says.duties.known().cloned().unwrap_or_default(),
        partitions,
        organisations,
        may_weigh: visit.actor.can(Action::WeighCall, &[]),
        may_arrange: mode.says.decided_by == DecidedBy::People
            && visit.actor.can(Action::ArrangeReview, &[]),
        frame: visit.frame.clone(),
    })
}

fn line(visit: &Visit, call: &Call, mode: &AccessMode) -> Line {
    let t = visit.t();
    let (stage, until) = match call.stage(visit.app.now()) {
        Stage::Planned { opens_at } => ("planned", Some(opens_at)),
        Stage::Open { closes_at } => ("open", closes_at),
        Stage::Closed { closed_at } => ("closed", Some(closed_at)),
    };
    Line {
        id: call.id.to_string(),
        title: call.title.clone(),
        mode: mode.name.clone(),
        summary: mode.summary.clone(),
        unit: mode.meter.hour_name(),
        hours: range(t, mode),
        stage,
        until: until.map(|at| t.minute(at)),
        by_rules: mode.decided_by == access::policy::DecidedBy::Rules,
    }
}

/// How many hours one may ask for.
fn range(t: Tongue, mode: &AccessMode) -> String {
    let figure = |figure: &Figure<u32>| figure.known().map(|hours| t.number(i64::from(*hours)));
    match (figure(&mode.hours_min), figure(&mode.hours_max)) {
        (Some(low), Some(high)) => format!("{low} – {high}"),
        (None, Some(high)) => format!("≤ {high}"),
        (Some(low), None) => format!("≥ {low}"),
        (None, None) => t.say("unknown"),
    }
}

fn facts(t: Tongue, mode: &AccessMode) -> Vec<(String, String)> {
    let words = |list: Vec<String>| list.join(", ");
    let who = mode.who.iter().map(|it| t.sub("audience-", &it.to_string())).collect();
    let free = mode
        .free_for
        .map(|list| words(list.iter().map(|it| t.sub("audience-", &it.to_string())).collect()));
    let months = mode.months.map(|list| words(list.iter().map(ToString::to_string).collect()));
    let or_unknown = |figure: Figure<String>| match figure {
        Figure::Known(text, _) => text,
        Figure::Unknown(_) => t.say("unknown"),
    };
    vec![
        (t.say("call-who"), words(who)),
        (t.say("call-free"), or_unknown(free)),
        (t.say("call-months"), or_unknown(months)),
        (t.say("call-payer"), hours::payer(t, mode.draws_on)),
        (t.say("call-time"), or_unknown(mode.time_to_access.map(ToString::to_string))),
    ]
}

async fn offer(visit: &Visit, key: &PartitionKey, mode: &AccessMode) -> Result<Offer, Problem> {
    let (factory, ..) = visit.app.partition(&visit.actor, key)?;
    let pools = visit.app.partition_pools(&visit.actor, key, visit.app.now()).await?;
    let opened = pools.opened.iter().find(|(pool, _)| pool.payer == mode.draws_on);
    let computed = pools.computed.as_ref().ok();
    let computed = computed.and_then(|it| it.pools.iter().find(|it| it.payer == mode.draws_on));
    let left = opened.map(|(_, left)| *left).or_else(|| computed.map(|pool| pool.amount));
    Ok(Offer {
        key: key.to_string(),
        factory: factory.name.clone(),
        factory_key: factory.key.to_string(),
        left: left.map(|work| visit.t().work(work, mode.meter)),
    })
}

/// `POST /calls/{id}/apply`: begins an application.
pub(crate) async fn apply(
    visit: Visit,
    Path(id): Path<CallId>,
    form: Form,
) -> Result<Response, Problem> {
    let organisation: OrganisationId = form
        .text("organisation")
        .parse()
        .map_err(|error| Problem::field("organisation", format!("{error}")))?;
    let (call, _) = visit.app.call(&visit.actor, id).await?;
    let only = |keys: &[PartitionKey]| match keys {
        [key] => Some(key.clone()),
        _ => None,
    };
    let draft =
        access::application::Draft { partition: only(&call.partitions), ..Default::default() };
    let begun = visit.app.begin_application(&visit.actor, (id, organisation), draft).await?;
    Ok(on_to(&format!("/applications/{}", begun.id)))
}
