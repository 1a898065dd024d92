use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use vault::Sha256;

use crate::testing::{Answer, Client, TestWeb};

/// A start-up's project, and somebody who leads it.
async fn project(web: &TestWeb) -> (Client, String) {
    web.app().keep_house().await.unwrap();
    let (_, ada) = web.person("ada", &[]).await;
    let organisation = json!({ "name": "Aurore", "kind": "enterprise", "country": "LU" });
    let organisation = ada.post("/api/v1/organisations", &organisation).await.expect(201).at("/id");
    let size = json!({
        "headcount_hundredths": 850, "turnover_cents": 40_000_000, "balance_sheet_cents": 1,
    });
    let declaration =
        json!({ "name": "Aurore", "periods": [{ "closed_on": "2025-12-31", "size": size }] });
    let path = format!("/api/v1/organisations/{organisation}/declaration");
    ada.put(&path, &declaration).await.expect(200);
    let call = ada.get("/api/v1/calls").await.expect(200).at("/items/0/id");
    let draft = json!({
        "title": "A small model", "purpose": "To try it", "partition": "meluxina-ai.gpu",
        "hours": 10, "months": 1, "duties_accepted": true,
    });
    let asked = json!({ "organisation": organisation, "draft": draft });
    let path = format!("/api/v1/calls/{call}/applications");
    let application = ada.post(&path, &asked).await.expect(201).at("/id");
    let path = format!("/api/v1/applications/{application}/submit");
    let project = ada.post(&path, &Value::Null).await.expect(200).at("/project");
    (ada, project)
}

/// A dataset with one file, `a/ö.txt`, of ten bytes.
async fn dataset(ada: &Client, project: &str) -> String {
    let new = json!({
        "kind": "dataset", "name": "texts", "title": "Texts", "sensitivity": "internal",
        "licence": "CC-BY-4.0",
    });
    let path = format!("/api/v1/projects/{project}/repositories");
    let id = ada.post(&path, &new).await.expect(201).at("/id");
    send(ada, &id, b"0123456789").await.expect(201);
    let commit = json!({
        "message": "First",
        "put": [{ "path": "a/ö.txt", "sha256": Sha256::of(b"0123456789").to_string() }],
    });
    ada.post(&format!("/api/v1/repositories/{id}/revisions"), &commit).await.expect(201);
    id
}

async fn send(client: &Client, repository: &str, content: &'static [u8]) -> Answer {
    let path = format!("/api/v1/repositories/{repository}/blobs/{}", Sha256::of(content));
    let bytes = [("content-type", "application/octet-stream")];
    client.send(Method::PUT, &path, &bytes, Body::from(content)).await
}

