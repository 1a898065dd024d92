//! Control groups: limits on memory, processors and processes that the kernel keeps, where this
//! user may make groups. Both versions of the interface.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::task::Task;

/// A resource that a group can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Pids,
    Cpuset,
}

impl Controller {
    pub(super) const ALL: [Self; 3] = [Self::Memory, Self::Pids, Self::Cpuset];

    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpuset => "cpuset",
        }
    }
}

/// The groups of one job: one in version 2, one a controller in version 1.
#[derive(Debug)]
pub(super) struct Groups {
    memory: Option<PathBuf>,
    all: Vec<PathBuf>,
}

impl Groups {
    /// Makes the groups that `task` can have here, with its limits.
    pub(super) fn make(task: &Task) -> io::Result<Self> {
        let mut groups = Self { memory: None, all: Vec::new() };
        for controller in Controller::ALL {
            if !task.isolation.groups().contains(&controller) {
                continue;
            }
            let group = make_group(controller, &group_name(&task.job))?;
            limit(controller, &group, task)?;
            if controller == Controller::Memory {
                groups.memory = Some(group.clone());
            }
            if !groups.all.contains(&group) {
                groups.all.push(group);
            }
        }
        Ok(groups)
    }

    /// Puts a process, and whatever it will start, into the groups.
    pub(super) fn admit(&self, process: Pid) -> io::Result<()> {
        let text = process.as_raw_nonzero().to_string();
        self.all.iter().try_for_each(|group| fs::write(group.join("cgroup.procs"), &text))
    }

    /// How many processes the kernel has killed because the group had no memory left.
    pub(super) fn memory_kills(&self) -> u64 {
        let Some(group) = &self.memory else { return 0 };
        ["memory.events", "memory.oom_control"]
            .iter()
            .filter_map(|file| fs::read_to_string(group.join(file)).ok())
            .find_map(|text| {
                text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
            })
            .unwrap_or_default()
    }
}

/// Whether groups of `controller` can be made and limited here.
pub(super) fn is_available(controller: Controller) -> bool {
    let name = format!("usine-probe-{}", std::process::id());
    let made = make_group(controller, &name);
    made.as_ref().is_ok_and(|group| {
        let file = match controller {
            Controller::Memory => ["memory.max", "memory.limit_in_bytes"].as_slice(),
            Controller::Pids => &["pids.max"],
            Controller::Cpuset => &["cpuset.cpus"],
        };
        let works = file.iter().any(|file| writable(&group.join(file)));
        fs::remove_dir(group).is_ok() && works
    })
}

fn writable(path: &Path) -> bool {
    fs::OpenOptions::new().write(true).open(path).is_ok()
}

/// Removes the groups of a job that has no process left.
pub(super) fn remove(job: &str) {
    for controller in Controller::ALL {
        if let Some(parent) = parent(controller) {
            // Not made, or gone already, is as good; a group with processes stays.
            let _absent_is_fine = fs::remove_dir(parent.path.join(group_name(job)));
        }
    }
}

fn group_name(job: &str) -> String {
    format!("usine-{job}")
}

fn make_group(controller: Controller, name: &str) -> io::Result<PathBuf> {
    let parent = parent(controller).ok_or(io::ErrorKind::Unsupported)?;
    if parent.unified {
        let control = parent.path.join("cgroup.subtree_control");
        if !has_word(&control, controller.name()) {
            fs::write(&control, format!("+{}", controller.name()))?;
        }
    }
    let group = parent.path.join(name);
    match fs::create_dir(&group) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if controller == Controller::Cpuset && !parent.unified {
        for file in ["cpuset.mems", "cpuset.cpus"] {
            fs::write(group.join(file), fs::read_to_string(parent.path.join(file))?.trim())?;
        }
    }
    Ok(group)
}

