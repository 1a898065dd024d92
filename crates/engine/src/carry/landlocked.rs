//! Landlock: the files, sockets and processes that a job can reach, enforced by the kernel on
//! whoever runs it.

use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};

use super::namespace::Namespaces;
use super::root;
use super::task::Task;
use crate::job::Network;

/// The newest version of Landlock that is made use of; older kernels enforce what they know.
const NEWEST: ABI = ABI::V7;

/// Confines this process for good; returns the version in effect, 0 where there is none.
pub(super) fn restrict(task: &Task) -> io::Result<u32> {
    apply(task).map_err(|error| io::Error::other(format!("cannot confine the job: {error}")))
}

fn apply(task: &Task) -> Result<u32, RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?;
    if task.network == Network::Denied && task.isolation.namespaces == Namespaces::None {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let status = ruleset
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(readable(task), AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(devices(task), device_access()))?
        .add_rules(path_beneath_rules(listable(task), AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(writable(task), AccessFs::from_all(NEWEST)))?
        .restrict_self()?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => number(effective_abi),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => 0,
    })
}

fn readable(task: &Task) -> Vec<PathBuf> {
    let system = [root::PROGRAMS, root::LOOKUPS, root::HARDWARE, &["/proc"]];
    let known = system.into_iter().flatten().map(PathBuf::from);
    known.chain(task.readable.iter().cloned()).filter(|path| path.exists()).collect()
}

fn devices(task: &Task) -> Vec<PathBuf> {
    let known = root::DEVICES.iter().map(PathBuf::from);
    known.chain(root::gpu_devices(task)).filter(|path| path.exists()).collect()
}

fn device_access() -> landlock::BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev
}

/// In a root directory of its own a job may look around: there is nothing of others.
fn listable(task: &Task) -> Vec<PathBuf> {
    if task.isolation.private_root { vec![PathBuf::from("/")] } else { Vec::new() }
}

fn writable(task: &Task) -> Vec<PathBuf> {
    let mut paths = vec![task.folder.join("work"), task.folder.join("tmp")];
    if task.isolation.private_root {
        paths.extend(["/tmp", "/dev/shm", "/dev/pts"].map(|path| Path::new(path).to_owned()));
    }
    paths
}

const fn number(abi: ABI) -> u32 {
    match abi {
        ABI::Unsupported => 0,
        ABI::V1 => 1,
        ABI::V2 => 2,
        ABI::V3 => 3,
        ABI::V4 => 4,
        ABI::V5 => 5,
        ABI::V6 => 6,
        _ => 7,
    }
}
