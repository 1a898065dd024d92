//! What one accelerator can do, by its name.

use crate::document::{Figure, Table, Value};

/// A kind of accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name, as partitions name it.
    pub name: String,
    /// Its peak in arithmetic of 16 bits, dense, in teraflops: what models are trained in.
    pub teraflops: Figure<u32>,
    /// Its memory, in 10⁹ bytes.
    pub memory_gb: Figure<u32>,
}

/// The kinds of accelerators, each described once.
pub(super) fn read(table: &Table<'_>) -> Vec<Device> {
    let devices = table.tables("devices", |table| {
        let name = table.required("name", Value::text);
        let teraflops = table.required("teraflops", |value| value.figure(Value::count));
        let memory_gb = table.required("memory_gb", |value| value.figure(Value::count));
        Some(Device { name: name?, teraflops: teraflops?, memory_gb: memory_gb? })
    });
    for (index, device) in devices.iter().enumerate() {
        if devices.iter().take(index).any(|other| other.name == device.name) {
            table.fault_of::<()>("devices", format!("`{}` stands there twice", device.name));
        }
    }
    devices
}
