//! What the engine hands to the processes around a job.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::probe::Isolation;
use crate::job::{Network, Request};

/// Where and how a job runs: decided by the engine, durable before the shepherd starts, handed
/// down from stage to stage over standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The job's id, as text.
    pub(crate) job: String,
    /// The job's folder.
    pub(crate) folder: PathBuf,
    /// Arguments that lead from this program to [`super::main`].
    pub(crate) arguments: Vec<String>,
    /// The processors it has to itself, as the system numbers them.
    pub(crate) cpus: Vec<usize>,
    /// The GPUs it has to itself.
    pub(crate) gpus: Vec<Gpu>,
    /// Its limits.
    pub(crate) request: Request,
    /// Whether it may reach the network.
    pub(crate) network: Network,
    /// All variables of its environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// The folder in its directory where the script runs, if not the directory itself.
    pub(crate) begins_in: Option<String>,
    /// Names of the files in its directory that also hold its standard output and error.
    pub(crate) output_names: (Option<String>, Option<String>),
    /// Paths it may read beside those of the system.
    pub(crate) readable: Vec<PathBuf>,
    /// How long it has between the request to end and the end.
    pub(crate) grace_seconds: u64,
    /// How many processes and threads it may have at once.
    pub(crate) processes_max: u64,
    /// How large a file it may write.
    pub(crate) file_bytes_max: u64,
    /// What this machine allows, as tried out when the engine started.
    pub(crate) isolation: Isolation,
}

/// One GPU of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gpu {
    /// Its number, as the scheduler counts.
    pub(crate) index: u32,
    /// The number of its device file.
    pub(crate) minor: u32,
    /// Its identity for CUDA, which does not depend on which others can be seen.
    pub(crate) uuid: String,
    /// Its model.
    pub(crate) name: String,
}

impl Task {
    /// Reads what the stage before wrote to standard input.
    pub(crate) fn receive() -> io::Result<Self> {
        Ok(serde_json::from_reader(io::stdin().lock())?)
    }
}
