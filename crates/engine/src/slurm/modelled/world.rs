//! What a modelled cluster is made of beside its controller, and what happens as time passes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jobs::life::{End, Failure};
use units::{JobId, Timestamp};

use super::super::core::has_passed;
use super::super::script::FENCED;
use super::super::state::{Close, Exit, Phase};
use super::super::transport::{Load, Node, Queued, SlurmId};
use super::books::Row;
use super::controller::{Controller, Held, Stand, Submitted};
use super::fault::Passage;
use super::{Dice, Faults, Size, Truth};
use crate::Clock;
use crate::job::Stream;
use crate::simulated::script::{Play, Written};

/// The name by which all nodes go: where a job runs is of no account here.
pub(super) const NODE: &str = "n1";
/// How long an ended job stays in the queue.
pub(super) const MIN_JOB_AGE: Duration = Duration::from_secs(300);
/// How often the controller saves what it knows.
const SAVES: Duration = Duration::from_secs(5);
/// The longest that a submission may take to arrive after all: longer than an engine waits for it
/// before it submits again.
const LATE_MILLISECONDS: u64 = 120_000;

/// What a node runs.
#[derive(Clone, Debug)]
struct Process {
    id: SlurmId,
    job: JobId,
    until: Timestamp,
    close: Close,
    exit: Option<Exit>,
}

/// A job's folder.
#[derive(Clone, Debug, Default)]
struct Shelf {
    /// The attempt, the number and the count of restarts that passed the fence.
    begun: Option<(u32, SlurmId, u32)>,
    stopped: BTreeSet<SlurmId>,
    /// What the script does, since when, and until when it did.
    played: Option<(Play, Timestamp, Option<Timestamp>)>,
    /// Whether both its streams go to one file.
    joined: bool,
}

#[derive(Debug)]
pub(super) struct World {
    size: Size,
    clock: Clock,
    dice: Dice,
    pub(super) faults: Faults,
    /// `None` while it is down.
    pub(super) controller: Option<Controller>,
    saved: (Timestamp, Controller),
    pub(super) has_accounting: bool,
    pub(super) rows: BTreeMap<(SlurmId, Option<Timestamp>), Row>,
    /// How often the controller was killed: a question does not outlive the one it was sent to.
    pub(super) deaths: u64,
    processes: Vec<Process>,
    shelves: BTreeMap<JobId, Shelf>,
    begun: BTreeMap<JobId, u32>,
    /// How often each was put back in line.
    requeued: BTreeMap<JobId, u32>,
    /// The first that began more often than its owner allowed.
    twice: Option<JobId>,
    expected: Vec<(Timestamp, Submitted)>,
    pub(super) has_fences: bool,
    pub(super) questions: u64,
    pub(super) news: Vec<String>,
}

impl World {
    pub(super) fn new(size: Size, clock: Clock, dice: Dice) -> Self {
        Self {
            size,
            clock,
            dice,
            faults: Faults::default(),
            controller: Some(Controller::default()),
            saved: (clock.now(), Controller::default()),
            has_accounting: true,
            rows: BTreeMap::new(),
            deaths: 0,
            processes: Vec::new(),
            shelves: BTreeMap::new(),
            begun: BTreeMap::new(),
            requeued: BTreeMap::new(),
            twice: None,
            expected: Vec::new(),
            has_fences: true,
            questions: 0,
            news: Vec::new(),
        }
    }

    /// What time it is, in whole seconds as Slurm has them.
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    pub(super) const fn passage(&mut self) -> Passage {
        self.questions = self.questions.saturating_add(1);
        self.faults.passage(&mut self.dice)
    }

    /// How late the next submission is, if it is.
    pub(super) const fn lateness(&mut self) -> Option<Duration> {
        match self.dice.hits(self.faults.late) {
            true => Some(self.dice.up_to(LATE_MILLISECONDS)),
            false => None,
        }
    }

    pub(super) fn expect(&mut self, submitted: Submitted, late: Duration) {
        let at = self.now().saturating_add(late).unwrap_or(Timestamp::MAX);
        self.expected.push((at, submitted));
    }

