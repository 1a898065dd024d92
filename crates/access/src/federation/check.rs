//! What must hold between the documents of a federation.

use std::collections::{BTreeMap, BTreeSet};

use units::{CountryCode, Slug};

use super::factory::Described;
use super::{Federation, Programme, file_name};
use crate::document::{Diagnostic, Diagnostics, Document, Place};

/// The fault of a folder without a programme.
pub(super) fn missing_programme() -> Diagnostics {
    let message = "this file is missing: it describes the programme";
    Diagnostics(vec![fault(Federation::PROGRAMME, Place::START, "", message)])
}

/// Faults between factories: file names, systems, partitions or states that stand twice.
pub(super) fn across(factories: &[(&Document, Described)]) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut systems: BTreeMap<&Slug, &str> = BTreeMap::new();
    for (document, described) in factories {
        let factory = &described.factory;
        let file = document.name.as_str();
        let expected = format!("{}.toml", factory.key);
        if file_name(document) != expected {
            let message = format!("is `{}`, so the file must be called {expected}", factory.key);
            faults.push(fault(file, described.key_at, "key", message));
        }
        for (index, (system, at)) in factory.systems.iter().zip(&described.systems_at).enumerate() {
            if let Some(other) = systems.insert(&system.key, file) {
                let message = format!("the system `{}` also stands in {other}", system.key);
                faults.push(fault(file, *at, &format!("systems[{index}].key"), message));
            }
            if let Some(twice) = first_twice(system.partitions.iter().map(|part| &part.key)) {
                let message = format!("the partition `{twice}` stands twice");
                faults.push(fault(file, *at, &format!("systems[{index}].partitions"), message));
            }
        }
        if let Some(twice) = first_twice(factory.states().iter()) {
            let message = format!("the state {twice} stands twice, or is the hosting state");
            faults.push(fault(file, described.joined_at, "joined", message));
        }
    }
    faults
}

/// The announced number of states, held against the factories', once those are all known.
pub(super) fn states_of(
    programme: &Programme,
    (file, at): &(String, Place),
    factories: &[(&Document, Described)],
) -> Option<Diagnostic> {
    let members = programme.member_states.known()?;
    let announced = members.checked_add(*programme.other_states.known()?)?;
    let mut states: BTreeSet<CountryCode> = BTreeSet::new();
    for (_, described) in factories {
        described.factory.joined.known()?;
        states.extend(described.factory.states());
    }
    let named = states.len();
    (u32::try_from(named) != Ok(announced)).then(|| {
        let message = format!(
            "with `other_states` this announces {announced} states, but the factories name {named}"
        );
        fault(file, *at, "member_states", message)
    })
}

fn first_twice<T: Ord + Copy>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    items.into_iter().find(|item| !seen.insert(*item))
}

fn fault(file: &str, at: Place, key: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic { file: file.to_owned(), at, key: key.to_owned(), message: message.into() }
}
