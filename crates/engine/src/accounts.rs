//! What a place that runs jobs has on its books about them.

use jobs::AccountPrefix;
use twin::slurm::Run;
use units::{JobId, Timestamp};

/// The books of a place, of some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// The place's name for itself; numbers of jobs are its.
    pub cluster: String,
    /// Every run of anybody's job that held something in that time, whenever it began or ended.
    pub runs: Vec<Accounted>,
}

/// A run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounted {
    /// What it held, and for how long.
    pub run: Run,
    /// The job that it says it is one of. Anybody may say so: whose it is decides.
    pub job: Option<JobId>,
}

/// From an instant until before another.
pub type Span = (Timestamp, Timestamp);

/// For whom what is on the books of a place is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    /// The place's name for itself; filled in by the engine.
    pub cluster: String,
    /// What the names of everything begin with that may be touched.
    pub prefix: AccountPrefix,
}
