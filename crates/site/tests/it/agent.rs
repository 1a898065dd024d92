//! The agent on a simulated engine, before a hub that loses replies and repeats itself.

use std::time::Duration;

use crate::hub::{Hub, end_of, input, job, output, start, stored, until};
use engine::SimulatedEngine;
use serde_json::json;
use site::agent::{Agent, Logins, Persons, Settings, drain};
use site::client::Client;
use site::protocol::{End, EventBody, Health, OrderBody, Owner, StartJob, Stream, VERSION};
use tokio_util::sync::CancellationToken;
use units::JobId;

/// One site: a hub, a machine, and an agent that can be stopped and started.
struct Site {
    hub: Hub,
    engine: SimulatedEngine,
    folder: tempfile::TempDir,
    running: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let engine = SimulatedEngine::new(folder.path().join("engine"), 4, now);
        let clock = engine.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(2)).await;
                clock.advance(20);
            }
        });
        Self { hub: Hub::start().await, engine, folder, running: None }
    }

    fn start_agent(&mut self) {
        self.start_agent_for(Persons::Unknown);
    }

    fn start_agent_for(&mut self, persons: Persons) {
        let settings = Settings {
            interval: Duration::from_millis(5),
            log_bytes_max: 1_000,
            persons,
            ..Settings::new("here".parse().unwrap(), self.folder.path().join("agent"))
        };
        let client = Client::new(&self.hub.address(), None).unwrap();
        let agent = Agent::open(settings, client, self.engine.clone()).unwrap();
        let stop = CancellationToken::new();
        self.running = Some((stop.clone(), tokio::spawn(agent.run(stop))));
    }

    async fn stop_agent(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.cancel();
            task.await.unwrap();
        }
    }

    fn order(&self, order: StartJob) -> JobId {
        let job = order.job;
        self.hub.order(OrderBody::Start(Box::new(order)));
        job
    }

    async fn end(&self, job: JobId) -> EventBody {
        until("the job is over", || self.hub.end(job).is_some()).await;
        self.hub.end(job).unwrap()
    }
}

#[tokio::test]
async fn a_job_is_told_from_its_acceptance_to_its_end() {
    let mut site = Site::new().await;
    site.start_agent();
    let script = "echo hello\necho '{\"step\":1,\"name\":\"loss\",\"value\":2.5}' >> metrics.jsonl\necho not json >> metrics.jsonl\nexit 3";
    let job = site.order(start(job(1), script));
    assert_eq!(*end_of(&site.end(job).await), End::Failed { exit_code: 3 });
    let story = site.hub.story(job);
    assert_eq!(story[0], EventBody::Accepted);
    assert!(matches!(story[1], EventBody::Started { .. }));
    assert_eq!(site.hub.log(job, Stream::Stdout), "hello\n");
    let points = story.iter().find_map(|body| match body {
        EventBody::Metrics { points } => Some(points.clone()),
        _ => None,
    });
    let points = points.unwrap();
    assert_eq!((points.len(), points[0].step, points[0].value), (1, 1, 2.5));
    assert_eq!(site.hub.known().inventories[0].cpus, 4);
}

