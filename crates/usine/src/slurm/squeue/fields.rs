//! What `squeue` can show of a job.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::Row;
use crate::slurm::text::{instant, memory, short_duration};

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Account,
    ArrayJob,
    ArrayTask,
    Cores,
    End,
    Gpus,
    Job,
    JobRaw,
    Limit,
    Left,
    Memory,
    Name,
    NodeList,
    Nodes,
    Partition,
    Place,
    Reason,
    Start,
    State,
    StateShort,
    Submitted,
    Used,
    User,
    /// What a hub does not know of a job, with the header that Slurm gives it.
    Unknown(&'static str),
}

impl Field {
    /// The field that a letter of `-o` stands for.
    pub(super) fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'a' => Self::Account,
            'A' => Self::JobRaw,
            'b' => Self::Gpus,
            'C' => Self::Cores,
            'D' => Self::Nodes,
            'e' => Self::End,
            'F' => Self::ArrayJob,
            'i' => Self::Job,
            'j' => Self::Name,
            'K' => Self::ArrayTask,
            'l' => Self::Limit,
            'L' => Self::Left,
            'm' => Self::Memory,
            'M' => Self::Used,
            'N' => Self::NodeList,
            'P' => Self::Partition,
            'r' => Self::Reason,
            'R' => Self::Place,
            'S' => Self::Start,
            't' => Self::StateShort,
            'T' => Self::State,
            'u' => Self::User,
            'V' => Self::Submitted,
            'B' => Self::Unknown("EXEC_HOST"),
            'c' => Self::Unknown("MIN_CPUS"),
            'd' => Self::Unknown("MIN_TMP_DISK"),
            'E' => Self::Unknown("DEPENDENCY"),
            'f' => Self::Unknown("FEATURES"),
            'g' => Self::Unknown("GROUP"),
            'G' => Self::Unknown("GROUP"),
            'h' => Self::Unknown("OVER_SUBSCRIBE"),
            'k' => Self::Unknown("COMMENT"),
            'n' => Self::Unknown("REQ_NODES"),
            'o' => Self::Unknown("COMMAND"),
            'p' | 'Q' => Self::Unknown("PRIORITY"),
            'q' => Self::Unknown("QOS"),
            'U' => Self::Unknown("UID"),
            'v' => Self::Unknown("RESERVATION"),
            'w' => Self::Unknown("WCKEY"),
            'W' => Self::Unknown("LICENSES"),
            'x' => Self::Unknown("EXC_NODES"),
            'y' => Self::Unknown("NICE"),
            'Y' => Self::Unknown("SCHEDNODES"),
            'z' => Self::Unknown("S:C:T"),
            'Z' => Self::Unknown("WORK_DIR"),
            _ => return None,
        })
    }

    /// The field that a name of `-O` stands for.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "account" => Self::Account,
            "arrayjobid" => Self::ArrayJob,
            "arraytaskid" => Self::ArrayTask,
            "endtime" => Self::End,
            "jobarrayid" => Self::Job,
            "jobid" => Self::JobRaw,
            "minmemory" => Self::Memory,
            "name" => Self::Name,
            "nodelist" => Self::NodeList,
            "numcpus" => Self::Cores,
            "numnodes" => Self::Nodes,
            "partition" => Self::Partition,
            "reason" => Self::Reason,
            "reasonlist" => Self::Place,
            "starttime" => Self::Start,
            "state" => Self::State,
            "statecompact" => Self::StateShort,
            "submittime" => Self::Submitted,
            "timeleft" => Self::Left,
            "timelimit" => Self::Limit,
            "timeused" => Self::Used,
            "tres-per-node" => Self::Gpus,
            "username" => Self::User,
            "comment" => Self::Unknown("COMMENT"),
            "dependency" => Self::Unknown("DEPENDENCY"),
            "feature" => Self::Unknown("FEATURES"),
            "prioritylong" | "priority" => Self::Unknown("PRIORITY"),
            "qos" => Self::Unknown("QOS"),
            "reservation" => Self::Unknown("RESERVATION"),
            "userid" => Self::Unknown("UID"),
            "workdir" => Self::Unknown("WORK_DIR"),
            _ => return None,
        })
    }

    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Account => "ACCOUNT",
            Self::ArrayJob => "ARRAY_JOB_ID",
            Self::ArrayTask => "ARRAY_TASK_ID",
            Self::Cores => "CPUS",
            Self::End => "END_TIME",
            Self::Gpus => "TRES_PER_NODE",
            Self::Job | Self::JobRaw => "JOBID",
            Self::Left => "TIME_LEFT",
            Self::Limit => "TIME_LIMIT",
            Self::Memory => "MIN_MEMORY",
            Self::Name => "NAME",
            Self::NodeList => "NODELIST",
            Self::Nodes => "NODES",
            Self::Partition => "PARTITION",
            Self::Place => "NODELIST(REASON)",
            Self::Reason => "REASON",
            Self::Start => "START_TIME",
            Self::State => "STATE",
            Self::StateShort => "ST",
            Self::Submitted => "SUBMIT_TIME",
            Self::Unknown(header) => header,
            Self::Used => "TIME",
            Self::User => "USER",
        }
    }

    /// What the field holds for a line, at the instant `now`.
    pub(super) fn value(self, row: &Row<'_>, now: Timestamp) -> String {
        let job = row.job;
        let at = |at: Option<Timestamp>| at.map_or_else(|| "N/A".to_owned(), instant);
        let limit = job.limit_seconds;
        match self {
            Self::Account => job.project.clone(),
            Self::ArrayJob => job.array_number().to_string(),
            Self::ArrayTask => match (row.waiting.as_slice(), job.element) {
                ([], None) => "N/A".to_owned(),
                ([], Some((_, index))) => index.to_string(),
                (indices, _) => super::ranges(indices, 0),
            },
            Self::Cores => job.cores.to_string(),
            Self::End => {
                let until = job.started.and_then(|started| {
                    Timestamp::from_second(started.as_second().checked_add(limit)?).ok()
                });
                at(job.ended.or(until))
            }
            Self::Gpus => match job.gpus / job.nodes.max(1) {
                0 => "N/A".to_owned(),
                gpus => format!("gres:gpu:{gpus}"),
            },
            Self::Job => row.shown(),
            Self::JobRaw if row.waiting.is_empty() => job.number.to_string(),
            Self::JobRaw => job.array_number().to_string(),
            Self::Left => short_duration(limit.saturating_sub(job.elapsed_seconds(now))),
            Self::Limit => short_duration(limit),
            Self::Memory => memory(job.memory_per_node()),
            Self::Name => job.name.clone(),
            Self::NodeList => job.host_list(),
            Self::Nodes => job.nodes.to_string(),
            Self::Partition => job.partition.clone(),
            Self::Place if job.state.0 == "PENDING" => format!("({})", job.reason),
            Self::Place => job.host_list(),
            Self::Reason => job.reason.to_owned(),
            Self::Start => at(job.started),
            Self::State => job.state.0.to_owned(),
            Self::StateShort => job.state.1.to_owned(),
            Self::Submitted => at(job.submitted),
            Self::Unknown(_) => "N/A".to_owned(),
            Self::Used => short_duration(job.elapsed_seconds(now)),
            Self::User => job.user.clone(),
        }
    }

    /// How two lines stand to each other by this field.
    pub(super) fn compare(self, a: &Row<'_>, b: &Row<'_>, now: Timestamp) -> Ordering {
        let by = |key: fn(&Row<'_>) -> i64| key(a).cmp(&key(b));
        match self {
            Self::Job | Self::JobRaw | Self::ArrayJob => by(|row| row.job.array_number())
                .then_with(|| {
                    a.job
                        .element
                        .map(|(_, index)| index)
                        .cmp(&b.job.element.map(|(_, index)| index))
                }),
            Self::ArrayTask => a.job.element.cmp(&b.job.element),
            Self::Cores => by(|row| row.job.cores),
            Self::Gpus => by(|row| row.job.gpus),
            Self::Limit => by(|row| row.job.limit_seconds),
            Self::Memory => a.job.memory_per_node().cmp(&b.job.memory_per_node()),
            Self::Nodes => by(|row| row.job.nodes),
            Self::Used => a.job.elapsed_seconds(now).cmp(&b.job.elapsed_seconds(now)),
            Self::Left => {
                let left = |row: &Row<'_>| row.job.limit_seconds - row.job.elapsed_seconds(now);
                left(a).cmp(&left(b))
            }
            Self::Start => a.job.started.cmp(&b.job.started),
            Self::Submitted => a.job.submitted.cmp(&b.job.submitted),
            // What waits comes before what runs.
            Self::State | Self::StateShort => by(|row| i64::from(row.job.state.0 != "PENDING")),
            Self::Account
            | Self::End
            | Self::Name
            | Self::NodeList
            | Self::Partition
            | Self::Place
            | Self::Reason
            | Self::Unknown(_)
            | Self::User => self.value(a, now).cmp(&self.value(b, now)),
        }
    }
}
