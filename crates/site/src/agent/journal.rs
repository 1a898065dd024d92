//! Events that the hub may not have yet, on disk before anybody hears of them.
//!
//! Segments of lines, appended and made durable; beside them how far the hub has taken them in, and
//! what the events of segments that are gone say of each job. Killing the agent between any two
//! steps leaves a journal from which the next one goes on.

mod segment;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::Disk;
use serde::{Deserialize, Serialize};
use units::JobId;

use super::bell::{Bell, Listener};
use super::mark::Mark;
use crate::protocol::{Event, EventBody};
use segment::Segment;

/// An event with what only the agent needs to know of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) event: Event,
    /// The place in the job's metrics file that this event leads up to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metrics_bytes: Option<u64>,
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        Self { event, metrics_bytes: None }
    }
}

/// A message is not made longer, unless by its first event alone.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
const TAKEN: &str = "taken.json";
const MARKS: &str = "marks.json";
/// A segment that is longer is closed.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// How far the hub is; written whenever it took something in.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Taken {
    /// How many events the hub has taken in since the journal began.
    events: u64,
    /// Earlier agents kept the marks here.
    #[serde(default, skip_serializing)]
    marks: Marks,
}

/// What is not in the segments any more, by job; written before a segment is deleted.
type Marks = BTreeMap<String, Mark>;

/// The durable queue between the jobs of a site and the hub.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Disk,
    folder: PathBuf,
    state: Mutex<State>,
    /// Rung whenever events came.
    came: Bell,
    /// Rung whenever events went.
    went: Bell,
}

#[derive(Debug)]
struct State {
    current: Segment,
    /// Segments before the current one, by the number of their first event.
    closed: Vec<(u64, PathBuf)>,
    /// Number of the first event that waits.
    first: u64,
    waiting: VecDeque<Entry>,
    waiting_bytes: u64,
    /// How many of those that wait are of each job.
    waiting_of: BTreeMap<JobId, usize>,
    marks: BTreeMap<JobId, Mark>,
}

impl Journal {
    /// Opens the journal in `folder`, or begins one.
    pub(super) fn open(disk: Disk, folder: &Path) -> io::Result<Self> {
        disk.files().make(folder)?;
        let taken: Taken = disk.read(&folder.join(TAKEN))?.unwrap_or_default();
        let noted: Option<Marks> = disk.read(&folder.join(MARKS))?;
        if noted.is_none() {
            disk.write(&folder.join(MARKS), &taken.marks)?;
        }
        let parse = |(job, mark): (String, Mark)| Some((job.parse().ok()?, mark));
        let noted = noted.unwrap_or(taken.marks);
        let mut marks: BTreeMap<JobId, Mark> = noted.into_iter().filter_map(parse).collect();
        let (mut waiting, mut waiting_of) = (VecDeque::new(), BTreeMap::new());
        let mut waiting_bytes = 0_u64;
        let mut closed = Vec::new();
        let mut next = taken.events;
        for (first, path) in segment::list(&disk, folder)? {
            next = first;
            for (entry, length) in segment::read(&disk, &path)? {
                let mark = marks.entry(entry.event.job).or_default();
                mark.take(&entry.event.body, entry.metrics_bytes);
                if next >= taken.events {
                    *waiting_of.entry(entry.event.job).or_default() += 1;
                    waiting.push_back(entry);
                    waiting_bytes = waiting_bytes.saturating_add(length);
                }
                next = next.saturating_add(1);
            }
            closed.push((first, path));
        }
        let next = next.max(taken.events);
        let current = Segment::begin(&disk, folder, next)?;
        // A segment without events has the name of the one that follows it.
        closed.retain(|(_, path)| path != current.path());
        let first = taken.events;
        let state = State { current, closed, first, waiting, waiting_bytes, waiting_of, marks };
        let (state, came, went) = (Mutex::new(state), Bell::default(), Bell::default());
        Ok(Self { disk, folder: folder.to_owned(), state, came, went })
    }