fn limit(controller: Controller, group: &Path, task: &Task) -> io::Result<()> {
    match controller {
        Controller::Memory => {
            let bytes = task.request.memory_mb.saturating_mul(1024 * 1024).to_string();
            // Swap would let a job hold more than it asked for; not every kernel can limit it.
            if group.join("memory.max").exists() {
                fs::write(group.join("memory.max"), &bytes)?;
                let _unlimited_is_bearable = fs::write(group.join("memory.swap.max"), "0");
            } else {
                fs::write(group.join("memory.limit_in_bytes"), &bytes)?;
                let _unlimited_is_bearable =
                    fs::write(group.join("memory.memsw.limit_in_bytes"), &bytes);
            }
            Ok(())
        }
        Controller::Pids => fs::write(group.join("pids.max"), task.processes_max.to_string()),
        Controller::Cpuset => {
            let list: Vec<String> = task.cpus.iter().map(ToString::to_string).collect();
            fs::write(group.join("cpuset.cpus"), list.join(","))
        }
    }
}

/// A place where groups for jobs can be made.
#[derive(Debug, PartialEq, Eq)]
struct Parent {
    path: PathBuf,
    unified: bool,
}

/// The group that this process is in; its place may lie outside what is mounted here.
fn parent(controller: Controller) -> Option<Parent> {
    let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    candidates(controller, &membership, &mounts).into_iter().find(|parent| {
        let controllers = parent.path.join("cgroup.controllers");
        parent.path.is_dir() && (!parent.unified || has_word(&controllers, controller.name()))
    })
}

/// Finds groups in the text of `/proc/self/cgroup` and `/proc/self/mountinfo`: for each version
/// the group of this process, then the top of what is mounted.
fn candidates(controller: Controller, membership: &str, mounts: &str) -> Vec<Parent> {
    let mut found = Vec::new();
    for line in membership.lines() {
        let [_, names, within] = line.splitn(3, ':').collect::<Vec<_>>()[..] else { continue };
        let unified = names.is_empty();
        if !unified && !names.split(',').any(|name| name == controller.name()) {
            continue;
        }
        let wanted = if unified { None } else { Some(controller.name()) };
        for (root, point) in mounts.lines().filter_map(|mount| mount_of(mount, wanted)) {
            if let Some(below) = within.strip_prefix(root).filter(|below| below.len() > 1) {
                let path = Path::new(point).join(below.trim_start_matches('/'));
                found.push(Parent { path, unified });
            }
            found.push(Parent { path: PathBuf::from(point), unified });
        }
    }
    found
}

/// Root and place of a mount of version 1 with the named controller, or of version 2.
fn mount_of<'a>(line: &'a str, controller: Option<&str>) -> Option<(&'a str, &'a str)> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let mut about = after.split(' ');
    let (kind, options) = (about.next()?, about.nth(1)?);
    let fits = match controller {
        None => kind == "cgroup2",
        Some(name) => kind == "cgroup" && options.split(',').any(|option| option == name),
    };
    fits.then_some((root.trim_end_matches('/'), point))
}

fn has_word(file: &Path, word: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.split_whitespace().any(|found| found == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
35 30 0:31 /box /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";

    fn check(controller: Controller, membership: &str, expected: &[(&str, bool)]) {
        let found = candidates(controller, membership, MOUNTS);
        let found: Vec<(&str, bool)> =
            found.iter().map(|parent| (parent.path.to_str().unwrap(), parent.unified)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_version_is_found_where_it_is_mounted() {
        check(
            Controller::Memory,
            "4:memory:/jobs\n0::/box/inner",
            &[
                ("/sys/fs/cgroup/memory/jobs", false),
                ("/sys/fs/cgroup/memory", false),
                ("/sys/fs/cgroup/unified/inner", true),
                ("/sys/fs/cgroup/unified", true),
            ],
        );
    }

    #[test]
    fn a_controller_without_a_mount_is_not_there() {
        check(Controller::Cpuset, "3:cpuset:/", &[]);
    }
}
