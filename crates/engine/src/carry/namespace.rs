//! Namespaces of the job's own: it sees no process, network or message queue but its own.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, configure_capability_in_ambient_set,
    set_capabilities,
};
use serde::{Deserialize, Serialize};

use crate::job::Network;

/// How this process can get namespaces of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Namespaces {
    /// Not at all.
    None,
    /// Within a user namespace, as anybody.
    ByAnyone,
    /// Directly, as the administrator.
    ByRoot,
}

/// Leaves the namespaces of the machine; children will be in those of the job.
///
/// This process must have one thread only, and stays in its own process namespace: its next child
/// will be process 1 of the new one.
pub(super) fn enter(how: Namespaces, network: Network) -> io::Result<()> {
    let mut flags = match how {
        Namespaces::None => return Ok(()),
        Namespaces::ByAnyone => CloneFlags::CLONE_NEWUSER,
        Namespaces::ByRoot => CloneFlags::empty(),
    };
    flags |= CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC;
    if network == Network::Denied {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    unshare(flags)?;
    if how == Namespaces::ByAnyone {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        hand_down_capabilities()?;
    }
    Ok(())
}

/// Leaves the mounts of the machine, so that mounting concerns nobody else.
pub(super) fn leave_mounts() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWNS)?)
}

/// What init needs to furnish the namespaces; an exec by an ordinary user would lose it.
fn hand_down_capabilities() -> io::Result<()> {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN | CapabilitySet::SETPCAP;
    let sets = capabilities(None)?;
    set_capabilities(None, CapabilitySets { inheritable: needed, ..sets })?;
    for capability in needed.iter() {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}