    pub(super) fn submit(&mut self, submitted: Submitted) -> Option<SlurmId> {
        let now = self.now();
        let (job, attempt) = (submitted.job, submitted.attempt);
        let id = self.controller.as_mut()?.take(submitted, now);
        self.news.push(format!("takes {job}, attempt {attempt}, as {}", id.0));
        self.tick();
        Some(id)
    }

    pub(super) fn cancel(&mut self, ids: &[SlurmId]) {
        let now = self.now();
        for id in ids {
            let Some(controller) = &mut self.controller else { return };
            if controller.jobs.get(id).is_some_and(|held| !held.is_over()) {
                self.news.push(format!("cancels {}", id.0));
                self.kill(*id, now);
                if let Some(controller) = &mut self.controller {
                    controller.end(*id, Close::Plain(End::Cancelled), None, now);
                }
            }
        }
    }

    /// Lets happen what is due.
    pub(super) fn tick(&mut self) {
        let now = self.now();
        let (due, later) = self.expected.drain(..).partition(|(at, _)| *at <= now);
        self.expected = later;
        for (_, submitted) in due {
            // One that meets no controller has come to nothing.
            if let Some(controller) = &mut self.controller {
                let (job, id) = (submitted.job, controller.take(submitted, now));
                self.news.push(format!("takes {job}, late, as {}", id.0));
            }
        }
        self.end_what_is_over(now);
        self.start_what_fits(now);
        let Some(controller) = &mut self.controller else { return };
        let outbox = match self.has_accounting {
            true => std::mem::take(&mut controller.outbox),
            false => Vec::new(),
        };
        let is_old = |held: &Held| match held.stand {
            Stand::Over { ended, .. } => has_passed(ended, now, MIN_JOB_AGE),
            Stand::Waiting { .. } | Stand::Running { .. } => false,
        };
        controller.jobs.retain(|_, held| !is_old(held));
        if has_passed(self.saved.0, now, SAVES) {
            self.saved = (now, controller.clone());
        }
        self.book(outbox);
    }

    /// Nodes tell the controller what has come to its end, as soon as there is one that listens.
    fn end_what_is_over(&mut self, now: Timestamp) {
        let Some(controller) = &mut self.controller else { return };
        let (over, running) = self.processes.drain(..).partition(|process| process.until <= now);
        self.processes = running;
        for Process { id, job, until, close, exit } in over {
            if let Some((_, _, end @ None)) =
                self.shelves.get_mut(&job).and_then(|shelf| shelf.played.as_mut())
            {
                *end = Some(until);
            }
            let knows = |held: &Held| held.what.job == job && held.is_running();
            if controller.jobs.get(&id).is_some_and(knows) {
                self.news.push(format!("{} ends: {close:?}", id.0));
                controller.end(id, close, exit, until);
            }
        }
    }

    fn start_what_fits(&mut self, now: Timestamp) {
        let Some(controller) = &mut self.controller else { return };
        let mut free = controller.free(self.size.nodes.saturating_mul(self.size.cores));
        let mut launched = Vec::new();
        for (id, held) in &mut controller.jobs {
            if held.stand != (Stand::Waiting { held: false }) {
                continue;
            }
            let Some(left) = free.checked_sub(held.what.cores) else { break };
            // slurmd refuses the number of a job that it still runs.
            if self.processes.iter().any(|process| process.id == *id) {
                held.stand = Stand::Waiting { held: true };
                self.news.push(format!("{} is held: a copy of that number runs", id.0));
                continue;
            }
            free = left;
            held.stand = Stand::Running { started: now };
            launched.push((*id, held.what.clone(), held.restarts));
        }
        for (id, what, restarts) in launched {
            self.launch(id, what, restarts, now);
        }
    }

