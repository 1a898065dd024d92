//! Limits on what jobs may hold together, as Slurm has them, and the names it gives to each.

use std::fmt;

use crate::{Resource, Second, Tres};

/// What the jobs of an account, or of a class (QoS), may hold; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `GrpTRES`: all running jobs together.
    pub group_tres: Tres<Option<u64>>,
    /// `GrpTRESMins`: what jobs have used and may yet use, in minutes times the amount.
    pub group_tres_minutes: Tres<Option<u64>>,
    /// `GrpJobs`: running jobs.
    pub group_jobs: Option<u32>,
    /// `GrpSubmitJobs`: waiting and running jobs.
    pub group_submitted: Option<u32>,
    /// `MaxJobs`, `MaxJobsPerUser`: running jobs of one user.
    pub jobs_per_user: Option<u32>,
    /// `MaxSubmitJobs`, `MaxSubmitJobsPerUser`: waiting and running jobs of one user.
    pub submitted_per_user: Option<u32>,
    /// `MaxTRESPerUser`: the running jobs of one user; a class has it, an account does not.
    pub tres_per_user: Tres<Option<u64>>,
    /// `MaxTRES`, `MaxTRESPerJob`: one job.
    pub tres_per_job: Tres<Option<u64>>,
    /// `MaxWall`: the time limit of one job.
    pub wall_seconds: Option<Second>,
}

impl Limits {
    /// What of it is about one job alone: the bound that a job exceeds, if any.
    pub(crate) fn exceeded_by(&self, tres: &Tres, seconds: Second) -> Option<Bound> {
        if self.wall_seconds.is_some_and(|wall| seconds > wall) {
            return Some(Bound::WallPerJob);
        }
        over(tres, &self.tres_per_job).map(Bound::TresPerJob)
    }

    /// The same limits, and for each one that is not set, that of an account above.
    pub(crate) fn or(&self, above: &Self) -> Self {
        let either = |mine: Option<u64>, theirs: Option<u64>| mine.or(theirs);
        Self {
            jobs_per_user: self.jobs_per_user.or(above.jobs_per_user),
            submitted_per_user: self.submitted_per_user.or(above.submitted_per_user),
            tres_per_job: self.tres_per_job.zip(above.tres_per_job, either),
            wall_seconds: self.wall_seconds.or(above.wall_seconds),
            ..*self
        }
    }
}

/// The first kind of which there is more than allowed.
pub(crate) fn over(amount: &Tres, allowed: &Tres<Option<u64>>) -> Option<Resource> {
    let over = amount.zip(*allowed, |amount, limit| limit.is_some_and(|limit| amount > limit));
    over.iter().find_map(|(resource, over)| over.then_some(resource))
}

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// What all running jobs hold.
    GroupTres(Resource),
    /// What jobs have used and may yet use.
    GroupTresMinutes(Resource),
    /// How many jobs run.
    GroupJobs,
    /// How many jobs wait or run.
    GroupSubmitted,
    /// How many jobs of one user run.
    JobsPerUser,
    /// How many jobs of one user wait or run.
    SubmittedPerUser,
    /// What the running jobs of one user hold.
    TresPerUser(Resource),
    /// What one job asks.
    TresPerJob(Resource),
    /// How long one job may run.
    WallPerJob,
    /// How many jobs of one array run.
    ArrayTasks,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// An account, or a user in it.
    Association,
    /// A class of jobs.
    Qos,
}

/// A limit that keeps a job from starting, or from being taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitCause {
    /// Whose it is.
    pub owner: Owner,
    /// What it bounds.
    pub bound: Bound,
}

impl fmt::Display for LimitCause {
    /// The reason as `squeue` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.owner {
            Owner::Association => "Assoc",
            Owner::Qos => "QOS",
        };
        let per_user = match self.owner {
            Owner::Association => "",
            Owner::Qos => "PerUser",
        };
        match self.bound {
            Bound::GroupTres(resource) => write!(f, "{owner}Grp{}", held(resource)),
            Bound::GroupTresMinutes(resource) => {
                write!(f, "{owner}Grp{}", minutes(resource, self.owner))
            }
            Bound::GroupJobs => write!(f, "{owner}GrpJobsLimit"),
            Bound::GroupSubmitted => write!(f, "{owner}GrpSubmitJobsLimit"),
            Bound::JobsPerUser => write!(f, "{owner}MaxJobs{per_user}Limit"),
            Bound::SubmittedPerUser => write!(f, "{owner}MaxSubmitJob{per_user}Limit"),
            Bound::TresPerUser(resource) => {
                write!(f, "{owner}Max{}", each(resource, "PerUser", self.owner))
            }
            Bound::TresPerJob(resource) => {
                write!(f, "{owner}Max{}", each(resource, "PerJob", self.owner))
            }
            Bound::WallPerJob => write!(f, "{owner}MaxWallDurationPerJobLimit"),
            Bound::ArrayTasks => f.write_str("JobArrayTaskLimit"),
        }
    }
}

const fn held(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "CpuLimit",
        Resource::Memory => "MemLimit",
        Resource::Node => "NodeLimit",
        Resource::Gpu => "GRES",
        Resource::Billing => "Billing",
    }
}

const fn minutes(resource: Resource, owner: Owner) -> &'static str {
    match (resource, owner) {
        (Resource::Cpu, _) => "CPUMinutesLimit",
        (Resource::Memory, Owner::Association) => "MemMinutes",
        (Resource::Memory, Owner::Qos) => "MemoryMinutes",
        (Resource::Node, _) => "NodeMinutes",
        (Resource::Gpu, _) => "GRESMinutes",
        (Resource::Billing, _) => "BillingMinutes",
    }
}

fn each(resource: Resource, of: &str, owner: Owner) -> String {
    match (resource, owner) {
        (Resource::Cpu, _) => format!("Cpu{of}Limit"),
        (Resource::Memory, Owner::Association) => format!("Mem{of}"),
        (Resource::Memory, Owner::Qos) => format!("Memory{of}"),
        (Resource::Node, _) => format!("Node{of}Limit"),
        (Resource::Gpu, _) => format!("GRES{of}"),
        (Resource::Billing, _) => format!("Billing{of}"),
    }
}
