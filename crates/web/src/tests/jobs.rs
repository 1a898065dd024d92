//! Jobs over the API: what a program that submits, follows and reads them sees.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use super::pages::sound;
use super::world::{Caller, World};
use crate::testing::Answer;
use app::Role;

const MANAGER: Caller = Caller::Holds(Role::ProjectManager);

async fn submit(world: &World, job: &Value) -> Answer {
    let path = format!("/api/v1/projects/{}/jobs", world.thing("projects"));
    world.client(MANAGER).post(&path, job).await
}

/// The names and the data of the events of a stream that has ended.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let text = answer.text();
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap_or_default()
    };
    let blocks = text.split("\n\n").filter(|block| block.contains("event: "));
    blocks
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data: ")).unwrap();
            (field(block, "event: "), data)
        })
        .collect()
}

#[tokio::test]
async fn a_job_that_has_ended_is_told_from_its_text_to_its_end_and_again_from_any_place() {
    let world = World::new().await;
    let client = world.client(MANAGER);
    let path = format!("/api/v1/jobs/{}/stream", world.thing("trained"));
    let whole = client.get(&path).await.expect(200);
    assert_eq!(whole.header("content-type"), "text/event-stream");
    let told = events(&whole);
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names[0], names[1], names.last()), ("log", "metric", Some(&"state")));
    assert_eq!(told[0].1["text"], "step 0: loss 5.5\nstep 190\n");
    assert_eq!(told.last().unwrap().1["end"], "completed");
    assert_eq!(names.iter().filter(|name| **name == "metric").count(), 40);

    let text = whole.text();
    let last = text.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let headers = [("last-event-id", last)];
    let rest = client.send(Method::GET, &path, &headers, Body::empty()).await.expect(200);
    let rest = events(&rest);
    assert_eq!(rest.len(), 1, "everything but the end was sent before: {rest:?}");
    let wrong = [("last-event-id", "yesterday")];
    client.send(Method::GET, &path, &wrong, Body::empty()).await.expect(400);
}

