//! What happened in a run: counted, digested, and its last part kept for people.

use std::collections::VecDeque;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many of the last lines are kept.
const KEPT: usize = 400;

/// How much happened in a run: whatever a death may come before is a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Statements of the hub's database, commits among them.
    pub statements: u64,
    /// Writes of agents to their disks.
    pub writes: u64,
    /// Questions to clusters.
    pub questions: u64,
    /// Lines of the story: requests to the hub, changes of clusters, faults, what people do.
    pub told: u64,
}

impl Steps {
    /// All of them.
    pub const fn total(self) -> u64 {
        let Self { statements, writes, questions, told } = self;
        statements.saturating_add(writes).saturating_add(questions).saturating_add(told)
    }
}

/// The story of one run. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Trace(Arc<Mutex<Told>>);

#[derive(Debug)]
struct Told {
    since: Instant,
    steps: Steps,
    digest: blake3::Hasher,
    last: VecDeque<String>,
    /// Where the whole of it is written, if anywhere.
    whole: Option<BufWriter<File>>,
    /// The first thing that must not be.
    violation: Option<String>,
}

impl Trace {
    pub(crate) fn new(whole: Option<File>) -> Self {
        Self(Arc::new(Mutex::new(Told {
            since: Instant::now(),
            steps: Steps::default(),
            digest: blake3::Hasher::new(),
            last: VecDeque::with_capacity(KEPT),
            whole: whole.map(BufWriter::new),
            violation: None,
        })))
    }

    /// Counts steps that are too many to be told.
    pub(crate) fn count(&self, steps: Steps) {
        let mut told = self.told();
        let Steps { statements, writes, questions, told: lines } = &mut told.steps;
        for (sum, more) in [
            (statements, steps.statements),
            (writes, steps.writes),
            (questions, steps.questions),
            (lines, steps.told),
        ] {
            *sum = sum.saturating_add(more);
        }
    }

    /// Tells one step.
    pub(crate) fn tell(&self, who: &str, what: impl Display) {
        let mut told = self.told();
        let at = told.since.elapsed();
        let line = format!("{} {who}: {what}", clock(at));
        told.steps.told = told.steps.told.saturating_add(1);
        let steps = told.steps.total();
        told.digest.update(line.as_bytes());
        told.digest.update(&steps.to_le_bytes());
        if let Some(whole) = &mut told.whole {
            // A story that cannot be kept can be told again.
            let _written = writeln!(whole, "{line}");
        }
        if told.last.len() == KEPT {
            told.last.pop_front();
        }
        told.last.push_back(line);
    }

    /// Notes that something must not be; the first counts.
    pub(crate) fn object(&self, complaint: String) {
        self.tell("judge", &complaint);
        self.told().violation.get_or_insert(complaint);
    }

    pub(crate) fn violation(&self) -> Option<String> {
        self.told().violation.clone()
    }

    pub(crate) fn steps(&self) -> Steps {
        self.told().steps
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.told().since.elapsed()
    }

    /// The digest of all that was told.
    pub(crate) fn digest(&self) -> String {
        self.told().digest.finalize().to_hex().chars().take(16).collect()
    }

    /// The last lines.
    pub(crate) fn last(&self) -> Vec<String> {
        self.told().last.iter().cloned().collect()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hours, minutes and seconds since the beginning.
fn clock(at: Duration) -> String {
    let (seconds, millis) = (at.as_secs(), at.subsec_millis());
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
