//! The single undertaking of Article 2(2): enterprises linked to one another by majorities or
//! control, through other enterprises, not through persons.

use std::collections::BTreeSet;

use units::OrganisationId;

use crate::policy::SmeDefinition;
use crate::sme::{Group, linked_by_enterprises};

/// The organisations on record that are one undertaking with the subject of `group`, by what it
/// declares; the subject itself is not among them.
pub fn single_undertaking(group: &Group, definition: &SmeDefinition) -> BTreeSet<OrganisationId> {
    let linked = linked_by_enterprises(group, definition);
    let others = linked.iter().filter(|key| **key != group.subject);
    others.filter_map(|key| group.members.get(key)?.organisation).collect()
}
