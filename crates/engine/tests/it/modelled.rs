//! The engine on a modelled cluster: it conforms like any other, and is not taken in by numbers that
//! come back.

use std::time::Duration;

use engine::slurm::modelled::{Faults, Modelled, Size};
use engine::slurm::{Settings, SlurmEngine};
use engine::{Clock, Disk, Ended, Engine as _, State, conformance};
use jobs::life::End;
use tokio::time::Instant;
use units::JobId;

use crate::machine::new_job;

/// A cluster whose time is the test's.
struct Site {
    cluster: Modelled,
    engine: SlurmEngine,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        Self::with(1).await
    }

    async fn with(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::Set { at, since: Instant::now() };
        let cluster = Modelled::new(Size { nodes: 1, cores: 4 }, clock, seed);
        let settings = Settings::modelled(folder.path().join("records"), Disk::default(), clock);
        let interval = Duration::from_millis(100);
        let settings = Settings { jobs: "/modelled".to_owned(), interval, ..settings };
        let engine = SlurmEngine::modelled(settings, cluster.clone()).await.unwrap();
        Self { cluster, engine, _folder: folder }
    }

    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.cluster.tick();
        }
    }

    async fn submit(&self, script: &str) -> JobId {
        let job = new_job();
        self.engine.submit(job, &conformance::small(script)).await.unwrap();
        job
    }

    async fn end(&self, job: JobId) -> Ended {
        for _ in 0..3_600 {
            self.pass(1).await;
            let seen = self.engine.observe().await.unwrap();
            let state = seen.into_iter().find(|one| one.job == job).map(|one| one.state);
            if let Some(State::Ended(ended)) = state {
                return ended;
            }
        }
        panic!("{job} does not end");
    }
}

impl conformance::Trial for Site {
    type Engine = SlurmEngine;

    fn engine(&self) -> &SlurmEngine {
        &self.engine
    }

    fn new_job(&self) -> JobId {
        new_job()
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.cluster.tick();
    }
}

#[tokio::test(start_paused = true)]
async fn the_modelled_cluster_conforms() {
    conformance::check(&Site::new().await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_never_ends_another_job_that_was_given_the_same_number() {
    let site = Site::new().await;
    let forgotten = site.submit("sleep 300").await;
    site.cluster.crash_controller();
    site.pass(1).await;
    site.cluster.start_controller();
    let other = site.submit("sleep 30").await;
    site.engine.cancel(forgotten).await.unwrap();
    assert_eq!(site.end(other).await.end, End::Completed);
    site.end(forgotten).await;
    for job in [forgotten, other] {
        assert!(site.cluster.truth(job).begun <= 1, "{job} began more than once");
    }
}

/// Two jobs under one number, of which the second is held for ever because the first still runs.
#[tokio::test(start_paused = true)]
async fn a_copy_that_is_held_is_given_up_for_good_though_the_answer_to_that_is_lost() {
    let mut held = 0;
    for seed in 1..=12 {
        let site = Site::with(seed).await;
        let first = site.submit("sleep 300").await;
        site.cluster.crash_controller();
        site.pass(1).await;
        site.cluster.start_controller();
        let second = site.submit("sleep 3").await;
        site.cluster.set_faults(Faults { lost_back: 500, ..Faults::default() });
        for _ in 0..10 {
            site.pass(2).await;
            let _unheard = site.engine.observe().await;
        }
        site.cluster.set_faults(Faults::default());
        assert_eq!(site.end(second).await.end, End::Completed, "seed {seed}");
        site.end(first).await;
        held += u32::from(site.cluster.take_news().iter().any(|news| news.contains("is held")));
    }
    assert!(held > 0, "no copy was ever held");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_put_back_in_line_runs_again_and_both_runs_are_on_the_books() {
    let site = Site::new().await;
    let mut spec = conformance::small("sleep 30");
    spec.place.options = vec![("requeue".to_owned(), None)];
    let job = new_job();
    let begun = Instant::now();
    site.engine.submit(job, &spec).await.unwrap();
    site.pass(10).await;
    site.cluster.fail_node();
    assert_eq!(site.end(job).await.end, End::Completed);
    let truth = site.cluster.truth(job);
    assert_eq!((truth.begun, truth.requeued), (2, 1));
    let from = "2026-01-01T00:00:00Z".parse().unwrap();
    let to = Clock::Set { at: from, since: begun }.now();
    let books = site.engine.accounts((from, to)).await.unwrap().unwrap();
    let runs: Vec<_> = books.runs.iter().map(|it| (it.job, it.run.state.as_str())).collect();
    assert_eq!(runs, [(Some(job), "NODE_FAIL"), (Some(job), "COMPLETED")]);
    let seconds: i64 = books.runs.iter().map(|it| it.run.ran_seconds).sum();
    assert_eq!(truth.booked_seconds, Some(seconds));
    assert!((38..=42).contains(&seconds), "{seconds}");
}

/// How often the script of a job began whose submission arrived so late that it was repeated.
async fn begun_when_late(seed: u64, has_fence: bool) -> u32 {
    let site = Site::with(seed).await;
    if !has_fence {
        site.cluster.remove_fences();
    }
    site.cluster.set_faults(Faults { late: 1_000, ..Faults::default() });
    let job = site.submit("sleep 3").await;
    site.cluster.set_faults(Faults::default());
    assert_eq!(site.end(job).await.end, End::Completed);
    site.pass(180).await;
    site.cluster.truth(job).begun
}

#[tokio::test(start_paused = true)]
async fn a_submission_that_arrives_late_is_found_or_stops_at_the_fence() {
    let mut doubled = 0;
    for seed in 1..=10 {
        assert_eq!(begun_when_late(seed, true).await, 1, "seed {seed}");
        doubled += u32::from(begun_when_late(seed, false).await > 1);
    }
    assert!(doubled > 0, "the fence was never needed");
}
