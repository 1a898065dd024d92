//! Processes that outlive the chore that starts them, and are found again by the next.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// A daemon of a cluster. It runs in the foreground as far as it knows, in a process group of its
/// own; what it prints goes to its log.
pub(super) struct Daemon {
    name: String,
    /// Who it is, once it was started.
    record: PathBuf,
    log: PathBuf,
}

/// A process that cannot be mistaken for another: numbers come back, instants do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    pid: u32,
    /// When it was started, in ticks since the machine was.
    born: u64,
}

/// How long a daemon may take to end before it is killed.
const PATIENCE_SECONDS: u64 = 20;

impl Daemon {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            record: folder.join("run").join(format!("{name}.process")),
            log: folder.join("log").join(format!("{name}.out")),
        }
    }

    /// All that were started whose names begin so.
    pub(super) fn started(folder: &Path, prefix: &str) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder.join("run"))? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if name.starts_with(prefix) {
                found.push(Self::new(folder, &name));
            }
        }
        Ok(found)
    }

    /// Whether it was started and still runs.
    pub(super) fn is_alive(&self) -> bool {
        self.identity().is_some_and(Identity::is_alive)
    }

    /// Starts it.
    pub(super) fn start(&self, command: &mut Command) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = command
            .current_dir("/")
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let Some(identity) = Identity::of(child.id()) else {
            bail!("{} ended at once; see {}", self.name, self.log.display());
        };
        std::fs::write(&self.record, format!("{} {}\n", identity.pid, identity.born))?;
        Ok(())
    }

    /// Stops it, if it runs.
    pub(super) fn stop(&self) -> Result<()> {
        if let Some(identity) = self.identity().filter(|identity| identity.is_alive()) {
            identity.signal("-TERM")?;
            if wait_until(&self.name, PATIENCE_SECONDS, || !identity.is_alive()).is_err() {
                eprintln!("{} does not end within {PATIENCE_SECONDS} s: killing it", self.name);
                identity.signal("-KILL")?;
                wait_until(&self.name, PATIENCE_SECONDS, || !identity.is_alive())?;
            }
        }
        if self.record.exists() {
            std::fs::remove_file(&self.record)?;
        }
        Ok(())
    }

    fn identity(&self) -> Option<Identity> {
        let text = std::fs::read_to_string(&self.record).ok()?;
        let (pid, born) = text.trim().split_once(' ')?;
        Some(Identity { pid: pid.parse().ok()?, born: born.parse().ok()? })
    }
}

impl Identity {
    /// The process with this number; `None` when there is none, or it has ended already.
    fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before may hold anything, parentheses and blanks as well.
        let (_, after) = stat.rsplit_once(')')?;
        let mut fields = after.split_whitespace();
        let state = fields.next()?;
        let born = fields.nth(18)?.parse().ok()?;
        (state != "Z").then_some(Self { pid, born })
    }

    fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    fn signal(self, signal: &str) -> Result<()> {
        let mut kill = shell::command("kill", [signal, &self.pid.to_string()]);
        // It may end just before.
        shell::quiet("kill", &mut kill).map(drop).or_else(|error| match self.is_alive() {
            true => Err(error),
            false => Ok(()),
        })
    }
}

/// Asks again and again until it is so, for so many seconds at most.
pub(super) fn wait_until(what: &str, seconds: u64, mut so: impl FnMut() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !so() {
        if begun.elapsed() > Duration::from_secs(seconds) {
            bail!("{what}: not there after {seconds} s");
        }
        pause(Duration::from_millis(100));
    }
    Ok(())
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "a chore has no runtime to wait in")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_found_again_by_another_chore_and_stopped_by_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["run", "log"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let daemon = Daemon::new(folder.path(), "sleeper");
        assert!(!daemon.is_alive());
        daemon.start(&mut shell::command("sleep", ["600"])).unwrap();
        let again = Daemon::new(folder.path(), "sleeper");
        assert!(again.is_alive());
        again.stop().unwrap();
        assert!(!daemon.is_alive());
        again.stop().unwrap();
    }

    #[test]
    fn a_process_that_took_over_the_number_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("run")).unwrap();
        let daemon = Daemon::new(folder.path(), "other");
        let this = Identity::of(std::process::id()).unwrap();
        std::fs::write(&daemon.record, format!("{} {}", this.pid, this.born + 1)).unwrap();
        assert!(!daemon.is_alive());
        daemon.stop().unwrap();
        assert!(this.is_alive());
    }
}
