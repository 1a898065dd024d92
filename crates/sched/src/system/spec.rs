//! What a [`System`](super::System) is made of, and what is submitted to it.

use crate::{
    Accounts, Association, Deferral, LimitCause, Limits, Policy, PriorityPolicy, Second, Signal,
    Tres,
};

/// A machine and its rules, as data.
#[derive(Clone, Debug)]
pub struct SystemSpec<P> {
    /// Its partitions; jobs name them by their place here.
    pub partitions: Vec<PoolSpec<P>>,
    /// Who there is, and with which shares.
    pub accounts: Accounts,
    /// What accounts, and users in them, may hold.
    pub limits: Vec<(Association, Limits)>,
    /// The classes of jobs, at least one; jobs name them by their place here.
    pub qos: Vec<Qos>,
    /// The order of waiting jobs.
    pub priority: PriorityPolicy,
    /// How far others are considered beside those that are first.
    pub backfill: Backfill,
    /// What jobs that can wait for cheap or clean energy go by.
    pub signal: Signal,
}

/// One partition.
#[derive(Clone, Debug)]
pub struct PoolSpec<P> {
    /// Its resources, all free.
    pub pool: P,
    /// Who may start before whom.
    pub policy: Policy,
    /// `PriorityJobFactor`, in relation to the other partitions'.
    pub priority_factor: u32,
    /// `TRESBillingWeights`, in thousandths for one of each kind; the weight of billing is unused.
    pub billing_milli: Tres<u64>,
}

/// A class of jobs: Slurm's quality of service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qos {
    /// In relation to the other classes'.
    pub priority: u32,
    /// What its jobs may hold.
    pub limits: Limits,
    /// Whether what its jobs use counts for ever towards `GrpTRESMins` (`NoDecay`).
    pub keeps_usage: bool,
    /// The classes whose running jobs must make room for its jobs.
    pub preempts: Vec<usize>,
    /// What becomes of its jobs when they must make room.
    pub when_preempted: WhenPreempted,
}

/// What becomes of a job that must make room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenPreempted {
    /// It waits again, and starts from its beginning.
    #[default]
    Requeue,
    /// It ends.
    Cancel,
}

/// The limits of backfilling, as `SchedulerParameters` gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// `bf_max_job_test`: no more than this many waiting jobs of a partition are considered, those
    /// with the highest priority; jobs that a limit keeps back do not count.
    pub depth: usize,
    /// `bf_window`: nothing is promised that lies further ahead.
    pub window_seconds: Second,
    /// `bf_resolution`: promised instants are multiples of this.
    pub resolution_seconds: Second,
    /// `bf_interval`: between two rounds of backfilling; in between, jobs start in order only.
    pub interval_seconds: Second,
    /// Under conservative backfill, whether the nodes of a promised start are kept from all other
    /// jobs while that is to last, even if it needs but a part of them: Slurm plans with nodes.
    pub whole_nodes: bool,
    /// Under conservative backfill with whole nodes, ends of running jobs that are expected within
    /// this of one another are waited for together, those further ahead within twice, four times …
    /// as much; nothing when it is zero. Slurm looks for a start in that many steps.
    pub ends_within_seconds: Second,
}

impl Backfill {
    /// All jobs, everything that may come, to the second, and always.
    pub const UNLIMITED: Self = Self {
        depth: usize::MAX,
        window_seconds: Second::MAX,
        resolution_seconds: 1,
        interval_seconds: 0,
        whole_nodes: false,
        ends_within_seconds: 0,
    };

    /// What Slurm does when it is told nothing.
    pub const SLURM: Self = Self {
        depth: 500,
        window_seconds: 86_400,
        resolution_seconds: 60,
        interval_seconds: 30,
        whole_nodes: true,
        ends_within_seconds: 30,
    };
}

/// A job as it is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission<D> {
    /// The partition, or the reservation, by its place.
    pub partition: usize,
    /// The user, in an account.
    pub association: Association,
    /// Its class, by its place.
    pub qos: usize,
    /// What it needs.
    pub demand: D,
    /// How long it may run.
    pub estimate_seconds: Second,
    /// Points on top of what the priority policy gives.
    pub priority: i64,
    /// Points that its owner gives up.
    pub nice: i64,
    /// The array it is part of, if that bounds how many of its tasks run at once.
    pub throttle: Option<Throttle>,
    /// If it can wait for a low signal.
    pub deferral: Option<Deferral>,
}

/// A bound on an array's running tasks: `--array=…%N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Throttle {
    /// Which array.
    pub array: u32,
    /// How many of its tasks may run at once.
    pub running_max: u32,
}

/// Part of a partition that is set aside for some jobs, or for none, between two instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation<G> {
    /// The partition, by its place.
    pub partition: usize,
    /// What is set aside.
    pub grant: G,
    /// From when on.
    pub from: Second,
    /// Until when.
    pub until: Second,
}

/// Why a job was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such partition.
    #[error("there is no such partition")]
    UnknownPartition,
    /// There is no such class.
    #[error("there is no such class of jobs")]
    UnknownQos,
    /// There is no such user in the accounts.
    #[error("there is no such user in any account")]
    UnknownUser,
    /// It would not fit even if everything were up and free.
    #[error("the job would not fit if all of the partition were free")]
    NeverFits,
    /// A limit forbids it, as with `DenyOnLimit`.
    #[error("{0}")]
    Limit(LimitCause),
}
