//! What this machine allows, found out by trying it in processes that are thrown away.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde::{Deserialize, Serialize};

use super::cgroup::{self, Controller};
use super::namespace::{self, Namespaces};
use super::task::Task;
use super::{PROBE, PROBE_ROOT, landlocked, loopback, root};
use crate::job::Network;

/// What keeps the jobs of this machine apart and within their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// How a job gets namespaces of its own: no other process, network or queue is there for it.
    pub namespaces: Namespaces,
    /// Whether a job has a root directory of its own, without the rest of the machine's files.
    pub private_root: bool,
    /// The version of Landlock in effect, 0 for none.
    pub landlock: u32,
    /// Whether the kernel limits the memory of all processes of a job together.
    pub memory_group: bool,
    /// Whether the kernel limits their number.
    pub pids_group: bool,
    /// Whether the kernel limits their processors.
    pub cpuset_group: bool,
}

impl Isolation {
    /// Nothing at all: where every probe starts.
    pub(crate) const NONE: Self = Self {
        namespaces: Namespaces::None,
        private_root: false,
        landlock: 0,
        memory_group: false,
        pids_group: false,
        cpuset_group: false,
    };

    /// Whether a job can reach no file of others.
    pub const fn hides_files(&self) -> bool {
        self.private_root || self.landlock > 0
    }

    /// What is in effect, one line each, for people.
    pub fn describe(&self) -> Vec<String> {
        let namespaces = match self.namespaces {
            Namespaces::None => "no namespaces: process trees are followed by their parents",
            Namespaces::ByAnyone => "process, network and mount namespaces within a user namespace",
            Namespaces::ByRoot => "process, network and mount namespaces",
        };
        let files = match (self.private_root, self.landlock) {
            (true, 0) => "own root directory".to_owned(),
            (true, version) => format!("own root directory and Landlock {version}"),
            (false, 0) => "NOT isolated: jobs can read this user's files".to_owned(),
            // Landlock guards what files hold, not their modes and times.
            (false, version) => format!("Landlock {version}; modes of this user's files are open"),
        };
        let by = |group, otherwise: &str| {
            if group { "control group".to_owned() } else { otherwise.to_owned() }
        };
        vec![
            format!("processes: {namespaces}"),
            format!("files: {files}"),
            format!(
                "memory limit: {}",
                by(self.memory_group, "measured and enforced by the shepherd")
            ),
            format!("process limit: {}", by(self.pids_group, "resource limit and the shepherd")),
            format!("core limit: {}", by(self.cpuset_group, "affinity, restored by the shepherd")),
        ]
    }

    pub(super) fn groups(&self) -> Vec<Controller> {
        let flags = [
            (self.memory_group, Controller::Memory),
            (self.pids_group, Controller::Pids),
            (self.cpuset_group, Controller::Cpuset),
        ];
        flags.into_iter().filter(|(there, _)| *there).map(|(_, controller)| controller).collect()
    }

    /// Tries out what works, with `carrier` as the way to this program's other stages and
    /// `task`, whose folder is there, as the job to try it on.
    pub(crate) fn probe(mut carrier: Command, task: &Task) -> io::Result<Self> {
        crate::record::write(&task.folder.join("task.json"), task)?;
        carrier.arg(PROBE).arg(&task.folder).env_clear().stderr(Stdio::null());
        let output = carrier.stdin(Stdio::null()).output()?;
        let found: Option<Self> = serde_json::from_slice(&output.stdout).ok();
        found.ok_or_else(|| {
            io::Error::other(format!("the carrier does not answer: {}", output.status))
        })
    }

    /// The same with the control groups that this process can make.
    pub(crate) fn with_groups(self) -> Self {
        Self {
            memory_group: cgroup::is_available(Controller::Memory),
            pids_group: cgroup::is_available(Controller::Pids),
            cpuset_group: cgroup::is_available(Controller::Cpuset),
            ..self
        }
    }
}

/// Prints the strongest isolation that works, as JSON.
pub(super) fn run(folder: &Path) -> io::Result<ExitCode> {
    let task: Task =
        crate::record::read(&folder.join("task.json"))?.ok_or(io::ErrorKind::NotFound)?;
    let candidates = [
        (Namespaces::ByAnyone, true),
        (Namespaces::ByRoot, true),
        (Namespaces::ByAnyone, false),
        (Namespaces::ByRoot, false),
        (Namespaces::None, false),
    ];
    for (namespaces, private_root) in candidates {
        let isolation = Isolation { namespaces, private_root, ..Isolation::NONE };
        let attempt = Task { isolation, ..task.clone() };
        crate::record::write(&folder.join("attempt.json"), &attempt)?;
        let output = Command::new("/proc/self/exe")
            .args(&task.arguments)
            .arg(PROBE_ROOT)
            .arg(folder)
            .stdin(Stdio::null())
            .output()?;
        if output.status.success()
            && let Ok(landlock) = String::from_utf8_lossy(&output.stdout).trim().parse()
        {
            let found = Isolation { landlock, ..isolation };
            serde_json::to_writer(io::stdout().lock(), &found)?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    Ok(ExitCode::FAILURE)
}

/// Makes one attempt; called once outside the namespaces and once, as their process 1, inside.
pub(super) fn run_root(folder: &Path) -> io::Result<ExitCode> {
    let attempt = folder.join("attempt.json");
    let inside = folder.join("inside.json");
    if let Some(task) = crate::record::read::<Task>(&inside)? {
        fs::remove_file(&inside)?;
        return attempt_inside(&task);
    }
    let task: Task = crate::record::read(&attempt)?.ok_or(io::ErrorKind::NotFound)?;
    crate::record::write(&inside, &task)?;
    namespace::enter(task.isolation.namespaces, Network::Denied)?;
    let status = Command::new("/proc/self/exe")
        .args(&task.arguments)
        .arg(PROBE_ROOT)
        .arg(folder)
        .stdin(Stdio::null())
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn attempt_inside(task: &Task) -> io::Result<ExitCode> {
    if task.isolation.namespaces != Namespaces::None {
        loopback::bring_up()?;
    }
    if task.isolation.private_root {
        root::enter(task)?;
    }
    let landlock = landlocked::restrict(task)?;
    use std::io::Write as _;
    writeln!(io::stdout(), "{landlock}")?;
    Ok(ExitCode::SUCCESS)
}
