//! A factory: its states, systems and agreements, every figure with its source.

use access::agreement::Agreement;
use access::document::{Evidence, Figure, Source};
use access::federation::{Factory, Partition, System};
use app::{Action, Scope};
use askama::Template;
use axum::response::Response;
use units::Slug;

use super::capacity;
use super::chart::Bar;
use super::hours;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::extract::Path;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "factory.html")]
struct FactoryPage {
    frame: Frame,
    name: String,
    lead: String,
    facts: Vec<Fact>,
    systems: Vec<SystemView>,
    sources: Vec<String>,
}

/// A figure as it is shown: its name, its value, and what stands behind it.
struct Fact {
    label: String,
    /// The value, or why it is unknown.
    value: Result<String, String>,
    /// The number of its source below.
    source: Option<usize>,
    note: Option<String>,
}

struct SystemView {
    key: String,
    name: String,
    kind: String,
    facts: Vec<Fact>,
    agreement: Vec<Fact>,
    partitions: Vec<PartitionView>,
}

struct PartitionView {
    key: String,
    name: String,
    facts: Vec<Fact>,
    period: String,
    served: bool,
    /// Who has how many hours this quarter, or what is missing to know it.
    pools: Result<Pools, Vec<String>>,
    /// What becomes of them, for those who answer for the factory.
    ahead: Vec<capacity::Line>,
}

struct Pools {
    bar: Bar,
    lines: Vec<String>,
}

/// `GET /factories/{key}`.
pub(crate) async fn show(visit: Visit, Path(key): Path<Slug>) -> Result<Response, Problem> {
    let t = visit.t();
    let factory = visit.app.factory(&visit.actor, &key)?;
    let mut sources = Sources::default();
    let facts = factory_facts(t, factory, &mut sources);
    let mut systems = Vec::new();
    for system in &factory.systems {
        systems.push(system_view(&visit, (factory, system), &mut sources).await?);
    }
    let place = format!("{}, {}", factory.place, t.country(factory.country));
    page(&FactoryPage {
        frame: visit.frame.clone(),
        name: factory.name.clone(),
        lead: format!("{} · {place}", factory.hosting_entity),
        facts,
        systems,
        sources: sources.0.iter().map(ToString::to_string).collect(),
    })
}

fn factory_facts(t: Tongue, factory: &Factory, sources: &mut Sources) -> Vec<Fact> {
    let countries = |codes: &Vec<units::CountryCode>| {
        let names: Vec<_> = codes.iter().map(|code| t.country(*code)).collect();
        if names.is_empty() { t.say("none") } else { names.join(", ") }
    };
    vec![
        sources.fact(t.say("factory-joined"), &factory.joined.map(countries)),
        sources.fact(t.say("factory-partners"), &factory.partners.map(|list| list.join(", "))),
        sources.fact(t.say("factory-sectors"), &factory.sectors.map(|list| list.join(", "))),
    ]
}

async fn system_view(
    visit: &Visit,
    (factory, system): (&Factory, &System),
    sources: &mut Sources,
) -> Result<SystemView, Problem> {
    let t = visit.t();
    let mut facts = vec![
        sources.fact(
            t.say("system-deployment"),
            &system.deployment.map(|stage| t.sub("deployment-", &stage.to_string())),
        ),
        sources.fact(t.say("system-vendor"), &system.vendor.map(String::clone)),
    ];
    if let Some(expected) = &system.expected {
        facts.push(sources.fact(t.say("system-expected"), &expected.map(String::clone)));
    }
    let agreement = system.agreement.as_ref();
    let agreement = agreement.map(|it| agreement_facts(t, it, sources)).unwrap_or_default();
    let mut partitions = Vec::new();
    for partition in &system.partitions {
        partitions.push(partition_view(visit, (factory, partition), sources).await?);
    }
    Ok(SystemView {
        key: system.key.to_string(),
        name: system.name.clone(),
        kind: system.kind.to_string(),
        facts,
        agreement,
        partitions,
    })
}

