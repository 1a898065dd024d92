//! A job as an engine sees it.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use jobs::life::End;
use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};

use crate::Error;

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The name its owner gave it.
    pub name: String,
    /// The script, with its `#!` line.
    pub script: String,
    /// Variables for it, beside those the engine sets.
    pub environment: BTreeMap<String, String>,
    /// What it may use.
    pub request: Request,
    /// Whether it may reach the network.
    pub network: Network,
    /// The folder in its directory where the script runs, if not the directory itself.
    pub folder: Option<String>,
    /// Name of a file in its directory that also holds standard output.
    pub stdout: Option<String>,
    /// Name of a file that also holds standard error; joined with standard output when absent.
    pub stderr: Option<String>,
    /// Folders in its directory that will be asked for after its end.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Whose it is to a cluster's own scheduler.
    #[serde(default)]
    pub place: Place,
}

/// Whose a job is to a cluster's own scheduler, and what it asks there beside its [`Request`].
/// Engines without such a scheduler read nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The login at the site under which it runs; the agent's own when absent.
    pub user: Option<String>,
    /// The account that is charged.
    pub account: Option<String>,
    /// The quality of service.
    pub qos: Option<String>,
    /// The partition, or several with commas between.
    pub partition: Option<String>,
    /// More options of `sbatch`: long names without the dashes, with their values.
    pub options: Vec<(String, Option<String>)>,
}

impl Spec {
    /// The job as a scheduler sees it, on one node of `partition`.
    pub(crate) fn for_scheduler(&self, id: JobId, partition: &str) -> sched::Job {
        let Request { nodes, cores, memory_mb, gpus, time_limit_seconds } = self.request;
        sched::Job {
            id,
            partition: partition.to_owned(),
            request: sched::Request {
                nodes,
                each: sched::Amount { cores, memory_mb, gpus },
                features: Vec::new(),
            },
            time_limit_seconds: i64::try_from(time_limit_seconds).unwrap_or(i64::MAX),
            priority: 0,
            after: Vec::new(),
            held: false,
        }
    }

    /// Refuses what a single machine can know to be impossible without looking at itself.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.request.nodes != 1 {
            return Err(Error::Refused(
                "the nodes asked for are not one: this site is a single node".to_owned(),
            ));
        }
        self.check_anywhere(Reach::OwnDirectory)
    }

    /// Refuses what is impossible on any machine.
    pub(crate) fn check_anywhere(&self, reach: Reach) -> Result<(), Error> {
        if !self.script.starts_with("#!") {
            return Err(Error::Refused("the script does not begin with `#!`".to_owned()));
        }
        let may_be_named = |name: &str| match reach {
            Reach::OwnDirectory => is_inside(name),
            Reach::AsPerson => is_inside(name) || is_elsewhere(name),
        };
        for name in [&self.folder, &self.stdout, &self.stderr].into_iter().flatten() {
            if !may_be_named(name) {
                let text = format!("`{name}` is not a name in the job's own directory");
                return Err(Error::Refused(text));
            }
        }
        let nul = |text: &str| text.contains('\0');
        if self
            .environment
            .iter()
            .any(|(name, value)| name.is_empty() || name.contains('=') || nul(name) || nul(value))
        {
            return Err(Error::Refused("a variable of the environment cannot be set".to_owned()));
        }
        Ok(())
    }
}

/// How far the names of a job's files may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its own directory.
    OwnDirectory,
    /// Absolute paths too: they are opened as the person, who may open no more than is theirs.
    AsPerson,
}

/// What a job may use, over all its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Nodes.
    pub nodes: u32,
    /// Cores.
    pub cores: u32,
    /// Memory.
    pub memory_mb: u64,
    /// GPUs.
    pub gpus: u32,
    /// Time after which it is ended.
    pub time_limit_seconds: u64,
}

/// Whether a job may reach the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// It may not.
    Denied,
    /// It may.
    Allowed,
}

/// What there is for jobs: nodes that are alike, and what they have together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Name of the machine.
    pub host: String,
    /// How many nodes.
    pub nodes: u32,
    /// Cores, over all nodes.
    pub cores: u32,
    /// Memory, over all nodes.
    pub memory_mb: u64,
    /// Model names of the GPUs, over all nodes.
    pub gpus: Vec<String>,
    /// What keeps jobs apart and within their limits, for people.
    pub isolation: Vec<String>,
}

/// Where one job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The job.
    pub job: JobId,
    /// Where it stands.
    pub state: State,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for room.
    Queued,
    /// It runs.
    Running {
        /// Since when.
        started: Timestamp,
        /// On which nodes.
        nodes: Vec<String>,
        /// On which cores, by number.
        cores: Vec<u32>,
        /// With which GPUs, by number.
        gpus: Vec<u32>,
    },
    /// It is over.
    Ended(Ended),
}

/// How and when a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub end: End,
    /// More about it, for people, where there is more to say.
    pub reason: Option<String>,
    /// When it began to run, if it ever did.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Timestamp,
    /// Most memory that it held at once, where measured.
    pub peak_memory_mb: Option<u64>,
    /// Processor time of all its processes, where measured.
    pub cpu_milliseconds: Option<u64>,
}

/// What a job writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output, and standard error where the two are joined.
    Stdout,
    /// Standard error.
    Stderr,
    /// The file `metrics.jsonl` in its directory.
    Metrics,
}

/// Whether a path stays below the directory it starts from.
pub(crate) fn is_inside(path: &str) -> bool {
    let mut components = Path::new(path).components();
    !path.is_empty()
        && !path.contains('\0')
        && components.all(|component| matches!(component, Component::Normal(_)))
}

/// Whether a path says by itself where it begins.
pub(crate) fn is_elsewhere(path: &str) -> bool {
    path.starts_with('/') && !path.ends_with('/') && !path.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_names_stay_inside_the_directory_of_the_job() {
        for name in ["out.log", "logs/out.log", "a b"] {
            assert!(is_inside(name), "{name} was refused");
        }
        for name in ["", "/etc/passwd", "../x", "a/../../x", ".", "a\0b"] {
            assert!(!is_inside(name), "{name:?} was accepted");
        }
    }
}
