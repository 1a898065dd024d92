//! Requests per second and latency of what people and programs do most: sign in, look at a
//! project, submit a job. One factory on SQLite, one and sixteen connections, on loopback.
//!
//! `cargo xtask bench api [--quick]`

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on must stop"
)]

#[path = "../tests/it/factory.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod factory;
#[path = "access/measure.rs"]
mod measure;
#[path = "../tests/it/story.rs"]
mod story;

use std::sync::Arc;
use std::time::Duration;

use factory::Factory;
use measure::measure;
use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value, json};
use story::StartUp;

/// What is asked again and again.
#[derive(Clone, Copy)]
enum Request {
    SignIn,
    ProjectPage,
    ProjectJson,
    Submission,
}

impl Request {
    const ALL: [Self; 4] = [Self::SignIn, Self::ProjectPage, Self::ProjectJson, Self::Submission];

    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::ProjectPage => "project_page",
            Self::ProjectJson => "project_json",
            Self::Submission => "job_submission",
        }
    }

    fn build(self, http: &Client, url: &str, start_up: &StartUp) -> RequestBuilder {
        let token = start_up.founder.token.as_deref().expect("the founder is signed in");
        let project = &start_up.project;
        match self {
            Self::SignIn => http
                .post(format!("{url}/api/v1/session"))
                .json(&json!({ "email": start_up.email, "password": story::PASSWORD })),
            Self::ProjectPage => http.get(format!("{url}/projects/{project}")).bearer_auth(token),
            Self::ProjectJson => {
                http.get(format!("{url}/api/v1/projects/{project}")).bearer_auth(token)
            }
            Self::Submission => http
                .post(format!("{url}/api/v1/projects/{project}/jobs"))
                .bearer_auth(token)
                .json(&json!({ "script": WAITING })),
        }
    }
}

/// A job that waits behind [`BLOCKING`], so that submissions are measured and not their running.
const WAITING: &str = "#!/bin/sh\n#SBATCH --time=1\n#SBATCH --cpus-per-task=1\ntrue\n";

#[tokio::main]
async fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let time = Duration::from_secs(if quick { 1 } else { 10 });
    let factory = Factory::start();
    let start_up = StartUp::with_hours(&factory, 5_000).await;
    let start_up = Arc::new(start_up);
    occupy(&factory, &start_up).await;

    let mut json = Map::from_iter([("bench".to_owned(), json!("api"))]);
    println!("request          connections   per second    p50 ms    p99 ms");
    for request in Request::ALL {
        for connections in [1, 16] {
            let (url, asking) = (factory.url.clone(), Arc::clone(&start_up));
            let build = move |http: &Client, _| request.build(http, &url, &asking);
            let figures = measure(&factory.url, (connections, time), build).await;
            println!(
                "{:16} {connections:11} {:12.0} {:9.2} {:9.2}",
                request.name(),
                figures.per_second,
                figures.p50_milliseconds,
                figures.p99_milliseconds
            );
            figures.put(&mut json, request.name(), connections);
        }
    }
    println!("{}", Value::Object(json));
}

/// Fills the machine with a job that only sleeps.
async fn occupy(factory: &Factory, start_up: &StartUp) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let script =
        format!("#!/bin/sh\n#SBATCH --time=60\n#SBATCH --cpus-per-task={cores}\nsleep 3600\n");
    let path = format!("/projects/{}/jobs", start_up.project);
    let submitted = start_up.founder.post(&path, json!({ "script": script })).await;
    let job = story::text(&submitted["jobs"][0], "id");
    for _ in 0..200 {
        if start_up.founder.get(&format!("/jobs/{job}")).await["state"] == "running" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} never ran on {}", job, factory.url);
}
