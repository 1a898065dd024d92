//! Which jobs there are and how far each has come, kept in step with their files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use sched::{Effect, Event, Placement, Refusal, Snapshot};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use units::{JobId, Timestamp};

use super::machine::{HERE, Machine};
use super::settings::Settings;
use super::{Shared, task};
use crate::carry::{self, JobFolder, StartRecord, Task};
use crate::ended::{EndRecord, How};
use crate::job::{Ended, Observation, Spec, State};
use crate::{Error, record};

/// How often a shepherd is started for one job before the machine is blamed.
const LAUNCHES_MAX: u32 = 3;

/// A job that was taken in, durable.
#[derive(Debug, Serialize, Deserialize)]
struct SpecRecord {
    /// The place in the queue.
    submitted_microseconds: i64,
    spec: Spec,
}

#[derive(Debug)]
enum Stage {
    Queued(Box<Spec>),
    Placed(Box<Placed>),
    Ended(Ended),
}

/// A job with a shepherd, or about to have one.
#[derive(Debug)]
struct Placed {
    task: Task,
    started: Option<Timestamp>,
    /// The shepherd, when this process started it.
    shepherd: Option<Child>,
    launches: u32,
}

/// All jobs that are not cleared, with the scheduler that decides who starts.
#[derive(Debug)]
pub(super) struct Queue {
    scheduler: sched::Machine,
    jobs: BTreeMap<JobId, Stage>,
    /// Starts that the scheduler decided and that are still to be carried out.
    due: Vec<(JobId, Placement)>,
    /// Jobs whose files are gone; they never run again.
    cleared: BTreeSet<JobId>,
}

impl Queue {
    pub(super) fn new(machine: &Machine) -> Result<Self, Error> {
        let scheduler = machine.scheduler().map_err(|error| Error::Refused(error.to_string()))?;
        Ok(Self { scheduler, jobs: BTreeMap::new(), due: Vec::new(), cleared: BTreeSet::new() })
    }

    /// Finds the jobs that an engine before this one left.
    pub(super) fn adopt(&mut self, settings: &Settings, machine: &Machine) -> Result<(), Error> {
        let mut waiting = Vec::new();
        let entries = fs::read_dir(settings.folder.join("jobs"))
            .map_err(Error::system("list the jobs of this machine"))?;
        for entry in entries.flatten() {
            let Some(job) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let folder = JobFolder::new(&entry.path());
            let Some(record) = load::<SpecRecord>(&folder.spec())? else { continue };
            let ended: Option<EndRecord> = load(&folder.ended())?;
            match (ended, load::<Task>(&folder.task())?) {
                (Some(_), _) if !folder.work().exists() => {
                    self.cleared.insert(job);
                }
                (Some(end), _) => {
                    self.jobs.insert(job, Stage::Ended(end.into()));
                }
                (None, Some(task)) => {
                    self.adopt_placed(&folder, job, &record.spec, task, machine)?
                }
                (None, None) => waiting.push((record.submitted_microseconds, job, record.spec)),
            }
        }
        waiting.sort_by_key(|(submitted, job, _)| (*submitted, *job));
        for (_, job, spec) in waiting {
            if let Err(refusal) = self.enqueue(job, &spec) {
                let folder = JobFolder::new(&settings.folder.join("jobs").join(job.to_string()));
                self.end(&folder, job, carry::never_began(How::Refused, Some(refusal)))?;
            }
        }
        Ok(())
    }