#[tokio::test]
async fn text_and_measurements_are_read_from_a_place() {
    let world = World::new().await;
    let client = world.client(MANAGER);
    let job = format!("/api/v1/jobs/{}", world.thing("trained"));
    let log = client.get(&format!("{job}/log?offset=17")).await.expect(200).json();
    assert_eq!(
        log,
        json!({
            "stream": "stdout", "offset": 17, "next": 26, "text": "step 190\n", "complete": true,
        })
    );
    client.get(&format!("{job}/log?stream=both")).await.expect(400);
    let first = client.get(&format!("{job}/metrics?name=loss&limit=15")).await.expect(200).json();
    assert_eq!(first["items"].as_array().unwrap().len(), 15);
    let next = first["next"].as_str().unwrap();
    let rest = client.get(&format!("{job}/metrics?name=loss&cursor={next}")).await.expect(200);
    assert_eq!(rest.json()["items"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_job_shows_what_it_cost_and_why() {
    let world = World::new().await;
    let path = format!("/api/v1/jobs/{}", world.thing("trained"));
    let job = world.client(MANAGER).get(&path).await.expect(200).json();
    assert_eq!(job["held"]["unit_seconds"], 3_600);
    assert_eq!(job["charged"]["text"], "0.17 GPU-h");
    assert_eq!(job["outputs"][0]["target"], "train-lm");
    assert_eq!(job["outputs"][0]["repository"], world.thing("model").as_str());
    let rate = job["rate"].as_str().unwrap();
    assert!(rate.ends_with("= 1 gpu") && rate.contains("2 cores by 8 = 1"), "{rate}");
}

#[tokio::test]
async fn refusals_say_which_rule_and_what_would_fit() {
    let world = World::new().await;
    let script = |directive: &str| json!({ "script": format!("#!/bin/sh\n#SBATCH {directive}\n") });
    let reason = |answer: Answer| answer.expect(422).json()["reasons"][0].clone();
    let unknown = reason(submit(&world, &script("--tme=5")).await);
    assert_eq!(unknown["field"], "script");
    assert!(unknown["text"].as_str().unwrap().contains("did you mean `--time`?"));
    let large = reason(submit(&world, &script("--cpus-per-task=17")).await);
    assert_eq!(large["rule"], "partition.ntasks, cpus-per-task");
    let both = json!({ "script": "#!/bin/sh\n", "service": { "name": "train-lm" } });
    assert_eq!(reason(submit(&world, &both).await)["field"], "script");
    let costly = json!({ "script": "#!/bin/sh\n", "options": ["--array=1-1000", "--time=1-0"] });
    let costly = reason(submit(&world, &costly).await);
    assert_eq!(costly["rule"], "allocation.hours");
    assert!(costly["text"].as_str().unwrap().contains("of the 1000 elements would fit"));
}

#[tokio::test]
async fn an_array_is_submitted_listed_and_cancelled_as_one() {
    let world = World::new().await;
    let array = json!({ "script": "#!/bin/sh\n", "options": ["--array=1-3%1", "--time=1"] });
    let submitted = submit(&world, &array).await.expect(201);
    let array = submitted.at("/id");
    assert_eq!(submitted.header("location"), format!("/api/v1/jobs/{array}"));
    let jobs = submitted.json();
    assert_eq!(jobs["held"]["unit_seconds"], 180);
    let states: Vec<_> = jobs["jobs"].as_array().unwrap().iter().map(|job| &job["state"]).collect();
    assert_eq!(states, ["ordered", "held", "held"]);
    let client = world.client(MANAGER);
    let held = format!("/api/v1/jobs?array={array}&state=held");
    assert_eq!(client.get(&held).await.expect(200).json()["items"].as_array().unwrap().len(), 2);
    client.get("/api/v1/jobs?state=asleep").await.expect(400);
    let cancel = format!("/api/v1/jobs/{array}/cancel");
    client.post(&cancel, &Value::Null).await.expect(200);
    assert_eq!(client.get(&held).await.expect(200).json()["items"], json!([]));
    let orders = world.client(Caller::Site).get("/api/v1/sites/here/orders").await.expect(200);
    let kinds: Vec<Value> = orders.json()["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["body"]["kind"].clone())
        .collect();
    assert_eq!(kinds, ["start", "start", "cancel"], "the running job, the first element, its end");
}

#[tokio::test]
async fn places_are_compared_without_submitting_anything() {
    let world = World::new().await;
    let (client, project) = (world.client(MANAGER), world.thing("projects"));
    let path = format!("/api/v1/projects/{project}/offers");
    let within =
        |country: &str| json!({ "script": "#!/bin/sh\n", "anywhere": { "countries": [country] } });
    let jobs = format!("/api/v1/projects/{project}/jobs");
    let before = client.get(&jobs).await.expect(200).json();
    let compared = client.post(&path, &within("LU")).await.expect(200).json();
    let offer = &compared["offers"][0];
    assert_eq!((&offer["country"], &offer["partition"]), (&json!("LU"), &json!("meluxina-ai.gpu")));
    assert_eq!(offer["terms"]["held"]["unit_seconds"], 3_600);
    let elsewhere = client.post(&path, &within("FI")).await.expect(200).json();
    let refused = elsewhere["offers"][0]["refused"].as_str().unwrap();
    assert!(refused.contains("it stands in LU"), "{refused}");
    client.post(&path, &within("Finland")).await.expect(422);

    let manager = world.browser(MANAGER);
    let page = format!("/projects/{project}/jobs/new");
    let html = manager.get(&page).await.expect(200).text();
    let token = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = [("csrf", token), ("script", "#!/bin/sh\necho kept\n"), ("compare", "1")];
    let html = manager.form(&page, &fields).await.expect(200).text();
    assert!(html.contains("Where it could run") && html.contains("echo kept"), "{html}");
    sound(&page, &html);
    assert_eq!(client.get(&jobs).await.expect(200).json(), before, "nothing was submitted");
}

#[tokio::test]
async fn a_job_that_waits_says_why_and_one_that_has_ended_says_nothing() {
    let world = World::new().await;
    let job = submit(&world, &json!({ "script": "#!/bin/sh\n" })).await.expect(201).at("/id");
    let outlook = |job: String| {
        let client = world.client(MANAGER);
        async move { client.get(&format!("/api/v1/jobs/{job}/outlook")).await.expect(200).json() }
    };
    let waits = outlook(job).await;
    let kinds: Vec<_> =
        waits["causes"].as_array().unwrap().iter().map(|cause| cause["kind"].clone()).collect();
    assert_eq!(kinds, ["on-its-way", "not-shown"], "{waits}");
    let over = outlook(world.thing("trained")).await;
    assert_eq!(over, json!({ "causes": [], "sooner": [], "may_leave": false }));
}
