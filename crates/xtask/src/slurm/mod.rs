//! A real Slurm on this machine: Debian's packages, one folder, loopback, no systemd.
//!
//! [`Cluster`] is a whole site: munged with a key of its own, mariadbd, slurmdbd, slurmctld, a
//! slurmd for each of its nodes, slurmrestd. Several stand side by side when their names and ports
//! differ. Bringing up what is up changes nothing; bringing it down stops what was started from its
//! folder, and nothing else. (Of all daemons only slurmdbd of Slurm 22.05 cannot be told to listen
//! on loopback alone; it takes nobody without the site's munge key.)

mod command;
mod config;
mod daemon;
mod database;
mod install;
mod trial;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;
use daemon::{Daemon, wait_until};

pub(crate) use command::{Arguments, run};
pub(crate) use daemon::pause;

/// A cluster on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// `ClusterName`: lower-case letters and digits.
    pub(crate) name: String,
    /// Where all its files are, readable by the users of its daemons.
    pub(crate) folder: PathBuf,
    /// The first of its [`PORTS`] ports.
    pub(crate) ports: u16,
    /// How many nodes it pretends to have, named `NAME-1` and so on; up to [`NODES_MAX`].
    pub(crate) nodes: u16,
    /// Cores of each node, whatever this machine has.
    pub(crate) cores: u16,
    /// Memory of each node in mebibytes.
    pub(crate) memory_mb: u32,
    /// GPUs of each node, of which there is no more than the name.
    pub(crate) gpus: u16,
    /// Lines of `slurm.conf` in place of [`config::SCHEDULING`].
    pub(crate) scheduling: Option<String>,
    /// Local users to be there, made where they are not.
    pub(crate) users: Vec<String>,
}

/// How many ports a cluster takes, from its first on.
pub(crate) const PORTS: u16 = 400;
/// The most nodes of a cluster.
pub(crate) const NODES_MAX: u16 = 64;

