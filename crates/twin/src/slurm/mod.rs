//! A machine as Slurm describes it, and how well the core foretells what Slurm does on it.
//!
//! [`Site::read`] takes what an administrator has: `slurm.conf`, `sacctmgr -P show assoc` and
//! `sacctmgr -P show qos`, and makes the core's [`sched::SystemSpec`] of them. What stands there and
//! bears on scheduling but is not in the core is named in [`Site::notes`], line by line.
//! [`read_jobs`] reads what `sacct -P` tells, [`predict()`] replays its submissions on the machine,
//! and [`Agreement`] says how far the starts are off.
//!
//! | text | file |
//! | --- | --- |
//! | `slurm.conf`: its lines | `conf` |
//! | … priorities and backfill | `policy` |
//! | … nodes and partitions | `partitions`, `hostlist` |
//! | accounts, users, their shares and limits | `accounts` |
//! | classes | `qos` |
//! | jobs | `jobs` |
//! | runs of jobs, to be charged | `runs` |
//!
//! [`again()`] measures another run of the same jobs instead of a prediction.

mod accounts;
mod again;
mod agreement;
mod conf;
pub mod hostlist;
mod jobs;
mod limits;
mod partitions;
mod policy;
mod predict;
mod qos;
mod resources;
mod runs;

use std::collections::BTreeMap;
use std::fmt;

use sched::{Association, Limits};

pub use again::again;
pub use agreement::Agreement;
pub use jobs::{ObservedJob, ObservedJobs, read_jobs};
pub use predict::{Habits, Prediction, predict};
pub use runs::{RUN_COLUMNS, Run, Runs};

use crate::trace::TraceError;
use conf::Conf;
use partitions::Partition;

/// One of the texts that describe a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `slurm.conf`.
    Conf,
    /// `sacctmgr -P show assoc`.
    Associations,
    /// `sacctmgr -P show qos`.
    Qos,
    /// `sacct -P`.
    Jobs,
    /// `sacct -P` of another run of the same jobs.
    Again,
}

/// Something that stands in a text and is not taken into account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Where.
    pub part: Part,
    /// The line, from 1.
    pub line: u64,
    /// What, and what is done instead.
    pub what: String,
}

/// Why a machine cannot be made of the texts.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// A text that cannot be read.
    #[error("{source}")]
    Text {
        /// Which.
        part: Part,
        /// Where and why.
        source: TraceError,
    },
    /// Something that is not so, such as a partition with nodes that are not there.
    #[error("{line}:1: {what}")]
    Wrong {
        /// Where.
        part: Part,
        /// The line, from 1.
        line: u64,
        /// What.
        what: String,
    },
}

impl SlurmError {
    /// The text that it is about.
    pub const fn part(&self) -> Part {
        match self {
            Self::Text { part, .. } | Self::Wrong { part, .. } => *part,
        }
    }
}

/// The longest `slurm.conf`, in bytes.
pub const CONF_BYTES_MAX: usize = 1 << 24;
/// The most nodes of a machine.
pub const SITE_NODES_MAX: usize = 100_000;
/// The most accounts, users and classes of a machine.
pub const SITE_ENTRIES_MAX: usize = 1_000_000;

/// A machine that Slurm schedules.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its partitions, by name.
    partitions: BTreeMap<String, Partition>,
    people: accounts::People,
    /// Its classes, in their order.
    qos: Vec<(String, sched::Qos)>,
    policy: policy::Scheduling,
    /// What of the texts is not taken into account.
    pub notes: Vec<Note>,
}

impl Site {
    /// Makes a machine of what Slurm's files and tools say.
    ///
    /// # Errors
    /// At the first thing that cannot be meant, or does not fit the rest.
    pub fn read(conf: &str, associations: &str, qos: &str) -> Result<Self, SlurmError> {
        let mut notes = Vec::new();
        let mut conf = Conf::read(conf, &mut notes)?;
        let policy = policy::Scheduling::read(&mut conf, &mut notes)?;
        let partitions = partitions::read(&conf, &policy, &mut notes)?;
        let cluster = conf.text("clustername").map(str::to_owned);
        conf.name_the_rest(&mut notes);
        let mut people = accounts::People::read(associations, cluster.as_deref(), &mut notes)?;
        let mut qos = qos::read(qos, policy.preempts, &mut notes)?;
        if !policy.enforces_limits {
            people.limits.clear();
            qos.iter_mut().for_each(|(_, qos)| qos.limits = Limits::default());
        }
        // What a line of defaults says, all lines after it say again.
        notes.sort();
        notes.dedup();
        Ok(Self { partitions, people, qos, policy, notes })
    }

    /// The place of a user in an account.
    fn association(&self, account: &str, user: &str) -> Option<Association> {
        self.people.users.get(&(account.to_owned(), user.to_owned())).copied()
    }

    /// The place of a class.
    fn qos_place(&self, name: &str) -> Option<usize> {
        self.qos.iter().position(|(it, _)| it == name)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

#[cfg(test)]
mod tests;
