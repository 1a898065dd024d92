//! A remote site's agent, spoken to as any implementation would: JSON over HTTP.

use app::testing::TestHub;
use app::{Role, Scope};
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use site::key::{Purpose, SecretKey};
use site::protocol::VERSION;

use crate::testing::{Answer, Client, TestWeb, settings};
use crate::{Rate, Settings};

/// Who lets agents in.
async fn operator(web: &TestWeb, name: &str) -> String {
    let factory = Scope::Factory("meluxina-ai".parse().unwrap());
    web.signed_in(name, &[(Role::SiteOperator, factory)]).await.1
}

fn signed(web: &TestWeb, key: &SecretKey, purpose: Purpose<'_>) -> Value {
    let site = "afar".parse().unwrap();
    serde_json::to_value(key.prove(purpose, &site, web.app().now()).unwrap()).unwrap()
}

async fn open(web: &TestWeb, key: &SecretKey, version: u32) -> Answer {
    let proof = signed(web, key, Purpose::Session);
    let knock = json!({ "version": version, "proof": proof, "mood": "fine" });
    web.anonymous().post("/api/v1/sites/afar/agent/session", &knock).await
}

async fn agent(web: &TestWeb, key: &SecretKey) -> Client {
    let operator = web.bearer(&operator(web, "olga").await);
    let code = operator.post("/api/v1/sites/afar/code", &json!({})).await.expect(201).at("/code");
    let proof = signed(web, key, Purpose::Enrol { code: &code });
    let asked = json!({ "version": VERSION, "code": code, "proof": proof });
    let enrolled = web.anonymous().post("/api/v1/sites/afar/agent", &asked).await.expect(201);
    assert_eq!(enrolled.at("/fingerprint"), key.public().fingerprint());
    let session = open(web, key, VERSION).await.expect(201);
    web.bearer(&session.at("/token"))
}

#[tokio::test]
async fn an_agent_of_the_next_version_is_understood_and_one_beyond_is_told_so() {
    let web = TestWeb::new().await;
    let key = SecretKey::generate().unwrap();
    let agent = agent(&web, &key).await;
    let events = |version: u32| {
        let inventory = json!({
            "host": "h", "agent": "9.9", "cpus": 8, "memory_mb": 1_000, "gpus": [],
            "isolation": [], "colour": "blue",
        });
        json!({ "version": version, "inventory": inventory, "events": [], "weather": "mild" })
    };
    let path = "/api/v1/sites/afar/events";
    let receipt = agent.post(path, &events(VERSION + 1)).await.expect(200);
    assert_eq!(receipt.json(), json!({ "taken": 0, "repeated": 0 }));
    let refused = agent.post(path, &events(VERSION + 2)).await.expect(409);
    assert!(refused.at("/detail").ends_with("update the hub"), "{}", refused.text());
    let refused = open(&web, &key, VERSION + 2).await.expect(409);
    assert!(refused.at("/detail").ends_with("update the hub"), "{}", refused.text());
    let orders = agent.get("/api/v1/sites/afar/orders?after=0").await.expect(200);
    assert_eq!(orders.json(), json!({ "version": VERSION, "orders": [] }));
}

#[tokio::test]
async fn an_agent_is_kept_to_its_own_site() {
    let web = TestWeb::new().await;
    let agent = agent(&web, &SecretKey::generate().unwrap()).await;
    for path in ["/api/v1/sites/here/orders?after=0", "/api/v1/sites/nowhere/orders?after=0"] {
        agent.get(path).await.expect(404);
    }
    agent.get("/api/v1/sites").await.expect(403);
    agent.get("/api/v1/me").await.expect(403);
}

#[tokio::test]
async fn who_wants_a_login_is_listed_for_the_operator_alone() {
    let web = TestWeb::new().await;
    let path = "/api/v1/sites/afar/login-requests";
    let operator = web.bearer(&operator(&web, "otto").await);
    assert_eq!(operator.get(path).await.expect(200).json()["items"], json!([]));
    operator.get("/api/v1/sites/nowhere/login-requests").await.expect(403);
    let agent = agent(&web, &SecretKey::generate().unwrap()).await;
    agent.get(path).await.expect(404);
    web.anonymous().get(path).await.expect(401);
}

