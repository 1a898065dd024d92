//! What happened in the world before a test looks at it.

use app::Role;
use axum::body::Body;
use axum::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};

use super::{Caller, World, address};
use crate::testing::Client;

/// A small file and its name.
const BYTES: &str = "some bytes";
pub(super) const BYTES_SHA256: &str =
    "0d22cdcc10e6d049dbe1af5123d50873fdfc1a4f58306e58cb6241be9472014d";
/// The text that the training reads.
const SEA: &str = "The sea, the sea.\n";
pub(in crate::tests) const SEA_SHA256: &str =
    "abc7e587f49d8f73cd331e18c485730da3a7f209e94be81865172a312ec670f3";
/// What the training writes.
const CONFIG: &str = "{\"model_type\":\"gpt\"}\n";
const CONFIG_SHA256: &str = "e903f9f5227338745c1504d3a2af873b02e18f817a1874571d9b2bf599acdf82";

impl World {
    /// A start-up registers, is assessed, applies, receives hours, trains a model.
    pub(super) async fn tell(&mut self) {
        let speaker = self.client(Caller::Holds(Role::OrganisationRepresentative));
        self.organisations(&speaker).await;
        self.application(&speaker).await;
        self.project(&speaker).await;
        let manager = self.client(Caller::Holds(Role::ProjectManager));
        self.site().await;
        self.dataset(&manager).await;
        self.training(&manager).await;
        self.waiting(&manager).await;
    }

    async fn organisations(&mut self, speaker: &Client) {
        let new = json!({
            "name": "Aurore S.à r.l.", "kind": "enterprise", "country": "LU",
            "legal_form": "S.à r.l.", "sector": "finance", "registered_on": "2024-05-01",
        });
        let organisation = speaker.post("/api/v1/organisations", &new).await.expect(201).at("/id");
        let size = |headcount: u32, turnover: i64, balance: i64| {
            json!({
                "headcount_hundredths": headcount, "turnover_cents": turnover,
                "balance_sheet_cents": balance,
            })
        };
        let period = |size: Value| json!([{ "closed_on": "2025-12-31", "size": size }]);
        let declaration = json!({
            "name": "Aurore S.à r.l.",
            "periods": period(size(850, 40_000_000, 20_000_000)),
            "related": [{
                "key": "north", "name": "Nord SA", "kind": "enterprise",
                "periods": period(size(6_000, 700_000_000, 500_000_000)),
            }],
            "holdings": [{
                "holder": "north", "held": "self", "capital_parts_per_million": 300_000,
                "voting_parts_per_million": 250_000,
            }],
        });
        let path = format!("/api/v1/organisations/{organisation}/declaration");
        speaker.put(&path, &declaration).await.expect(200);
        self.things.insert("organisations", organisation);
        let other = json!({ "name": "Étrangère SA", "kind": "enterprise", "country": "FR" });
        let stranger = self.client(Caller::Stranger);
        stranger.post("/api/v1/organisations", &other).await.expect(201);
    }

    async fn application(&mut self, speaker: &Client) {
        let calls = speaker.get("/api/v1/calls").await.expect(200).json();
        let playground = calls["items"].as_array().unwrap().iter().find(|call| {
            call["mode"]["rule"].as_str().is_some_and(|rule| rule.contains("#playground@"))
        });
        let call = playground.unwrap()["id"].as_str().unwrap().to_owned();
        let begin = json!({
            "organisation": self.thing("organisations"),
            "draft": {
                "title": "Stories of the sea", "purpose": "Train a small model on our texts.",
                "partition": "meluxina-ai.gpu", "hours": 5_000, "months": 3,
                "duties_accepted": true,
            },
        });
        let path = format!("/api/v1/calls/{call}/applications");
        self.tick();
        let granted = speaker.post(&path, &begin).await.expect(201).at("/id");
        let draft = json!({
            "organisation": self.thing("organisations"), "draft": { "title": "A second one" },
        });
        self.tick();
        let draft = speaker.post(&path, &draft).await.expect(201).at("/id");
        self.tick();
        let submit = format!("/api/v1/applications/{granted}/submit");
        let decided = speaker.post(&submit, &Value::Null).await.expect(200);
        assert_eq!(decided.at("/state"), "awarded", "{}", decided.text());
        self.things.insert("calls", call);
        self.things.insert("granted", granted);
        self.things.insert("applications", draft);
    }

    async fn project(&mut self, speaker: &Client) {
        let projects = speaker.get("/api/v1/projects").await.expect(200);
        let project = projects.at("/items/0/id");
        for (role, name) in [(Role::ProjectManager, "project-manager"), (Role::User, "user")] {
            self.tick();
            let email = format!("{}@example.org", address(Caller::Holds(role)));
            let member = json!({ "email": email, "role": name });
            let path = format!("/api/v1/projects/{project}/members");
            speaker.post(&path, &member).await.expect(201);
        }
        let path = format!("/api/v1/projects/{project}/allocations");
        let allocation = speaker.get(&path).await.expect(200).at("/items/0/id");
        self.things.insert("projects", project);
        self.things.insert("allocations", allocation);
    }

