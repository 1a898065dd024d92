//! Everybody who asks for hours: organisations, their declarations and undertakings, people.

use std::collections::BTreeSet;

use access::organisation::{Organisation, OrganisationKind};
use store::Store;
use store::identity::{grants, people};
use store::organisations::Declaration;
use units::{OrganisationId, PersonId};

use crate::seeds::{Seeds, in_portions};

/// How much there is of everything.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) organisations: usize,
    pub(crate) applications: usize,
    /// Applications under one call.
    pub(crate) a_call: usize,
    pub(crate) reviewers: usize,
}

/// Those who ask, and those who judge.
pub(crate) struct Town {
    pub(crate) organisations: Vec<Organisation>,
    /// Who writes applications, each with the organisation that they speak for.
    pub(crate) writers: Vec<(PersonId, OrganisationId)>,
    pub(crate) reviewers: Vec<PersonId>,
}

const COUNTRIES: [&str; 17] = [
    "LU", "FR", "DE", "IT", "ES", "FI", "SE", "GR", "PT", "RO", "AT", "SI", "CZ", "DK", "EE", "NO",
    "PL",
];
const FIRST: [&str; 16] = [
    "Aurore",
    "Boréal",
    "Calanque",
    "Delta",
    "Étoile",
    "Fjord",
    "Garonne",
    "Helios",
    "Isar",
    "Jura",
    "Kalmar",
    "Lumière",
    "Moselle",
    "Nordlys",
    "Orion",
    "Pénélope",
];
const SECOND: [&str; 12] = [
    "Langue",
    "Robotics",
    "Genomics",
    "Climat",
    "Materials",
    "Espace",
    "Finance",
    "Energy",
    "Agri",
    "Mobility",
    "Santé",
    "Vision",
];

/// Fills `store`; every enterprise that applies has declared what `declared` says.
pub(crate) async fn fill(
    store: &Store,
    seeds: &mut Seeds,
    measure: Measure,
    declared: &Declaration,
) -> Town {
    let organisations: Vec<Organisation> =
        (0..measure.organisations).map(|number| organisation(seeds, number)).collect();
    let at = seeds.at();
    in_portions(store, &organisations, async |tx, it| {
        store::organisations::insert(tx, it, "person:bench", at).await
    })
    .await;
    related(store, &organisations).await;
    // One in twenty has ever applied: it has declared its size, and one person writes for it.
    let asking: Vec<Declaration> = organisations
        .iter()
        .step_by(20)
        .map(|it| Declaration { id: seeds.id(), organisation: it.id, ..declared.clone() })
        .collect();
    in_portions(store, &asking, async |tx, it| store::organisations::declare(tx, it).await).await;
    let writers: Vec<_> =
        asking.iter().map(|it| (PersonId::from_uuid(seeds.id()), it.organisation)).collect();
    in_portions(store, &writers, async |tx, (person, organisation)| {
        people::insert(tx, &named(*person, "writer", at)).await?;
        let scope = format!("organisation:{organisation}");
        let given = granted(*person, "organisation-representative", &scope, at);
        grants::insert(tx, &given).await.map(drop)
    })
    .await;
    let reviewers: Vec<PersonId> =
        (0..measure.reviewers).map(|_| PersonId::from_uuid(seeds.id())).collect();
    in_portions(store, &reviewers, async |tx, person| {
        people::insert(tx, &named(*person, "reviewer", at)).await?;
        grants::insert(tx, &granted(*person, "reviewer", "federation", at)).await.map(drop)
    })
    .await;
    Town { organisations, writers, reviewers }
}

fn organisation(seeds: &mut Seeds, number: usize) -> Organisation {
    let kind = match seeds.below(10) {
        0..=6 => OrganisationKind::Enterprise,
        7 => OrganisationKind::PublicBody,
        _ => OrganisationKind::Research,
    };
    let country = *seeds.pick(&COUNTRIES);
    Organisation {
        id: OrganisationId::from_uuid(seeds.id()),
        name: format!("{} {} {number}", seeds.pick(&FIRST), seeds.pick(&SECOND)),
        kind,
        country: country.parse().unwrap(),
        legal_form: None,
        registration: Some(format!("{country}{number:08}")),
        sector: Some("language technology".to_owned()),
        nace: None,
        registered_on: Some("2024-05-01".parse().unwrap()),
    }
}

/// One organisation in eight is one undertaking with the next three.
async fn related(store: &Store, organisations: &[Organisation]) {
    let groups: Vec<&[Organisation]> = organisations.chunks(8).collect();
    in_portions(store, &groups, async |tx, group| {
        let others: BTreeSet<OrganisationId> =
            group.iter().skip(1).take(3).map(|it| it.id).collect();
        store::aid::set_undertaking(tx, &group[0], &others).await
    })
    .await;
}

fn named(id: PersonId, role: &str, created_at: units::Timestamp) -> people::Person {
    people::Person {
        id,
        email: format!("{id}@{role}.example.net"),
        name: format!("A {role}"),
        password: None,
        created_at,
        disabled_at: None,
    }
}

/// A role that somebody holds.
pub(crate) fn granted(
    person: PersonId,
    role: &str,
    scope: &str,
    granted_at: units::Timestamp,
) -> grants::GrantRecord {
    let (role, scope) = (role.to_owned(), scope.to_owned());
    grants::GrantRecord { person, role, scope, granted_by: "system".to_owned(), granted_at }
}