#[tokio::test]
async fn a_code_is_shown_once_and_an_agent_is_sent_away_from_its_page() {
    let web = TestWeb::new().await;
    let key = SecretKey::generate().unwrap();
    agent(&web, &key).await;
    let operator = web.cookie(&operator(&web, "otto").await);
    let html = operator.get("/sites/afar").await.expect(200).text();
    assert!(html.contains(&key.public().fingerprint()), "{html}");
    let token = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let csrf = [("csrf", token)];
    let made = operator.form("/sites/afar/code", &csrf).await.expect(200);
    assert!(made.text().contains("usine_code_"), "the code is shown");
    assert!(!operator.get("/sites/afar").await.text().contains("usine_code_"));
    operator.form("/sites/afar/revoke", &[]).await.expect(403);
    operator.form("/sites/afar/revoke", &csrf).await.expect(303);
    assert!(operator.get("/sites").await.expect(200).text().contains("revoked"));
    let refused = open(&web, &key, VERSION).await.expect(401);
    assert!(refused.at("/detail").contains("was revoked by its operator"), "{}", refused.text());
}

#[tokio::test]
async fn a_site_is_drained_and_resumed_from_its_page_and_everybody_is_told() {
    let web = TestWeb::new().await;
    let token = operator(&web, "otto").await;
    let page = web.cookie(&token);
    let html = page.get("/sites/afar").await.expect(200).text();
    let csrf = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    page.form("/sites/afar/drain", &[("csrf", csrf), ("reason", "")]).await.expect(422);
    let why = [("csrf", csrf), ("reason", "new <switches>")];
    page.form("/sites/afar/drain", &why).await.expect(303);
    let told = web.anonymous().get("/status").await.expect(200).text();
    assert!(told.contains("new &#60;switches&#62;") && told.contains("nothing now"), "{told}");
    let status = web.anonymous().get("/api/v1/status").await.expect(200).json();
    let of = |name: &str| {
        let all = status["items"].as_array().unwrap();
        all.iter().find(|one| one["site"] == name).unwrap().clone()
    };
    assert_eq!(of("afar")["takes"], "nothing");
    let kinds: Vec<Value> =
        of("afar")["obstacles"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["not-enrolled", "drained"]);
    let operator = web.bearer(&token);
    let health = operator.delete("/api/v1/sites/afar/drain").await.expect(200);
    assert_eq!(health.at("/obstacles/0/kind"), "not-enrolled");
    operator.delete("/api/v1/sites/afar/drain").await.expect(409);
    operator.put("/api/v1/sites/afar/drain", &json!({ "reason": "a\nb" })).await.expect(422);
}

#[tokio::test]
async fn figures_are_there_for_monitoring_and_for_staff_alone() {
    let web = TestWeb::new().await;
    let agent = agent(&web, &SecretKey::generate().unwrap()).await;
    let health =
        json!({ "accounting_backlog": 7, "away": [{ "name": "n", "condition": "haunted" }] });
    let events = json!({ "version": VERSION, "health": health, "events": [] });
    agent.post("/api/v1/sites/afar/events", &events).await.expect(200);
    agent.get("/api/v1/metrics").await.expect(403);
    web.anonymous().get("/api/v1/metrics").await.expect(401);
    let operator = web.bearer(&operator(&web, "otto").await);
    let answer = operator.get("/api/v1/metrics").await.expect(200);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), kind);
    let text = answer.text();
    for line in [
        "usine_site_takes_work{site=\"afar\",partition=\"",
        "usine_site_accounting_backlog_records{site=\"afar\",",
        "usine_site_agent_silence_seconds{site=\"afar\",",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    let shown = operator.get("/api/v1/sites/afar/health").await.expect(200);
    assert_eq!(shown.at("/nodes_away/0/condition"), "unknown");
}