    /// A node starts a job: the fence first, behind it the script.
    fn launch(&mut self, id: SlurmId, what: Submitted, restarts: u32, now: Timestamp) {
        let Submitted { job, attempt, requeues, limit_seconds, play, joined, .. } = what;
        let mine = (attempt, id, restarts);
        let shelf = self.shelves.get_mut(&job);
        let passes = match shelf.as_deref().map(|shelf| shelf.begun) {
            None => false,
            Some(_) if !self.has_fences => true,
            Some(None) => true,
            Some(Some((other, number, before))) => {
                requeues && (other, number) == (attempt, id) && restarts > before
            }
        };
        let Some(shelf) = shelf.filter(|_| passes) else {
            if let Some(shelf) = self.shelves.get_mut(&job) {
                shelf.stopped.insert(id);
            }
            self.news.push(format!("{} stops at the fence of {job}", id.0));
            let exit = Some(Exit { code: FENCED, signal: 0 });
            self.processes.push(Process { id, job, until: now, close: Close::Failed, exit });
            return;
        };
        shelf.begun = Some(mine);
        let limit = Duration::from_secs(limit_seconds);
        let length = play.length().min(limit);
        let until = now.saturating_add(length).unwrap_or(Timestamp::MAX);
        let (close, exit) = match (play.length() > limit, play.end()) {
            (true, _) => (Close::Plain(End::TimedOut), None),
            (false, End::Failed(Failure::ExitCode(code))) => {
                (Close::Failed, Some(Exit { code, signal: 0 }))
            }
            (false, End::Failed(Failure::Signal(signal))) => {
                (Close::Failed, Some(Exit { code: 0, signal }))
            }
            (false, _) => (Close::Completed, Some(Exit::default())),
        };
        shelf.played = Some((play, now, None));
        shelf.joined = joined;
        let begun = self.begun.entry(job).or_default();
        *begun += 1;
        if *begun > 1 + self.requeued.get(&job).copied().unwrap_or_default() {
            self.twice.get_or_insert(job);
        }
        self.news.push(format!("{} runs {job}", id.0));
        self.processes.push(Process { id, job, until, close, exit });
    }

    /// Ends what runs under a number.
    fn kill(&mut self, id: SlurmId, now: Timestamp) {
        let killed = |process: &Process| process.id == id;
        for process in self.processes.extract_if(.., |process| killed(process)) {
            if let Some((_, _, end)) =
                self.shelves.get_mut(&process.job).and_then(|shelf| shelf.played.as_mut())
            {
                *end = Some(now);
            }
        }
    }

    pub(super) fn crash_controller(&mut self) {
        if self.controller.take().is_some() {
            self.deaths += 1;
            self.news.push("controller killed".to_owned());
        }
    }

    /// The controller knows again what it had saved, and compares it with what nodes run.
    pub(super) fn start_controller(&mut self) {
        if self.controller.is_some() {
            return;
        }
        let now = self.now();
        let mut controller = self.saved.1.clone();
        self.news.push(format!("controller back; {} was its last number", controller.last));
        let runs = |id: SlurmId, held: &Held| {
            let is_it = |process: &Process| process.id == id && process.job == held.what.job;
            self.processes.iter().any(is_it)
        };
        let is_gone = |(id, held): &(&SlurmId, &Held)| held.is_running() && !runs(**id, held);
        let gone: Vec<SlurmId> = controller.jobs.iter().filter(is_gone).map(|it| *it.0).collect();
        for id in gone {
            if let Some(job) = controller.requeue(id, now) {
                *self.requeued.entry(job).or_default() += 1;
                self.news.push(format!("{} is gone from its node: requeued", id.0));
            } else {
                self.news.push(format!("{} is gone from its node: failed", id.0));
                controller.end(id, Close::Plain(End::NodeFailed), None, now);
            }
        }
        let is_known = |process: &Process| {
            let same = |held: &Held| held.what.job == process.job && !held.is_over();
            controller.jobs.get(&process.id).is_some_and(same)
        };
        let strangers: Vec<SlurmId> =
            self.processes.iter().filter(|it| !is_known(it)).map(|it| it.id).collect();
        self.controller = Some(controller);
        for id in strangers {
            // Those that a node reports are killed; not every node reports at once.
            if self.dice.hits(500) {
                self.news.push(format!("{} is known to nobody: killed", id.0));
                self.kill(id, now);
            }
        }
    }

    pub(super) fn set_accounting(&mut self, up: bool) {
        self.has_accounting = up;
        self.news.push(format!("accounting {}", if up { "back" } else { "killed" }));
    }

