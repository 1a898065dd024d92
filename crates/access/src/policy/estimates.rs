//! What the estimator counts with: what a token costs.

use units::PartsPerMillion;

use super::{Entry, entries};
use crate::document::{Figure, Table, Value};

/// A kind of work on a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelWork {
    /// Operations a parameter and token.
    pub operations: u32,
    /// Bytes a parameter that have to be in the devices' memory.
    pub bytes: Figure<u32>,
    /// The part of the devices' peak that is reached.
    pub utilisation: Figure<PartsPerMillion>,
}

/// The entries of `estimates.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Vec<Entry<ModelWork>>> {
    entries(root, "work", |table| {
        let operations = table.required("operations", Value::count);
        let bytes = table.required("bytes", |value| value.figure(Value::count));
        let utilisation = table.required("utilisation", |value| value.figure(Value::percent));
        Some(ModelWork { operations: operations?, bytes: bytes?, utilisation: utilisation? })
    })
}
