//! All processes of a job: everything that descends from its shepherd.
//!
//! The shepherd is a subreaper, so a process whose parent exits becomes its child and never
//! leaves the tree.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

use super::affinity::threads;

/// How long processes are given to die once they are killed.
const DYING_SECONDS_MAX: u64 = 60;

/// All processes below `ancestor`, parents first.
pub(super) fn descendants(ancestor: Pid) -> Vec<Pid> {
    let mut found = children(ancestor);
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let below = children(*process);
        found.extend(below);
        next += 1;
    }
    found
}

fn children(process: Pid) -> Vec<Pid> {
    let parent = process.as_raw_nonzero();
    let mut found = Vec::new();
    for thread in threads(process) {
        let path = format!("/proc/{parent}/task/{}/children", thread.as_raw_nonzero());
        match fs::read_to_string(path) {
            Ok(list) => found.extend(list.split_whitespace().filter_map(parse)),
            Err(_) if fs::metadata("/proc/self/task").is_ok() && kernel_lists_no_children() => {
                return children_by_scan(parent.get());
            }
            Err(_) => {}
        }
    }
    found
}

fn parse(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}

/// Kernels built without `CONFIG_PROC_CHILDREN`.
fn kernel_lists_no_children() -> bool {
    fs::metadata("/proc/thread-self/children").is_err()
}

fn children_by_scan(parent: i32) -> Vec<Pid> {
    processes()
        .filter(|process| {
            let path = format!("/proc/{}/stat", process.as_raw_nonzero());
            fs::read_to_string(path).is_ok_and(|stat| parent_in(&stat) == Some(parent))
        })
        .collect()
}

/// The parent's number: the second field after the command, which may hold any character.
fn parent_in(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| parse(entry.file_name().to_str()?))
}

/// Sends `signal` to `processes`; those that are gone are no concern.
pub(super) fn send(processes: &[Pid], signal: Signal) {
    for process in processes {
        let _gone_is_fine = kill_process(*process, signal);
    }
}

/// Kills everything below this process, and returns whether nothing is left.
///
/// Stops all before it kills, so that no process has time to start another; repeats until none is
/// found.
pub(super) fn kill_all() -> bool {
    let began = Instant::now();
    loop {
        let left = descendants(rustix::process::getpid());
        send(&left, Signal::STOP);
        send(&left, Signal::KILL);
        while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
        if left.is_empty() {
            return true;
        }
        if began.elapsed() > Duration::from_secs(DYING_SECONDS_MAX) {
            return false;
        }
        super::shepherd::pause(Duration::from_millis(5));
    }
}

/// Kills every process of this machine whose environment carries the mark of `job`.
///
/// For what is left of a job whose shepherd was killed where there are no process namespaces.
pub(super) fn kill_marked(job: &str) {
    let mark = format!("{}={job}", super::MARK);
    let marked = |process: &Pid| {
        let path = format!("/proc/{}/environ", process.as_raw_nonzero());
        fs::read(path).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        })
    };
    for _ in 0..100 {
        let left: Vec<Pid> = processes().filter(marked).collect();
        if left.is_empty() {
            return;
        }
        send(&left, Signal::STOP);
        send(&left, Signal::KILL);
        super::shepherd::pause(Duration::from_millis(5));
    }
}
