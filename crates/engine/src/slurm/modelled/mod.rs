//! A cluster in memory that behaves as Slurm does when it is made to fail: for simulations.
//!
//! Modelled is what the engine has to live with. The controller keeps its jobs in memory, saves them
//! every few seconds, and knows after a crash only what it had saved: it forgets jobs, gives their
//! numbers out again, starts jobs again that run, and calls jobs failed that ended. The accounting
//! hears of ends later, or much later. Nodes run what they were told to, whoever forgets it. Requests
//! and answers are lost, late, or never heard of until afterwards.
//!
//! | part | file |
//! | --- | --- |
//! | the way in, with what the network does to it | here |
//! | what the accounting has on its books | `books` |
//! | the controller and what a crash leaves of it | `controller` |
//! | nodes, the accounting, folders, and the passing of time | `world` |
//! | what can go wrong, and how often | `fault` |

mod books;
mod controller;
mod fault;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use units::{JobId, Timestamp};

use super::settings::Settings;
use super::transport::{
    About, Accounted, Load, Node, Orders, Queued, SlurmId, Submission, Transport,
};
use crate::accounts::{Accounted as Booked, Span};
use crate::job::Stream;
use crate::{Clock, Error};
use fault::Fate;
pub use fault::{Dice, Faults};
use world::World;

/// The login of whoever drives the cluster.
pub(super) const LOGIN: &str = "usine";
/// How long whoever gets no answer waits for one.
const PATIENCE: Duration = Duration::from_secs(30);

/// How large a modelled cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes.
    pub nodes: u32,
    /// Cores of each.
    pub cores: u32,
}

/// What really became of a job, whatever anybody believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// How often its script began.
    pub begun: u32,
    /// How often it was put back in line.
    pub requeued: u32,
    /// For how many seconds all its runs together had nodes, as the accounting has them now; `None`
    /// when it has no run.
    pub booked_seconds: Option<i64>,
    /// Whether the cluster holds a copy of it that waits or runs.
    pub is_open: bool,
}

/// A cluster, from where one of its users sits. All that come of one [`Modelled::new`] share it.
#[derive(Clone, Debug)]
pub struct Modelled {
    world: Arc<Mutex<World>>,
    /// Whether whoever asks through this is still there.
    alive: Arc<AtomicBool>,
}

impl Modelled {
    /// A cluster in good health. Everything that is left to chance comes from `seed`.
    pub fn new(size: Size, clock: Clock, seed: u64) -> Self {
        let world = World::new(size, clock, Dice::new(seed));
        Self { world: Arc::new(Mutex::new(world)), alive: Arc::new(AtomicBool::new(true)) }
    }

