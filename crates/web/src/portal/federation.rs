//! The front page: who hosts and who joins, on which machines, and whose hours they are.

use std::collections::BTreeMap;

use access::federation::{Factory, System};
use askama::Template;
use axum::response::Response;
use units::CountryCode;

use super::chart::{Bar, Map, Standing};
use super::hours;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "federation.html")]
struct FederationPage {
    frame: Frame,
    map: Map,
    factories: Vec<Card>,
}

/// A factory at a glance.
struct Card {
    key: String,
    name: String,
    host: String,
    place: String,
    states: Vec<String>,
    systems: Vec<Machine>,
    bars: Vec<(String, Bar)>,
}

/// A system in one line.
struct Machine {
    name: String,
    kind: String,
    deployment: Option<String>,
}

/// `GET /`.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let federation = visit.app.federation(&visit.actor)?;
    let mut factories = Vec::new();
    for factory in federation.factories.values() {
        factories.push(card(&visit, factory)?);
    }
    let map = map(visit.t(), federation.factories.values());
    page(&FederationPage { frame: visit.frame.clone(), map, factories })
}

fn card(visit: &Visit, factory: &Factory) -> Result<Card, Problem> {
    let t = visit.t();
    let mut bars = Vec::new();
    for partition in factory.systems.iter().flat_map(|system| &system.partitions) {
        let now = visit.app.now();
        let computed = visit.app.computed_pools(&visit.actor, &partition.key, now)?;
        if let Ok(computed) = computed {
            let hours: Vec<_> =
                computed.pools.iter().map(|pool| (pool.payer, pool.amount)).collect();
            let title = partition.key.to_string();
            bars.push((title.clone(), hours::by_payer(t, title, partition.meter, &hours)));
        }
    }
    let joined = factory.joined.known().into_iter().flatten();
    Ok(Card {
        key: factory.key.to_string(),
        name: factory.name.clone(),
        host: factory.hosting_entity.clone(),
        place: format!("{}, {}", factory.place, t.country(factory.country)),
        states: joined.map(|code| t.country(*code)).collect(),
        systems: factory.systems.iter().map(machine).collect(),
        bars,
    })
}

fn machine(system: &System) -> Machine {
    Machine {
        name: system.name.clone(),
        kind: system.kind.to_string(),
        deployment: system.deployment.known().map(ToString::to_string),
    }
}

/// Who hosts and who joins.
fn map<'a>(t: Tongue, factories: impl Iterator<Item = &'a Factory>) -> Map {
    let mut hosts: BTreeMap<CountryCode, (String, Vec<&str>)> = BTreeMap::new();
    let mut joins: BTreeMap<CountryCode, Vec<&str>> = BTreeMap::new();
    for factory in factories {
        let page = format!("/factories/{}", factory.key);
        let entry = hosts.entry(factory.country).or_insert_with(|| (page, Vec::new()));
        entry.1.push(&factory.name);
        for state in factory.joined.known().into_iter().flatten() {
            joins.entry(*state).or_default().push(&factory.name);
        }
    }
    let mut states = BTreeMap::new();
    for (code, names) in joins {
        let (state, names) = (t.country(code), names.join(", "));
        let said = t.fill("map-joins", &[("state", &state), ("factories", &names)]);
        states.insert(code, (Standing::Joins, said));
    }
    for (code, (page, names)) in hosts {
        let (state, names) = (t.country(code), names.join(", "));
        let said = t.fill("map-hosts", &[("state", &state), ("factories", &names)]);
        states.insert(code, (Standing::Hosts(page), said));
    }
    Map { title: t.say("map-title"), states }
}
