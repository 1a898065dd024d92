//! Carries jobs out, and tells how they fare.
//!
//! [`Engine`] is what an agent needs of a place that runs jobs. [`LocalEngine`] runs them as
//! processes of this machine; [`slurm::SlurmEngine`] hands them to a cluster that Slurm schedules;
//! [`SimulatedEngine`] only pretends, on a clock that tests move. All pass [`conformance`].
//!
//! Not here: allocations, money, the hub. A job is run at most once per [`units::JobId`], whatever
//! is killed when.

mod accounts;
pub mod beneath;
pub mod carry;
mod clock;
pub mod conformance;
pub mod disk;
mod ended;
mod health;
mod job;
mod local;
pub mod record;
mod simulated;
pub mod slurm;
mod steps;

use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::path::PathBuf;

use jobs::AccountPrefix;
use jobs::tenancy::{self, Tree};
use sched::Snapshot;
use units::JobId;

pub use accounts::{Accounted, Accounts, Keeper, Span};
pub use carry::Isolation;
pub use clock::Clock;
pub use disk::Disk;
pub use health::{Condition, Health, NodeAway, Reserved};
pub use job::{Capacity, Ended, Network, Observation, Place, Request, Spec, State, Stream};
pub use local::{Carrier, ControlGroups, LocalEngine, Settings};
pub use simulated::SimulatedEngine;
pub use steps::{Step, StepsOf};

/// An engine cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The job will never run here.
    #[error("{0}")]
    Refused(String),
    /// Whoever was asked did not answer, or not so that it could be understood: what came of it is
    /// not known.
    #[error("{asked} gave no usable answer: {answer}")]
    Unclear {
        /// Who was asked.
        asked: Cow<'static, str>,
        /// What came instead.
        answer: String,
    },
    /// Nobody prepared or submitted this job.
    #[error("job {0} is not known here")]
    Unknown(JobId),
    /// The operating system refused something.
    #[error("cannot {action}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Says what was tried when the system refused.
    pub(crate) fn system(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}

/// Lets a thread wait for what cannot be waited for otherwise.
pub(crate) async fn run_blocking<T, F>(act: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(act).await {
        Ok(outcome) => outcome,
        Err(join) => {
            Err(Error::System { action: "finish a piece of work", source: io::Error::other(join) })
        }
    }
}

/// A place that carries jobs out.
///
/// Every call may be repeated: after a crash an agent does not know which of its calls came
/// through, and says again what it wants.
pub trait Engine: Send + Sync + 'static {
    /// What there is for jobs, and what keeps them apart.
    fn capacity(&self) -> Capacity;

    /// The directory in which the job will run, made if need be, for inputs to be put into.
    fn prepare(&self, job: JobId) -> impl Future<Output = Result<PathBuf, Error>> + Send;

    /// Whether the job was submitted here before, be it cleared by now or not.
    fn knows(&self, job: JobId) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Takes the job in, to start when there is room; nothing happens when it is known already.
    fn submit(&self, job: JobId, spec: &Spec) -> impl Future<Output = Result<(), Error>> + Send;

    /// Ends the job, whether it waits or runs; nothing happens when it has ended.
    fn cancel(&self, job: JobId) -> impl Future<Output = Result<(), Error>> + Send;

    /// Drives the engine on, and tells where every job stands that was submitted and is not
    /// cleared, in the order of their ids.
    fn observe(&self) -> impl Future<Output = Result<Vec<Observation>, Error>> + Send;

    /// What runs and waits, also for others than the hub, as the scheduler of the place sees it:
    /// what starts are forecast from.
    fn snapshot(&self) -> impl Future<Output = Result<Snapshot, Error>> + Send;

    /// What keeps it from taking work, as far as it knows: nothing, where nobody orders that.
    fn health(&self) -> impl Future<Output = Result<Health, Error>> + Send {
        async { Ok(Health::default()) }
    }

    /// What the place has on its books about a time; `None` where it keeps no books.
    fn accounts(
        &self,
        _span: Span,
    ) -> impl Future<Output = Result<Option<Accounts>, Error>> + Send {
        std::future::ready(Ok(None))
    }

    /// The steps of those of these jobs that have or had any, where the place knows steps.
    fn steps(&self, _jobs: &[JobId]) -> impl Future<Output = Result<Vec<StepsOf>, Error>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// What there is under `prefix` of accounts, qualities of service and those who may use them;
    /// `None` where the place has no such books.
    fn tenancy(
        &self,
        _prefix: &AccountPrefix,
    ) -> impl Future<Output = Result<Option<Tree>, Error>> + Send {
        std::future::ready(Ok(None))
    }

    /// Carries a step out on those books.
    fn keep(
        &self,
        _prefix: &AccountPrefix,
        _step: &tenancy::Step,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Up to `length_max` bytes that the job wrote to `stream`, from `offset` on; empty when
    /// there is nothing more yet.
    fn read(
        &self,
        job: JobId,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> impl Future<Output = Result<Vec<u8>, Error>> + Send;

    /// Deletes the files of a job that ended, or was prepared and never submitted. One that ended
    /// stays known, so that it never runs again.
    fn clear(&self, job: JobId) -> impl Future<Output = Result<(), Error>> + Send;
}
