//! What `sacct` can show of a job.

use anyhow::{Result, bail};
use jiff::Timestamp;

use crate::slurm::job::Job;
use crate::slurm::text::{instant, long_duration, memory};

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Account,
    AllocCores,
    AllocNodes,
    AllocTres,
    CpuTime,
    CpuTimeRaw,
    Elapsed,
    ElapsedRaw,
    End,
    ExitCode,
    JobId,
    JobIdRaw,
    JobName,
    MaxRss,
    Cores,
    Nodes,
    NodeList,
    Partition,
    ReqCores,
    ReqMemory,
    ReqNodes,
    ReqTres,
    Start,
    State,
    Submit,
    Limit,
    LimitRaw,
    TotalCpu,
    User,
    /// What a hub does not know of a job.
    Unknown(&'static str),
}

/// Every field with its name and the width of its column; below zero for the left side.
const FIELDS: [(Field, &str, i32); 45] = [
    (Field::Account, "Account", 10),
    (Field::Unknown("AdminComment"), "AdminComment", 15),
    (Field::AllocCores, "AllocCPUS", 10),
    (Field::AllocNodes, "AllocNodes", 10),
    (Field::AllocTres, "AllocTRES", 10),
    (Field::Unknown("AveCPU"), "AveCPU", 10),
    (Field::Unknown("AveRSS"), "AveRSS", 10),
    (Field::Unknown("Cluster"), "Cluster", 10),
    (Field::Unknown("Comment"), "Comment", 14),
    (Field::Unknown("ConsumedEnergy"), "ConsumedEnergy", 14),
    (Field::Unknown("Constraints"), "Constraints", 19),
    (Field::CpuTime, "CPUTime", 10),
    (Field::CpuTimeRaw, "CPUTimeRAW", 10),
    (Field::Unknown("DerivedExitCode"), "DerivedExitCode", 15),
    (Field::Elapsed, "Elapsed", 10),
    (Field::ElapsedRaw, "ElapsedRaw", 10),
    (Field::Unknown("Eligible"), "Eligible", 19),
    (Field::End, "End", 19),
    (Field::ExitCode, "ExitCode", 8),
    (Field::JobId, "JobID", -12),
    (Field::JobIdRaw, "JobIDRaw", -12),
    (Field::JobName, "JobName", 10),
    (Field::MaxRss, "MaxRSS", 10),
    (Field::Unknown("MaxVMSize"), "MaxVMSize", 10),
    (Field::Cores, "NCPUS", 10),
    (Field::Nodes, "NNodes", 8),
    (Field::NodeList, "NodeList", 15),
    (Field::Unknown("NTasks"), "NTasks", 8),
    (Field::Partition, "Partition", 10),
    (Field::Unknown("Priority"), "Priority", 10),
    (Field::Unknown("QOS"), "QOS", 10),
    (Field::ReqCores, "ReqCPUS", 8),
    (Field::ReqMemory, "ReqMem", 10),
    (Field::ReqNodes, "ReqNodes", 8),
    (Field::ReqTres, "ReqTRES", 10),
    (Field::Unknown("Reservation"), "Reservation", 20),
    (Field::Start, "Start", 19),
    (Field::State, "State", 10),
    (Field::Submit, "Submit", 19),
    (Field::Unknown("SystemCPU"), "SystemCPU", 10),
    (Field::Limit, "Timelimit", 10),
    (Field::LimitRaw, "TimelimitRaw", 10),
    (Field::TotalCpu, "TotalCPU", 10),
    (Field::User, "User", 9),
    (Field::Unknown("WorkDir"), "WorkDir", 20),
];

/// A field in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) field: Field,
    pub(super) size: usize,
    left: bool,
}

