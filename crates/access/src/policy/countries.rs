//! Groups of states whose organisations may apply.

use units::CountryCode;

use super::{Entry, entries};
use crate::document::{Table, Value};

/// A group of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryGroup {
    /// What they have in common.
    pub name: String,
    /// The states.
    pub states: Vec<CountryCode>,
}

/// The entries of `countries.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Vec<Entry<CountryGroup>>> {
    entries(root, "groups", |table| {
        let name = table.required("name", Value::text);
        let states = table.required("states", |value| value.list(Value::parsed));
        Some(CountryGroup { name: name?, states: states? })
    })
}
