//! Jobs on a cluster that Slurm schedules and somebody else owns.
//!
//! A job runs as the person who submitted it, and its script runs at most once. Its id stands in the
//! comment of Slurm's job, so that a submission whose reply was lost is found again and not repeated;
//! what is intended is durable before Slurm hears of it; and what Slurm runs is a fence that lets one
//! copy through ([`script`]). Silence of a command is never taken for an answer.
//!
//! | part | file |
//! | --- | --- |
//! | what the administrator decides | `settings` |
//! | names and options that may reach a command line | `name`, `options` |
//! | what is durable | `book` |
//! | a job's folder, touched as its person | `folder`, `porter`, `process` |
//! | submission and cancellation | `core`; the fence: `script`; whose numbers a job sees: `numbers` |
//! | where every job stands | `follow` |
//! | the cluster as the scheduler sees it | `snapshot` |
//! | what keeps it from taking work | `health` |
//! | the ways to Slurm | `transport`, `way`: `commands`, `rest` |
//! | a cluster in memory instead, made to fail | `modelled` |
//! | Slurm's words and figures | `state`, `text` |
//!
//! Not here: which accounts and limits there should be, and which login a person has.

mod book;
mod commands;
mod core;
mod folder;
mod follow;
mod health;
pub mod modelled;
mod name;
mod numbers;
mod options;
mod porter;
mod process;
mod rest;
mod script;
mod settings;
mod snapshot;
mod state;
mod text;
mod transport;
mod way;

use std::path::PathBuf;
use std::sync::Arc;

use jobs::AccountPrefix;
use jobs::tenancy::{Step, Tree};
use sched::Snapshot;
use units::JobId;

use crate::accounts::{Accounts, Keeper, Span};
use crate::job::{Capacity, Observation, Spec, Stream};
use crate::steps::StepsOf;
use crate::{Engine, Error, Health};
use core::Core;
use transport::SlurmId;
use way::Way;

pub use rest::RestSettings;
pub use settings::{Reading, Settings};

/// Carries jobs out through Slurm.
///
/// Dropping the engine, or killing the process that holds it, leaves jobs alone; the next engine on
/// the same records finds them.
#[derive(Clone, Debug)]
pub struct SlurmEngine {
    core: Arc<Core<Way>>,
}

impl SlurmEngine {
    /// Finds out what the cluster is, and which jobs are known from before.
    ///
    /// # Errors
    /// When the cluster does not answer, or cannot be worked with as it is configured.
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        let settings = Arc::new(settings);
        let way = Way::open(&settings).await?;
        Ok(Self { core: Arc::new(Core::open(settings, way).await?) })
    }

    /// The engine on a cluster that is only modelled.
    ///
    /// # Errors
    /// When the records of the engine before this one cannot be read, or the cluster does not answer.
    pub async fn modelled(settings: Settings, cluster: modelled::Modelled) -> Result<Self, Error> {
        let core = Core::open(Arc::new(settings), Way::Modelled(cluster)).await?;
        Ok(Self { core: Arc::new(core) })
    }

    fn keeper(&self, prefix: &AccountPrefix) -> Keeper {
        Keeper { cluster: self.core.about.cluster.clone(), prefix: prefix.clone() }
    }

    /// The release of Slurm.
    pub fn version(&self) -> &str {
        &self.core.about.version
    }
}

impl Engine for SlurmEngine {
    fn capacity(&self) -> Capacity {
        self.core.capacity()
    }

    async fn prepare(&self, job: JobId) -> Result<PathBuf, Error> {
        self.core.prepare(job).await
    }

    async fn knows(&self, job: JobId) -> Result<bool, Error> {
        Ok(self.core.knows(job))
    }

    async fn submit(&self, job: JobId, spec: &Spec) -> Result<(), Error> {
        self.core.submit(job, spec).await
    }

    async fn cancel(&self, job: JobId) -> Result<(), Error> {
        self.core.cancel(job)
    }

    async fn observe(&self) -> Result<Vec<Observation>, Error> {
        self.core.observe().await
    }

    async fn snapshot(&self) -> Result<Snapshot, Error> {
        self.core.snapshot().await
    }

    async fn health(&self) -> Result<Health, Error> {
        self.core.health().await
    }

    async fn accounts(&self, span: Span) -> Result<Option<Accounts>, Error> {
        let runs = self.core.transport.runs(span).await?;
        Ok(Some(Accounts { cluster: self.core.about.cluster.clone(), runs }))
    }

    async fn steps(&self, jobs: &[JobId]) -> Result<Vec<StepsOf>, Error> {
        let asked = self.core.numbers_of(jobs);
        let ids: Vec<_> = asked.iter().map(|(_, id, _)| *id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let told = self.core.transport.steps(&ids).await?;
        let whose = |(job, id, login): &(JobId, SlurmId, String)| {
            // Numbers are given out again by a controller that lost its memory.
            let own = told.iter().rfind(|told| told.id == *id && told.user == *login)?;
            Some(StepsOf { job: *job, steps: own.steps.clone() })
        };
        Ok(asked.iter().filter_map(whose).collect())
    }

    async fn tenancy(&self, prefix: &AccountPrefix) -> Result<Option<Tree>, Error> {
        self.core.transport.tenancy(&self.keeper(prefix)).await.map(Some)
    }

    async fn keep(&self, prefix: &AccountPrefix, step: &Step) -> Result<(), Error> {
        self.core.transport.keep(&self.keeper(prefix), step).await
    }

    async fn read(
        &self,
        job: JobId,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Error> {
        self.core.read(job, stream, offset, length_max).await
    }

    async fn clear(&self, job: JobId) -> Result<(), Error> {
        self.core.clear(job).await
    }
}