impl Column {
    /// Reads a term of `--format`: a name, with `%10` or `%-10` behind it for a width of one's own.
    pub(super) fn read(term: &str) -> Result<Self> {
        let (name, width) = match term.split_once('%') {
            Some((name, width)) => (name, width.parse::<i32>().ok()),
            None => (term, None),
        };
        let known = FIELDS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        let Some((field, _, usual)) = known else {
            bail!("Invalid field requested: \"{name}\"");
        };
        let width = width.unwrap_or(*usual).clamp(-1_000, 1_000);
        let size = usize::try_from(width.unsigned_abs()).unwrap_or_default();
        Ok(Self { field: *field, size, left: width < 0 })
    }

    /// The name of the field above the column, cut where that is narrower.
    pub(super) fn head(&self) -> String {
        self.placed(self.field.name().chars().take(self.size).collect())
    }

    /// `value` in the column; what is longer is cut and ends in a plus sign.
    pub(super) fn fit(&self, value: &str) -> String {
        let size = self.size;
        if value.chars().count() <= size {
            return self.placed(value.to_owned());
        }
        let kept: String = value.chars().take(size.saturating_sub(1)).collect();
        self.placed(format!("{kept}+"))
    }

    fn placed(&self, kept: String) -> String {
        let size = self.size;
        if self.left { format!("{kept:<size$}") } else { format!("{kept:>size$}") }
    }
}

impl Field {
    /// The names of all fields.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().map(|(_, name, _)| *name)
    }

    pub(super) fn name(self) -> &'static str {
        FIELDS.iter().find(|(field, ..)| *field == self).map_or("", |(_, name, _)| name)
    }

    /// What the field holds for a job, at the instant `now`.
    pub(super) fn value(self, job: &Job, now: Timestamp) -> String {
        let at = |at: Option<Timestamp>| at.map_or_else(|| "Unknown".to_owned(), instant);
        let elapsed = job.elapsed_seconds(now);
        let has_run = job.started.is_some();
        let allocated = |count: i64| if has_run { count } else { 0 }.to_string();
        match self {
            Self::Account => job.project.clone(),
            Self::AllocCores => allocated(job.cores),
            Self::AllocNodes => allocated(job.nodes),
            Self::Cores | Self::ReqCores => job.cores.to_string(),
            Self::Nodes | Self::ReqNodes => job.nodes.to_string(),
            Self::AllocTres if !has_run => String::new(),
            Self::AllocTres | Self::ReqTres => resources(job),
            Self::CpuTime => long_duration(elapsed.saturating_mul(job.cores)),
            Self::CpuTimeRaw => elapsed.saturating_mul(job.cores).to_string(),
            Self::Elapsed => long_duration(elapsed),
            Self::ElapsedRaw => elapsed.to_string(),
            Self::End => at(job.ended),
            Self::ExitCode => format!("{}:{}", job.exit.0, job.exit.1),
            Self::JobId => job.shown(),
            Self::JobIdRaw => job.number.to_string(),
            Self::JobName => job.name.clone(),
            Self::MaxRss => job.peak_memory_mb.map(|peak| format!("{peak}M")).unwrap_or_default(),
            Self::NodeList if job.node_names.is_empty() => "None assigned".to_owned(),
            Self::NodeList => job.host_list(),
            Self::Partition => job.partition.clone(),
            Self::ReqMemory => memory(job.memory_mb),
            Self::Start => at(job.started),
            Self::State => job.state.0.to_owned(),
            Self::Submit => at(job.submitted),
            Self::Limit => long_duration(job.limit_seconds),
            Self::LimitRaw => (job.limit_seconds / 60).to_string(),
            Self::TotalCpu => {
                job.cpu_milliseconds.map(|used| long_duration(used / 1_000)).unwrap_or_default()
            }
            Self::User => job.user.clone(),
            Self::Unknown(_) => String::new(),
        }
    }
}

/// What a job has, as trackable resources.
fn resources(job: &Job) -> String {
    let gpus = if job.gpus > 0 { format!("gres/gpu={},", job.gpus) } else { String::new() };
    let (cores, memory) = (job.cores, memory(job.memory_mb));
    format!("cpu={cores},{gpus}mem={memory},node={}", job.nodes)
}