    /// The same cluster for another user, who is there as long as `alive` says so: a dead process
    /// asks nothing, and hears no answer.
    #[must_use]
    pub fn seen_by(&self, alive: Arc<AtomicBool>) -> Self {
        Self { world: Arc::clone(&self.world), alive }
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// Lets happen what is due by now; call it often.
    pub fn tick(&self) {
        self.world().tick();
    }

    /// Kills the controller.
    pub fn crash_controller(&self) {
        self.world().crash_controller();
    }

    /// Starts it again, on what it had saved.
    pub fn start_controller(&self) {
        self.world().start_controller();
    }

    /// Stops the accounting, or starts it again.
    pub fn set_accounting(&self, up: bool) {
        self.world().set_accounting(up);
    }

    /// Stops one of the nodes that run something, with what runs there.
    pub fn fail_node(&self) {
        self.world().fail_node();
    }

    /// What happened since this was asked last, for people, in order.
    pub fn take_news(&self) -> Vec<String> {
        std::mem::take(&mut self.world().news)
    }

    /// How many questions it was asked since this was asked last.
    pub fn take_count(&self) -> u64 {
        std::mem::take(&mut self.world().questions)
    }

    /// A job whose script began twice although nobody allowed that.
    pub fn begun_twice(&self) -> Option<JobId> {
        self.world().begun_twice()
    }

    /// Lets every copy of a job run its script, as without a fence: to see what the fence is for.
    pub fn remove_fences(&self) {
        self.world().has_fences = false;
    }

    /// What really became of a job.
    pub fn truth(&self, job: JobId) -> Truth {
        self.world().truth(job)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the cluster, with what may come between a question and its answer.
    async fn ask<T>(
        &self,
        asked: &'static str,
        act: impl FnOnce(&mut World) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let passage = self.world().passage();
        self.pass(passage.there).await;
        if passage.fate == Fate::LostThere {
            self.pass(PATIENCE).await;
            return unclear(asked, "no answer: the question was lost");
        }
        let answer = act(&mut self.world());
        self.pass(passage.back).await;
        if passage.fate == Fate::LostBack {
            return unclear(asked, "no answer: the answer was lost");
        }
        answer
    }

    /// Lets time pass; for one that has died meanwhile, for ever.
    async fn pass(&self, length: Duration) {
        tokio::time::sleep(length).await;
        if !self.alive.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Asks the controller.
    async fn ask_controller<T>(
        &self,
        asked: &'static str,
        act: impl FnOnce(&mut World) -> T + Send,
    ) -> Result<T, Error> {
        let deaths = self.world().deaths;
        self.ask(asked, move |world| match world.controller.is_some() && world.deaths == deaths {
            true => Ok(act(world)),
            false => unclear(asked, "Unable to contact slurm controller"),
        })
        .await
    }

    /// Asks the accounting.
    async fn ask_accounting<T>(
        &self,
        act: impl FnOnce(&mut World) -> T + Send,
    ) -> Result<T, Error> {
        self.ask("sacct", move |world| match world.has_accounting {
            true => Ok(act(world)),
            false => unclear("sacct", "Unable to contact slurm database"),
        })
        .await
    }

    /// What everybody's jobs held in a time.
    pub(super) async fn runs(&self, span: Span) -> Result<Vec<Booked>, Error> {
        self.ask_accounting(move |world| world.runs(span)).await
    }

    pub(super) async fn place(&self, job: JobId) -> Result<(), Error> {
        let place = move |world: &mut World| {
            world.place(job);
            Ok(())
        };
        self.ask("tar", place).await
    }

    pub(super) async fn begun(&self, job: JobId) -> Result<Option<(u32, u32)>, Error> {
        self.ask("dd", move |world| Ok(world.begun(job))).await
    }

    pub(super) async fn was_stopped(&self, job: JobId, id: SlurmId) -> Result<bool, Error> {
        self.ask("dd", move |world| Ok(world.was_stopped(job, id))).await
    }

    pub(super) async fn read(
        &self,
        job: JobId,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let written = self.ask("dd", move |world| Ok(world.written(job, stream))).await?;
        Ok(written.into_iter().skip(skipped).take(length_max).collect())
    }

    pub(super) async fn remove(&self, job: JobId) -> Result<(), Error> {
        let remove = move |world: &mut World| {
            world.remove(job);
            Ok(())
        };
        self.ask("rm", remove).await
    }
}

impl Transport for Modelled {
    fn shelf(&self) -> Option<&Self> {
        Some(self)
    }

    async fn about(&self) -> Result<About, Error> {
        let min_job_age_seconds = world::MIN_JOB_AGE.as_secs();
        let about = About {
            cluster: "modelled".to_owned(),
            version: "modelled".to_owned(),
            min_job_age_seconds,
        };
        self.ask_controller("scontrol", move |_| about).await
    }

    async fn submit(&self, submission: Submission<'_>) -> Result<SlurmId, Error> {
        let submitted = controller::Submitted::of(&submission);
        let late = self.world().lateness();
        if let Some(late) = late {
            self.world().expect(submitted, late);
            self.pass(PATIENCE).await;
            return unclear("sbatch", "no answer in time");
        }
        self.ask_controller("sbatch", move |world| world.submit(submitted)).await?.ok_or_else(
            || Error::Unclear { asked: "sbatch".into(), answer: "no controller".to_owned() },
        )
    }

    async fn cancel(&self, _user: Option<&str>, ids: &[SlurmId]) -> Result<(), Error> {
        let ids = ids.to_vec();
        self.ask_controller("scancel", move |world| world.cancel(&ids)).await
    }

    async fn queue(&self) -> Result<Vec<Queued>, Error> {
        self.ask_controller("squeue", |world| world.queue()).await
    }

    async fn accounting(&self, ids: &[SlurmId]) -> Result<Vec<Accounted>, Error> {
        let ids = ids.to_vec();
        self.ask_accounting(move |world| world.accounted(|row| ids.contains(&row.id))).await
    }

    async fn accounting_of(&self, user: &str, since: Timestamp) -> Result<Vec<Accounted>, Error> {
        let user = user.to_owned();
        let wanted =
            move |row: &Accounted| row.user == user && row.ended.is_none_or(|ended| ended >= since);
        self.ask_accounting(move |world| world.accounted(wanted)).await
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.ask_controller("sinfo", |world| world.nodes()).await
    }

    async fn orders(&self) -> Result<Orders, Error> {
        self.ask_controller("scontrol", |_| Orders::default()).await
    }

    async fn load(&self) -> Result<Vec<Load>, Error> {
        self.ask_controller("squeue", |world| world.load()).await
    }
}

fn unclear<T>(asked: &'static str, answer: &str) -> Result<T, Error> {
    Err(Error::Unclear { asked: asked.into(), answer: answer.to_owned() })
}

impl Settings {
    /// How an engine drives a modelled cluster: its records in `records` on `disk`, its clock
    /// `clock`.
    pub fn modelled(records: std::path::PathBuf, disk: crate::Disk, clock: Clock) -> Self {
        Self { patience: PATIENCE, disk, clock, ..Self::new(records, "/modelled/{user}") }
    }
}
