//! An engine that only pretends, on a clock that its owner moves.

pub(crate) mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jobs::life::{End, Failure};
use sched::{Amount, NodePlacement, NodeSpec, PartitionSpec, Placement, Policy, Sharing, Snapshot};
use units::{JobId, Timestamp};

use crate::job::{Capacity, Ended, Observation, Spec, State, Stream};
use crate::{Engine, Error};
use script::{Play, Written};

/// The only node, and the partition that it makes.
const NODE: &str = "simulated";
const MEMORY_MB: u64 = 1 << 20;

/// Runs the few commands that [`crate::conformance`] uses, in no time but that which its owner
/// lets pass. It outlives whoever drives it, as a cluster outlives an agent.
#[derive(Clone, Debug)]
pub struct SimulatedEngine {
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
struct World {
    folder: PathBuf,
    cores: u32,
    now: Timestamp,
    jobs: BTreeMap<JobId, Job>,
    order: Vec<JobId>,
    cleared: BTreeSet<JobId>,
    starts: BTreeMap<JobId, u32>,
    replies_to_lose: u32,
}

#[derive(Debug)]
struct Job {
    spec: Spec,
    play: Play,
    state: State,
}

impl SimulatedEngine {
    /// A machine with so many cores whose clock stands at `now`; inputs go below `folder`.
    pub fn new(folder: PathBuf, cores: u32, now: Timestamp) -> Self {
        let world = World {
            folder,
            cores,
            now,
            jobs: BTreeMap::new(),
            order: Vec::new(),
            cleared: BTreeSet::new(),
            starts: BTreeMap::new(),
            replies_to_lose: 0,
        };
        Self { world: Arc::new(Mutex::new(world)) }
    }

    /// Lets time pass.
    pub fn advance(&self, milliseconds: u32) {
        let mut world = self.world();
        let later = std::time::Duration::from_millis(milliseconds.into());
        world.now = world.now.saturating_add(later).unwrap_or(world.now);
        world.settle();
    }

    /// Lets the next `count` calls that change something do their work and then report a failure.
    pub fn lose_replies(&self, count: u32) {
        self.world().replies_to_lose = count;
    }

    /// How often a job was started.
    pub fn starts(&self, job: JobId) -> u32 {
        self.world().starts.get(&job).copied().unwrap_or_default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn submit(&mut self, job: JobId, spec: &Spec) -> Result<(), Error> {
        if self.jobs.contains_key(&job) || self.cleared.contains(&job) {
            return Ok(());
        }
        spec.check()?;
        if spec.request.cores > self.cores {
            return Err(Error::Refused("it asks for more than there is".to_owned()));
        }
        let play = Play::of(&spec.script);
        self.jobs.insert(job, Job { spec: spec.clone(), play, state: State::Queued });
        self.order.push(job);
        self.settle();
        self.reply()
    }

    fn cancel(&mut self, job: JobId) -> Result<(), Error> {
        let now = self.now;
        match self.jobs.get_mut(&job) {
            Some(job) => job.end(End::Cancelled, now),
            None if self.cleared.contains(&job) => {}
            None => return Err(Error::Unknown(job)),
        }
        self.settle();
        self.reply()
    }

    fn clear(&mut self, job: JobId) -> Result<(), Error> {
        match self.jobs.get(&job).map(|job| &job.state) {
            None => return self.reply(),
            Some(State::Ended(_)) => {}
            Some(_) => return Err(Error::Refused("the job has not ended".to_owned())),
        }
        self.jobs.remove(&job);
        self.order.retain(|other| *other != job);
        self.cleared.insert(job);
        self.reply()
    }

    /// Ends what is over, then starts what fits, first come first served.
    fn settle(&mut self) {
        for job in self.jobs.values_mut() {
            job.play_until(self.now);
        }
        let running = |job: &&Job| matches!(job.state, State::Running { .. });
        let used: u32 = self.jobs.values().filter(running).map(|job| job.spec.request.cores).sum();
        let mut free = self.cores.saturating_sub(used);
        for id in &self.order {
            let Some(job) = self.jobs.get_mut(id) else { continue };
            if job.state != State::Queued {
                continue;
            }
            let Some(left) = free.checked_sub(job.spec.request.cores) else { return };
            free = left;
            let nodes = vec![NODE.to_owned()];
            job.state =
                State::Running { started: self.now, nodes, cores: Vec::new(), gpus: Vec::new() };
            *self.starts.entry(*id).or_default() += 1;
            job.play_until(self.now);
        }
    }

    /// What runs and waits on the one node there is.
    fn snapshot(&self) -> Snapshot {
        let whole = Amount { cores: self.cores, memory_mb: MEMORY_MB, gpus: 0 };
        let node = NodeSpec { name: NODE.to_owned(), whole, features: Vec::new() };
        let partition = PartitionSpec {
            name: NODE.to_owned(),
            nodes: vec![node],
            sharing: Sharing::Shared,
            policy: Policy::Fcfs,
            time_limit_seconds_max: None,
        };
        let mut snapshot =
            Snapshot { partition, down: Vec::new(), running: Vec::new(), waiting: Vec::new() };
        let mut core = 0;
        for (id, job) in self.order.iter().filter_map(|id| Some((id, self.jobs.get(id)?))) {
            match job.state {
                State::Queued => snapshot.waiting.push(job.spec.for_scheduler(*id, NODE)),
                State::Running { started, .. } => {
                    let cores = (core..).take(usize::try_from(job.spec.request.cores).unwrap_or(0));
                    let part = NodePlacement {
                        node: NODE.to_owned(),
                        cores: cores.collect(),
                        gpus: Vec::new(),
                        memory_mb: job.spec.request.memory_mb,
                    };
                    core += job.spec.request.cores;
                    let placement = Placement { nodes: vec![part] };
                    let started = started.as_second();
                    snapshot.running.push((job.spec.for_scheduler(*id, NODE), placement, started));
                }
                State::Ended(_) => {}
            }
        }
        snapshot
    }

    fn reply(&mut self) -> Result<(), Error> {
        match self.replies_to_lose.checked_sub(1) {
            None => Ok(()),
            Some(left) => {
                self.replies_to_lose = left;
                let source = std::io::Error::other("the reply was lost");
                Err(Error::System { action: "hear from the simulation", source })
            }
        }
    }
}

impl Job {
    fn play_until(&mut self, now: Timestamp) {
        let State::Running { started, .. } = self.state else { return };
        let limit = std::time::Duration::from_secs(self.spec.request.time_limit_seconds);
        let length = self.play.length();
        let over = started.saturating_add(length.min(limit)).unwrap_or(now);
        if over > now {
            return;
        }
        let end = if length > limit { End::TimedOut } else { self.play.end() };
        self.end(end, over);
    }