    pub(super) fn knows(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job) || self.cleared.contains(&job)
    }

    /// Takes a job in: once its file is there, it will run.
    pub(super) fn submit(
        &mut self,
        folder: &JobFolder,
        job: JobId,
        spec: &Spec,
    ) -> Result<(), Error> {
        self.enqueue(job, spec).map_err(Error::Refused)?;
        let submitted_microseconds = carry::now().as_microsecond();
        let record = SpecRecord { submitted_microseconds, spec: spec.clone() };
        record::write(&folder.spec(), &record)
            .inspect_err(|_| self.withdraw(job))
            .map_err(Error::system("note a new job"))
    }

    /// Ends a job: at once when it waits, through its shepherd when it runs.
    pub(super) fn cancel(&mut self, folder: &JobFolder, job: JobId) -> Result<(), Error> {
        match self.jobs.get(&job) {
            Some(Stage::Ended(_)) => Ok(()),
            None if self.cleared.contains(&job) => Ok(()),
            None => Err(Error::Unknown(job)),
            Some(Stage::Placed(_)) => record::write_bytes(&folder.cancel(), b"")
                .map_err(Error::system("note that a job is cancelled")),
            Some(Stage::Queued(_)) => {
                self.end(folder, job, carry::never_began(How::Cancelled, None))
            }
        }
    }

    /// Takes in what became of running jobs, and starts what may start.
    pub(super) fn observe(&mut self, shared: &Shared) -> Result<Vec<Observation>, Error> {
        let placed =
            |(job, stage): (&JobId, &Stage)| matches!(stage, Stage::Placed(_)).then_some(*job);
        for job in self.jobs.iter().filter_map(placed).collect::<Vec<_>>() {
            self.follow(shared, job)?;
        }
        self.step(&[]);
        for (job, placement) in std::mem::take(&mut self.due) {
            self.start(shared, job, &placement)?;
        }
        let observations = self
            .jobs
            .iter()
            .map(|(job, stage)| Observation { job: *job, state: state_of(stage, &shared.machine) });
        Ok(observations.collect())
    }

    /// What runs and waits on this machine.
    pub(super) fn snapshot(&self) -> Result<Snapshot, Error> {
        let missing = || Error::Refused("this machine has no partition".to_owned());
        self.scheduler.snapshot(HERE).ok_or_else(missing)
    }

    /// Deletes the files of a job that ended, but not the knowledge that it did.
    pub(super) fn clear(&mut self, folder: &JobFolder, job: JobId) -> Result<(), Error> {
        match self.jobs.get(&job) {
            None if self.cleared.contains(&job) => return Ok(()),
            None => return folder.discard().map_err(Error::system("delete the files of a job")),
            Some(Stage::Ended(_)) => {}
            Some(_) => return Err(Error::Refused("the job has not ended".to_owned())),
        }
        folder.clear().map_err(Error::system("delete the files of a job"))?;
        self.jobs.remove(&job);
        self.cleared.insert(job);
        Ok(())
    }

    fn adopt_placed(
        &mut self,
        folder: &JobFolder,
        job: JobId,
        spec: &Spec,
        task: Task,
        machine: &Machine,
    ) -> Result<(), Error> {
        let start: Option<StartRecord> = load(&folder.started())?;
        let started = start.and_then(|start| instant(start.started_microseconds));
        let event = Event::Adopt {
            job: spec.for_scheduler(job, HERE),
            placement: machine.placement(&task),
            started: started.map_or_else(seconds, Timestamp::as_second),
        };
        if let Err(refusal) = self.step_for(job, &event) {
            tracing::warn!(%job, refusal, "a job runs on what this machine does not give to jobs");
        }
        let placed = Placed { task, started, shepherd: None, launches: 0 };
        self.jobs.insert(job, Stage::Placed(Box::new(placed)));
        Ok(())
    }

    fn enqueue(&mut self, job: JobId, spec: &Spec) -> Result<(), String> {
        self.step_for(job, &Event::Submit(spec.for_scheduler(job, HERE)))?;
        self.jobs.insert(job, Stage::Queued(Box::new(spec.clone())));
        Ok(())
    }

    /// Forgets a job that waits, as if it had never come.
    fn withdraw(&mut self, job: JobId) {
        self.due.retain(|(due, _)| *due != job);
        let ended = Event::End { job, succeeded: false };
        self.step(&[Event::Cancel(job), ended, Event::Forget(job)]);
        self.jobs.remove(&job);
    }

    /// Writes the end of a job down, and gives back what it held.
    fn end(&mut self, folder: &JobFolder, job: JobId, end: EndRecord) -> Result<(), Error> {
        record::write(&folder.ended(), &end).map_err(Error::system("note the end of a job"))?;
        self.ended(job, end);
        Ok(())
    }

    fn ended(&mut self, job: JobId, end: EndRecord) {
        self.withdraw(job);
        self.jobs.insert(job, Stage::Ended(end.into()));
    }

    /// Looks after a job with a shepherd: whether it has begun, ended, or lost its shepherd.
    fn follow(&mut self, shared: &Shared, job: JobId) -> Result<(), Error> {
        let Some(Stage::Placed(placed)) = self.jobs.get_mut(&job) else { return Ok(()) };
        let folder = shared.folder(job);
        if placed.started.is_none() {
            let start: Option<StartRecord> = load(&folder.started())?;
            placed.started = start.and_then(|start| instant(start.started_microseconds));
        }
        // Looked at first: a shepherd that is gone by now has written what it had to write.
        let alive = placed.has_shepherd(&folder)?;
        if let Some(end) = load::<EndRecord>(&folder.ended())? {
            placed.bury();
            self.ended(job, end);
            return Ok(());
        }
        if alive {
            return Ok(());
        }
        if let Some(start) = load::<StartRecord>(&folder.started())? {
            carry::clean_up(&job.to_string());
            return self.end(&folder, job, carry::shepherd_lost(&start, folder.last_sign()));
        }
        if placed.launches >= LAUNCHES_MAX {
            let log = fs::read_to_string(folder.shepherd_log()).unwrap_or_default();
            let reason = format!("it cannot be started here: {}", log.trim());
            return self.end(&folder, job, carry::never_began(How::NodeFailed, Some(reason)));
        }
        placed.launch(&shared.settings, &folder)
    }

    /// Carries out a start that the scheduler decided.
    fn start(&mut self, shared: &Shared, job: JobId, placement: &Placement) -> Result<(), Error> {
        let Some(Stage::Queued(spec)) = self.jobs.get(&job) else { return Ok(()) };
        let Some(node) = placement.nodes.first() else { return Ok(()) };
        let folder = shared.folder(job);
        let task = task::compose(shared, job, spec, node);
        folder.write_script(&spec.script).map_err(Error::system("write the script of a job"))?;
        record::write(&folder.task(), &task).map_err(Error::system("note where a job runs"))?;
        let mut placed = Placed { task, started: None, shepherd: None, launches: 0 };
        placed.launch(&shared.settings, &folder)?;
        self.jobs.insert(job, Stage::Placed(Box::new(placed)));
        Ok(())
    }

    fn step(&mut self, events: &[Event]) -> Vec<Effect> {
        let effects = self.scheduler.step(seconds(), events);
        for effect in &effects {
            if let Effect::Start { job, placement } = effect {
                self.due.push((*job, placement.clone()));
            }
        }
        effects
    }

    /// Takes in an event about `job`; an error tells why the scheduler refuses it.
    fn step_for(&mut self, job: JobId, event: &Event) -> Result<(), String> {
        let refused =
            self.step(std::slice::from_ref(event)).into_iter().find_map(|effect| match effect {
                Effect::Refuse { job: refused, refusal } if refused == job => Some(refusal),
                _ => None,
            });
        match refused {
            None => Ok(()),
            Some(Refusal::NeverFits) => {
                Err("it asks for more than this machine has for jobs".to_owned())
            }
            Some(Refusal::AsksNothing) => Err("it asks for no core or no time".to_owned()),
            Some(other) => Err(format!("the scheduler does not take it: {other:?}")),
        }
    }
}

