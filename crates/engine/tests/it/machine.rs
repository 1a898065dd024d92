//! A local engine in a folder of its own, and jobs for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::{
    Carrier, ControlGroups, Ended, Engine as _, LocalEngine, Settings, Spec, State, Stream,
    conformance,
};
use units::JobId;

static JOBS: AtomicU64 = AtomicU64::new(1);

pub(crate) fn new_job() -> JobId {
    let number = JOBS.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!("0189{process:04x}-0000-7000-8000-{number:012x}").parse().unwrap()
}

/// A bash script with room to do harm.
pub(crate) fn bash(script: &str) -> Spec {
    let mut spec = conformance::small("");
    spec.script = format!("#!/bin/bash\n{script}\n");
    spec.request.memory_mb = 256;
    spec.request.time_limit_seconds = 60;
    spec
}

pub(crate) fn settings(folder: &Path) -> Settings {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_usine-carry"));
    let carrier = Carrier { program, arguments: Vec::new() };
    Settings { grace_seconds: 1, ..Settings::new(folder.join("engine"), carrier) }
}

pub(crate) struct Machine {
    pub(crate) engine: LocalEngine,
    pub(crate) folder: tempfile::TempDir,
}

impl Machine {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With and without control groups: what they do must hold either way.
    pub(crate) async fn both() -> [Self; 2] {
        let never = |settings: &mut Settings| settings.control_groups = ControlGroups::Never;
        [Self::new().await, Self::with(never).await]
    }

    pub(crate) async fn with(change: impl Fn(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let engine = LocalEngine::open(settings).await.unwrap();
        Self { engine, folder }
    }

    /// The folder of a job's records, with its directory below.
    pub(crate) fn folder_of(&self, job: JobId) -> PathBuf {
        self.folder.path().join("engine/jobs").join(job.to_string())
    }

    pub(crate) async fn submit(&self, spec: &Spec) -> JobId {
        let job = new_job();
        self.engine.submit(job, spec).await.unwrap();
        job
    }

    pub(crate) async fn state(&self, job: JobId) -> State {
        let all = self.engine.observe().await.unwrap();
        all.into_iter().find(|one| one.job == job).unwrap().state
    }

    pub(crate) async fn until_running(&self, job: JobId) {
        self.until(job, |state| matches!(state, State::Running { .. })).await;
    }

    pub(crate) async fn until_ended(&self, job: JobId) -> Ended {
        match self.until(job, |state| matches!(state, State::Ended(_))).await {
            State::Ended(ended) => ended,
            other => panic!("{other:?}"),
        }
    }

    async fn until(&self, job: JobId, is_there: impl Fn(&State) -> bool) -> State {
        for _ in 0..3_000 {
            let state = self.state(job).await;
            if is_there(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("waited in vain; the job is {:?}", self.state(job).await);
    }

    pub(crate) async fn written(&self, job: JobId) -> String {
        let bytes = self.engine.read(job, Stream::Stdout, 0, 1 << 20).await.unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until a job has written `text`.
    pub(crate) async fn until_written(&self, job: JobId, text: &str) {
        for _ in 0..1_000 {
            self.engine.observe().await.unwrap();
            if self.written(job).await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the job did not write {text:?} but {:?}", self.written(job).await);
    }

    /// Runs a job and returns how it ended and what it wrote.
    pub(crate) async fn run(&self, spec: &Spec) -> (Ended, String) {
        let job = self.submit(spec).await;
        let ended = self.until_ended(job).await;
        (ended, self.written(job).await)
    }
}

/// How many processes of this machine have `argument` on their command line.
pub(crate) fn processes_with(argument: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.split(|byte| *byte == 0).any(|one| one == argument.as_bytes())).count()
}
