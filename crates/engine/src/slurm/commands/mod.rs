//! Slurm by its commands: one file for each, with what it is told and how its answer is read.
//!
//! Comments, and they alone, are text of users among what we read. They stand last in a line and are
//! cut to the length of our own, so that no line that somebody hides in a comment can pass for one
//! of Slurm's.

mod columns;
mod runs;
mod sacct;
mod sacctmgr;
mod sbatch;
mod scancel;
mod scontrol;
mod sdiag;
mod sinfo;
mod squeue;
pub(super) mod steps;

pub(super) use sinfo::gpus;

use std::sync::Arc;

use jobs::tenancy::{Step, Tree};
use units::Timestamp;

use super::process::Invocation;
use super::settings::Settings;
use super::transport::{
    About, Accounted, Load, Node, Orders, Queued, SlurmId, Submission, Transport,
};
use crate::Error;
use crate::accounts::{Accounted as Run, Keeper, Span};

/// How many jobs one command is asked about: the system limits how long a command line may be.
const IDS_MAX: usize = 5_000;

/// The way to Slurm through `sbatch`, `squeue`, `scancel`, `sacct`, `sinfo`, `sdiag`, `sacctmgr` and
/// `scontrol`.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    settings: Arc<Settings>,
}

impl Commands {
    pub(super) const fn new(settings: Arc<Settings>) -> Self {
        Self { settings }
    }

    /// What everybody's jobs held in a time.
    ///
    /// # Errors
    /// When the accounting gives no usable answer.
    pub(super) async fn runs(&self, span: Span) -> Result<Vec<Run>, Error> {
        let between = runs::between();
        runs::parse(&self.ask(runs::build(span, &between)).await?, &between)
    }

    /// What the accounting has of the steps of these jobs.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn steps(&self, ids: &[SlurmId]) -> Result<Vec<steps::Told>, Error> {
        let mut found = Vec::new();
        for some in ids.chunks(IDS_MAX) {
            let between = runs::between();
            let answer = self.ask(steps::build(some, &between)).await?;
            found.extend(steps::parse(&answer, &between));
        }
        Ok(found)
    }

    /// What of Usine's is on the accounting's books.
    ///
    /// # Errors
    /// When it gives no usable answer.
    pub(super) async fn tenancy(&self, keeper: &Keeper) -> Result<Tree, Error> {
        let (associations, qualities) = tokio::join!(
            self.ask(sacctmgr::build_associations(keeper)),
            self.ask(sacctmgr::build_qualities()),
        );
        Ok(sacctmgr::parse(&keeper.prefix, &associations?, &qualities?))
    }

    /// Carries a step out; one that was carried out before does no harm.
    ///
    /// # Errors
    /// [`Error::Refused`] with what Slurm says.
    pub(super) async fn carry_out(&self, keeper: &Keeper, step: &Step) -> Result<(), Error> {
        for invocation in sacctmgr::build(keeper, step) {
            sacctmgr::parse_change(&invocation.run(&self.settings).await?)?;
        }
        Ok(())
    }

    async fn ask(&self, invocation: Invocation) -> Result<Vec<u8>, Error> {
        invocation.ask(&self.settings).await
    }
}

impl Transport for Commands {
    async fn about(&self) -> Result<About, Error> {
        scontrol::parse(&self.ask(scontrol::build()).await?)
    }

    async fn submit(&self, submission: Submission<'_>) -> Result<SlurmId, Error> {
        let output = sbatch::build(&submission).run(&self.settings).await?;
        sbatch::parse(&output)
    }

    async fn cancel(&self, user: Option<&str>, ids: &[SlurmId]) -> Result<(), Error> {
        for some in ids.chunks(IDS_MAX) {
            let output = scancel::build(user, some).run(&self.settings).await?;
            scancel::parse(&output)?;
        }
        Ok(())
    }

    async fn queue(&self) -> Result<Vec<Queued>, Error> {
        Ok(squeue::parse(&self.ask(squeue::build()).await?))
    }

    async fn accounting(&self, ids: &[SlurmId]) -> Result<Vec<Accounted>, Error> {
        let mut found = Vec::new();
        for some in ids.chunks(IDS_MAX) {
            let (rows, exits) =
                tokio::join!(self.ask(sacct::build_for(some)), self.ask(squeue::build_exits(some)));
            // What has left the queue has left with its exact status.
            let exits = squeue::parse_exits(&exits.unwrap_or_default());
            for mut row in sacct::parse(&rows?) {
                let exact = row.job.and_then(|job| exits.get(&(row.id, job)));
                row.exit = exact.copied().or(row.exit);
                found.push(row);
            }
        }
        Ok(found)
    }

    async fn accounting_of(&self, user: &str, since: Timestamp) -> Result<Vec<Accounted>, Error> {
        Ok(sacct::parse(&self.ask(sacct::build_since(user, since)).await?))
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        sinfo::parse(&self.ask(sinfo::build()).await?)
    }

    async fn orders(&self) -> Result<Orders, Error> {
        let (partitions, reservations, statistics) = tokio::join!(
            self.ask(sinfo::build_partitions()),
            self.ask(scontrol::build_reservations()),
            self.ask(sdiag::build()),
        );
        Ok(Orders {
            partitions: sinfo::parse_partitions(&partitions?),
            reservations: scontrol::parse_reservations(&reservations?),
            // Whoever is no operator may not be told; everything else is known all the same.
            accounting_backlog: statistics.ok().as_deref().and_then(sdiag::parse),
        })
    }

    async fn load(&self) -> Result<Vec<Load>, Error> {
        let (jobs, places) =
            tokio::join!(self.ask(squeue::build_load()), self.ask(squeue::build_places()));
        Ok(squeue::parse_load(&jobs?, &places?))
    }
}

/// Numbers of jobs with commas between.
fn list(ids: &[SlurmId]) -> String {
    ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(",")
}