    /// The agent says what its machine has.
    async fn site(&self) {
        let inventory = json!({
            "host": "here", "agent": "0.0.0", "cpus": 16, "memory_mb": 64_000, "gpus": [],
            "isolation": ["own directory"],
        });
        let hello = json!({
            "version": site::protocol::VERSION, "inventory": inventory, "events": [],
        });
        self.client(Caller::Site).post("/api/v1/sites/here/events", &hello).await.expect(200);
    }

    async fn dataset(&mut self, manager: &Client) {
        self.tick();
        let path = format!("/api/v1/projects/{}/repositories", self.thing("projects"));
        let new = json!({
            "kind": "dataset", "name": "sea", "title": "Texts of the sea",
            "licence": "CC-BY-4.0", "sensitivity": "internal",
        });
        let repository = manager.post(&path, &new).await.expect(201).at("/id");
        let here = format!("/api/v1/repositories/{repository}");
        for (sha256, bytes) in [(SEA_SHA256, SEA), (BYTES_SHA256, BYTES)] {
            put_bytes(manager, &format!("{here}/blobs/{sha256}"), bytes).await;
        }
        let revision = json!({
            "message": "The first texts",
            "put": [{ "path": "sea.txt", "sha256": SEA_SHA256 }], "remove": [], "inputs": {},
        });
        let revision = manager.post(&format!("{here}/revisions"), &revision).await.expect(201);
        self.things.insert("repositories", repository);
        self.things.insert("revisions", revision.at("/id"));
        self.things.insert("rev", revision.at("/id"));
    }

    /// A training that has ended, with its text, its figures and its model.
    async fn training(&mut self, manager: &Client) {
        let values = json!({ "dataset": self.thing("repositories"), "steps": 200 });
        let job = self
            .submit(
                manager,
                &json!({
                    "service": { "name": "train-lm", "values": values },
                }),
            )
            .await;
        let agent = self.client(Caller::Site);
        let output = format!(
            "/api/v1/sites/here/jobs/{job}/outputs/model/config.json?sha256={CONFIG_SHA256}"
        );
        let (started, ended) = ("2026-11-21T09:00:01Z", "2026-11-21T09:10:01Z");
        let points: Vec<Value> = (0..20).flat_map(|step| [
            json!({ "step": step * 10, "name": "loss", "value": 1.5 + 4.0 / f64::from(step + 1) }),
            json!({ "step": step * 10, "name": "tokens_per_second", "value": 19_600.0 }),
        ]).collect();
        let text = base64::engine::general_purpose::STANDARD.encode("step 0: loss 5.5\nstep 190\n");
        let before = [
            json!({ "kind": "accepted" }),
            json!({ "kind": "started", "started": started, "nodes": ["here"], "cpus": [0], "gpus": [] }),
            json!({ "kind": "log", "stream": "stdout", "offset": 0, "bytes": text }),
            json!({ "kind": "metrics", "points": points }),
        ];
        report(&agent, &job, 1, &before).await;
        put_bytes(&agent, &output, CONFIG).await;
        let after = [
            json!({ "kind": "output-stored", "output": "model", "files": [
                { "path": "config.json", "size_bytes": CONFIG.len(), "sha256": CONFIG_SHA256 }] }),
            json!({ "kind": "ended", "end": { "kind": "completed" }, "started": started,
                "ended": ended, "peak_memory_mb": 420, "cpu_milliseconds": 590_000 }),
        ];
        self.tick();
        report(&agent, &job, 11, &after).await;
        self.things.insert("trained", job.clone());
        let models = manager.get("/api/v1/repositories?kind=model").await.expect(200);
        self.things.insert("model", models.at("/items/0/id"));
    }

    /// A script that runs.
    async fn waiting(&mut self, manager: &Client) {
        let script = "#!/bin/sh\n#SBATCH --job-name=listen\n#SBATCH --time=60\nsleep 60\n";
        let job = self.submit(manager, &json!({ "script": script })).await;
        let started = json!({
            "kind": "started", "started": "2026-11-21T09:00:00Z", "nodes": ["here"], "cpus": [1],
            "gpus": [],
        });
        report(&self.client(Caller::Site), &job, 21, &[json!({ "kind": "accepted" }), started])
            .await;
        self.things.insert("jobs", job.clone());
        self.things.insert("job", job);
    }

    async fn submit(&self, manager: &Client, job: &Value) -> String {
        self.tick();
        let path = format!("/api/v1/projects/{}/jobs", self.thing("projects"));
        manager.post(&path, job).await.expect(201).at("/id")
    }
}

async fn put_bytes(client: &Client, path: &str, bytes: &'static str) {
    let kind = [("content-type", "application/octet-stream")];
    let answer = client.send(Method::PUT, path, &kind, Body::from(bytes)).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text());
}

/// What the agent tells of a job, each event with a key of its own.
async fn report(agent: &Client, job: &str, first_key: u32, bodies: &[Value]) {
    let events: Vec<Value> = (first_key..)
        .zip(bodies)
        .map(|(key, body)| {
            json!({
                "key": format!("018f2a6e-0000-7000-8000-{key:012}"), "job": job,
                "at": "2026-11-21T09:10:01Z", "body": body,
            })
        })
        .collect();
    let path = "/api/v1/sites/here/events";
    agent
        .post(path, &json!({ "version": site::protocol::VERSION, "events": events }))
        .await
        .expect(200);
}
