//! The processes around one job: *shepherd*, *init* and the script itself.
//!
//! The engine starts the shepherd, in a session of its own, so that it outlives both hub and
//! agent. It watches the limits, ends the job when they are passed or somebody asks, and writes
//! down how the job ended. Below it stands init, which is process 1 of the job's own namespaces
//! where there are such: when it dies, everything the job ever started dies. Below that the script.
//!
//! ```text
//! agent ── shepherd ── init ── script ── …          each arrow of `──` is an exec of this program
//!   │         └ started, ended (durable)            with another first argument
//!   └ spec, placement, cancel (durable)
//! ```

mod affinity;
mod cgroup;
mod confine;
mod folder;
mod init;
mod landlocked;
mod loopback;
mod memory;
mod namespace;
mod probe;
mod root;
mod shepherd;
mod task;
mod tree;

use std::path::Path;
use std::process::ExitCode;

pub(crate) use affinity::own as own_cpus;
pub(crate) use folder::JobFolder;
pub(crate) use memory::of_machine_mb as memory_of_machine_mb;
pub use probe::Isolation;
pub(crate) use shepherd::{StartRecord, never_began, now, shepherd_lost};
pub(crate) use task::{Gpu, Task};

/// The first argument of the shepherd; the second is the job's folder.
pub(crate) const SHEPHERD: &str = "shepherd";
/// The first argument of the process that tries out what this machine allows.
pub(crate) const PROBE: &str = "probe";
const INIT: &str = "init";
const SCRIPT: &str = "script";
const PROBE_ROOT: &str = "probe-root";

/// Variable that marks every process of a job, unless the job hides.
pub(crate) const MARK: &str = "USINE_JOB_ID";

/// Plays the part that `arguments` name; the program calls this first of all, before it starts
/// any thread, when the engine's [`crate::Carrier`] led here.
pub fn main(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [SHEPHERD, folder] => report(shepherd::run(&JobFolder::new(Path::new(folder)))),
        [INIT] => report(init::run()),
        [SCRIPT] => report(confine::run()),
        [PROBE, folder] => report(probe::run(Path::new(folder))),
        [PROBE_ROOT, folder] => report(probe::run_root(Path::new(folder))),
        _ => {
            complain("this command is started by the engine only");
            ExitCode::from(64)
        }
    }
}

/// Removes what is left of a job whose shepherd is gone: processes, then control groups.
pub(crate) fn clean_up(job: &str) {
    tree::kill_marked(job);
    cgroup::remove(job);
}

fn report(outcome: std::io::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        complain(&error.to_string());
        ExitCode::from(126)
    })
}

/// Standard error is the shepherd's log or the job's own, whichever stage speaks.
fn complain(text: &str) {
    use std::io::Write as _;
    // There is nobody left to tell when this fails.
    let _ = writeln!(std::io::stderr(), "usine: {text}");
}
