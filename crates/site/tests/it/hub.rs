//! A small hub for tests, which loses replies and repeats orders when asked to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use site::protocol::{
    End, Event, EventBody, Events, Health, InputMount, Inventory, Network, OrderBody, Output,
    Receipt, Request, StartJob, StoredFile, Stream, VERSION,
};
use units::{EventId, JobId, OrderId};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

/// What the hub knows.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) orders: Vec<Value>,
    /// The version that it says it speaks, where not the agent's own.
    pub(crate) version: Option<u32>,
    pub(crate) seen: BTreeSet<EventId>,
    /// Events by first arrival.
    pub(crate) taken: Vec<Event>,
    pub(crate) repeated: usize,
    pub(crate) inventories: Vec<Inventory>,
    pub(crate) healths: Vec<Health>,
    /// What agents may download, by path.
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
    pub(crate) outputs: BTreeMap<String, Vec<u8>>,
    /// Every so many requests is answered by a failure after it was acted on.
    pub(crate) lose_every: Option<u64>,
    pub(crate) requests: u64,
    /// Orders before the cursor that come again.
    pub(crate) repeat_orders: usize,
    pub(crate) is_down: bool,
}

#[derive(Clone)]
pub(crate) struct Hub {
    known: Arc<Mutex<Known>>,
    server: Arc<MockServer>,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        let known = Arc::new(Mutex::new(Known::default()));
        let server = MockServer::builder().disable_request_recording().start().await;
        Mock::given(any()).respond_with(Face(Arc::clone(&known))).mount(&server).await;
        Self { known, server: Arc::new(server) }
    }

    pub(crate) fn address(&self) -> String {
        self.server.uri()
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    pub(crate) fn order(&self, body: OrderBody) {
        self.order_in_words(serde_json::to_value(body).unwrap());
    }

    /// Gives an order that this version may not know.
    pub(crate) fn order_in_words(&self, body: Value) {
        let mut known = self.known();
        let seq = i64::try_from(known.orders.len()).unwrap() + 1;
        let key: OrderId = format!("00000000-0000-7000-8000-{seq:012x}").parse().unwrap();
        let key = key.to_string();
        known.orders.push(json!({
            "seq": seq, "key": key, "at": "2026-01-01T00:00:00Z", "body": body, "colour": "blue",
        }));
    }

    /// The bodies of all events about `job`, in order of arrival.
    pub(crate) fn story(&self, job: JobId) -> Vec<EventBody> {
        let known = self.known();
        known.taken.iter().filter(|event| event.job == job).map(|e| e.body.clone()).collect()
    }

    /// The last word on `job`, once there is one.
    pub(crate) fn end(&self, job: JobId) -> Option<EventBody> {
        let last =
            |body: &EventBody| matches!(body, EventBody::Ended { .. } | EventBody::Refused { .. });
        self.story(job).into_iter().find(last)
    }

    /// All that `job` wrote to a stream, put together by offsets.
    pub(crate) fn log(&self, job: JobId, wanted: Stream) -> String {
        let mut all = Vec::new();
        for body in self.story(job) {
            if let EventBody::Log { stream, offset, bytes } = body
                && stream == wanted
            {
                let offset = usize::try_from(offset).unwrap();
                assert_eq!(offset, all.len(), "the log has a gap or an overlap");
                all.extend(bytes);
            }
        }
        String::from_utf8(all).unwrap()
    }
}

struct Face(Arc<Mutex<Known>>);

impl Respond for Face {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let mut known = self.0.lock().unwrap();
        if known.is_down {
            return ResponseTemplate::new(503);
        }
        known.requests += 1;
        let answer = act(&mut known, request);
        let number = known.requests;
        match known.lose_every {
            Some(every) if number.is_multiple_of(every) => ResponseTemplate::new(502),
            _ => answer,
        }
    }
}

fn act(known: &mut Known, request: &wiremock::Request) -> ResponseTemplate {
    let path = request.url.path().trim_start_matches("/api/v1").to_owned();
    match path.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["sites", "here", "orders"] => orders(known, request),
        ["sites", "here", "events"] => events(known, &request.body),
        [.., "inputs", _, _] | [.., "inputs", _, _, _] => match known.inputs.get(&path) {
            Some(bytes) => ResponseTemplate::new(200).set_body_bytes(bytes.clone()),
            None => ResponseTemplate::new(404),
        },
        ["sites", "here", "jobs", _, "outputs", _, ..] => {
            let file = stored("", &request.body);
            if request.url.query() != Some(&format!("sha256={}", file.sha256)) {
                return ResponseTemplate::new(422);
            }
            known.outputs.insert(path, request.body.clone());
            reply(&file)
        }
        _ => ResponseTemplate::new(404),
    }
}

fn orders(known: &Known, request: &wiremock::Request) -> ResponseTemplate {
    let after = request.url.query_pairs().find(|(name, _)| name == "after").unwrap().1;
    let after = usize::try_from(after.parse::<i64>().unwrap()).unwrap();
    let from = after.saturating_sub(known.repeat_orders);
    let news = after < known.orders.len();
    let orders = if news { known.orders.iter().skip(from).cloned().collect() } else { Vec::new() };
    let version = known.version.unwrap_or(VERSION);
    let answer = reply(&json!({ "version": version, "orders": orders, "mood": "fine" }));
    if news { answer } else { answer.set_delay(Duration::from_millis(30)) }
}

fn events(known: &mut Known, body: &[u8]) -> ResponseTemplate {
    let message: Events = serde_json::from_slice(body).unwrap();
    known.inventories.extend(message.inventory);
    known.healths.extend(message.health);
    let mut receipt = Receipt { taken: 0, repeated: 0 };
    for event in message.events {
        if known.seen.insert(event.key) {
            receipt.taken += 1;
            known.taken.push(event);
        } else {
            receipt.repeated += 1;
            known.repeated += 1;
        }
    }
    reply(&receipt)
}

fn reply(body: &impl Serialize) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

pub(crate) fn stored(path: &str, bytes: &[u8]) -> StoredFile {
    StoredFile {
        path: path.to_owned(),
        size_bytes: u64::try_from(bytes.len()).unwrap(),
        sha256: hex::encode(Sha256::digest(bytes)),
    }
}

pub(crate) fn job(number: u64) -> JobId {
    format!("01890000-0000-7000-8000-{number:012x}").parse().unwrap()
}

pub(crate) fn start(job: JobId, script: &str) -> StartJob {
    StartJob {
        job,
        name: "trial".to_owned(),
        owner: None,
        partition: "meluxina-ai.gpu".parse().unwrap(),
        script: format!("#!/bin/sh\n{script}\n"),
        environment: BTreeMap::new(),
        request: Request { nodes: 1, cpus: 1, memory_mb: 64, gpus: 0, time_limit_seconds: 600 },
        network: Network::Denied,
        folder: None,
        stdout: None,
        stderr: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
        options: Vec::new(),
    }
}

pub(crate) fn input(mount: &str, files: Vec<StoredFile>) -> InputMount {
    let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
    InputMount {
        mount: mount.to_owned(),
        repository: id.parse().unwrap(),
        revision: id.parse().unwrap(),
        files,
    }
}

pub(crate) fn output(name: &str, path: &str) -> Output {
    Output { output: name.to_owned(), path: path.to_owned() }
}

/// Waits, for at most a minute, until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

pub(crate) fn end_of(body: &EventBody) -> &End {
    match body {
        EventBody::Ended { end, .. } => end,
        other => panic!("{other:?} is not an end"),
    }
}
