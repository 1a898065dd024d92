//! What this machine has for jobs.

use std::io;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use sched::{
    Amount, MachineError, NodePlacement, NodeSpec, PartitionSpec, Placement, Policy, Sharing,
};

use super::settings::Settings;
use crate::carry::{Gpu, Task, memory_of_machine_mb, own_cpus};

/// The only partition and node of a local engine, as the scheduler names them.
pub(super) const HERE: &str = "here";

/// Cores, memory and GPUs, with the system's own numbers for them.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) host: String,
    pub(super) cpus: Vec<usize>,
    pub(super) memory_mb: u64,
    pub(super) gpus: Vec<Gpu>,
}

impl Machine {
    /// Looks around, within what `settings` leave to jobs.
    pub(super) fn discover(settings: &Settings) -> io::Result<Self> {
        let mut cpus = own_cpus()?;
        let before = usize::try_from(settings.cores_before).unwrap_or(usize::MAX);
        if before < cpus.len() {
            cpus.drain(..before);
        }
        if let Some(cores) = settings.cores {
            cpus.truncate(usize::try_from(cores).unwrap_or(usize::MAX));
        }
        let all_mb = memory_of_machine_mb();
        let memory_mb = settings.memory_mb.unwrap_or(all_mb / 10 * 9).min(all_mb);
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Self { host, cpus, memory_mb, gpus: nvidia_gpus() })
    }

    /// The same for the scheduler: one node that jobs share.
    pub(super) fn scheduler(&self) -> Result<sched::Machine, MachineError> {
        let whole = Amount {
            cores: u32::try_from(self.cpus.len()).unwrap_or(u32::MAX),
            memory_mb: self.memory_mb,
            gpus: u32::try_from(self.gpus.len()).unwrap_or(u32::MAX),
        };
        sched::Machine::new([PartitionSpec {
            name: HERE.to_owned(),
            nodes: vec![NodeSpec { name: HERE.to_owned(), whole, features: Vec::new() }],
            sharing: Sharing::Shared,
            policy: Policy::Easy,
            time_limit_seconds_max: None,
        }])
    }
}

impl Machine {
    /// Where a task runs, in the scheduler's numbers.
    pub(super) fn placement(&self, task: &Task) -> Placement {
        let number = |index: usize| u32::try_from(index).ok();
        let core = |cpu: &usize| self.cpus.iter().position(|own| own == cpu).and_then(number);
        let gpu =
            |gpu: &Gpu| self.gpus.iter().position(|own| own.uuid == gpu.uuid).and_then(number);
        Placement {
            nodes: vec![NodePlacement {
                node: HERE.to_owned(),
                cores: task.cpus.iter().filter_map(core).collect(),
                gpus: task.gpus.iter().filter_map(gpu).collect(),
                memory_mb: task.request.memory_mb,
            }],
        }
    }
}

/// The GPUs that NVIDIA's management library knows; none where there is no such library.
fn nvidia_gpus() -> Vec<Gpu> {
    let library = match Nvml::init() {
        Ok(library) => library,
        Err(NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound) => return Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "the GPUs of this machine cannot be used");
            return Vec::new();
        }
    };
    let count = library.device_count().unwrap_or_default();
    let found: Result<Vec<Gpu>, NvmlError> = (0..count)
        .map(|index| {
            let device = library.device_by_index(index)?;
            Ok(Gpu {
                index,
                minor: device.minor_number()?,
                uuid: device.uuid()?,
                name: device.name()?,
            })
        })
        .collect();
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "the GPUs of this machine cannot be told apart");
        Vec::new()
    })
}
