//! The controller and the engine are killed at random moments; every job runs exactly once.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use engine::slurm::{Settings, SlurmEngine};
use engine::{Engine as _, Spec, State, conformance};
use units::JobId;

use super::cluster::Cluster;
use crate::machine::new_job;

const JOBS: u32 = 60;
const CRASHES: u32 = 4;

/// Numbers that look random and are the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The engine on a cluster that is made to fail, with what the jobs write down of themselves.
struct Trial {
    cluster: Cluster,
    settings: Settings,
    dice: Dice,
    engine: SlurmEngine,
}

impl Trial {
    async fn new(cluster: Cluster, seed: u64) -> Self {
        let settings = Settings {
            patience: Duration::from_secs(15),
            settle: Duration::from_secs(15),
            ..cluster.settings()
        };
        fs::write(cluster.folder().join("runs"), "").unwrap();
        let engine = opened(&settings).await;
        Self { cluster, settings, dice: Dice(seed), engine }
    }

    /// Every script says that it runs, and lasts up to three seconds.
    fn spec(&mut self, job: JobId) -> Spec {
        let runs = self.cluster.folder().join("runs");
        let tenths = self.dice.below(30);
        let line = format!("echo {job} >> {}", runs.display());
        conformance::small(&format!("{line}; sleep {}.{}", tenths / 10, tenths % 10))
    }

    async fn submit(&mut self) -> JobId {
        let job = new_job();
        let spec = self.spec(job);
        // What the engine does not take is offered again, as an agent does.
        while let Err(error) = self.engine.submit(job, &spec).await {
            println!("{error}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if self.dice.below(8) == 0 {
            let _seen = self.engine.observe().await;
        }
        if self.dice.below(6) == 0 {
            self.engine = opened(&self.settings).await;
        }
        job
    }

    async fn crash(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.dice.below(4_000))).await;
        self.cluster.crash_controller().await;
    }

    /// Where the jobs stand once all have ended, or there is no more hope.
    async fn ends(&self, jobs: &[JobId]) -> BTreeMap<JobId, State> {
        let mut ends = BTreeMap::new();
        for look in 1..=300 {
            for one in self.engine.observe().await.unwrap_or_default() {
                ends.insert(one.job, one.state);
            }
            if jobs.iter().all(|job| matches!(ends.get(job), Some(State::Ended(_)))) {
                break;
            }
            if look % 10 == 0 {
                self.cluster.mend();
            }
            tokio::time::sleep(Duration::from_millis(1_000)).await;
        }
        ends
    }
}

/// A controller that is down is waited for, as an agent does.
async fn opened(settings: &Settings) -> SlurmEngine {
    loop {
        match SlurmEngine::open(settings.clone()).await {
            Ok(engine) => return engine,
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

#[tokio::test]
async fn no_crash_of_controller_or_engine_loses_a_job_or_runs_it_twice() {
    let Some(cluster) = Cluster::new() else { return };
    let seed = std::env::var("USINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("USINE_SEED={seed}");
    let mut trial = Trial::new(cluster, seed).await;
    let mut jobs = Vec::new();
    for crash in 0..=CRASHES {
        if crash > 0 {
            trial.crash().await;
        }
        for _ in 0..JOBS / (CRASHES + 1) {
            jobs.push(trial.submit().await);
        }
    }
    let ends = trial.ends(&jobs).await;
    let text = fs::read_to_string(trial.cluster.folder().join("runs")).unwrap();
    let copies: usize = jobs.iter().map(|job| trial.cluster.copies(*job)).sum();
    println!("{} jobs, {CRASHES} crashes, {copies} copies that Slurm remembers", jobs.len());
    for job in &jobs {
        let count = text.lines().filter(|line| *line == job.to_string()).count();
        assert_eq!(count, 1, "{job} ran {count} times; it is {:?}", ends.get(job));
        assert!(matches!(ends.get(job), Some(State::Ended(_))), "{job} is {:?}", ends.get(job));
    }
}
