//! The cluster that `cargo xtask test` brought up, for one test at a time.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use engine::slurm::{Settings, SlurmEngine};
use engine::{Ended, Engine as _, Place, Spec, State, Stream, conformance};
use rustix::fs::FlockOperation;
use units::JobId;

use crate::machine::new_job;

/// Where the cluster's `slurm.conf` is; without it these tests are left out.
const CONF: &str = "USINE_TEST_SLURM";
/// Where its `slurmrestd` listens.
const REST: &str = "USINE_TEST_SLURM_REST";
/// What brings a stopped daemon of the cluster up again.
const UP: &str = "USINE_TEST_SLURM_UP";

/// What stands before a command as a person, to try rules of `sudo` out.
const PERSON: &str = "USINE_TEST_SLURM_PERSON";

/// People of the cluster, made by `cargo xtask test`.
pub(crate) const ANN: &str = "usine-ann";
pub(crate) const BEN: &str = "usine-ben";
const ACCOUNT: &str = "usine-lab";

pub(crate) struct Cluster {
    pub(crate) conf: PathBuf,
    pub(crate) rest: String,
    /// Held as long as this test has the cluster to itself.
    _turn: File,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// The cluster, once no other test has it; `None`, said aloud, where there is none.
    pub(crate) fn new() -> Option<Self> {
        let Some(conf) = std::env::var_os(CONF).map(PathBuf::from) else {
            println!("skipped: {CONF} names no slurm.conf; `cargo xtask test` brings a cluster up");
            return None;
        };
        let turn = File::create(conf.with_extension("turn")).unwrap();
        rustix::fs::flock(&turn, FlockOperation::LockExclusive).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let cluster = Self { conf, rest: std::env::var(REST).unwrap(), _turn: turn, folder };
        cluster.people();
        Some(cluster)
    }

    /// Lets the people of the tests, and whoever runs these, submit.
    fn people(&self) {
        self.ask("sacctmgr", &["-i", "--quiet", "add", "account", ACCOUNT], &[0, 1]);
        for user in [ANN, BEN, "root"] {
            let account = format!("account={ACCOUNT}");
            self.ask("sacctmgr", &["-i", "--quiet", "add", "user", user, &account], &[0, 1]);
        }
        for user in [ANN, BEN] {
            let home = self.folder.path().join("people").join(user);
            fs::create_dir_all(&home).unwrap();
            assert!(Command::new("chown").arg(user).arg(&home).status().unwrap().success());
        }
    }

    /// A command of Slurm's; what it prints.
    pub(crate) fn ask(&self, program: &str, arguments: &[&str], codes: &[i32]) -> String {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("SLURM_CONF", &self.conf).output().unwrap();
        let code = output.status.code().unwrap();
        assert!(codes.contains(&code), "{program} {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Jobs as whoever runs this test.
    pub(crate) fn settings(&self) -> Settings {
        let jobs = self.folder.path().join("jobs").display().to_string();
        Settings {
            conf: Some(self.conf.clone()),
            interval: Duration::from_millis(100),
            patience: Duration::from_secs(20),
            settle: Duration::from_secs(20),
            accounting_lag: Duration::from_secs(30),
            ..Settings::new(self.folder.path().join("records"), jobs)
        }
    }

    /// Jobs as persons, whom root becomes by itself.
    pub(crate) fn settings_for_persons(&self) -> Settings {
        let by_root = "setpriv --reuid={user} --regid={user} --init-groups";
        let person = std::env::var(PERSON).unwrap_or_else(|_| by_root.to_owned());
        Settings {
            jobs: self.folder.path().join("people/{user}/jobs").display().to_string(),
            person: person.split_whitespace().map(str::to_owned).collect(),
            ..self.settings()
        }
    }

    /// A folder of this test, open to all.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills the controller as a power cut would, and starts it again.
    pub(crate) async fn crash_controller(&self) {
        let record = self.conf.ancestors().nth(2).unwrap().join("run/slurmctld.process");
        let text = fs::read_to_string(record).unwrap();
        let pid = text.split_whitespace().next().unwrap();
        assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
        let line = std::env::var(UP).unwrap();
        let mut words = line.split_whitespace();
        let mut up = Command::new(words.next().unwrap()).args(words).spawn().unwrap();
        let code = loop {
            match up.try_wait().unwrap() {
                Some(status) => break status,
                None => self.mend(),
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        };
        assert!(code.success(), "{line}: {code}");
    }

    /// Does what the administrator would: a node on which Slurm was to start a job under the number
    /// of one that it has forgotten, and that still runs there, is drained; and what it believes to
    /// run there it compares with what does, which it would do by itself some minutes later.
    pub(crate) fn mend(&self) {
        self.ask("scontrol", &["reconfigure"], &[0, 1]);
        self.ask("scontrol", &["update", "NodeName=ALL", "State=RESUME"], &[0, 1]);
    }

    /// How many jobs of Slurm's carry the mark of a job, ended ones included.
    pub(crate) fn copies(&self, job: JobId) -> usize {
        let all = self.ask("squeue", &["-h", "--states=all", "-o", "%k"], &[0]);
        all.lines().filter(|line| *line == format!("usine:{job}")).count()
    }
}

/// A job of a person.
pub(crate) fn of(user: &str, script: &str) -> Spec {
    let place = Place { user: Some(user.to_owned()), ..Place::default() };
    Spec { place, ..conformance::small(script) }
}

pub(crate) async fn submit(engine: &SlurmEngine, spec: &Spec) -> JobId {
    let job = new_job();
    engine.submit(job, spec).await.unwrap();
    job
}

pub(crate) async fn until_ended(engine: &SlurmEngine, job: JobId) -> Ended {
    match until(engine, job, |state| matches!(state, State::Ended(_))).await {
        State::Ended(ended) => ended,
        other => panic!("{other:?}"),
    }
}

/// Looks until a job is where it should be; a cluster that does not answer is asked again.
pub(crate) async fn until(
    engine: &SlurmEngine,
    job: JobId,
    is_there: impl Fn(&State) -> bool,
) -> State {
    let mut last = None;
    for _ in 0..1_200 {
        if let Ok(all) = engine.observe().await {
            last = all.into_iter().find(|one| one.job == job).map(|one| one.state);
        }
        match last {
            Some(state) if is_there(&state) => return state,
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("waited in vain; the job is {last:?}");
}

pub(crate) async fn written(engine: &SlurmEngine, job: JobId) -> String {
    let bytes = engine.read(job, Stream::Stdout, 0, 1 << 20).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
