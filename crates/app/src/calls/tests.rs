use jiff::SignedDuration;

use super::*;
use crate::testing::TestHub;
use crate::{Role, Scope};

fn call(hub: &TestHub) -> NewCall {
    NewCall {
        key: "fast-lane-2026".parse().unwrap(),
        title: "Fast Lane 2026".to_owned(),
        mode: "fast-lane".parse().unwrap(),
        partitions: vec!["meluxina-ai.gpu".parse().unwrap()],
        opens_at: hub.app.now() + SignedDuration::from_hours(1),
        closes_at: None,
    }
}

#[tokio::test]
async fn a_call_is_seen_by_everybody_once_it_opens() {
    for hub in TestHub::each().await {
        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        let published = hub.app.publish_call(&officer, call(&hub)).await.unwrap();
        assert_eq!(published.rule.to_string(), "policy/access-modes.toml#fast-lane@2025-12-01");
        let anybody = Actor::anonymous();
        assert!(hub.app.calls(&anybody, None, 10).await.unwrap().is_empty());
        assert!(matches!(hub.app.call(&anybody, published.id).await, Err(Error::NotFound(_))));
        assert_eq!(hub.app.calls(&officer, None, 10).await.unwrap().len(), 1);
        hub.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(hub.app.call(&anybody, published.id).await.unwrap().0, published);
        let again = hub.app.publish_call(&officer, call(&hub)).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
    }
}

#[tokio::test]
async fn only_officers_publish() {
    let hub = TestHub::new().await;
    let (_, user) = hub.person("u", &[]).await;
    let refused = hub.app.publish_call(&user, call(&hub)).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::PublishCall))));
}

#[tokio::test]
async fn a_call_that_is_not_sound_is_refused_field_by_field() {
    let hub = TestHub::new().await;
    let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let new = NewCall {
        title: String::new(),
        mode: "slow-lane".parse().unwrap(),
        partitions: vec!["lumi.lumi-x".parse().unwrap()],
        closes_at: Some(hub.app.now()),
        ..call(&hub)
    };
    let Err(Error::Invalid(faults)) = hub.app.publish_call(&officer, new).await else {
        panic!("published");
    };
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["title", "closes_at", "mode", "partitions"]);
    let new = NewCall { partitions: vec!["meluxina.gpu".parse().unwrap()], ..call(&hub) };
    let Err(Error::Invalid(faults)) = hub.app.publish_call(&officer, new).await else {
        panic!("published");
    };
    assert_eq!(faults[0].text, "`meluxina.gpu` is not counted in GPU-h");
}