impl Placed {
    /// Starts a shepherd; one too many ends by itself.
    fn launch(&mut self, settings: &Settings, folder: &JobFolder) -> Result<(), Error> {
        self.launches += 1;
        let log = folder.open_shepherd_log().map_err(Error::system("open the log of a job"))?;
        let child = settings
            .carrier
            .command()
            .args([carry::SHEPHERD.as_ref(), folder.path().as_os_str()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(Error::system("start the shepherd of a job"))?;
        self.shepherd = Some(child);
        Ok(())
    }

    /// Whether a shepherd lives, be it the child of this process or of one before.
    fn has_shepherd(&mut self, folder: &JobFolder) -> Result<bool, Error> {
        let look = Error::system("look after the shepherd of a job");
        match self.shepherd.as_mut().map(Child::try_wait) {
            Some(Ok(None)) => Ok(true),
            Some(Err(error)) => Err(look(error)),
            None | Some(Ok(Some(_))) => folder.is_locked().map_err(look),
        }
    }

    /// Lets the system forget a shepherd that has written its last record.
    fn bury(&mut self) {
        if let Some(mut child) = self.shepherd.take() {
            // It has nothing left to do but exit; a failure leaves an entry in a table.
            let _exited = child.wait();
        }
    }
}

fn state_of(stage: &Stage, machine: &Machine) -> State {
    match stage {
        Stage::Queued(_) => State::Queued,
        Stage::Ended(ended) => State::Ended(ended.clone()),
        Stage::Placed(placed) => match placed.started {
            None => State::Queued,
            Some(started) => State::Running {
                started,
                nodes: vec![machine.host.clone()],
                cores: placed.task.cpus.iter().filter_map(|cpu| u32::try_from(*cpu).ok()).collect(),
                gpus: placed.task.gpus.iter().map(|gpu| gpu.index).collect(),
            },
        },
    }
}

fn instant(microseconds: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(microseconds).ok()
}

fn seconds() -> i64 {
    carry::now().as_second()
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    record::read(path).map_err(Error::system("read a record of a job"))
}
