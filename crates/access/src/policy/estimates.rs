//! What the estimator counts with: what a token costs, and what a device delivers.

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

/// A sort of device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its names in the federation's files.
    pub names: Vec<String>,
    /// Its peak, dense in BF16, in 10¹² operations a second.
    pub teraflops: u32,
    /// Its memory, in 10⁹ bytes.
    pub memory_gb: u32,
}

/// The entries of `estimates.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimates {
    pub(super) work: Vec<Entry<ModelWork>>,
    pub(super) devices: Vec<Entry<Device>>,
}

pub(super) fn read(root: &Table<'_>) -> Option<Estimates> {
    let work = entries(root, "work", |table| {
        let operations = table.required("operations", Value::count);
        let bytes = table.required("bytes", |value| value.figure(Value::count));
        let utilisation = table.required("utilisation", |value| value.figure(Value::percent));
        Some(ModelWork { operations: operations?, bytes: bytes?, utilisation: utilisation? })
    });
    let devices = entries(root, "devices", |table| {
        let names = table.required("names", |value| value.list(Value::text));
        let teraflops = table.required("teraflops", Value::count);
        let memory_gb = table.required("memory_gb", Value::count);
        Some(Device { names: names?, teraflops: teraflops?, memory_gb: memory_gb? })
    });
    Some(Estimates { work: work?, devices: devices? })
}
