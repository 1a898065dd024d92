//! How much memory a job holds.

use std::fs;

use rustix::process::Pid;

const KIB: u64 = 1024;

/// Bytes of memory that `processes` hold and that would be free without them.
///
/// Pages that several of them share count once for each: cheap, and never too little.
pub(super) fn held_at_most(processes: &[Pid]) -> u64 {
    processes.iter().map(|process| sum(*process, "status", &["RssAnon:", "RssShmem:"])).sum()
}

/// The same with shared pages counted once; dear, so asked only when the other is too much.
pub(super) fn held(processes: &[Pid]) -> u64 {
    processes
        .iter()
        .map(|process| sum(*process, "smaps_rollup", &["Pss_Anon:", "Pss_Shmem:"]))
        .sum()
}

/// The sum of some fields of a file of `/proc`; zero for a process that is gone.
fn sum(process: Pid, file: &str, fields: &[&str]) -> u64 {
    let path = format!("/proc/{}/{file}", process.as_raw_nonzero());
    let Ok(text) = fs::read_to_string(path) else { return 0 };
    text.lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(char::is_whitespace)?;
            let kib = rest.trim().strip_suffix(" kB")?;
            fields.contains(&name).then(|| kib.trim().parse::<u64>().ok())?
        })
        .sum::<u64>()
        .saturating_mul(KIB)
}

/// Memory of this machine in MiB, from `/proc/meminfo`.
pub(crate) fn of_machine_mb() -> u64 {
    let Ok(text) = fs::read_to_string("/proc/meminfo") else { return 0 };
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.strip_suffix(" kB"));
    total.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or_default() / KIB
}
