//! The face for clients of the Hugging Face Hub, as requests: who may call what, and what becomes
//! of requests that no client would make. The clients themselves are in `usine`'s tests.

use std::fmt::Write as _;

use app::Role;
use axum::body::Body;
use axum::http::Method;
use base64::Engine as _;
use serde_json::{Value, json};

use super::world::{self, Caller, World};
use crate::testing::{Answer, Client};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
/// A digest that nothing has.
const UNKNOWN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The name of the world's dataset: `OWNER/NAME`.
async fn dataset(world: &World) -> String {
    let manager = world.client(Caller::Holds(Role::ProjectManager));
    manager.get("/api/datasets").await.expect(200).at("/0/id")
}

/// A commit as clients send it.
fn commit(lines: &[Value]) -> String {
    let header = json!({ "key": "header", "value": { "summary": "more", "description": "" } });
    let all = std::iter::once(&header).chain(lines);
    all.map(|line| format!("{line}\n")).collect()
}

fn file(path: &str, content: &[u8]) -> Value {
    let content = base64::engine::general_purpose::STANDARD.encode(content);
    json!({ "key": "file", "value": { "path": path, "content": content, "encoding": "base64" } })
}

async fn send(client: &Client, method: Method, path: &str, body: String) -> Answer {
    client.send(method, path, &JSON, Body::from(body)).await
}

