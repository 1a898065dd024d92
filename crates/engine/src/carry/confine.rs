//! The last stage before the script: takes everything away that the job shall not have, then
//! becomes the script.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::folder::JobFolder;
use super::task::Task;
use super::{affinity, landlocked};

/// Room for address space beside what a job holds, where no control group counts what it holds.
const DATA_FACTOR: u64 = 2;
const DATA_BYTES_MIN: u64 = 1 << 30;

/// Becomes the script; returns only when that fails.
pub(super) fn run() -> io::Result<ExitCode> {
    let task = Task::receive()?;
    let folder = JobFolder::new(&task.folder);
    let nothing = fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::process::setsid()?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // When memory runs out the script shall go, not the processes that watch over it.
    let _missing_is_bearable = fs::write("/proc/self/oom_score_adj", "1000");
    affinity::bind(&task.cpus)?;
    limit(&task)?;
    rustix::thread::set_no_new_privs(true)?;
    landlocked::restrict(&task)?;
    drop_capabilities()?;
    let begins_in = match &task.begins_in {
        Some(name) => folder.work().join(name),
        None => folder.work(),
    };
    let error = Command::new(folder.script())
        .env_clear()
        .envs(&task.environment)
        .current_dir(&begins_in)
        .exec();
    super::complain(&format!("cannot start the script in {}: {error}", begins_in.display()));
    Ok(ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }))
}

fn limit(task: &Task) -> io::Result<()> {
    let exactly = |value| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::Core, exactly(0))?;
    lower(Resource::Fsize, task.file_bytes_max)?;
    lower(Resource::Nproc, task.processes_max)?;
    if !task.isolation.memory_group {
        let held = task.request.memory_mb.saturating_mul(1024 * 1024);
        lower(Resource::Data, held.saturating_mul(DATA_FACTOR).max(DATA_BYTES_MIN))?;
    }
    Ok(())
}

/// Sets a limit, unless a lower one holds already.
fn lower(resource: Resource, value: u64) -> io::Result<()> {
    let maximum = rustix::process::getrlimit(resource).maximum.map_or(value, |old| old.min(value));
    Ok(setrlimit(resource, Rlimit { current: Some(maximum), maximum: Some(maximum) })?)
}

/// Within its user namespace this process may do much; the script shall not.
fn drop_capabilities() -> io::Result<()> {
    if rustix::thread::capabilities(None)?.permitted.is_empty() {
        return Ok(());
    }
    for capability in CapabilitySet::all().iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // A capability that is newer than this kernel.
            Err(rustix::io::Errno::INVAL) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}