    /// Makes events durable; once this returns they will reach the hub.
    pub(super) fn append(&self, entries: Vec<Entry>) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        let length = state.current.append(&self.disk, &entries)?;
        state.waiting_bytes = state.waiting_bytes.saturating_add(length);
        for entry in entries {
            let mark = state.marks.entry(entry.event.job).or_default();
            mark.take(&entry.event.body, entry.metrics_bytes);
            *state.waiting_of.entry(entry.event.job).or_default() += 1;
            state.waiting.push_back(entry);
        }
        if state.current.length() > SEGMENT_BYTES_MAX {
            let next = state.end();
            let fresh = Segment::begin(&self.disk, &self.folder, next)?;
            let full = std::mem::replace(&mut state.current, fresh);
            state.closed.push(full.close());
        }
        drop(state);
        self.came.ring();
        Ok(())
    }

    /// The events that wait, oldest first, as many as fit one message; the first in any case.
    pub(super) fn waiting(&self, events_max: usize) -> Vec<Event> {
        let mut bytes = 0_usize;
        let fits = |entry: &&Entry| {
            let before = bytes;
            bytes = bytes.saturating_add(weight(&entry.event.body));
            before == 0 || bytes <= MESSAGE_BYTES_MAX
        };
        let state = self.state();
        let message = state.waiting.iter().take(events_max).take_while(fits);
        message.map(|entry| entry.event.clone()).collect()
    }

    /// The hub has the first `count` of those that wait.
    pub(super) fn taken(&self, count: usize) -> io::Result<()> {
        let mut state = self.state();
        for _ in 0..count {
            let Some(entry) = state.waiting.pop_front() else { break };
            let job = entry.event.job;
            let left = state.waiting_of.remove(&job).unwrap_or_default().saturating_sub(1);
            if left > 0 {
                state.waiting_of.insert(job, left);
            }
        }
        state.first = state.first.saturating_add(u64::try_from(count).unwrap_or_default());
        if state.waiting.is_empty() {
            state.waiting_bytes = 0;
        }
        let first = state.first;
        self.disk.write(&self.folder.join(TAKEN), &Taken { events: first, marks: Marks::new() })?;
        let ends: Vec<u64> = state
            .closed
            .iter()
            .skip(1)
            .map(|(start, _)| *start)
            .chain([state.current.first()])
            .collect();
        if ends.first().is_some_and(|end| *end <= first) && !state.closed.is_empty() {
            self.note(&state)?;
            let mut ends = ends.into_iter();
            state.closed.retain(|(_, path)| {
                let done = ends.next().is_some_and(|end| end <= first);
                // A segment that stays behind is read again and changes nothing.
                !done || self.disk.files().delete(path).is_err()
            });
        }
        drop(state);
        self.went.ring();
        Ok(())
    }

    /// What has been told of a job.
    pub(super) fn mark(&self, job: JobId) -> Mark {
        self.state().marks.get(&job).cloned().unwrap_or_default()
    }

    /// Whether the hub has everything that was told of a job.
    pub(super) fn is_taken(&self, job: JobId) -> bool {
        !self.state().waiting_of.contains_key(&job)
    }

    /// Forgets what was told of a job about which nothing more will be told.
    pub(super) fn forget(&self, job: JobId) {
        self.state().marks.remove(&job);
    }

    /// How much waits, in bytes on disk; counted down only when nothing waits any more.
    pub(super) fn waiting_bytes(&self) -> u64 {
        self.state().waiting_bytes
    }

    /// Tells whenever events came.
    pub(super) fn arrivals(&self) -> Listener<'_> {
        self.came.listen()
    }

    /// Tells whenever events went.
    pub(super) fn departures(&self) -> Listener<'_> {
        self.went.listen()
    }

    fn note(&self, state: &State) -> io::Result<()> {
        let marks = state.marks.iter().map(|(job, mark)| (job.to_string(), mark.clone()));
        self.disk.write(&self.folder.join(MARKS), &marks.collect::<Marks>())
    }

    /// A panic while it was held cannot have left a half event: files are written first.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About how long an event is as JSON.
fn weight(body: &EventBody) -> usize {
    const PLAIN: usize = 512;
    PLAIN
        + match body {
            EventBody::Log { bytes, .. } => bytes.len() / 3 * 4,
            EventBody::Metrics { points } => points.len() * 128,
            EventBody::OutputStored { files, .. } => files.len() * 256,
            _ => 0,
        }
}

impl State {
    /// The number of the next event.
    fn end(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.waiting.len()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
