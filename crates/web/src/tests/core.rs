//! What holds for every request, whatever it asks.

use std::time::Duration;

use app::testing::{PASSWORD, TestHub};
use app::{Role, Scope};
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::testing::{Client, TestWeb, settings};
use crate::{Rate, Scheme, Settings};

async fn keyed(client: &Client, key: &str, path: &str, body: &str) -> crate::testing::Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    client.send(Method::POST, path, &headers, Body::from(body.to_owned())).await
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_in_the_api() {
    let web = TestWeb::new().await;
    let client = web.anonymous();
    let nowhere = client.get("/api/v1/nowhere").await.expect(404);
    assert_eq!(nowhere.header("content-type"), "application/problem+json");
    assert_eq!(nowhere.at("/type"), "/problems/not-found");
    let method = client.delete("/api/v1/health").await.expect(405);
    assert_eq!(method.at("/type"), "/problems/method-not-allowed");
    assert_eq!(method.header("allow"), "GET,HEAD");
    client.send(Method::HEAD, "/api/v1/health", &[], Body::empty()).await.expect(200);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_say_why() {
    let web = TestWeb::new().await;
    let client = web.anonymous();
    let post = async |kind: &'static str, body: &str| {
        let headers = [("content-type", kind)];
        let body = Body::from(body.to_owned());
        client.send(Method::POST, "/api/v1/session", &headers, body).await
    };
    assert_eq!(
        post("text/plain", "{}").await.expect(415).at("/type"),
        "/problems/unsupported-media-type"
    );
    post("application/json", "{").await.expect(400);
    post("application/json", "{}").await.expect(422);
    post("application/json", r#"{"email":"a\u0000","password":"b"}"#).await.expect(400);
    let long = format!("\"{}\"", "a".repeat(settings().body_bytes_max));
    assert_eq!(
        post("application/json", &long).await.expect(413).at("/type"),
        "/problems/too-large"
    );
}

#[tokio::test]
async fn every_answer_is_careful_with_browsers() {
    let hub = TestHub::new().await;
    let web = TestWeb::of(hub, Settings { scheme: Scheme::Https, ..settings() });
    let answer = web.anonymous().get("/api/v1/health").await.expect(200);
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert!(!answer.header("content-security-policy").contains("unsafe-inline"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let web = TestWeb::new().await;
    let (_, ada) = web.person("ada", &[]).await;
    let first = ada.get("/api/v1/me").await.expect(200);
    let known = [("if-none-match", first.header("etag"))];
    let again = ada.send(Method::GET, "/api/v1/me", &known, Body::empty()).await.expect(304);
    assert!(again.body.is_empty());
    let other = [("if-none-match", "W/\"0\"")];
    ada.send(Method::GET, "/api/v1/me", &other, Body::empty()).await.expect(200);
}

#[tokio::test]
async fn an_account_signs_in_and_out() {
    let web = TestWeb::new().await;
    let anonymous = web.anonymous();
    let account = json!({ "email": "ada@example.org", "name": "Ada", "password": PASSWORD });
    let made = anonymous.post("/api/v1/people", &account).await.expect(201);
    anonymous.post("/api/v1/people", &account).await.expect(409);
    let by = json!({ "email": "ada@example.org", "password": PASSWORD });
    let session = anonymous.post("/api/v1/session", &by).await.expect(201);
    let ada = web.bearer(&session.at("/token"));
    assert_eq!(ada.get("/api/v1/me").await.expect(200).at("/id"), made.at("/id"));
    ada.delete("/api/v1/session").await.expect(204);
    let after = ada.get("/api/v1/me").await.expect(401);
    assert_eq!(after.header("www-authenticate"), "Bearer realm=\"usine\"");
}

#[tokio::test]
async fn a_token_does_what_it_is_for_until_it_is_revoked() {
    let web = TestWeb::new().await;
    let (_, ada) = web.person("ada", &[]).await;
    let ask = json!({ "name": "ci", "abilities": ["read"], "days": 7 });
    let made = ada.post("/api/v1/tokens", &ask).await.expect(201);
    let ci = web.bearer(&made.at("/secret"));
    ci.get("/api/v1/me").await.expect(200);
    ci.post("/api/v1/tokens", &ask).await.expect(403);
    let listed = ada.get("/api/v1/tokens").await.expect(200);
    assert_eq!(listed.at("/items/0/id"), made.at("/id"));
    assert!(!listed.text().contains(&made.at("/secret")));
    ada.delete(&format!("/api/v1/tokens/{}", made.at("/id"))).await.expect(204);
    ci.get("/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_repeated() {
    let web = TestWeb::new().await;
    let (_, root) = web.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    let (bob, _) = web.person("bob", &[]).await;
    let grant =
        json!({ "person": bob.to_string(), "role": "reviewer", "scope": "federation" }).to_string();
    let first = keyed(&root, "k1", "/api/v1/grants", &grant).await.expect(201);
    let path = format!("/api/v1/grants/{bob}/reviewer/federation");
    root.delete(&path).await.expect(204);
    let again = keyed(&root, "k1", "/api/v1/grants", &grant).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body, first.body);
    root.delete(&path).await.expect(404);

    let other = keyed(&root, "k1", "/api/v1/grants", "{}").await.expect(422);
    assert_eq!(other.at("/type"), "/problems/key-reused");
    keyed(&root, "a b", "/api/v1/grants", &grant).await.expect(400);
}

#[tokio::test]
async fn a_secret_is_never_kept_for_a_repeat() {
    let web = TestWeb::new().await;
    let (_, ada) = web.person("ada", &[]).await;
    let ask = json!({ "name": "ci", "abilities": ["read"], "days": 7 }).to_string();
    keyed(&ada, "k", "/api/v1/tokens", &ask).await.expect(201);
    let again = keyed(&ada, "k", "/api/v1/tokens", &ask).await.expect(409);
    assert!(!again.text().contains("usine_api"), "{}", again.text());
    assert_eq!(ada.get("/api/v1/tokens").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn two_copies_of_a_request_at_once_do_it_once() {
    let web = TestWeb::new().await;
    let (_, ada) = web.person("ada", &[]).await;
    let ask = json!({ "name": "ci", "abilities": ["read"], "days": 7 }).to_string();
    let copies = (0..8).map(|_| keyed(&ada, "k", "/api/v1/tokens", &ask));
    let answers = futures_util::future::join_all(copies).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    assert_eq!(ada.get("/api/v1/tokens").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let web = TestWeb::new().await;
    let (_, ada) = web.browser("ada", &[]).await;
    ada.get("/api/v1/me").await.expect(200);
    let ask = json!({ "name": "ci", "abilities": ["read"], "days": 7 });
    let refused = ada.post("/api/v1/tokens", &ask).await.expect(403);
    assert_eq!(refused.at("/type"), "/problems/cross-site");
}

#[tokio::test]
async fn clients_that_call_too_often_wait() {
    let hub = TestHub::new().await;
    let settings = Settings { rate: Rate::new(3, 60), sign_in_rate: Rate::new(1, 1), ..settings() };
    let web = TestWeb::of(hub, settings);
    let client = web.anonymous();
    for _ in 0..3 {
        client.get("/api/v1/health").await.expect(200);
    }
    let refused = client.get("/api/v1/health").await.expect(429);
    assert_eq!(refused.header("retry-after"), "1");
    let by = json!({ "email": "ada@example.org", "password": "x" });
    client.post("/api/v1/session", &by).await.expect(401);
    assert_eq!(client.post("/api/v1/session", &by).await.expect(429).header("retry-after"), "60");
}

#[tokio::test]
async fn a_panic_and_a_long_wait_are_answered_decently() {
    use axum::routing::get;
    async fn sleeping() {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    async fn panicking() {
        panic!("on purpose");
    }
    let inner = axum::Router::new().route("/panic", get(panicking)).route("/sleep", get(sleeping));
    let settings = Settings { request_timeout: Duration::from_millis(20), ..settings() };
    let router = crate::layers::around(inner, settings);
    let client = Client::of(router);
    assert_eq!(client.get("/panic").await.expect(500).at("/type"), "/problems/internal");
    assert_eq!(client.get("/sleep").await.expect(503).at("/type"), "/problems/timeout");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = crate::api::document();
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<_> =
        operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(names.len() > 60 && twice.is_empty(), "{twice:?}");
}

#[tokio::test]
async fn the_served_document_is_the_declared_one() {
    let web = TestWeb::new().await;
    let served = web.anonymous().get("/api/v1/openapi.json").await.expect(200).json();
    assert_eq!(served, crate::api::document());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"), "{}", served["openapi"]);
    let register = &served["paths"]["/api/v1/people"]["post"]["responses"];
    for status in ["201", "400", "401", "409", "413", "415", "422", "429", "500", "503"] {
        assert!(register.get(status).is_some(), "{status} is not declared");
    }
}

#[tokio::test]
async fn a_served_hub_finishes_open_requests_before_it_ends() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let web = TestWeb::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(crate::serve(listener, None, web.router(), async {
        let _ = ended.await;
    }));
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET /api/v1/health HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    end.send(()).unwrap();
    server.await.unwrap();
}
