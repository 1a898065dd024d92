use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use wiremock::matchers::{body_bytes, header, header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::events::Parser;
use super::*;

fn client(server: &MockServer) -> Client {
    Client::new(&server.uri(), Some("secret".to_owned())).unwrap()
}

fn problem(status: u16) -> ResponseTemplate {
    let body = json!({
        "type": "/problems/refused", "title": "Refused", "status": status,
        "reasons": [{"rule": "playground.amount_max", "text": "ask for less"}],
    });
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/problem+json")
}

#[tokio::test]
async fn a_call_that_meets_a_busy_hub_is_repeated_with_the_same_key() {
    let server = MockServer::start().await;
    let key = Key::fresh();
    let keyed = || {
        Mock::given(method("POST"))
            .and(path("/api/v1/things"))
            .and(header("idempotency-key", key.0.to_string().as_str()))
            .and(header("authorization", "Bearer secret"))
    };
    keyed().respond_with(problem(503)).up_to_n_times(2).mount(&server).await;
    keyed()
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({"made": true})))
        .expect(1)
        .mount(&server)
        .await;
    let answer: Value = client(&server).post("/things", &json!({"a": 1}), key).await.unwrap();
    assert_eq!(answer, json!({"made": true}));
}

#[tokio::test]
async fn a_refusal_is_not_repeated_and_keeps_its_reasons() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header_exists("idempotency-key"))
        .respond_with(problem(409))
        .expect(1)
        .mount(&server)
        .await;
    let answer: Result<Value, Error> =
        client(&server).post("/things", &json!({}), Key::fresh()).await;
    let error = answer.unwrap_err();
    assert_eq!(error.status(), Some(409));
    assert_eq!(error.to_string(), "Refused\n  ask for less (playground.amount_max)");
}

#[tokio::test]
async fn an_answer_that_is_not_of_a_hub_is_shown_as_it_came() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(418).set_body_string("<html>teapot");
    Mock::given(method("GET")).respond_with(page).mount(&server).await;
    let answer: Result<Value, Error> = client(&server).get("/x").await;
    let text = answer.unwrap_err().to_string();
    assert_eq!(text, "unexpected answer with status 418: <html>teapot");
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_given_up_on() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let patience = Patience::attempts_max(2);
    let client = Client::new(&format!("http://{nobody}"), None).unwrap().with_patience(patience);
    let answer: Result<Value, Error> = client.get("/x").await;
    assert!(matches!(answer, Err(Error::Unreachable(_))));
}

#[tokio::test]
async fn files_go_up_with_their_length_and_come_down_in_pieces() {
    let server = MockServer::start().await;
    let content = vec![7_u8; 600_000];
    Mock::given(method("PUT"))
        .and(header("content-length", "600000"))
        .and(body_bytes(content.clone()))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"stored": true})))
        .expect(1)
        .mount(&server)
        .await;
    let whole = ResponseTemplate::new(200).set_body_bytes(content.clone());
    Mock::given(method("GET")).respond_with(whole).mount(&server).await;

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&content).unwrap();
    let seen = Arc::new(AtomicU64::new(0));
    let progress: Progress = {
        let seen = Arc::clone(&seen);
        Arc::new(move |sent| seen.store(sent, Ordering::Relaxed))
    };
    let client = client(&server);
    let open = || std::fs::File::open(file.path());
    let answer: Value = client.upload("/files/a", open, progress).await.unwrap();
    assert_eq!(answer, json!({"stored": true}));
    assert_eq!(seen.load(Ordering::Relaxed), 600_000);

    let mut download = client.download("/files/a", 0).await.unwrap();
    assert_eq!(download.length, Some(600_000));
    let mut received = Vec::new();
    while let Some(chunk) = download.chunk().await.unwrap() {
        received.extend_from_slice(&chunk);
    }
    assert_eq!(received, content);
}

#[tokio::test]
async fn events_are_read_with_their_names_and_ids() {
    let server = MockServer::start().await;
    let body = ": hello\n\nevent: log\nid: 7\ndata: {\"a\":1}\n\ndata: x\ndata: y\n\n";
    Mock::given(header("accept", "text/event-stream"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(body, "text/event-stream"))
        .mount(&server)
        .await;
    let mut stream = client(&server).follow("/jobs/1/stream").await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!((first.name.as_str(), first.id.as_deref()), ("log", Some("7")));
    assert_eq!(first.json::<Value>().unwrap(), json!({"a": 1}));
    assert_eq!(stream.next().await.unwrap().unwrap().data, "x\ny");
    assert_eq!(stream.next().await.unwrap(), None);
}

#[test]
fn events_survive_any_cut_of_the_bytes() {
    let text = "event: é\ndata: ü\n\ndata: 2\r\n\r\n";
    for cut in 0..text.len() {
        let (before, after) = text.as_bytes().split_at(cut);
        let mut parser = Parser::default();
        let mut found = Vec::new();
        for part in [before, after] {
            parser.feed(part);
            while let Some(event) = parser.next_event() {
                found.push((event.name, event.data));
            }
        }
        let expected = [("é", "ü"), ("message", "2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found, expected, "cut at {cut}");
    }
}

#[test]
fn path_segments_cannot_leave_their_place() {
    assert_eq!(segment("a/../b?c#d"), "a%2F..%2Fb%3Fc%23d");
    assert_eq!(segments("dir/ü x.txt"), "dir/%C3%BC%20x.txt");
}