async fn read(client: &Client, repository: &str, headers: &[(&'static str, &str)]) -> Answer {
    let path = format!("/api/v1/repositories/{repository}/revisions/main/files/a/%C3%B6.txt");
    client.send(Method::GET, &path, headers, Body::empty()).await
}

#[tokio::test]
async fn a_file_is_read_whole_in_parts_and_not_again() {
    let web = TestWeb::new().await;
    let (ada, project) = project(&web).await;
    let id = dataset(&ada, &project).await;
    let whole = read(&ada, &id, &[]).await.expect(200);
    assert_eq!(whole.text(), "0123456789");
    assert_eq!(whole.header("content-length"), "10");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let disposition = "attachment; filename*=UTF-8''%C3%B6.txt";
    assert_eq!(whole.header("content-disposition"), disposition);
    let tag = whole.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", Sha256::of(b"0123456789")));

    for (range, text, place) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let part = read(&ada, &id, &[("range", range)]).await.expect(206);
        assert_eq!((part.text().as_str(), part.header("content-range")), (text, place));
    }
    let outside = read(&ada, &id, &[("range", "bytes=10-")]).await.expect(416);
    assert_eq!(outside.header("content-range"), "bytes */10");
    assert_eq!(outside.at("/type"), "/problems/range-not-satisfiable");
    let several = read(&ada, &id, &[("range", "bytes=0-1,3-4")]).await.expect(200);
    assert_eq!(several.text(), "0123456789");
    let stale = [("range", "bytes=2-4"), ("if-range", "\"other\"")];
    assert_eq!(read(&ada, &id, &stale).await.expect(200).text(), "0123456789");
    let known = read(&ada, &id, &[("if-none-match", &tag)]).await.expect(304);
    assert_eq!(known.text(), "");
    let packed = read(&ada, &id, &[("accept-encoding", "gzip")]).await.expect(200);
    assert_eq!(packed.header("content-encoding"), "identity");
}

#[tokio::test]
async fn an_upload_must_be_the_bytes_that_its_path_names() {
    let web = TestWeb::new().await;
    let (ada, project) = project(&web).await;
    let id = dataset(&ada, &project).await;
    let path = format!("/api/v1/repositories/{id}/blobs/{}", Sha256::of(b"right"));
    let bytes = [("content-type", "application/octet-stream")];
    let wrong = ada.send(Method::PUT, &path, &bytes, Body::from("wrong")).await.expect(422);
    assert_eq!(wrong.at("/reasons/0/field"), "sha256");
    let untyped = ada.send(Method::PUT, &path, &[], Body::from("right")).await;
    untyped.expect(415);
    let large = vec![0; 1_000_001];
    let path = format!("/api/v1/repositories/{id}/blobs/{}", Sha256::of(&large));
    let large = ada.send(Method::PUT, &path, &bytes, Body::from(large)).await.expect(422);
    assert_eq!(large.at("/reasons/0/rule"), "data.file_bytes_max");
    let malformed = format!("/api/v1/repositories/{id}/blobs/ABC");
    ada.send(Method::PUT, &malformed, &bytes, Body::from("x")).await.expect(400);
}

#[tokio::test]
async fn a_commit_is_checked_path_by_path() {
    let web = TestWeb::new().await;
    let (ada, project) = project(&web).await;
    let id = dataset(&ada, &project).await;
    let revisions = format!("/api/v1/repositories/{id}/revisions");
    let head = ada.get(&format!("{revisions}/main")).await.expect(200);
    assert_eq!(head.json()["files"][0]["path"], "a/ö.txt");
    let digest = Sha256::of(b"0123456789").to_string();
    let hostile = json!({
        "parent": head.at("/id"), "message": "x",
        "put": [
            { "path": "../../etc/passwd", "sha256": digest },
            { "path": "ok.txt", "sha256": "abc" },
        ],
        "remove": ["/a"],
    });
    let refused = ada.post(&revisions, &hostile).await.expect(422);
    assert_eq!(refused.json()["reasons"].as_array().unwrap().len(), 3, "{}", refused.text());
    let late = json!({ "message": "x", "put": [{ "path": "b", "sha256": digest }] });
    ada.post(&revisions, &late).await.expect(409);
    let next = json!({
        "parent": head.at("/id"), "message": "Again",
        "put": [{ "path": "b", "sha256": digest }], "remove": ["a/ö.txt"],
        "inputs": { "before": head.at("/id") },
    });
    let second = ada.post(&revisions, &next).await.expect(201);
    assert_eq!((&second.json()["number"], &second.json()["file_count"]), (&json!(2), &json!(1)));
    let lineage = ada.get(&format!("{revisions}/2/lineage")).await.expect(200);
    assert_eq!(lineage.json()["inputs"]["before"]["revision"]["number"], 1);
    let down = ada.get(&format!("{revisions}/1/lineage")).await.expect(200);
    assert_eq!(down.json()["children"][0]["revision"]["number"], 2);
    ada.get(&format!("{revisions}/3")).await.expect(404);
    ada.get(&format!("{revisions}/latest")).await.expect(400);
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_a_repository() {
    let web = TestWeb::new().await;
    let (ada, project) = project(&web).await;
    let id = dataset(&ada, &project).await;
    let (_, stranger) = web.person("eve", &[]).await;
    stranger.get(&format!("/api/v1/repositories/{id}")).await.expect(404);
    read(&stranger, &id, &[]).await.expect(404);
    send(&stranger, &id, b"x").await.expect(404);
    let listed = stranger.get("/api/v1/repositories").await.expect(200);
    assert_eq!(listed.json()["items"], json!([]));
    let new = json!({
        "kind": "model", "name": "mine", "title": "Mine", "sensitivity": "open",
    });
    let path = format!("/api/v1/projects/{project}/repositories");
    stranger.post(&path, &new).await.expect(404);
    web.anonymous().get(&format!("/api/v1/repositories/{id}")).await.expect(401);
}

#[tokio::test]
async fn the_administrator_reads_everything_back() {
    let web = TestWeb::new().await;
    let (ada, project) = project(&web).await;
    dataset(&ada, &project).await;
    ada.get("/api/v1/vault/check").await.expect(403);
    let grant = (app::Role::Administrator, app::Scope::Federation);
    let (_, administrator) = web.person("root", &[grant]).await;
    let checked = administrator.get("/api/v1/vault/check").await.expect(200);
    let expected = json!({ "files": 1, "size_bytes": 10, "damaged": [], "next": null });
    assert_eq!(checked.json(), expected);
}