fn agreement_facts(t: Tongue, agreement: &Agreement, sources: &mut Sources) -> Vec<Fact> {
    let shares = |list: &Vec<(units::CountryCode, u32)>| {
        let parts: Vec<_> =
            list.iter().map(|(code, weight)| format!("{} {weight}", t.country(*code))).collect();
        parts.join(", ")
    };
    vec![
        sources.fact(t.say("agreement-acquisition"), &agreement.acquisition.map(|it| money(*it))),
        sources.fact(t.say("agreement-operation"), &agreement.operation.map(|it| money(*it))),
        sources.fact(
            t.say("agreement-years"),
            &agreement.operation_years.map(|years| t.number(i64::from(*years))),
        ),
        sources.fact(
            t.say("agreement-union-acquisition"),
            &agreement.union_acquisition.map(|share| t.percent(share)),
        ),
        sources.fact(
            t.say("agreement-union-operation"),
            &agreement.union_operation.map(|share| t.percent(share)),
        ),
        sources.fact(
            t.say("agreement-commercial"),
            &agreement.commercial.map(|share| t.percent(share)),
        ),
        sources.fact(t.say("agreement-remainder"), &agreement.remainder.map(shares)),
    ]
}

/// An amount of euros without its cents, which agreements do not have.
fn money(amount: units::Cents) -> String {
    amount.to_string().trim_end_matches(".00").replace(' ', "\u{a0}")
}

async fn partition_view(
    visit: &Visit,
    (factory, partition): (&Factory, &Partition),
    sources: &mut Sources,
) -> Result<PartitionView, Problem> {
    let t = visit.t();
    let count = |number: &u32| t.number(i64::from(*number));
    let facts = vec![
        sources.fact(t.say("partition-nodes"), &partition.nodes.map(count)),
        sources.fact(t.say("partition-per-node"), &partition.devices_per_node.map(count)),
        sources.fact(t.say("partition-devices"), &partition.devices.map(count)),
        sources.fact(t.say("partition-device"), &partition.device.map(String::clone)),
        sources.fact(t.say("partition-rule"), &partition.charge_rule.map(ToString::to_string)),
    ];
    let found = visit.app.partition_pools(&visit.actor, &partition.key, visit.app.now()).await?;
    let pools = found.computed.map_err(|missing| missing.reasons).map(|computed| {
        let hours: Vec<_> = computed.pools.iter().map(|pool| (pool.payer, pool.amount)).collect();
        let bar = hours::by_payer(t, partition.key.to_string(), partition.meter, &hours);
        Pools { bar, lines: computed.lines }
    });
    let last = found.period.end().checked_sub(jiff::SignedDuration::from_secs(1));
    let last = last.unwrap_or_else(|_| found.period.end());
    Ok(PartitionView {
        key: partition.key.to_string(),
        name: partition.name.clone(),
        facts,
        period: format!("{} – {}", t.day(found.period.start()), t.day(last)),
        served: visit.app.rules().served.contains(&partition.key),
        pools,
        ahead: pools_ahead(visit, (factory, partition)).await?,
    })
}

/// What becomes of a partition's pools; nothing for visitors who do not answer for its factory.
async fn pools_ahead(
    visit: &Visit,
    (factory, partition): (&Factory, &Partition),
) -> Result<Vec<capacity::Line>, Problem> {
    if !visit.actor.can(Action::ViewCapacity, &[Scope::Factory(factory.key.clone())]) {
        return Ok(Vec::new());
    }
    let forecast = visit.app.capacity_forecast(&visit.actor, &partition.key).await?;
    Ok(capacity::lines(visit.t(), &forecast))
}

/// The sources that a page names, in the order in which they are first needed.
#[derive(Default)]
struct Sources(Vec<Source>);

impl Sources {
    /// A figure as it is shown.
    fn fact(&mut self, label: String, figure: &Figure<String>) -> Fact {
        match figure {
            Figure::Known(value, Evidence { source, note }) => Fact {
                label,
                value: Ok(value.clone()),
                source: Some(self.number(source)),
                note: note.clone(),
            },
            Figure::Unknown(why) => {
                Fact { label, value: Err(why.clone()), source: None, note: None }
            }
        }
    }

    /// The number under which `source` stands, from 1.
    fn number(&mut self, source: &Source) -> usize {
        let known = self.0.iter().position(|other| other == source);
        let index = known.unwrap_or_else(|| {
            self.0.push(source.clone());
            self.0.len() - 1
        });
        index + 1
    }
}
