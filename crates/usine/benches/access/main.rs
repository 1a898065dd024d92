//! How fast the pages that people open, and the API beside them, answer over a hub that is in
//! use: a hundred thousand organisations, twenty thousand applications with their reviews,
//! decisions, projects and hours. Over loopback, on SQLite, and on PostgreSQL where `--postgres URL`
//! names a server.
//!
//! `cargo xtask bench access [--quick]`; `--only NAME` measures requests whose names contain it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a measurement that cannot go on must stop"
)]

mod cases;
#[path = "../../tests/it/factory.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod factory;
mod measure;
mod people;
mod requests;
mod seeds;
#[path = "../../tests/it/story.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod story;
mod town;

use std::sync::Arc;
use std::time::{Duration, Instant};

use factory::Factory;
use measure::measure;
use people::People;
use requests::{Request, requests};
use seeds::Seeds;
use serde_json::{Map, Value, json};
use store::Store;
use tempfile::TempDir;
use town::Measure;

/// How many connections ask at once.
const CONNECTIONS: [usize; 2] = [1, 4];

/// What a page may take at the 99th percentile, in milliseconds, when one asks after the other.
const GOAL_MILLISECONDS: f64 = 50.0;

struct Arguments {
    quick: bool,
    postgres: Option<String>,
    only: Option<String>,
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    let given = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let arguments = Arguments {
        quick: words.iter().any(|word| word == "--quick"),
        postgres: given("--postgres"),
        only: given("--only"),
    };
    let mut json = Map::from_iter([("bench".to_owned(), json!("access"))]);
    one("sqlite", None, &arguments, &mut json).await;
    if let Some(server) = &arguments.postgres {
        let url = format!("{server}/postgres");
        one("postgres", Some(url), &arguments, &mut json).await;
    }
    println!("{}", Value::Object(json));
}

/// Fills one database and measures over it.
async fn one(
    database: &str,
    url: Option<String>,
    arguments: &Arguments,
    json: &mut Map<String, Value>,
) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    if let Some(url) = &url {
        let text = format!("database = \"{url}\"\n");
        std::fs::write(folder.path().join("usine.toml"), text).unwrap();
    }
    let factory = Factory::start_in(Arc::clone(&folder));
    let begun = Instant::now();
    let requests = filled(&factory, &folder, (url, arguments.quick)).await;
    println!("{database}: filled in {:.1} s", begun.elapsed().as_secs_f64());
    let time = Duration::from_millis(if arguments.quick { 150 } else { 3_000 });
    println!("{:36} connections   per second    p50 ms    p99 ms", "request");
    let mut slow = Vec::new();
    for request in requests {
        if arguments.only.as_ref().is_some_and(|only| !request.name.contains(only)) {
            continue;
        }
        for connections in CONNECTIONS {
            let (asking, hub) = (request.clone(), factory.url.clone());
            let build = move |http: &reqwest::Client, number| asking.build(http, &hub, number);
            let figures = measure(&factory.url, (connections, time), build).await;
            println!(
                "{:36} {connections:11} {:12.0} {:9.2} {:9.2}",
                request.name,
                figures.per_second,
                figures.p50_milliseconds,
                figures.p99_milliseconds
            );
            figures.put(json, &format!("{database}_{}", request.name), connections);
            if connections == 1 && figures.p99_milliseconds > GOAL_MILLISECONDS {
                slow.push(request.name);
            }
        }
    }
    println!("{database}: above {GOAL_MILLISECONDS} ms, one after the other: {slow:?}");
    json.insert(format!("{database}_requests_above_50_milliseconds"), json!(slow.len()));
}

/// Fills the hub's database, and says what may be asked of it.
async fn filled(
    factory: &Factory,
    folder: &TempDir,
    (url, quick): (Option<String>, bool),
) -> Vec<Request> {
    let measure = match quick {
        true => Measure { organisations: 10_000, applications: 2_000, a_call: 200, reviewers: 60 },
        false => {
            Measure { organisations: 100_000, applications: 20_000, a_call: 500, reviewers: 300 }
        }
    };
    let hub = folder.path().join("data/hub.db");
    let url = url.unwrap_or_else(|| format!("sqlite://{}", hub.display()));
    let store = Store::open(&url).await.unwrap();
    let mut people = People::enter(factory).await;
    let mut seeds = Seeds::new(20_241_210, "2026-07-01T00:00:00Z".parse().unwrap());
    let declared = people.declared(&store).await;
    let town = town::fill(&store, &mut seeds, measure, &declared).await;
    let pool = people.pool(&store).await;
    let cases = cases::fill(&store, &mut seeds, measure, (&town, &pool)).await;
    people.join(&store, &cases).await;
    requests(&people, &town, &cases)
}