#[tokio::test]
async fn lost_replies_and_repeated_orders_change_nothing() {
    let mut site = Site::new().await;
    site.hub.known().lose_every = Some(2);
    site.hub.known().repeat_orders = 5;
    site.start_agent();
    for number in 0..20 {
        site.engine.lose_replies(1);
        site.order(start(job(number), "echo one\nsleep 1\necho two"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for number in 0..20 {
        let job = job(number);
        assert_eq!(*end_of(&site.end(job).await), End::Completed);
        assert_eq!(site.engine.starts(job), 1);
        assert_eq!(site.hub.log(job, Stream::Stdout), "one\ntwo\n");
        let ends =
            site.hub.story(job).iter().filter(|b| matches!(b, EventBody::Ended { .. })).count();
        assert_eq!(ends, 1);
    }
    assert!(site.hub.known().repeated > 0, "no reply was lost");
}

#[tokio::test]
async fn an_agent_that_is_stopped_and_started_goes_on() {
    let mut site = Site::new().await;
    site.hub.known().lose_every = Some(5);
    for number in 0..10 {
        site.order(start(job(number), "echo one\nsleep 2\necho two"));
    }
    for pause in 0..40 {
        site.start_agent();
        tokio::time::sleep(Duration::from_millis(5 + pause)).await;
        site.stop_agent().await;
    }
    site.start_agent();
    for number in 0..10 {
        let job = job(number);
        assert_eq!(*end_of(&site.end(job).await), End::Completed);
        assert_eq!(site.engine.starts(job), 1);
        assert_eq!(site.hub.log(job, Stream::Stdout), "one\ntwo\n");
    }
}

#[tokio::test]
async fn a_hub_that_was_away_hears_everything() {
    let mut site = Site::new().await;
    let job = site.order(start(job(1), "echo one\nsleep 5\necho two"));
    site.start_agent();
    until("the job runs", || site.engine.starts(job) == 1).await;
    site.hub.known().is_down = true;
    site.engine.advance(10_000);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(site.hub.end(job), None);
    site.stop_agent().await;
    site.start_agent();
    site.hub.known().is_down = false;
    assert_eq!(*end_of(&site.end(job).await), End::Completed);
    assert_eq!(site.hub.log(job, Stream::Stdout), "one\ntwo\n");
}

#[tokio::test]
async fn jobs_are_cancelled_before_during_and_after() {
    let mut site = Site::new().await;
    let waits = |number| StartJob { request: full(), ..start(job(number), "sleep 1000") };
    let running = site.order(waits(1));
    let queued = site.order(waits(2));
    let unseen = job(3);
    let cancel = |job| site.hub.order(OrderBody::Cancel { job });
    cancel(unseen);
    let late = StartJob { job: unseen, ..waits(3) };
    site.hub.order(OrderBody::Start(Box::new(late)));
    site.start_agent();
    until("one runs", || site.engine.starts(running) == 1).await;
    let cancel = |job| site.hub.order(OrderBody::Cancel { job });
    cancel(queued);
    assert!(matches!(
        site.end(queued).await,
        EventBody::Ended { end: End::Cancelled, started: None, .. }
    ));
    cancel(running);
    assert!(matches!(
        site.end(running).await,
        EventBody::Ended { end: End::Cancelled, started: Some(_), .. }
    ));
    assert!(matches!(
        site.end(unseen).await,
        EventBody::Ended { end: End::Cancelled, started: None, .. }
    ));
    cancel(running);
    let after = site.order(start(job(4), "exit 0"));
    assert_eq!(*end_of(&site.end(after).await), End::Completed);
    assert_eq!((site.engine.starts(queued), site.engine.starts(unseen)), (0, 0));
}

fn full() -> site::protocol::Request {
    site::protocol::Request { nodes: 1, cpus: 4, memory_mb: 64, gpus: 0, time_limit_seconds: 6000 }
}

#[tokio::test]
async fn what_can_never_run_is_refused_with_its_reason() {
    let mut site = Site::new().await;
    site.start_agent();
    let mut large = start(job(1), "exit 0");
    large.request.cpus = 5;
    let good = stored("file.txt", b"right");
    let given = |number, mount: &str, file| StartJob {
        inputs: vec![input(mount, vec![file])],
        ..start(job(number), "exit 0")
    };
    let from = |number| format!("/sites/here/jobs/{}/inputs/data/file.txt", job(number));
    site.hub.known().inputs.insert(from(2), b"wrong".to_vec());
    let cases = [
        (large, "it asks for more than there is"),
        (given(2, "data", good.clone()), "not what the hub says it is"),
        (given(3, "data", good.clone()), "404"),
        (given(4, "..", good.clone()), "would leave its place"),
        (given(5, "data", stored("../../x", b"right")), "would leave its place"),
        (given(6, "data", stored("/etc/x", b"right")), "would leave its place"),
    ];
    for (order, expected) in cases {
        let job = site.order(order);
        let EventBody::Refused { reason } = site.end(job).await else {
            panic!("it was not refused")
        };
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(site.engine.starts(job), 0);
    }
}

#[tokio::test]
async fn inputs_come_and_outputs_go_whatever_the_job_left_as_a_trap() {
    let mut site = Site::new().await;
    site.hub.known().lose_every = Some(3);
    let job = job(1);
    let mut order = start(job, "sleep 10");
    let bytes = vec![42_u8; 300_000];
    let path = format!("/sites/here/jobs/{job}/inputs/data/sub/a%20file");
    site.hub.known().inputs.insert(path, bytes.clone());
    order.inputs = vec![input("data", vec![stored("sub/a file", &bytes)])];
    order.outputs =
        ["model", "trap", "none"].map(|name| output(name, &format!("outputs/{name}"))).to_vec();
    site.order(order);
    site.start_agent();
    until("the job runs", || site.engine.starts(job) == 1).await;
    let work = site.folder.path().join("engine").join(job.to_string());
    assert_eq!(std::fs::read(work.join("inputs/data/sub/a file")).unwrap(), bytes);
    let secret = site.folder.path().join("secret");
    std::fs::create_dir(&secret).unwrap();
    std::fs::write(secret.join("key"), b"k").unwrap();
    std::fs::create_dir_all(work.join("outputs/model/deep")).unwrap();
    std::fs::write(work.join("outputs/model/deep/weights"), b"w").unwrap();
    std::os::unix::fs::symlink(secret.join("key"), work.join("outputs/model/link")).unwrap();
    std::os::unix::fs::symlink(&secret, work.join("outputs/trap")).unwrap();
    assert_eq!(*end_of(&site.end(job).await), End::Completed);

    let story = site.hub.story(job);
    let told = |body: &&EventBody| {
        matches!(body, EventBody::OutputStored { .. } | EventBody::OutputRefused { .. })
    };
    let outputs: Vec<&EventBody> = story.iter().filter(told).collect();
    let files = vec![stored("deep/weights", b"w")];
    assert_eq!(*outputs[0], EventBody::OutputStored { output: "model".to_owned(), files });
    for (body, name) in outputs[1..].iter().zip(["trap", "none"]) {
        let reason = format!("the job left no folder `outputs/{name}`");
        assert_eq!(**body, EventBody::OutputRefused { output: name.to_owned(), reason });
    }
    let kept = site.hub.known().outputs.clone();
    let path = format!("/sites/here/jobs/{job}/outputs/model/deep/weights");
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), [(path, b"w".to_vec())]);
}

#[tokio::test]
async fn a_log_beyond_measure_is_cut_and_says_so() {
    let mut site = Site::new().await;
    site.start_agent();
    let line = "x".repeat(99);
    let job = site.order(start(job(1), &format!("echo {line}\n").repeat(20)));
    site.end(job).await;
    let log = site.hub.log(job, Stream::Stdout);
    assert_eq!(&log[..1_000], format!("{line}\n").repeat(10));
    assert_eq!(&log[1_000..], "\n[the rest of this log is not kept: more than 1000 bytes]\n");
}

#[tokio::test]
async fn a_hub_one_version_ahead_is_understood_as_far_as_the_agent_can() {
    let mut site = Site::new().await;
    site.hub.known().version = Some(VERSION + 1);
    let [strange, broken] = [job(7), job(8)];
    let suspend = json!({ "kind": "suspend", "job": strange.to_string(), "for_seconds": 60 });
    site.hub.order_in_words(suspend);
    site.hub.order_in_words(json!({ "kind": "start", "job": broken.to_string() }));
    site.hub.order_in_words(json!({ "kind": "sweep", "what": "the floor" }));
    let known = site.order(start(job(9), "echo still here"));
    site.start_agent();
    assert_eq!(*end_of(&site.end(known).await), End::Completed);
    let refused = |job| match site.hub.story(job).as_slice() {
        [EventBody::OrderRefused { reason, .. }] => reason.clone(),
        other => panic!("{other:?} is no refusal of the order"),
    };
    let version = env!("CARGO_PKG_VERSION");
    let told = refused(strange);
    assert_eq!(told, format!("this agent is of version {version} and does not know `suspend`"));
    assert!(refused(broken).contains("cannot read the order `start`: missing field"));
}

#[tokio::test]
async fn an_agent_takes_no_order_of_a_hub_that_is_too_far_ahead() {
    let mut site = Site::new().await;
    site.hub.known().version = Some(VERSION + 2);
    let job = site.order(start(job(1), "echo hello"));
    site.start_agent();
    until("the agent has asked again", || site.hub.known().requests > 5).await;
    assert_eq!(site.hub.story(job), []);
    site.hub.known().version = Some(VERSION + 1);
    assert_eq!(*end_of(&site.end(job).await), End::Completed);
}

#[tokio::test]
async fn a_person_without_a_login_at_the_site_is_told_so() {
    let mut site = Site::new().await;
    let by_email = [("ada@example.org".to_owned(), "ada".to_owned())].into();
    site.start_agent_for(Persons::Known(Logins { by_email, ..Logins::default() }));
    let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
    let of = |number, email: &str| {
        let (person, project) = (id.parse().unwrap(), id.parse().unwrap());
        let owner = Owner { person, email: email.to_owned(), project, allocation: None };
        StartJob { owner: Some(owner), ..start(job(number), "exit 0") }
    };
    let known = site.order(of(1, "Ada@example.org"));
    assert_eq!(*end_of(&site.end(known).await), End::Completed);
    let cases = [
        (of(2, "eve@example.org"), "eve@example.org has no login at this site"),
        (start(job(3), "exit 0"), "the hub does not say whose job this is"),
    ];
    for (order, expected) in cases {
        let job = site.order(order);
        let EventBody::Refused { reason } = site.end(job).await else { panic!("it ran") };
        assert!(reason.contains(expected), "{reason}");
        assert_eq!(site.engine.starts(job), 0);
    }
}

#[tokio::test]
async fn a_site_that_was_drained_by_its_administrator_says_so() {
    let mut site = Site::new().await;
    let folder = site.folder.path().join("agent");
    drain::drain(&folder, "new switches").unwrap();
    site.start_agent();
    until("the hub heard of it", || !site.hub.known().healths.is_empty()).await;
    let drained = site.hub.known().healths[0].drained.clone().unwrap();
    assert_eq!(drained.reason, "new switches");
    site.stop_agent().await;
    drain::resume(&folder).unwrap();
    site.start_agent();
    until("the hub heard of it", || site.hub.known().healths.len() > 1).await;
    assert_eq!(site.hub.known().healths[1], Health::default());
}
