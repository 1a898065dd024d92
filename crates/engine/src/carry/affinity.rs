//! The processors that a job may use.

use std::fs;
use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors of `cpus` as a set.
fn set_of(cpus: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for cpu in cpus.iter().filter(|cpu| **cpu < CpuSet::MAX_CPU) {
        set.set(*cpu);
    }
    set
}

/// The processors that this process may use, by number.
pub(crate) fn own() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect())
}

/// Binds this process, and whatever it will start, to `cpus`.
pub(super) fn bind(cpus: &[usize]) -> io::Result<()> {
    Ok(sched_setaffinity(None, &set_of(cpus))?)
}

/// Binds again every thread of `processes` that has taken itself more than `cpus`.
///
/// Needed only where no control group forbids it. A thread that is gone meanwhile is no concern.
pub(super) fn rebind(processes: &[Pid], cpus: &[usize]) {
    let allowed = set_of(cpus);
    for process in processes {
        for thread in threads(*process) {
            let Ok(taken) = sched_getaffinity(Some(thread)) else { continue };
            let beyond = (0..CpuSet::MAX_CPU).any(|cpu| taken.is_set(cpu) && !allowed.is_set(cpu));
            if beyond {
                let _gone_is_fine = sched_setaffinity(Some(thread), &allowed);
            }
        }
    }
}

/// The threads of a process.
pub(super) fn threads(process: Pid) -> Vec<Pid> {
    let path = format!("/proc/{}/task", process.as_raw_nonzero());
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .collect()
}
