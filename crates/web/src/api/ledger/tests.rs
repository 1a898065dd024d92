use app::{Role, Scope};
use serde_json::{Value, json};

use crate::testing::{Client, TestWeb};

/// A hub whose pools are open, and somebody who may read its books.
async fn books() -> (TestWeb, Client) {
    let web = TestWeb::new().await;
    web.app().keep_house().await.unwrap();
    let grants = [(Role::ProgrammeOfficer, Scope::Federation)];
    let (_, officer) = web.person("officer", &grants).await;
    (web, officer)
}

#[tokio::test]
async fn a_sound_ledger_says_where_it_ends() {
    let (web, officer) = books().await;
    let check = officer.get("/api/v1/ledger/check").await.expect(200).json();
    assert_eq!(check["sound"], true);
    assert_eq!(check["finding"], Value::Null);
    let head = check["checked"]["head_seq"].as_i64().unwrap();
    assert!(head > 0, "the pools of the embedded partition were opened");
    let mut entries = Vec::new();
    let mut path = "/api/v1/ledger/entries?limit=1".to_owned();
    loop {
        let page = officer.get(&path).await.expect(200).json();
        entries.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/ledger/entries?limit=1&cursor={next}");
    }
    let last = entries.last().unwrap();
    assert_eq!((&last["seq"], &last["hash"]), (&json!(head), &check["checked"]["head_hash"]));
    let opened = entries.iter().find(|entry| entry["kind"] == "open").unwrap();
    assert!(opened["transfers"][0]["amount"].as_i64().unwrap() > 0);

    let wrong = officer.get("/api/v1/ledger/entries?cursor=LTU").await.expect(400);
    assert_eq!(wrong.at("/type"), "/problems/bad-request");
    web.anonymous().get("/api/v1/ledger/check").await.expect(401);
    let (_, user) = web.person("user", &[]).await;
    user.get("/api/v1/ledger/check").await.expect(403);
    user.get("/api/v1/ledger/entries").await.expect(403);
}

#[tokio::test]
async fn a_statement_is_asked_for_with_a_period_that_is_one() {
    let (_web, officer) = books().await;
    let path = "/api/v1/projects/018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10/statement";
    officer.get(path).await.expect(404);
    officer.get(&format!("{path}?from=2026-10-01T00:00:00Z")).await.expect(404);
    let backwards = "from=2026-10-02T00:00:00Z&to=2026-10-01T00:00:00Z";
    officer.get(&format!("{path}?{backwards}")).await.expect(400);
    officer.get(&format!("{path}?from=yesterday")).await.expect(400);
}
