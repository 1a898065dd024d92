//! The dashboard: who pays for the federation, and what it can compute before and with its
//! factories, drawn from the files that describe it.

use access::federation::{
    Accelerators, Capacity, CapacityLine, Contributor, FactoryFunding, Overview, Paid, Programme,
};
use askama::Template;
use axum::response::Response;
use units::Cents;

use super::chart::{Bar, Part};
use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    frame: Frame,
    /// What was announced, and what is known of it, by who pays.
    whole: Bar,
    programmes: Vec<(String, String)>,
    states: Vec<(String, String)>,
    factories: Vec<FactoryLine>,
    growth: Option<String>,
    capacities: Vec<Bar>,
    lines: Vec<MachineLine>,
    missing: usize,
}

struct FactoryLine {
    key: String,
    name: String,
    bar: Option<Bar>,
    unknown: Vec<String>,
}

/// A partition in the table of machines.
struct MachineLine {
    partition: String,
    factory: String,
    new: bool,
    accelerators: String,
    petaflops: String,
    unknown: Option<String>,
}

/// `GET /dashboard`.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let t = visit.t();
    let federation = visit.app.federation(&visit.actor)?;
    let overview = visit.app.funding_overview(&visit.actor)?;
    let capacity = federation.capacity();
    let lines: Vec<MachineLine> = [(&capacity.before, false), (&capacity.added, true)]
        .into_iter()
        .flat_map(|(lines, new)| lines.iter().map(move |line| machine(t, line, new)))
        .collect();
    let most = most(&overview);
    page(&DashboardPage {
        whole: whole(t, &federation.programme, &overview),
        programmes: programmes(t, &federation.programme, &overview),
        states: overview
            .states
            .iter()
            .map(|(who, paid)| (contributor(t, who), money(*paid)))
            .collect(),
        factories: overview.factories.iter().map(|it| factory(t, it, most)).collect(),
        growth: capacity.growth_hundredths().map(|growth| times(t, growth)),
        capacities: capacities(t, &capacity),
        missing: lines.iter().filter(|line| line.unknown.is_some()).count(),
        lines,
        frame: visit.frame.clone(),
    })
}

/// Whole euros; a cent more or less is nothing here.
fn money(amount: Cents) -> String {
    let text = amount.to_string();
    text.strip_suffix(".00").unwrap_or(&text).replace(' ', "\u{a0}")
}

/// `276` as `2.7`: rounded down, as a claim should be.
fn times(t: Tongue, hundredths: u64) -> String {
    let tenths = u32::try_from(hundredths / 10).unwrap_or(u32::MAX);
    t.hundredths(tenths.saturating_mul(10))
}

fn amount(t: Tongue, (class, label): (&'static str, &str), amount: Cents) -> Part {
    Part { class, label: t.sub("dashboard-", label), value: amount.count(), text: money(amount) }
}

fn whole(t: Tongue, programme: &Programme, overview: &Overview) -> Bar {
    let (infrastructure, services) = (overview.infrastructure, overview.services);
    let mut parts = vec![
        amount(t, ("union", "union-infrastructure"), infrastructure.union),
        amount(t, ("commercial", "union-services"), services.union),
        amount(t, ("state-1", "states-infrastructure"), infrastructure.states),
        amount(t, ("state-2", "states-services"), services.states),
    ];
    if let Some(rest) = overview.unaccounted.known() {
        parts.push(amount(t, ("rest", "unaccounted"), *rest));
    }
    let whole = parts.iter().map(|part| part.value).sum();
    let announced = programme.investment.known().map(|amount| money(*amount));
    let title = match &announced {
        Some(amount) => t.fill("dashboard-announced", &[("amount", amount)]),
        None => t.say("dashboard-known"),
    };
    Bar { title, parts, whole }
}

fn programmes(t: Tongue, programme: &Programme, overview: &Overview) -> Vec<(String, String)> {
    let line = |figure: &access::document::Figure<String>, purpose: &str, paid: Paid| {
        let name = figure.known().cloned().unwrap_or_else(|| t.say("unknown"));
        (format!("{name}: {}", t.sub("dashboard-", purpose)), money(paid.union))
    };
    vec![
        line(&programme.infrastructure_paid_by, "infrastructure", overview.infrastructure),
        line(&programme.services_paid_by, "services", overview.services),
    ]
}

fn contributor(t: Tongue, who: &Contributor) -> String {
    match who {
        Contributor::State(state) => t.country(*state),
        Contributor::Together(states) => {
            let names: Vec<String> = states.iter().map(|state| t.country(*state)).collect();
            t.fill("dashboard-together", &[("states", names.join(", ").as_str())])
        }
    }
}

/// What the dearest factory costs, by which all are drawn.
fn most(overview: &Overview) -> i64 {
    let costs = overview.factories.iter().map(|it| sum(it.infrastructure) + sum(it.services));
    costs.max().unwrap_or_default()
}

fn sum(paid: Paid) -> i64 {
    paid.total().map_or(i64::MAX, Cents::count)
}

fn factory(t: Tongue, funding: &FactoryFunding, most: i64) -> FactoryLine {
    let (infrastructure, services) = (funding.infrastructure, funding.services);
    let mut parts = vec![
        amount(t, ("union", "union-infrastructure"), infrastructure.union),
        amount(t, ("commercial", "union-services"), services.union),
        amount(t, ("state-1", "states-infrastructure"), infrastructure.states),
        amount(t, ("state-2", "states-services"), services.states),
    ];
    parts.retain(|part| part.value > 0);
    let bar = Bar { title: funding.name.clone(), parts, whole: most };
    FactoryLine {
        key: funding.key.to_string(),
        name: funding.name.clone(),
        bar: (!bar.parts.is_empty()).then_some(bar),
        unknown: funding.unknown.clone(),
    }
}

/// Two bars on one scale: before, and with the factories.
fn capacities(t: Tongue, capacity: &Capacity) -> Vec<Bar> {
    let before = capacity.before_teraflops();
    let added = capacity.added_teraflops();
    let whole = in_teraflops(before.saturating_add(added));
    let part = |class, label, teraflops: u64| Part {
        class,
        label: t.sub("dashboard-", label),
        value: in_teraflops(teraflops),
        text: petaflops(t, teraflops),
    };
    let old = part("state-1", "old-machines", before);
    let new = part("union", "new-machines", added);
    vec![
        Bar { title: t.say("dashboard-before"), parts: vec![old.clone()], whole },
        Bar { title: t.say("dashboard-after"), parts: vec![old, new], whole },
    ]
}

fn in_teraflops(teraflops: u64) -> i64 {
    i64::try_from(teraflops).unwrap_or(i64::MAX)
}

fn petaflops(t: Tongue, teraflops: u64) -> String {
    let number = t.number(in_teraflops(teraflops / 1_000));
    t.fill("dashboard-petaflops", &[("number", number.as_str())])
}

fn machine(t: Tongue, line: &CapacityLine, new: bool) -> MachineLine {
    let accelerators = match &line.accelerators {
        Accelerators::Exactly(count) => t.number(i64::from(*count)),
        Accelerators::AtLeast(count) => format!("> {}", t.number(i64::from(*count))),
        Accelerators::Unknown(_) => t.say("unknown"),
    };
    MachineLine {
        partition: line.partition.to_string(),
        factory: line.factory.to_string(),
        new,
        accelerators,
        petaflops: line
            .teraflops
            .as_ref()
            .map_or_else(|_| t.say("unknown"), |it| petaflops(t, *it)),
        unknown: line.teraflops.as_ref().err().cloned(),
    }
}
