//! Starts one job, watches over it, ends it when it must end, and writes down how it ended.

mod watch;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use units::Timestamp;

use super::cgroup::{self, Groups};
use super::folder::JobFolder;
use super::task::Task;
use super::{INIT, namespace, tree};
use crate::ended::{EndRecord, How};
use crate::record;
use watch::Watch;

/// Durable before the script can begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartRecord {
    pub(crate) started_microseconds: i64,
    pub(crate) shepherd: i32,
    /// Which run of the machine it was.
    pub(crate) boot: String,
}

/// The wall clock: what a job ran from and to is a fact of this machine.
#[expect(clippy::disallowed_methods, reason = "the shepherd is where the passing time is measured")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Which run of the machine this is.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// Waits; the processes around a job have one thread and nothing else to do.
#[expect(clippy::disallowed_methods, reason = "there is no runtime in these processes")]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Carries the job in `folder`, unless it was started before.
pub(super) fn run(folder: &JobFolder) -> io::Result<ExitCode> {
    // Fails only for the leader of a session, which needs no other.
    let _leader_already = rustix::process::setsid();
    let lock = folder.acquire_lock()?;
    if folder.started().exists() || folder.ended().exists() {
        return Ok(ExitCode::SUCCESS);
    }
    let task: Task = record::read(&folder.task())?.ok_or(io::ErrorKind::NotFound)?;
    if folder.cancel().exists() {
        record::write(&folder.ended(), &never_began(How::Cancelled, None))?;
        return Ok(ExitCode::SUCCESS);
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let init = prepare(folder, &task)?;
    let started = now().as_microsecond();
    let shepherd = rustix::process::getpid().as_raw_nonzero().get();
    record::write(
        &folder.started(),
        &StartRecord { started_microseconds: started, shepherd, boot: boot() },
    )?;
    let mut end = carry((folder, &lock), &task, init).unwrap_or_else(|error| {
        never_began(How::NodeFailed, Some(format!("the job could not be carried: {error}")))
    });
    if !tree::kill_all() {
        end.reason = Some("processes of the job could not be killed".to_owned());
    }
    cgroup::remove(&task.job);
    end.started_microseconds = Some(started);
    end.ended_microseconds = now().as_microsecond().max(started);
    record::write(&folder.ended(), &end)?;
    Ok(ExitCode::SUCCESS)
}

/// The end of a job whose script was not started.
pub(crate) fn never_began(how: How, reason: Option<String>) -> EndRecord {
    EndRecord {
        how,
        reason,
        started_microseconds: None,
        ended_microseconds: now().as_microsecond(),
        peak_memory_mb: None,
        cpu_milliseconds: None,
    }
}

/// The end of a job whose shepherd is gone without a word: it counts as having run until the last
/// sign of it.
pub(crate) fn shepherd_lost(start: &StartRecord, last_sign: Option<Timestamp>) -> EndRecord {
    let reason = if start.boot == boot() {
        format!("process {} that watched over it was killed", start.shepherd)
    } else {
        "the machine was restarted".to_owned()
    };
    let end = never_began(How::NodeFailed, Some(reason));
    EndRecord {
        started_microseconds: Some(start.started_microseconds),
        ended_microseconds: last_sign
            .map_or(end.ended_microseconds, Timestamp::as_microsecond)
            .clamp(
                start.started_microseconds,
                end.ended_microseconds.max(start.started_microseconds),
            ),
        ..end
    }
}

/// A process that waits for its [`Task`], with the namespaces and logs of the job.
struct Init {
    process: std::process::Child,
    pid: Pid,
    groups: Groups,
}

fn prepare(folder: &JobFolder, task: &Task) -> io::Result<Init> {
    let groups = Groups::make(task)?;
    let stdout = log(folder, &folder.stdout(), task.output_names.0.as_deref())?;
    let stderr = match &task.output_names.1 {
        Some(name) => log(folder, &folder.stderr(), Some(name))?,
        None => stdout.try_clone()?,
    };
    namespace::enter(task.isolation.namespaces, task.network)?;
    let process = Command::new("/proc/self/exe")
        .args(&task.arguments)
        .arg(INIT)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()?;
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Init { process, pid, groups })
}

/// Opens a log outside the job's reach, and shows it to the job under the name it asked for.
fn log(folder: &JobFolder, path: &std::path::Path, name: Option<&str>) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if let Some(name) = name {
        let shown = folder.work().join(name);
        if let Some(parent) = shown.parent() {
            fs::create_dir_all(parent)?;
        }
        match fs::hard_link(path, &shown) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(file)
}

/// Lets init go on, and returns once it is gone.
fn carry(
    (folder, lock): (&JobFolder, &File),
    task: &Task,
    mut init: Init,
) -> io::Result<EndRecord> {
    init.groups.admit(init.pid)?;
    if let Some(mut pipe) = init.process.stdin.take() {
        pipe.write_all(&serde_json::to_vec(task)?)?;
    }
    let mut watch = Watch::new((folder, lock), task, init.pid, init.groups);
    watch.until_over()?;
    let (how, reason) = watch.verdict().unwrap_or_else(|| exit_of(folder));
    Ok(EndRecord {
        how,
        reason,
        started_microseconds: None,
        ended_microseconds: 0,
        peak_memory_mb: Some(watch.peak_memory_mb()),
        cpu_milliseconds: cpu_milliseconds(),
    })
}

/// How the script exited, as init noted.
fn exit_of(folder: &JobFolder) -> (How, Option<String>) {
    let text = fs::read_to_string(folder.status()).unwrap_or_default();
    match text.split_once(' ').map(|(kind, number)| (kind, number.parse::<u8>())) {
        Some(("exit", Ok(0))) => (How::Completed, None),
        Some(("exit", Ok(code))) => (How::Exited(code), None),
        Some(("signal", Ok(signal))) => (How::Signalled(signal), None),
        _ => (How::NodeFailed, Some("the process that carries the script died".to_owned())),
    }
}

/// Processor time of all processes below this one that are gone: fields 16 and 17 of
/// proc_pid_stat(5).
fn cpu_milliseconds() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks.saturating_mul(1000).checked_div(rustix::param::clock_ticks_per_second())
}
