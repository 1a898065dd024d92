//! Both engines pass the same checks.

use std::time::Duration;

use engine::conformance::{self, Trial};
use engine::{LocalEngine, SimulatedEngine};
use units::JobId;

use crate::machine::{Machine, new_job};

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
    for machine in Machine::both().await {
        println!("{:#?}", machine.engine.isolation());
        conformance::check(&Here(machine.engine)).await.unwrap();
    }
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