    fn end(&mut self, end: End, ended: Timestamp) {
        let started = match self.state {
            State::Ended(_) => return,
            State::Queued => None,
            State::Running { started, .. } => Some(started),
        };
        self.state = State::Ended(Ended {
            end,
            reason: None,
            started,
            ended,
            peak_memory_mb: None,
            cpu_milliseconds: None,
        });
    }

    fn written(&self, stream: Stream, now: Timestamp) -> Vec<u8> {
        let (started, until) = match &self.state {
            State::Running { started, .. } => (*started, now),
            State::Ended(Ended { started: Some(started), ended, .. }) => (*started, *ended),
            State::Queued | State::Ended(_) => return Vec::new(),
        };
        let passed = until.duration_since(started).try_into().unwrap_or_default();
        let joined = self.spec.stderr.is_none();
        let wanted = |to: Written| match to {
            Written::Metrics => stream == Stream::Metrics,
            Written::Stdout => stream == Stream::Stdout,
            Written::Stderr => stream == if joined { Stream::Stdout } else { Stream::Stderr },
        };
        self.play.written(passed, wanted)
    }
}

impl Engine for SimulatedEngine {
    fn capacity(&self) -> Capacity {
        let world = self.world();
        Capacity {
            host: NODE.to_owned(),
            nodes: 1,
            cores: world.cores,
            memory_mb: MEMORY_MB,
            gpus: Vec::new(),
            isolation: vec!["nothing runs".to_owned()],
        }
    }

    async fn prepare(&self, job: JobId) -> Result<PathBuf, Error> {
        let folder = self.world().folder.join(job.to_string());
        fs::create_dir_all(&folder).map_err(Error::system("make the folder of a job"))?;
        Ok(folder)
    }

    async fn knows(&self, job: JobId) -> Result<bool, Error> {
        let world = self.world();
        Ok(world.jobs.contains_key(&job) || world.cleared.contains(&job))
    }

    async fn submit(&self, job: JobId, spec: &Spec) -> Result<(), Error> {
        self.world().submit(job, spec)
    }

    async fn cancel(&self, job: JobId) -> Result<(), Error> {
        self.world().cancel(job)
    }

    async fn observe(&self) -> Result<Vec<Observation>, Error> {
        let world = self.world();
        let seen = |(job, one): (&JobId, &Job)| Observation { job: *job, state: one.state.clone() };
        Ok(world.jobs.iter().map(seen).collect())
    }

    async fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(self.world().snapshot())
    }

    async fn read(
        &self,
        job: JobId,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Error> {
        let world = self.world();
        let Some(one) = world.jobs.get(&job) else { return Ok(Vec::new()) };
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(one.written(stream, world.now).into_iter().skip(skipped).take(length_max).collect())
    }

    async fn clear(&self, job: JobId) -> Result<(), Error> {
        self.world().clear(job)
    }
}

/// How the simulated shell reports an exit.
fn end_of(code: u8) -> End {
    if code == 0 { End::Completed } else { End::Failed(Failure::ExitCode(code)) }
}
