//! Both engines pass the same checks.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::conformance::{self, Trial};
use engine::{Carrier, LocalEngine, Settings, SimulatedEngine};
use units::JobId;

static JOBS: AtomicU64 = AtomicU64::new(1);

fn new_job() -> JobId {
    let number = JOBS.fetch_add(1, Ordering::Relaxed);
    format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
}

struct Here(LocalEngine);

impl Trial for Here {
    type Engine = LocalEngine;

    fn engine(&self) -> &LocalEngine {
        &self.0
    }

    fn new_job(&self) -> JobId {
        new_job()
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_local_engine_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let carrier =
        Carrier { program: PathBuf::from(env!("CARGO_BIN_EXE_usine-carry")), arguments: vec![] };
    let settings = Settings { grace_seconds: 1, ..Settings::new(folder.path().join("e"), carrier) };
    let engine = LocalEngine::open(settings).await.unwrap();
    println!("{:#?}", engine.isolation());
    conformance::check(&Here(engine)).await.unwrap();
}

struct Simulated(SimulatedEngine);

impl Trial for Simulated {
    type Engine = SimulatedEngine;

    fn engine(&self) -> &SimulatedEngine {
        &self.0
    }

    fn new_job(&self) -> JobId {
        new_job()
    }

    async fn pause(&self) {
        self.0.advance(20);
    }
}

#[tokio::test]
async fn the_simulated_engine_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let engine = SimulatedEngine::new(folder.path().to_owned(), 4, start);
    conformance::check(&Simulated(engine)).await.unwrap();
}
