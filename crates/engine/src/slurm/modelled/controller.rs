//! The controller of a modelled cluster: what slurmctld keeps in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use jobs::life::End;
use units::{JobId, Timestamp};

use super::super::options;
use super::super::state::{Close, Exit, Phase};
use super::super::transport::{Accounted, Queued, SlurmId, Submission};
use super::LOGIN;
use super::books::Row;
use super::world::NODE;
use crate::simulated::script::Play;

/// What somebody handed in.
#[derive(Clone, Debug)]
pub(super) struct Submitted {
    pub(super) job: JobId,
    pub(super) user: String,
    /// The attempt that its fence names.
    pub(super) attempt: u32,
    pub(super) cores: u32,
    pub(super) limit_seconds: u64,
    pub(super) requeues: bool,
    pub(super) play: Play,
    /// Whether both its streams go to one file.
    pub(super) joined: bool,
}

impl Submitted {
    pub(super) fn of(submission: &Submission<'_>) -> Self {
        let Submission { job, spec, script, .. } = submission;
        Self {
            job: *job,
            user: spec.place.user.clone().unwrap_or_else(|| LOGIN.to_owned()),
            attempt: attempt(script),
            cores: spec.request.cores,
            limit_seconds: spec.request.time_limit_seconds,
            requeues: options::wants_requeue(&spec.place.options),
            play: Play::of(&spec.script),
            joined: spec.stderr.is_none(),
        }
    }
}

/// The attempt of which a fence is; the text is the one that a real cluster would run.
fn attempt(fence: &str) -> u32 {
    let line = fence.lines().find_map(|line| line.strip_prefix("usine_mine=\""));
    line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default()
}

/// Where a job stands to the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Waiting { held: bool },
    Running { started: Timestamp },
    Over { close: Close, exit: Option<Exit>, started: Option<Timestamp>, ended: Timestamp },
}

/// A job under a number.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) what: Submitted,
    pub(super) submitted: Timestamp,
    pub(super) stand: Stand,
    pub(super) restarts: u32,
}

/// What the controller has in memory, and saves now and then.
#[derive(Clone, Debug, Default)]
pub(super) struct Controller {
    pub(super) last: u32,
    pub(super) jobs: BTreeMap<SlurmId, Held>,
    /// Ends of which the accounting has not heard.
    pub(super) outbox: Vec<Row>,
}

impl Controller {
    pub(super) fn take(&mut self, what: Submitted, now: Timestamp) -> SlurmId {
        self.last += 1;
        let id = SlurmId(self.last);
        let stand = Stand::Waiting { held: false };
        self.jobs.insert(id, Held { what, submitted: now, stand, restarts: 0 });
        id
    }

    /// The cores that nobody has.
    pub(super) fn free(&self, cores: u32) -> u32 {
        let running = self.jobs.values().filter(|held| held.is_running());
        running.fold(cores, |free, held| free.saturating_sub(held.what.cores))
    }

    /// Notes the end of a job, and that the accounting is to hear of it.
    pub(super) fn end(&mut self, id: SlurmId, close: Close, exit: Option<Exit>, ended: Timestamp) {
        let Some(held) = self.jobs.get_mut(&id) else { return };
        let started = match held.stand {
            Stand::Over { .. } => return,
            Stand::Waiting { .. } => None,
            Stand::Running { started } => Some(started),
        };
        held.stand = Stand::Over { close, exit, started, ended };
        self.outbox.push(held.row(id, (close, exit), started, ended));
    }

    /// Puts a job whose node failed back in line, if its owner allowed that. The accounting has a run
    /// that ended, and will have another.
    pub(super) fn requeue(&mut self, id: SlurmId, now: Timestamp) -> Option<JobId> {
        let held = self.jobs.get_mut(&id)?;
        let Stand::Running { started } = held.stand else { return None };
        if !held.what.requeues {
            return None;
        }
        let close = Close::Plain(End::NodeFailed);
        self.outbox.push(held.row(id, (close, None), Some(started), now));
        held.stand = Stand::Waiting { held: false };
        held.restarts += 1;
        // Two runs of one number differ by their submission, in whole seconds.
        let later = held.submitted.saturating_add(Duration::from_secs(1)).unwrap_or(now);
        held.submitted = now.max(later);
        Some(held.what.job)
    }

    pub(super) fn queue(&self) -> Vec<Queued> {
        self.jobs.iter().map(|(id, held)| held.shown(*id)).collect()
    }
}

impl Held {
    pub(super) const fn is_running(&self) -> bool {
        matches!(self.stand, Stand::Running { .. })
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.stand, Stand::Over { .. })
    }

    /// A run of it that is over.
    fn row(
        &self,
        id: SlurmId,
        (close, exit): (Close, Option<Exit>),
        started: Option<Timestamp>,
        ended: Timestamp,
    ) -> Row {
        let seen = Accounted {
            id,
            job: Some(self.what.job),
            user: self.what.user.clone(),
            phase: Ok(Phase::Over(close)),
            exit,
            submitted: Some(self.submitted),
            started,
            ended: Some(ended),
            peak_memory_mb: None,
            cpu_milliseconds: None,
        };
        Row { seen, cores: self.what.cores, limit_seconds: self.what.limit_seconds }
    }

    fn shown(&self, id: SlurmId) -> Queued {
        let (phase, started, ended, exit) = match self.stand {
            Stand::Waiting { .. } => (Phase::Waiting, None, None, None),
            Stand::Running { started } => (Phase::Active, Some(started), None, None),
            Stand::Over { close, exit, started, ended } => {
                (Phase::Over(close), started, Some(ended), exit)
            }
        };
        let held = self.stand == Stand::Waiting { held: true };
        let reason = if held { "launch failed requeued held" } else { "None" };
        Queued {
            id,
            job: self.what.job,
            user: self.what.user.clone(),
            phase: Ok(phase),
            reason: reason.to_owned(),
            started,
            ended,
            nodes: started.map(|_| NODE.to_owned()).unwrap_or_default(),
            exit,
        }
    }
}
