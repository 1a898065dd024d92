use serde_json::{Value, json};

use crate::testing::{Client, TestWeb};

/// A start-up from Luxembourg with its assessment; who acts, and the organisation.
async fn start_up(web: &TestWeb, name: &str) -> (Client, String) {
    web.app().keep_house().await.unwrap();
    let (_, client) = web.person(name, &[]).await;
    let new = json!({
        "name": "Aurore S.à r.l.", "kind": "enterprise", "country": "LU",
        "registered_on": "2024-05-01",
    });
    let organisation = client.post("/api/v1/organisations", &new).await.expect(201).at("/id");
    let declaration = json!({
        "name": "Aurore S.à r.l.",
        "periods": [{
            "closed_on": "2025-12-31",
            "size": {
                "headcount_hundredths": 850, "turnover_cents": 40_000_000,
                "balance_sheet_cents": 20_000_000,
            },
        }],
        "related": [{
            "key": "fund", "name": "Seed Fund", "kind": "venture-capital",
            "periods": [{
                "closed_on": "2025-12-31",
                "size": {
                    "headcount_hundredths": 2_000, "turnover_cents": 1,
                    "balance_sheet_cents": 900_000_000_000_i64,
                },
            }],
        }],
        "holdings": [{
            "holder": "fund", "held": "self", "capital_parts_per_million": 300_000,
            "voting_parts_per_million": 250_000,
        }],
    });
    let path = format!("/api/v1/organisations/{organisation}/declaration");
    let assessed = client.put(&path, &declaration).await.expect(200);
    assert_eq!(assessed.at("/class"), "micro");
    assert_eq!(assessed.at("/relation"), "autonomous");
    let again = client.get(&format!("/api/v1/organisations/{organisation}/assessment")).await;
    assert_eq!(again.expect(200).json(), assessed.json());
    (client, organisation)
}

async fn playground(client: &Client) -> String {
    let calls = client.get("/api/v1/calls").await.expect(200);
    assert_eq!(calls.at("/items/0/mode/rule"), "policy/access-modes.toml#playground@2025-12-01");
    calls.at("/items/0/id")
}

fn draft(hours: u32) -> Value {
    json!({
        "title": "A small model", "purpose": "Train it on our manuals",
        "partition": "meluxina-ai.gpu", "hours": hours, "months": 3, "duties_accepted": true,
    })
}

#[tokio::test]
async fn a_start_up_goes_from_nothing_to_hours() {
    let web = TestWeb::new().await;
    let (client, organisation) = start_up(&web, "ada").await;
    let call = playground(&client).await;
    let begin = json!({ "organisation": organisation, "draft": { "title": "A small model" } });
    let path = format!("/api/v1/calls/{call}/applications");
    let begun = client.post(&path, &begin).await.expect(201);
    assert_eq!(begun.at("/state"), "draft");
    let application = format!("/api/v1/applications/{}", begun.at("/id"));

    let checked = client.post(&format!("{application}/check"), &Value::Null).await.expect(200);
    assert_eq!(checked.json()["ready"], false);
    let refused = client.post(&format!("{application}/submit"), &Value::Null).await.expect(422);
    assert_eq!(refused.at("/type"), "/problems/refused");
    assert!(refused.text().contains("say how many hours: 1 to 5000 GPU-h"), "{}", refused.text());

    let write = json!({ "version": 1, "draft": draft(5_000) });
    let written = client.put(&application, &write).await.expect(200);
    assert_eq!(written.json()["version"], 2);
    client.put(&application, &write).await.expect(409);
    let checked = client.post(&format!("{application}/check"), &Value::Null).await.expect(200);
    assert_eq!(checked.json()["ready"], true, "{}", checked.text());

    let awarded = client.post(&format!("{application}/submit"), &Value::Null).await.expect(200);
    assert_eq!(awarded.at("/state"), "awarded");
    let allocation = format!("/api/v1/allocations/{}", awarded.at("/allocation"));
    let allocation = client.get(&allocation).await.expect(200);
    assert_eq!(allocation.at("/stage"), "active");
    assert_eq!(allocation.at("/granted/text"), "5 000.00 GPU-h");
    assert_eq!(allocation.at("/balance/0/payer"), "union");
    let project = format!("/api/v1/projects/{}", awarded.at("/project"));
    assert_eq!(client.get(&project).await.expect(200).at("/title"), "A small model");
    let members = client.get(&format!("{project}/members")).await.expect(200);
    assert_eq!(members.at("/items/0/role"), "project-manager");
    let listed = client.get("/api/v1/applications").await.expect(200);
    assert_eq!(listed.at("/items/0/id"), begun.at("/id"));
}

#[tokio::test]
async fn the_federation_says_who_paid_and_who_has_which_hours() {
    let web = TestWeb::new().await;
    web.app().keep_house().await.unwrap();
    let anybody = web.anonymous();
    let factories = anybody.get("/api/v1/factories").await.expect(200);
    assert_eq!(factories.json()["items"].as_array().unwrap().len(), 7);
    let pools = anybody.get("/api/v1/partitions/meluxina-ai.gpu/pools").await.expect(200);
    assert_eq!(pools.at("/funding/union_total/text"), "EUR 56 000 000.00");
    assert_eq!(pools.at("/pools/0/payer"), "union");
    assert_eq!(pools.at("/pools/0/remaining/text"), "1 112 832.00 GPU-h");
    let later = "/api/v1/partitions/meluxina-ai.gpu/pools?at=2030-05-01T00:00:00Z";
    let later = anybody.get(later).await.expect(200);
    assert_eq!(later.at("/period/start"), "2030-04-01T00:00:00Z");
    let unknown = anybody.get("/api/v1/partitions/lumi-ai.gpu/pools").await.expect(200);
    assert!(!unknown.json()["unknown"].as_array().unwrap().is_empty());
    anybody.get("/api/v1/partitions/nobody.gpu/pools").await.expect(404);
    anybody.get("/api/v1/partitions/meluxina-ai/pools").await.expect(400);
    let partition = anybody.get("/api/v1/partitions/meluxina-ai.gpu").await.expect(200);
    assert_eq!(partition.json()["nodes"]["value"], 252);
    assert_eq!(partition.json()["cores_per_node"]["value"], Value::Null);
    anybody.get("/api/v1/federation").await.expect(200);
    anybody.get("/api/v1/factories/mimer").await.expect(200);
    anybody.get("/api/v1/factories/nobody").await.expect(404);
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_an_organisation() {
    let web = TestWeb::new().await;
    let (_, organisation) = start_up(&web, "ada").await;
    let (stranger, _) = start_up(&web, "bob").await;
    let path = format!("/api/v1/organisations/{organisation}");
    for path in [path.clone(), format!("{path}/assessment"), format!("{path}/members")] {
        stranger.get(&path).await.expect(404);
    }
    let call = playground(&stranger).await;
    let begin = json!({ "organisation": organisation, "draft": draft(1) });
    stranger.post(&format!("/api/v1/calls/{call}/applications"), &begin).await.expect(404);
    assert_eq!(
        stranger.get("/api/v1/organisations").await.json()["items"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn what_is_not_valid_is_told_by_field() {
    let web = TestWeb::new().await;
    let (client, _) = start_up(&web, "ada").await;
    let bad = json!({ "name": "A", "kind": "enterprise", "country": "lu" });
    let refused = client.post("/api/v1/organisations", &bad).await.expect(422);
    assert_eq!(refused.at("/reasons/0/field"), "country");
    let bad = json!({ "name": "A", "kind": "guild", "country": "LU" });
    client.post("/api/v1/organisations", &bad).await.expect(422);
}
