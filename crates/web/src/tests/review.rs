//! From the submission to the verdict in the portal: as applicant, reviewers, operator and two
//! officers.

use app::{Role, Scope};
use serde_json::{Value, json};

use super::pages::sound;
use super::world::{Caller, World};
use crate::testing::Client;

/// A call that peers review.
pub(super) async fn large_scale(world: &World) -> String {
    let officer = world.client(Caller::Holds(Role::ProgrammeOfficer));
    let new = json!({
        "key": "large-2026", "title": "Large Scale 2026", "mode": "large-scale",
        "partitions": ["meluxina-ai.gpu"], "opens_at": "2026-11-21T00:00:00Z", "closes_at": null,
    });
    officer.post("/api/v1/calls", &new).await.expect(201).at("/id")
}

/// The world's organisation asks for 60 000 hours under such a call.
async fn submitted(world: &World) -> (String, String) {
    let call = large_scale(world).await;
    let speaker = world.client(Caller::Holds(Role::OrganisationRepresentative));
    let member =
        json!({ "name": "Grace Hopper", "email": "grace@lab.example.net", "organisation": "Lab" });
    let begin = json!({
        "organisation": world.thing("organisations"),
        "draft": {
            "title": "A larger model", "purpose": "Train on all our texts.",
            "partition": "meluxina-ai.gpu", "hours": 60_000, "months": 6,
            "duties_accepted": true, "fields": ["pe6"], "team": [member],
        },
    });
    let begun = speaker.post(&format!("/api/v1/calls/{call}/applications"), &begin).await;
    let id = begun.expect(201).at("/id");
    let submitted = speaker.post(&format!("/api/v1/applications/{id}/submit"), &Value::Null).await;
    assert_eq!(submitted.expect(200).at("/state"), "submitted");
    (call, id)
}

/// Somebody in front of the portal.
struct Desk {
    client: Client,
}

impl Desk {
    /// The page at `path`, which must be sound.
    async fn read(&self, path: &str) -> String {
        let html = self.client.get(path).await.expect(200).text();
        sound(path, &html);
        html
    }

    /// Presses a button of the page at `path`, where a button of that meaning must stand.
    async fn press(&self, path: &str, word: &str, fields: &[(&str, &str)]) -> u16 {
        let html = self.read(path).await;
        assert!(html.contains(&format!("value=\"{word}\"")), "{path} has no button {word}");
        let token = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let all = [&[("csrf", token), ("do", word)], fields].concat();
        self.client.form(path, &all).await.status.as_u16()
    }
}

#[tokio::test]
async fn an_application_goes_through_review_by_buttons_alone() {
    let world = World::new().await;
    let (call, id) = submitted(&world).await;
    let case = format!("/applications/{id}/case");
    let review = format!("/applications/{id}/review");
    let of_call = format!("/calls/{call}/review");
    let desk = |caller| Desk { client: world.browser(caller) };
    let officer = desk(Caller::Holds(Role::ProgrammeOfficer));
    let operator = desk(Caller::Holds(Role::SiteOperator));
    let speaker = desk(Caller::Holds(Role::OrganisationRepresentative));
    let second = [(Role::ProgrammeOfficer, Scope::Federation)];
    let second = Desk { client: world.web.browser("second", &second).await.1 };
    let mut judges = Vec::new();
    for name in ["ben", "cleo", "dan"] {
        let email = format!("{name}@judges.example.net");
        let reviewer = [(Role::Reviewer, Scope::Federation)];
        let (_, secret) = world.web.signed_in(&email, &reviewer).await;
        let profile = json!({ "fields": ["pe6"] });
        world.web.bearer(&secret).put("/api/v1/reviewer", &profile).await.expect(200);
        assert_eq!(officer.press(&of_call, "add", &[("email", &email)]).await, 303);
        judges.push(Desk { client: world.web.cookie(&secret) });
    }
    assert_eq!(officer.press(&of_call, "add", &[("email", "nobody@example.org")]).await, 422);
    assert_eq!(officer.press(&of_call, "ask", &[]).await, 200);
    for judge in &judges {
        assert!(judge.read("/reviews").await.contains("A larger model"));
        let page = judge.read(&review).await;
        assert!(page.contains("Grace Hopper") && !page.contains("grace@lab.example.net"));
        let half = [("score-excellence", "4.25"), ("to_applicant", "Sound.")];
        assert_eq!(judge.press(&review, "keep", &half).await, 422, "a quarter is no point");
        let whole = [
            ("score-excellence", "4,5"),
            ("score-innovation-and-impact", "4"),
            ("score-implementation", "4"),
            ("to_applicant", "Sound."),
            ("confidential", "I trust them."),
        ];
        assert_eq!(judge.press(&review, "hand-in", &whole[..2]).await, 422, "it is not complete");
        assert_eq!(judge.press(&review, "hand-in", &whole).await, 303);
    }
    assert!(officer.read(&of_call).await.contains("12.50"));
    let hidden = speaker.read(&case).await;
    assert!(!hidden.contains("Sound."), "the applicant reads nothing yet");
    assert_eq!(officer.press(&case, "release", &[]).await, 303);
    let shown = speaker.read(&case).await;
    assert!(shown.contains("Sound.") && !shown.contains("I trust them.") && !shown.contains("ben"));
    assert_eq!(speaker.press(&case, "answer", &[("text", "Thank you.")]).await, 303);
    let award = [("hours", "50000"), ("text", "well founded")];
    assert_eq!(officer.press(&case, "award", &award).await, 422, "nobody has looked technically");
    assert_eq!(operator.press(&case, "feasible", &[("text", "it fits")]).await, 303);
    assert_eq!(officer.press(&case, "award", &award).await, 303);
    let own = officer.read(&case).await;
    assert!(!own.contains("value=\"adopt\""), "a second person adopts it");
    assert_eq!(second.press(&case, "adopt", &[]).await, 303);
    assert!(!speaker.read(&case).await.contains("well founded"));
    assert_eq!(second.press(&case, "publish", &[]).await, 303);
    assert!(speaker.read(&case).await.contains("50000 hours, published"));
    let granted = speaker.client.get(&format!("/api/v1/applications/{id}")).await.expect(200);
    assert_eq!(granted.at("/state"), "awarded");
}

#[tokio::test]
async fn a_reviewer_sees_nothing_that_they_were_not_asked_to_judge() {
    let world = World::new().await;
    let (_, id) = submitted(&world).await;
    let reviewer = world.client(Caller::Holds(Role::Reviewer));
    for path in ["", "/proceedings", "/review"] {
        reviewer.get(&format!("/api/v1/applications/{id}{path}")).await.expect(404);
    }
    assert_eq!(reviewer.get("/api/v1/applications").await.expect(200).json()["items"], json!([]));
    let desk = world.browser(Caller::Holds(Role::Reviewer));
    desk.get(&format!("/applications/{id}/case")).await.expect(404);
}
