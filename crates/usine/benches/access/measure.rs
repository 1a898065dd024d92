//! Asking a hub again and again over a number of connections, and how long its answers take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::factory;

/// What was measured of one request at one number of connections.
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50_milliseconds: f64,
    pub(crate) p99_milliseconds: f64,
}

impl Figures {
    /// Adds them to the JSON of a benchmark, rounded to hundredths.
    pub(crate) fn put(&self, json: &mut Map<String, Value>, request: &str, connections: usize) {
        for (what, value) in [
            ("per_second", self.per_second),
            ("p50_milliseconds", self.p50_milliseconds),
            ("p99_milliseconds", self.p99_milliseconds),
        ] {
            let key = format!("{request}_{connections}_connections_{what}");
            json.insert(key, json!((value * 100.0).round() / 100.0));
        }
    }
}

/// Asks the hub at `url` for `time`, over `connections` connections. `build` makes the request with
/// a number, from which it may choose what to ask for.
pub(crate) async fn measure(
    url: &str,
    (connections, time): (usize, Duration),
    build: impl Fn(&Client, usize) -> RequestBuilder + Send + Sync + 'static,
) -> Figures {
    /// How far the numbers of two connections are apart.
    const APART: usize = 10_007;
    let (begun, build) = (Instant::now(), Arc::new(build));
    let asking: Vec<_> = (0..connections)
        .map(|connection| {
            let (http, build) = (factory::http(url), Arc::clone(&build));
            tokio::spawn(async move {
                let mut took = Vec::new();
                while begun.elapsed() < time {
                    let request = build(&http, connection * APART + took.len());
                    let asked = Instant::now();
                    let answer = request.send().await.unwrap();
                    let (status, url) = (answer.status(), answer.url().clone());
                    answer.bytes().await.unwrap();
                    took.push(asked.elapsed().as_secs_f64() * 1_000.0);
                    assert!(status.is_success(), "{url}: {status}");
                }
                took
            })
        })
        .collect();
    let mut all = Vec::new();
    for connection in asking {
        all.extend(connection.await.unwrap());
    }
    let per_second = all.len() as f64 / begun.elapsed().as_secs_f64();
    all.sort_by(f64::total_cmp);
    let percentile = |percent: usize| all[(all.len() - 1) * percent / 100];
    Figures { per_second, p50_milliseconds: percentile(50), p99_milliseconds: percentile(99) }
}
