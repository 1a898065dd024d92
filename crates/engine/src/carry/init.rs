//! Process 1 of the job's namespaces: makes its surroundings, starts the script, buries orphans,
//! and notes how the script exited.

use std::fs::File;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Pid, Signal, WaitOptions, wait};

use super::folder::JobFolder;
use super::namespace::Namespaces;
use super::task::Task;
use super::{SCRIPT, loopback, root};
use crate::job::Network;

/// Carries the script and returns when it has exited.
pub(super) fn run() -> io::Result<ExitCode> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let task = Task::receive()?;
    let folder = JobFolder::new(&task.folder);
    require_shepherd(&folder)?;
    let mut status = File::create(folder.status())?;
    if task.isolation.namespaces != Namespaces::None && task.network == Network::Denied {
        loopback::bring_up()?;
    }
    if task.isolation.private_root {
        root::enter(&task)?;
    }
    let child = spawn(&task)?;
    let text = loop {
        let Some((process, how)) = wait(WaitOptions::empty())? else { continue };
        if process != child {
            continue;
        }
        match (how.exit_status(), how.terminating_signal()) {
            (Some(code), _) => break format!("exit {code}"),
            (None, Some(signal)) => break format!("signal {signal}"),
            (None, None) => {}
        }
    };
    status.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The shepherd may have died before this process asked to die with it.
fn require_shepherd(folder: &JobFolder) -> io::Result<()> {
    if folder.is_locked()? { Ok(()) } else { Err(io::Error::other("the shepherd is gone")) }
}

fn spawn(task: &Task) -> io::Result<Pid> {
    let mut child = Command::new("/proc/self/exe")
        .args(&task.arguments)
        .arg(SCRIPT)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(&serde_json::to_vec(task)?)?;
    }
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::ErrorKind::Other.into())
}