/// Every route, with a request that makes sense where the caller may make it.
fn routes(id: &str) -> Vec<(Method, String, Value)> {
    let (owner, name) = id.split_once('/').unwrap();
    let api = |rest: &str| format!("/api/datasets/{id}{rest}");
    let named = |name: &str| json!({ "name": name, "organization": owner, "type": "dataset" });
    let batch = json!({ "operation": "upload", "objects": [{ "oid": UNKNOWN, "size": 1 }] });
    let moved = json!({ "fromRepo": id, "toRepo": format!("{owner}/new"), "type": "dataset" });
    let files = json!({ "files": [{ "path": "a", "size": 1 }] });
    let text = |lines: &[Value]| Value::String(commit(lines));
    let none = || Value::Null;
    vec![
        (Method::GET, "/api/whoami-v2".into(), none()),
        (Method::POST, "/api/validate-yaml".into(), json!({ "content": "" })),
        (Method::GET, "/api/datasets".into(), none()),
        (Method::GET, "/api/models".into(), none()),
        (Method::POST, "/api/repos/create".into(), named("another")),
        (Method::DELETE, "/api/repos/delete".into(), named(name)),
        (Method::POST, "/api/repos/move".into(), moved),
        (Method::GET, api(""), none()),
        (Method::GET, api("/revision/main"), none()),
        (Method::GET, api("/tree/main"), none()),
        (Method::POST, api("/paths-info/main"), json!({ "paths": ["sea.txt"] })),
        (Method::GET, api("/refs"), none()),
        (Method::GET, api("/commits/main"), none()),
        (Method::GET, api("/auth-check"), none()),
        (Method::POST, api("/branch/dev"), json!({})),
        (Method::DELETE, api("/branch/dev"), none()),
        (Method::POST, api("/tag/main"), json!({ "tag": "v1" })),
        (Method::DELETE, api("/tag/v1"), none()),
        (Method::PUT, api("/settings"), json!({ "visibility": "public" })),
        (Method::POST, api("/preupload/main"), files),
        (Method::POST, api("/commit/main"), text(&[file("a", b"a")])),
        (Method::GET, format!("/datasets/{id}/resolve/main/sea.txt"), none()),
        (Method::POST, format!("/datasets/{id}.git/info/lfs/objects/batch"), batch),
        (
            Method::POST,
            format!("/datasets/{id}.git/info/lfs/verify"),
            json!({ "oid": world::SEA_SHA256, "size": 18 }),
        ),
        (Method::PUT, format!("/lfs/{UNKNOWN}?ticket=00"), none()),
        (Method::POST, format!("/lfs/{UNKNOWN}?ticket=00"), none()),
        (Method::PUT, format!("/lfs/{UNKNOWN}/1?ticket=00"), none()),
        (Method::GET, api("/discussions"), none()),
    ]
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says() {
    let original = World::new().await;
    let id = dataset(&original).await;
    let manager = original.client(Caller::Holds(Role::ProjectManager));
    let api = format!("/api/datasets/{id}");
    send(&manager, Method::POST, &format!("{api}/tag/main"), r#"{"tag":"v1"}"#.into()).await;
    send(&manager, Method::POST, &format!("{api}/branch/dev"), "{}".into()).await;
    let mut world = original.copy().await;
    let mut table = String::new();
    let heads: String = world::CALLERS.iter().map(|(short, _)| format!(" {short:>5}")).collect();
    writeln!(table, "{:<52}{heads}", "").unwrap();
    for (method, path, body) in routes(&id) {
        let mut cells = String::new();
        for (_, caller) in world::CALLERS {
            let body = match &body {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let answer = send(&world.client(caller), method.clone(), &path, body).await;
            let cell = match answer.status.as_u16() {
                refused @ (401 | 403 | 404 | 501) => refused.to_string(),
                // Who may make what is there already was let in.
                200..300 | 409 => "yes".to_owned(),
                other => panic!("{method} {path} by {caller:?}: {other} {}", answer.text()),
            };
            write!(cells, " {cell:>5}").unwrap();
            if answer.status.is_success() && method != Method::GET {
                world = original.copy().await;
            }
        }
        let shown = path.replace(&id, "O/N").replace(UNKNOWN, "SHA256");
        writeln!(table, "{:<52}{cells}", format!("{method} {shown}")).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn what_no_client_would_commit_changes_nothing() {
    let world = World::new().await;
    let id = dataset(&world).await;
    let manager = world.client(Caller::Holds(Role::ProjectManager));
    let commits = format!("/api/datasets/{id}/commit/main");
    let state = async || manager.get(&format!("/api/datasets/{id}")).await.at("/sha");
    let before = state().await;
    let large = |path: &str, oid: &str| json!({ "key": "lfsFile", "value": { "path": path, "algo": "sha256", "oid": oid } });
    for path in ["../x", "/etc/passwd", "a/../../x", ".git/config", "a\\b", "a\u{202e}b", "CON"] {
        let sent = send(&manager, Method::POST, &commits, commit(&[file(path, b"x")])).await;
        sent.expect(400);
        let gone = json!({ "key": "deletedFolder", "value": { "path": path } });
        send(&manager, Method::POST, &commits, commit(&[gone])).await.expect(400);
    }
    let stale = json!({ "key": "header", "value": {
        "summary": "late", "description": "", "parentCommit": "0".repeat(40) } });
    let stale = format!("{stale}\n{}\n", file("a", b"x"));
    let bad_base64 = json!({ "key": "file", "value": {
        "path": "a", "content": "*", "encoding": "base64" } });
    let symlink = json!({ "key": "symlink", "value": { "path": "a", "target": "/etc/passwd" } });
    for (status, body) in [
        (400, String::new()),
        (400, "not json\n".to_owned()),
        (400, format!("{}\n", file("a", b"no header"))),
        (400, commit(&[bad_base64])),
        (400, commit(&[symlink])),
        (400, commit(&[large("a", "zz")])),
        (400, commit(&[large("a", UNKNOWN)])),
        (400, commit(&[file("d/x", b"x"), file("d", b"a file and a folder")])),
        (404, commit(&[json!({ "key": "deletedFile", "value": { "path": "none" } })])),
        (412, stale),
        (413, commit(&[file("a", &vec![0; 7 * 1024 * 1024])])),
    ] {
        let start: String = body.chars().take(120).collect();
        let answer = send(&manager, Method::POST, &commits, body).await;
        assert_eq!(answer.status.as_u16(), status, "{start}: {}", answer.text());
    }
    let request = format!("{commits}?create_pr=1");
    send(&manager, Method::POST, &request, commit(&[file("a", b"x")])).await.expect(501);
    let nowhere = format!("/api/datasets/{id}/commit/none");
    let lost = send(&manager, Method::POST, &nowhere, commit(&[file("a", b"x")])).await.expect(404);
    assert_eq!(lost.header("x-error-code"), "RevisionNotFound");
    assert_eq!(state().await, before);
}

#[tokio::test]
async fn names_in_every_script_and_many_files_come_back() {
    let world = World::new().await;
    let id = dataset(&world).await;
    let manager = world.client(Caller::Holds(Role::ProjectManager));
    let names = ["données/été.txt", "δεδομένα.txt", "данные/текст", "数据/文本.txt", "نص.txt"];
    let many = (0..400).map(|number| format!("many/{number:04}.txt"));
    let all: Vec<String> = names.iter().map(|name| (*name).to_owned()).chain(many).collect();
    let lines: Vec<Value> = all.iter().map(|name| file(name, name.as_bytes())).collect();
    let commits = format!("/api/datasets/{id}/commit/main");
    send(&manager, Method::POST, &commits, commit(&lines)).await.expect(200);
    let mut found = Vec::new();
    let mut next = format!("/api/datasets/{id}/tree/main?recursive=true&limit=100");
    while !next.is_empty() {
        let page = manager.get(&next).await.expect(200);
        let entries = page.json();
        let files = entries.as_array().unwrap().iter().filter(|entry| entry["type"] == "file");
        found.extend(files.map(|entry| entry["path"].as_str().unwrap().to_owned()));
        let link = page.header("link").trim_start_matches('<');
        let link = link.split('>').next().unwrap_or_default();
        next = link.trim_start_matches("http://hub.test").to_owned();
    }
    for name in &all {
        assert!(found.contains(name), "{name}");
    }
    let address = format!("/datasets/{id}/resolve/main/%E6%95%B0%E6%8D%AE/%E6%96%87%E6%9C%AC.txt");
    assert_eq!(manager.get(&address).await.expect(200).text(), "数据/文本.txt");
    let part = [("range", "bytes=0-2")];
    let part = manager.send(Method::GET, &address, &part, Body::empty()).await.expect(206);
    assert_eq!((part.text().as_str(), part.header("x-linked-size")), ("数", "17"));
    let head = manager.send(Method::HEAD, &address, &[], Body::empty()).await.expect(200);
    assert_eq!(head.header("content-length"), "17");
    assert_eq!(head.header("x-repo-commit").len(), 40);
}

#[tokio::test]
async fn large_files_are_asked_about_within_limits() {
    let world = World::new().await;
    let id = dataset(&world).await;
    let manager = world.client(Caller::Holds(Role::ProjectManager));
    let batch = format!("/datasets/{id}.git/info/lfs/objects/batch");
    let ask = async |objects: Value, more: Value| {
        let mut asked = json!({ "operation": "upload", "objects": objects });
        for (name, value) in more.as_object().into_iter().flatten() {
            asked[name] = value.clone();
        }
        send(&manager, Method::POST, &batch, asked.to_string()).await
    };
    let one = |size: u64| json!([{ "oid": UNKNOWN, "size": size }]);
    let refused = ask(one(1_000_001), json!({})).await.expect(200);
    assert_eq!(refused.json()["objects"][0]["error"]["code"], 422);
    let parts = ask(one(900_000), json!({ "transfers": ["basic", "multipart"] })).await.expect(200);
    let header = &parts.json()["objects"][0]["actions"]["upload"]["header"];
    assert_eq!(header["chunk_size"], "400000");
    assert!(header["3"].is_string() && header["4"].is_null(), "{header}");
    ask(one(900_000), json!({ "transfers": ["basic"] })).await.expect(400);
    ask(json!([{ "oid": "../x", "size": 1 }]), json!({})).await.expect(400);
    ask(one(1), json!({ "hash_algo": "md5" })).await.expect(400);
    ask(one(1), json!({ "operation": "download" })).await.expect(501);
    ask(Value::Array(vec![one(1)[0].clone(); 1_001]), json!({})).await.expect(400);
    let known = ask(json!([{ "oid": world::SEA_SHA256, "size": 18 }]), json!({})).await.expect(200);
    assert!(known.json()["objects"][0]["actions"].is_null(), "{}", known.text());
}

#[tokio::test]
async fn clients_are_told_what_is_missing_in_their_words() {
    let world = World::new().await;
    let id = dataset(&world).await;
    let manager = world.client(Caller::Holds(Role::ProjectManager));
    for (path, code) in [
        ("/api/datasets/no/such".to_owned(), "RepoNotFound"),
        ("/api/datasets/No..Name/x".to_owned(), "RepoNotFound"),
        (format!("/api/models/{id}"), "RepoNotFound"),
        (format!("/api/datasets/{id}/revision/none"), "RevisionNotFound"),
        (format!("/api/datasets/{id}/tree/refs%2Fpr%2F1"), "RevisionNotFound"),
        (format!("/datasets/{id}/resolve/main/none"), "EntryNotFound"),
        (format!("/datasets/{id}/resolve/main/..%2Fx"), "EntryNotFound"),
        (format!("/api/datasets/{id}/tree/main/none"), "EntryNotFound"),
    ] {
        let answer = manager.get(&path).await.expect(404);
        assert_eq!(answer.header("x-error-code"), code, "{path}");
    }
    let wrong = world.web.bearer("usine_api_wrong").get("/api/whoami-v2").await.expect(401);
    assert_eq!(wrong.header("x-error-message"), "Invalid credentials in Authorization header");
    let spaces = json!({ "name": "x", "type": "space" });
    manager.post("/api/repos/create", &spaces).await.expect(501);
}
