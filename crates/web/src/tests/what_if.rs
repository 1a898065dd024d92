//! What granting all that a call is asked would mean, as an officer's program reads it.

use app::Role;
use serde_json::{Value, json};

use super::pages::sound;
use super::world::{Caller, World};

/// A call of the Fast Lane under which the world's organisation asks for 50 000 hours.
async fn asked(world: &World) -> String {
    let officer = world.client(Caller::Holds(Role::ProgrammeOfficer));
    let new = json!({
        "key": "fast-lane-2026", "title": "Fast Lane 2026", "mode": "fast-lane",
        "partitions": ["meluxina-ai.gpu"], "opens_at": "2026-01-01T00:00:00Z", "closes_at": null,
    });
    let call = officer.post("/api/v1/calls", &new).await.expect(201).at("/id");
    let speaker = world.client(Caller::Holds(Role::OrganisationRepresentative));
    let begin = json!({
        "organisation": world.thing("organisations"),
        "draft": {
            "title": "A larger model", "purpose": "Train on all our texts.",
            "partition": "meluxina-ai.gpu", "hours": 50_000, "months": 3,
            "duties_accepted": true,
        },
    });
    let begun = speaker.post(&format!("/api/v1/calls/{call}/applications"), &begin).await;
    let id = begun.expect(201).at("/id");
    let submitted = speaker.post(&format!("/api/v1/applications/{id}/submit"), &Value::Null).await;
    assert_eq!(submitted.expect(200).at("/state"), "submitted");
    call
}

#[tokio::test]
async fn an_officer_reads_pools_waits_with_margins_and_a_verdict() {
    let world = World::new().await;
    let call = asked(&world).await;
    let path = format!("/api/v1/calls/{call}/what-if");
    let officer = world.client(Caller::Holds(Role::ProgrammeOfficer));
    let weighed = officer.get(&path).await.expect(200).json();
    let partition = &weighed["partitions"][0];
    assert_eq!(partition["applications"], 1);
    let pools = partition["pools"].as_array().unwrap();
    let union = pools.iter().find(|pool| pool["payer"] == "union").unwrap();
    let count = |what: &str| union[what]["unit_seconds"].as_i64().unwrap();
    assert_eq!(count("asked"), 50_000 * 3_600);
    assert_eq!(count("left"), count("hours") - count("granted") - count("asked"));
    assert!(partition["load"].as_str().unwrap().starts_with("a described population"));
    let waits = partition["waits"].as_array().unwrap();
    let of = |whom: &str, figure: &str| {
        waits.iter().find(|wait| wait["whom"] == whom && wait["figure"] == figure).unwrap()
    };
    for figure in ["mean", "median", "95th"] {
        let all = of("all", figure);
        assert!(all["before"]["margin"].is_i64() && all["difference"]["margin"].is_i64(), "{all}");
        let words = ["better", "worse", "indistinguishable"];
        assert!(words.contains(&all["verdict"].as_str().unwrap()), "{all}");
        assert!(of("applicants", figure)["before"].is_null());
    }
    assert!(!partition["verdict"].as_array().unwrap().is_empty());
    assert_eq!(weighed["rule"], "policy/what-if.toml@2026-11-01");

    let only = officer.get(&format!("{path}?partition=meluxina-ai.gpu")).await.expect(200).json();
    assert_eq!(only["partitions"][0]["pools"], partition["pools"]);
    officer.get(&format!("{path}?partition=lisa.gpu")).await.expect(404);
    officer.get(&format!("{path}?partition=what%20is%20this")).await.expect(400);

    let speaker = world.client(Caller::Holds(Role::OrganisationRepresentative));
    speaker.get(&path).await.expect(403);
}

#[tokio::test]
async fn the_page_shows_pools_at_once_and_simulates_a_partition_when_asked() {
    let world = World::new().await;
    let call = asked(&world).await;
    let officer = world.browser(Caller::Holds(Role::ProgrammeOfficer));
    let path = format!("/calls/{call}/what-if");
    assert!(officer.get(&format!("/calls/{call}")).await.expect(200).text().contains(&path));
    let pools = officer.get(&path).await.expect(200).text();
    sound(&path, &pools);
    assert!(pools.contains("one application waits for a decision"));
    assert!(pools.contains("Simulate waits") && !pools.contains("<table>"), "{pools}");
    let path = format!("{path}?partition=meluxina-ai.gpu");
    let waits = officer.get(&path).await.expect(200).text();
    sound(&path, &waits);
    assert!(waits.contains("those who apply") && waits.contains(" ± "), "{waits}");
    assert!(waits.contains("hours granted earlier and not used yet"), "{waits}");
    let speaker = world.browser(Caller::Holds(Role::OrganisationRepresentative));
    let theirs = speaker.get(&format!("/calls/{call}")).await.expect(200).text();
    assert!(!theirs.contains("/what-if"), "a link that leads nowhere for them");
}
