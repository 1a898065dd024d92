//! Jobs as a scenario replays them, wherever they come from.

/// How much of a machine a job asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// So many GPUs: of one node, which it shares, or whole nodes when one has too few.
    Gpus(u32),
    /// So many whole nodes.
    Nodes(u32),
    /// So many cores: of one node, which it shares, or whole nodes when one has too few.
    Cores(u32),
}

/// A job of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// When it is submitted, in seconds after the start of the scenario.
    pub submit: i64,
    /// How long it runs; at least 1.
    pub run_seconds: i64,
    /// How long it asks to run; at least as long.
    pub limit_seconds: i64,
    /// What it asks.
    pub size: Size,
    /// The group of users it comes from, by its place in [`Workload::groups`].
    pub group: usize,
    /// Who submits it, by a number within the group.
    pub user: u32,
    /// The data it reads, in gigabytes.
    pub data_gb: u32,
    /// Whether somebody waits at the keyboard for it.
    pub interactive: bool,
    /// A draw that is the job's own, whatever the policy: where its data lies follows from it.
    pub lot: u32,
}

/// Users that a policy may tell from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, as it stands in results.
    pub key: String,
    /// The class of organisation, such as `sme`.
    pub class: String,
    /// Whose hours it uses, such as `union`.
    pub payer: String,
    /// The access mode it came by, where it matters.
    pub mode: Option<String>,
    /// The sites where its data may lie; anywhere when there are none.
    pub home: Vec<String>,
}

/// All jobs of a scenario, and who submits them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// The groups.
    pub groups: Vec<Group>,
    /// The jobs, in order of submission.
    pub jobs: Vec<Job>,
}

impl Workload {
    /// Adds another workload, whose groups stand behind those that are here.
    pub fn extend(&mut self, other: Self) {
        let before = self.groups.len();
        self.groups.extend(other.groups);
        self.jobs
            .extend(other.jobs.into_iter().map(|job| Job { group: job.group + before, ..job }));
        self.jobs.sort_by_key(|job| job.submit);
    }
}
