//! Alerts over the API and on the portal's page of a project.

use app::{Role, Scope};
use jiff::SignedDuration;

use super::world::World;

#[tokio::test]
async fn an_alert_is_listed_by_the_api_and_told_on_the_page_in_both_languages() {
    let world = World::new().await;
    let project = world.thing("projects");
    world.web.hub.clock.advance(SignedDuration::from_hours(24 * 60));
    world.web.app().keep_house().await.unwrap();
    // Sessions of the story have ended by now.
    let member = [(Role::User, Scope::Project(project.parse().unwrap()))];
    let (_, secret) = world.web.signed_in("late", &member).await;

    let program = world.web.bearer(&secret);
    let alerts = program.get(&format!("/api/v1/projects/{project}/alerts")).await.expect(200);
    let alerts = alerts.json()["items"].as_array().unwrap().clone();
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!(alert["threshold"], "unused-at-end");
    assert_eq!(alert["rule"], "policy/alerts.toml#unused-at-end@2026-11-01");
    assert_eq!(alert["allocation"], world.thing("allocations"));
    assert!(alert["amount"]["unit_seconds"].as_i64().unwrap() > 4_000 * 3_600);

    let browser = world.web.cookie(&secret);
    for (language, said) in
        [("en", "More than 25\u{a0}% are likely"), ("fr", "Plus de 25\u{a0}% des heures")]
    {
        let headers = [("accept-language", language)];
        let path = format!("/projects/{project}");
        let answer =
            browser.send(axum::http::Method::GET, &path, &headers, axum::body::Body::empty());
        let html = answer.await.expect(200).text();
        assert!(html.contains(said), "{html}");
    }
}
