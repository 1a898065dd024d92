//! The disk of an agent: what was written is there after its death, and a death may come before or
//! within any write.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::disk::{Files, Kind};
use engine::slurm::modelled::Dice;
use tokio::sync::Notify;

use crate::trace::{Steps, Trace};

/// How a disk keeps its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// What it says is written is there.
    Honest,
    /// Some of what it says is written is lost with the agent: to see that the run finds it out.
    Forgetful,
}

/// What outlives the agents.
#[derive(Debug)]
struct Platter {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// What a forgetful disk has not written.
    owed: BTreeMap<PathBuf, Vec<u8>>,
    dice: Dice,
    /// Before which write the agent dies; zero for none.
    dies_in: u64,
}

/// The disk of one site.
#[derive(Clone, Debug)]
pub(crate) struct SiteDisk {
    platter: Arc<Mutex<Platter>>,
    habit: Habit,
    trace: Trace,
}

/// The same as one agent sees it, for as long as it lives.
#[derive(Debug)]
pub(crate) struct AgentDisk {
    disk: SiteDisk,
    alive: Arc<AtomicBool>,
    died: Arc<Notify>,
}

impl SiteDisk {
    pub(crate) fn new(habit: Habit, seed: u64, trace: Trace) -> Self {
        let platter = Platter {
            files: BTreeMap::new(),
            owed: BTreeMap::new(),
            dice: Dice::new(seed),
            dies_in: 0,
        };
        Self { platter: Arc::new(Mutex::new(platter)), habit, trace }
    }

    /// For an agent that is there as long as `alive` says so, and whose death `died` tells.
    pub(crate) fn seen_by(&self, alive: Arc<AtomicBool>, died: Arc<Notify>) -> AgentDisk {
        // What was owed to the one before is lost with its machine.
        self.platter().owed.clear();
        AgentDisk { disk: self.clone(), alive, died }
    }

    /// Lets the agent die within one of the next `writes` writes.
    pub(crate) fn dies_within(&self, writes: u64) {
        let mut platter = self.platter();
        platter.dies_in = platter.dice.below(writes).saturating_add(1);
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AgentDisk {
    /// Counts a write; an error where it is the agent's last. Then `torn` may have come of it.
    fn step(&self, torn: impl FnOnce(&mut Platter)) -> io::Result<MutexGuard<'_, Platter>> {
        self.disk.trace.count(Steps { writes: 1, ..Steps::default() });
        let mut platter = self.disk.platter();
        if !self.alive.load(Ordering::Relaxed) {
            return Err(io::Error::other("this agent is dead"));
        }
        if platter.dies_in == 1 {
            platter.dies_in = 0;
            torn(&mut platter);
            drop(platter);
            self.alive.store(false, Ordering::Relaxed);
            self.died.notify_one();
            return Err(io::Error::other("killed while it wrote"));
        }
        platter.dies_in = platter.dies_in.saturating_sub(1);
        Ok(platter)
    }

    /// Puts a file down, or only says so.
    fn put(&self, mut platter: MutexGuard<'_, Platter>, path: &Path, bytes: Vec<u8>) {
        const LAZY: u32 = 200;
        let path = path.to_owned();
        if self.disk.habit == Habit::Forgetful && platter.dice.hits(LAZY) {
            platter.owed.insert(path, bytes);
        } else {
            platter.owed.remove(&path);
            platter.files.insert(path, bytes);
        }
    }

    /// What a file holds to whoever wrote it.
    fn seen(platter: &Platter, path: &Path) -> Option<Vec<u8>> {
        platter.owed.get(path).or_else(|| platter.files.get(path)).cloned()
    }
}

impl Files for AgentDisk {
    fn make(&self, _folder: &Path) -> io::Result<()> {
        self.step(|_| {}).map(drop)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let platter = self.disk.platter();
        let name = |path: &PathBuf| {
            let below = path.strip_prefix(folder).ok()?;
            Some(below.components().next()?.as_os_str().to_string_lossy().into_owned())
        };
        let mut names: Vec<String> = platter.files.keys().filter_map(name).collect();
        names.dedup();
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(Self::seen(&self.disk.platter(), path))
    }

    fn write(&self, path: &Path, bytes: &[u8], _kind: Kind) -> io::Result<()> {
        let platter = self.step(|platter| {
            // Renamed into place, or not.
            if platter.dice.hits(500) {
                platter.files.insert(path.to_owned(), bytes.to_owned());
            }
        })?;
        self.put(platter, path, bytes.to_owned());
        Ok(())
    }

    fn append(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
        let length = usize::try_from(at).unwrap_or(usize::MAX);
        let extended = |before: Option<Vec<u8>>, bytes: &[u8]| {
            let mut whole = before.unwrap_or_default();
            whole.truncate(length);
            whole.extend_from_slice(bytes);
            whole
        };
        let platter = self.step(|platter| {
            // Any part of it may have reached the disk.
            let count = platter.dice.below(bytes.len() as u64 + 1);
            let part = bytes.get(..usize::try_from(count).unwrap_or_default()).unwrap_or_default();
            let torn = extended(platter.files.get(path).cloned(), part);
            platter.files.insert(path.to_owned(), torn);
        })?;
        let whole = extended(Self::seen(&platter, path), bytes);
        self.put(platter, path, whole);
        Ok(())
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        let mut platter = self.step(|_| {})?;
        platter.files.retain(|file, _| !file.starts_with(path));
        platter.owed.retain(|file, _| !file.starts_with(path));
        Ok(())
    }
}