impl Cluster {
    /// A small cluster with this name in the folder for temporary files.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: std::env::temp_dir().join("usine-slurm").join(name),
            ports: 17_000,
            nodes: 4,
            cores: 16,
            memory_mb: 65_536,
            gpus: 0,
            scheduling: None,
            users: Vec::new(),
        }
    }

    /// Installs what is missing, starts what does not run, and waits until all nodes are there.
    pub(crate) fn up(&self) -> Result<()> {
        self.check()?;
        install::packages()?;
        install::users(&self.users)?;
        self.folders()?;
        self.munged()?;
        database::start(self)?;
        let changed = config::write(self)?;
        self.start_slurmdbd()?;
        self.register()?;
        if changed {
            self.stop_slurm()?;
        }
        self.start_slurm()?;
        println!("cluster {} is up: {} nodes", self.name, self.nodes);
        Ok(())
    }

    /// Stops everything that was started from the folder; `wipe` deletes it afterwards.
    pub(crate) fn down(&self, wipe: bool) -> Result<()> {
        if !self.folder.exists() {
            return Ok(());
        }
        self.cancel_jobs();
        self.stop_slurm()?;
        for name in ["slurmdbd", "mariadbd", "munged"] {
            self.daemon(name).stop()?;
        }
        if wipe {
            std::fs::remove_dir_all(&self.folder)
                .with_context(|| format!("cannot delete {}", self.folder.display()))?;
        }
        println!("cluster {} is down", self.name);
        Ok(())
    }

    /// One of Slurm's commands, speaking to this cluster.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = shell::command(program, arguments);
        command.env("SLURM_CONF", self.conf()).env("TZ", "UTC");
        command
    }

    /// Runs one of Slurm's commands and returns what it prints.
    pub(crate) fn ask<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        shell::quiet(program, &mut self.command(program, arguments))
    }

    /// Its `slurm.conf`.
    pub(crate) fn conf(&self) -> PathBuf {
        self.path("etc/slurm.conf")
    }

    /// Where slurmrestd listens.
    pub(crate) fn rest_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port(Port::Rest))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn daemon(&self, name: &str) -> Daemon {
        Daemon::new(&self.folder, name)
    }

    const fn port(&self, port: Port) -> u16 {
        self.ports + port as u16
    }

    /// The names of its nodes.
    fn node_names(&self) -> impl Iterator<Item = String> {
        (1..=self.nodes).map(|node| format!("{}-{node}", self.name))
    }

    fn check(&self) -> Result<()> {
        if !shell::is_root() {
            bail!("a cluster changes users as it starts daemons: run this as root");
        }
        let plain = |mark: u8| mark.is_ascii_lowercase() || mark.is_ascii_digit();
        if self.name.is_empty() || self.name.len() > 20 || !self.name.bytes().all(plain) {
            bail!("a cluster's name is up to 20 lower-case letters and digits: {:?}", self.name);
        }
        if !(1..=NODES_MAX).contains(&self.nodes) {
            bail!("a cluster here has 1 to {NODES_MAX} nodes, not {}", self.nodes);
        }
        if self.ports < 1_024 || self.ports > u16::MAX - PORTS {
            bail!("the ports of a cluster are {PORTS} from 1024 on, not from {}", self.ports);
        }
        Ok(())
    }

    fn folders(&self) -> Result<()> {
        for name in ["etc", "run", "log", "state", "spool", "munge", "dev", "tmp"] {
            std::fs::create_dir_all(self.path(name))?;
        }
        for node in self.node_names() {
            std::fs::create_dir_all(self.path("spool").join(node))?;
        }
        let own = |user: &str, names: &[&str]| {
            let paths = names.iter().map(|name| self.path(name));
            shell::quiet("chown", shell::command("chown", [user]).args(paths))
        };
        own("slurm:slurm", &["state", "tmp"])?;
        own("munge:munge", &["munge"])?;
        Ok(())
    }

    /// The daemon that vouches for users, with a key of the cluster's own.
    fn munged(&self) -> Result<()> {
        let daemon = self.daemon("munged");
        if daemon.is_alive() {
            return Ok(());
        }
        let key = self.path("munge/key");
        if !key.exists() {
            install::secret(&key, "munge")?;
        }
        let within = |name: &str| self.path(&format!("munge/{name}")).display().to_string();
        let socket = self.munge_socket();
        daemon.start(as_user("munge", "munged").arg("--foreground").args([
            format!("--key-file={}", key.display()),
            format!("--socket={}", socket.display()),
            format!("--pid-file={}", within("pid")),
            format!("--log-file={}", within("log")),
            format!("--seed-file={}", within("seed")),
        ]))?;
        wait_until("munged", 10, || {
            answers(&mut shell::command("munge", ["-n", "-S", &socket.display().to_string()]))
        })
    }

    fn munge_socket(&self) -> PathBuf {
        self.path("munge/socket")
    }

    fn start_slurmdbd(&self) -> Result<()> {
        let daemon = self.daemon("slurmdbd");
        if !daemon.is_alive() {
            daemon.start(as_user("slurm", "slurmdbd").arg("-D").env("SLURM_CONF", self.conf()))?;
        }
        let show = ["-n", "-P", "show", "cluster", "format=cluster"];
        wait_until("slurmdbd", 30, || answers(&mut self.command("sacctmgr", show)))
    }

    /// Lets the accounting know of the cluster.
    fn register(&self) -> Result<()> {
        let known = self.ask("sacctmgr", ["-n", "-P", "show", "cluster", "format=cluster"])?;
        if known.lines().all(|line| line != self.name) {
            self.ask("sacctmgr", ["-i", "add", "cluster", &self.name])?;
        }
        Ok(())
    }

    fn start_slurm(&self) -> Result<()> {
        let conf = self.conf();
        let controller = self.daemon("slurmctld");
        if !controller.is_alive() {
            controller.start(as_user("slurm", "slurmctld").arg("-D").arg("-f").arg(&conf))?;
        }
        wait_until("slurmctld", 30, || answers(&mut self.command("scontrol", ["ping"])))?;
        for node in self.node_names() {
            let daemon = self.daemon(&format!("slurmd-{node}"));
            if !daemon.is_alive() {
                let mut command = shell::command("slurmd", ["-D", "-N", &node, "-f"]);
                daemon.start(command.arg(&conf))?;
            }
        }
        let rest = self.daemon("slurmrestd");
        if !rest.is_alive() {
            let listen = format!("127.0.0.1:{}", self.port(Port::Rest));
            rest.start(
                as_user("nobody", "slurmrestd")
                    .args(["-a", "rest_auth/jwt", "-f"])
                    .arg(&conf)
                    .arg(listen)
                    .env("SLURM_JWT", "daemon"),
            )?;
        }
        wait_until("the nodes", 60, || self.nodes_there() == Some(usize::from(self.nodes)))
    }

    /// How many nodes can take work, or have some.
    fn nodes_there(&self) -> Option<usize> {
        let states = ["-h", "-N", "-t", "idle,mixed,allocated,completing", "-o", "%N"];
        let told = self.command("sinfo", states).output().ok()?;
        let mut names: Vec<&str> = str::from_utf8(&told.stdout).ok()?.lines().collect();
        names.sort_unstable();
        names.dedup();
        Some(names.len())
    }

    /// Asks for the end of all jobs, so that none outlives its slurmd; as well as can be.
    fn cancel_jobs(&self) {
        if !self.daemon("slurmctld").is_alive() {
            return;
        }
        let states = ["--state=PENDING", "--state=RUNNING", "--state=SUSPENDED"];
        for state in states {
            let _ = self.command("scancel", ["--quiet", state]).output();
        }
        let running = ["-h", "-t", "running,completing", "-o", "%A"];
        let none = || self.ask("squeue", running).is_ok_and(|jobs| jobs.trim().is_empty());
        if let Err(error) = wait_until("the end of all jobs", 20, none) {
            eprintln!("{error:#}");
        }
    }

    fn stop_slurm(&self) -> Result<()> {
        self.daemon("slurmrestd").stop()?;
        // Of the nodes that there were when it was brought up, whatever is asked now.
        for daemon in Daemon::started(&self.folder, "slurmd-")? {
            daemon.stop()?;
        }
        self.daemon("slurmctld").stop()
    }
}

/// The ports of a cluster, from its first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Controller = 0,
    Accounting = 1,
    Database = 2,
    Rest = 3,
    /// The first node's; the others' follow.
    Nodes = 10,
    /// The first of those on which `srun` listens.
    Srun = 100,
}

/// A program as a user without any other group.
fn as_user(user: &str, program: &str) -> Command {
    let group = if user == "nobody" { "nogroup" } else { user };
    shell::command("setpriv", ["--reuid", user, "--regid", group, "--clear-groups", program])
}

/// Whether a command succeeds.
fn answers(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A path as text for a configuration file.
fn text(path: &Path) -> std::path::Display<'_> {
    path.display()
}