#[tokio::test]
async fn what_a_large_site_tells_is_taken_in_with_a_key_as_without() {
    let web = TestWeb::new().await;
    let agent = agent(&web, &SecretKey::generate().unwrap()).await;
    let nodes: Vec<Value> = (0..20_000)
        .map(|number| {
            json!({ "name": format!("n{number}"), "up": true, "cpus": 128, "memory_mb": 512_000, "gpus": 4 })
        })
        .collect();
    let snapshot = json!({
        "at": web.app().now().to_string(), "policy": "easy", "shared": false,
        "nodes": nodes, "running": [], "waiting": [],
    });
    let events = json!({ "version": VERSION, "snapshot": snapshot, "events": [] }).to_string();
    assert!(events.len() > 1024 * 1024, "larger than the usual body");
    let json = ("content-type", "application/json");
    let path = "/api/v1/sites/afar/events";
    for headers in [&[json, ("idempotency-key", "one")][..], &[json][..]] {
        agent.send(Method::POST, path, headers, Body::from(events.clone())).await.expect(200);
    }
    let stranger = web.anonymous();
    let headers = [json, ("idempotency-key", "two")];
    stranger.send(Method::POST, path, &headers, Body::from(events)).await.expect(413);
}

#[tokio::test]
async fn codes_and_keys_cannot_be_tried_out_one_after_the_other() {
    let rate = Rate::new(2, 2);
    let settings = Settings { sign_in_rate: rate, ..settings() };
    let web = TestWeb::of(TestHub::new().await, settings);
    let key = SecretKey::generate().unwrap();
    let code = "usine_code_00";
    let proof = signed(&web, &key, Purpose::Enrol { code });
    let asked = json!({ "version": VERSION, "code": code, "proof": proof });
    let anybody = web.anonymous();
    let enrol = "/api/v1/sites/afar/agent";
    anybody.post(enrol, &asked).await.expect(401);
    open(&web, &key, VERSION).await.expect(401);
    let refused = anybody.post(enrol, &asked).await.expect(429);
    assert_eq!(refused.at("/type"), "/problems/rate-limited");
    assert!(!refused.header("retry-after").is_empty());
    anybody.get("/api/v1/calls").await.expect(200);
}

#[tokio::test]
async fn a_plan_for_a_sites_accounts_is_shown_and_agreed_to_on_its_page() {
    let web = TestWeb::new().await;
    let agent = agent(&web, &SecretKey::generate().unwrap()).await;
    let wanted = agent.get("/api/v1/sites/afar/tenancy").await.expect(200);
    let report = json!({
        "version": VERSION, "manage": "plan", "revision": wanted.at("/revision"), "plan": "p1",
        "steps": [{ "text": "create account usine_<all>", "why": "missing" }], "steps_total": 1,
        "drift": [{ "text": "budget of qos usine_x", "kind": "limits", "response": "report" }],
        "agrees": false, "news": "of a later version",
    });
    agent.post("/api/v1/sites/afar/tenancy", &report).await.expect(200);
    let operator = web.cookie(&operator(&web, "otto").await);
    let html = operator.get("/sites/afar").await.expect(200).text();
    for shown in
        ["Not as the hub wishes", "usine_&#60;all&#62;", "it is not there", "budget of qos"]
    {
        assert!(html.contains(shown), "{shown} is not in {html}");
    }
    let token = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let stale = [("csrf", token), ("plan", "p0")];
    operator.form("/sites/afar/accounts", &stale).await.expect(409);
    operator.form("/sites/afar/accounts", &[("csrf", token), ("plan", "p1")]).await.expect(303);
    let ordered = agent.get("/api/v1/sites/afar/tenancy").await.expect(200);
    assert_eq!(ordered.at("/apply"), "p1");
    let html = operator.get("/sites/afar").await.expect(200).text();
    assert!(html.contains("The agent carries the plan out."), "{html}");
}
