//! The limits of one running job, and the wish of others that it end.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, wait};

use crate::carry::cgroup::Groups;
use crate::carry::folder::JobFolder;
use crate::carry::task::Task;
use crate::carry::{affinity, memory, tree};
use crate::ended::How;

/// How often a job is looked at.
const INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// How often the shepherd gives a sign of life.
const SIGN_EVERY: Duration = Duration::from_secs(1);
const MIB: u64 = 1024 * 1024;

/// What is known of the running job.
pub(super) struct Watch<'a> {
    folder: &'a JobFolder,
    /// Its time of change tells others that the shepherd still lives.
    lock: &'a File,
    signed: Instant,
    task: &'a Task,
    init: Pid,
    groups: Groups,
    began: Instant,
    peak_bytes: u64,
    ending: Option<Ending>,
}

/// Why the job is being ended, and when it is killed if it is still there.
struct Ending {
    how: How,
    reason: Option<String>,
    kill_at: Instant,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        (folder, lock): (&'a JobFolder, &'a File),
        task: &'a Task,
        init: Pid,
        groups: Groups,
    ) -> Self {
        let began = Instant::now();
        Self { folder, lock, signed: began, task, init, groups, began, peak_bytes: 0, ending: None }
    }

    /// Returns when init is gone, of itself or because the job was ended.
    pub(super) fn until_over(&mut self) -> io::Result<()> {
        let gone = pidfd_open(self.init, PidfdFlags::empty())?;
        loop {
            let mut wakers = [PollFd::new(&gone, PollFlags::IN)];
            match poll(&mut wakers, Some(&INTERVAL)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if self.bury()? {
                return Ok(());
            }
            self.look();
        }
    }

    /// Why the job was ended; `None` when it ended of itself.
    pub(super) fn verdict(&self) -> Option<(How, Option<String>)> {
        if let Some(ending) = &self.ending {
            return Some((ending.how, ending.reason.clone()));
        }
        (self.groups.memory_kills() > 0).then(|| (How::OutOfMemory, Some(self.memory_reason())))
    }

    pub(super) fn peak_memory_mb(&self) -> u64 {
        self.peak_bytes.div_ceil(MIB)
    }

    /// Takes leave of processes that are gone; whether init is among them.
    fn bury(&self) -> io::Result<bool> {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((process, how))) => {
                    if process == self.init && (how.exited() || how.signaled()) {
                        return Ok(true);
                    }
                }
                Ok(None) => return Ok(false),
                Err(rustix::io::Errno::CHILD) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn look(&mut self) {
        if self.signed.elapsed() >= SIGN_EVERY {
            self.signed = Instant::now();
            // A sign that fails to be given makes a lost job look shorter, nothing else.
            let _missing_is_bearable = self.lock.set_modified(SystemTime::now());
        }
        let processes = tree::descendants(self.init);
        let held = memory::held_at_most(&processes);
        self.peak_bytes = self.peak_bytes.max(held.min(self.memory_bytes_max()));
        if !self.task.isolation.cpuset_group {
            affinity::rebind(&processes, &self.task.cpus);
        }
        if self.ending.is_none() {
            self.ending = self.reason_to_end(&processes, held);
            if self.ending.is_some() {
                tree::send(&processes, Signal::TERM);
                // One that is stopped could not heed it.
                tree::send(&processes, Signal::CONT);
            }
        }
        if self.ending.as_ref().is_some_and(|ending| Instant::now() >= ending.kill_at) {
            tree::send(&[self.init], Signal::KILL);
            tree::send(&processes, Signal::KILL);
        }
    }

    fn reason_to_end(&self, processes: &[Pid], held: u64) -> Option<Ending> {
        let grace = Duration::from_secs(self.task.grace_seconds);
        let within =
            |how, reason, grace| Some(Ending { how, reason, kill_at: Instant::now() + grace });
        // Without its folder nobody could ever learn how it ended.
        if self.folder.cancel().exists() || !self.folder.spec().exists() {
            return within(How::Cancelled, None, grace);
        }
        if self.began.elapsed() >= Duration::from_secs(self.task.request.time_limit_seconds) {
            return within(How::TimedOut, None, grace);
        }
        if self.is_out_of_memory(processes, held) {
            return within(How::OutOfMemory, Some(self.memory_reason()), Duration::ZERO);
        }
        let count = u64::try_from(processes.len()).unwrap_or(u64::MAX);
        if !self.task.isolation.pids_group && count > self.task.processes_max {
            let reason = format!("more than {} processes at once", self.task.processes_max);
            let killed = How::Signalled(u8::try_from(Signal::KILL.as_raw()).unwrap_or(9));
            return within(killed, Some(reason), Duration::ZERO);
        }
        None
    }

    fn is_out_of_memory(&self, processes: &[Pid], held: u64) -> bool {
        if self.task.isolation.memory_group {
            return self.groups.memory_kills() > 0;
        }
        let limit = self.memory_bytes_max();
        held > limit && memory::held(processes) > limit
    }

    const fn memory_bytes_max(&self) -> u64 {
        self.task.request.memory_mb.saturating_mul(MIB)
    }

    fn memory_reason(&self) -> String {
        format!("it needed more than its {} MB of memory", self.task.request.memory_mb)
    }
}
