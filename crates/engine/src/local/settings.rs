//! What an operator decides about jobs on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// How to start this program so that it calls [`crate::carry::main`] with what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<String>,
}

impl Carrier {
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// Whether the kernel's control groups keep jobs within their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlGroups {
    /// Where this user may make them.
    WherePossible,
    /// Never; the shepherd alone measures and enforces.
    Never,
}

/// How jobs run on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where jobs' files lie; on a file system that allows programs to run.
    pub folder: PathBuf,
    /// The way to the processes around a job.
    pub carrier: Carrier,
    /// Cores for jobs; all that this process may use when absent.
    pub cores: Option<u32>,
    /// How many of this machine's cores are left to engines before this one, where there are
    /// more.
    pub cores_before: u32,
    /// Memory for jobs; nine tenths of the machine's when absent.
    pub memory_mb: Option<u64>,
    /// Paths that jobs may read beside those of the system.
    pub readable: Vec<PathBuf>,
    /// Variables for every job.
    pub environment: BTreeMap<String, String>,
    /// Whether control groups are made.
    pub control_groups: ControlGroups,
    /// How long a job has between the request to end and the end.
    pub grace_seconds: u64,
    /// How many processes and threads a job may have at once.
    pub processes_max: u64,
    /// How large a file a job may write.
    pub file_bytes_max: u64,
}

impl Settings {
    /// Everything that this machine has, for jobs whose files lie in `folder`.
    pub const fn new(folder: PathBuf, carrier: Carrier) -> Self {
        Self {
            folder,
            carrier,
            cores: None,
            cores_before: 0,
            memory_mb: None,
            readable: Vec::new(),
            environment: BTreeMap::new(),
            control_groups: ControlGroups::WherePossible,
            grace_seconds: 10,
            processes_max: 4096,
            file_bytes_max: 1 << 40,
        }
    }
}
