//! The same checks as for every engine.

use std::time::Duration;

use engine::Place;
use engine::conformance::{self, Trial};
use engine::slurm::{RestSettings, Settings, SlurmEngine};
use units::JobId;

use super::cluster::{ANN, Cluster};
use crate::machine::new_job;

struct There {
    engine: SlurmEngine,
    user: Option<&'static str>,
}

impl Trial for There {
    type Engine = SlurmEngine;

    fn engine(&self) -> &SlurmEngine {
        &self.engine
    }

    fn new_job(&self) -> JobId {
        new_job()
    }

    fn nodes(&self) -> u32 {
        2
    }

    fn place(&self) -> Place {
        Place { user: self.user.map(str::to_owned), ..Place::default() }
    }

    async fn pause(&self) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn slurm_by_its_commands_as_a_person_conforms() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings_for_persons()).await.unwrap();
    conformance::check(&There { engine, user: Some(ANN) }).await.unwrap();
}

#[tokio::test]
async fn slurm_by_rest_conforms() {
    let Some(cluster) = Cluster::new() else { return };
    let rest = RestSettings::new(cluster.rest.clone());
    let settings = Settings { rest: Some(rest), ..cluster.settings() };
    let engine = SlurmEngine::open(settings).await.unwrap();
    conformance::check(&There { engine, user: None }).await.unwrap();
}