    pub(super) fn fail_node(&mut self) {
        let now = self.now();
        let Some(controller) = &mut self.controller else { return };
        let running = controller.jobs.iter().filter(|(_, held)| held.is_running());
        let running: Vec<SlurmId> = running.map(|(id, _)| *id).collect();
        let count = u64::try_from(running.len()).unwrap_or_default();
        let chosen = usize::try_from(self.dice.below(count)).unwrap_or_default();
        let Some(id) = running.get(chosen) else { return };
        self.news.push(format!("the node of {} fails", id.0));
        match controller.requeue(*id, now) {
            Some(job) => *self.requeued.entry(job).or_default() += 1,
            None => controller.end(*id, Close::Plain(End::NodeFailed), None, now),
        }
        self.kill(*id, now);
    }

    pub(super) fn queue(&self) -> Vec<Queued> {
        self.controller.as_ref().map(Controller::queue).unwrap_or_default()
    }

    pub(super) fn nodes(&self) -> Vec<Node> {
        let node = |number: u32| Node {
            name: format!("n{number}"),
            away: None,
            cores: self.size.cores,
            memory_mb: 1 << 20,
            gpus: 0,
            gpu_model: String::new(),
            features: Vec::new(),
            partitions: vec!["batch".to_owned()],
            default_partition: Some("batch".to_owned()),
        };
        (1..=self.size.nodes).map(node).collect()
    }

    pub(super) fn load(&self) -> Vec<Load> {
        let Some(controller) = &self.controller else { return Vec::new() };
        let load = |(id, held): (&SlurmId, &Held)| {
            let (phase, started) = match held.stand {
                Stand::Waiting { .. } => (Phase::Waiting, None),
                Stand::Running { started } => (Phase::Active, Some(started)),
                Stand::Over { .. } => return None,
            };
            Some(Load {
                id: *id,
                phase,
                reason: "None".to_owned(),
                partitions: vec!["batch".to_owned()],
                nodes: 1,
                cores: held.what.cores,
                memory_mb: 1,
                gpus: 0,
                limit_seconds: i64::try_from(held.what.limit_seconds).unwrap_or(i64::MAX),
                priority: 0,
                started,
                held: started.map(|_| NODE.to_owned()).unwrap_or_default(),
            })
        };
        controller.jobs.iter().filter_map(load).collect()
    }

    pub(super) fn place(&mut self, job: JobId) {
        self.shelves.entry(job).or_default();
    }

    pub(super) fn begun(&self, job: JobId) -> Option<(u32, u32)> {
        let (attempt, id, _) = self.shelves.get(&job)?.begun?;
        Some((attempt, id.0))
    }

    pub(super) fn was_stopped(&self, job: JobId, id: SlurmId) -> bool {
        self.shelves.get(&job).is_some_and(|shelf| shelf.stopped.contains(&id))
    }

    pub(super) fn written(&self, job: JobId, stream: Stream) -> Vec<u8> {
        let Some(shelf) = self.shelves.get(&job) else { return Vec::new() };
        let Some((play, started, ended)) = &shelf.played else { return Vec::new() };
        let until = ended.unwrap_or_else(|| self.now());
        let passed = until.duration_since(*started).try_into().unwrap_or_default();
        play.written(passed, |to| match to {
            Written::Metrics => stream == Stream::Metrics,
            Written::Stdout => stream == Stream::Stdout,
            Written::Stderr if shelf.joined => stream == Stream::Stdout,
            Written::Stderr => stream == Stream::Stderr,
        })
    }

    pub(super) fn remove(&mut self, job: JobId) {
        self.shelves.remove(&job);
    }

    pub(super) const fn begun_twice(&self) -> Option<JobId> {
        self.twice
    }

    pub(super) fn truth(&self, job: JobId) -> Truth {
        let mut held = self.controller.iter().flat_map(|controller| controller.jobs.values());
        Truth {
            begun: self.begun.get(&job).copied().unwrap_or_default(),
            requeued: self.requeued.get(&job).copied().unwrap_or_default(),
            booked_seconds: self.booked_seconds(job),
            is_open: held.any(|held| held.what.job == job && !held.is_over()),
        }
    }
}
