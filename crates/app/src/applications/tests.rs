use access::application::{Check, Outcome};
use jiff::SignedDuration;
use units::{Meter, Work};

use super::*;
use crate::Role;
use crate::organisations::NewOrganisation;
use crate::organisations::tests::enterprise;
use crate::testing::{TestHub, small_enterprise};

/// A start-up that has declared its data, its representative, and the Playground call.
pub(crate) struct Story {
    pub(crate) actor: Actor,
    pub(crate) organisation: OrganisationId,
    pub(crate) call: CallId,
}

pub(crate) async fn story(hub: &TestHub, name: &str) -> Story {
    hub.app.keep_house().await.unwrap();
    let (_, actor) = hub.person(name, &[]).await;
    let organisation = hub.app.register_organisation(&actor, enterprise(name)).await.unwrap().id;
    let actor = hub.again(&actor).await;
    hub.app.declare(&actor, organisation, small_enterprise()).await.unwrap();
    let call = hub.app.calls(&actor, None, 10).await.unwrap()[0].id;
    Story { actor, organisation, call }
}

pub(crate) fn draft(hours: u32) -> Draft {
    Draft {
        title: "A small model".to_owned(),
        purpose: "Train it on our manuals".to_owned(),
        partition: Some("meluxina-ai.gpu".parse().unwrap()),
        hours: Some(hours),
        months: Some(3),
        duties_accepted: true,
        ..Draft::default()
    }
}

pub(crate) async fn begun(hub: &TestHub, story: &Story, draft: Draft) -> Application {
    let place = (story.call, story.organisation);
    hub.app.begin_application(&story.actor, place, draft).await.unwrap()
}

#[tokio::test]
async fn a_start_up_applies_and_has_hours_from_the_unions_pool_at_once() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        let application = begun(&hub, &story, draft(5_000)).await;
        let checked = hub.app.check_application(&story.actor, application.id).await.unwrap();
        assert!(checked.findings.iter().all(Finding::passed), "{:?}", checked.findings);

        let decided = hub.app.submit_application(&story.actor, application.id).await.unwrap();
        let State::Awarded { project, allocation, .. } = decided.state else {
            panic!("{:?}", decided.state);
        };
        assert_eq!(
            hub.app.application(&story.actor, application.id).await.unwrap().state,
            decided.state
        );
        let actor = hub.again(&story.actor).await;
        assert_eq!(hub.app.project(&actor, project).await.unwrap().title, "A small model");
        let view = hub.app.allocation(&actor, allocation).await.unwrap();
        assert_eq!(view.allocation.stage(hub.app.now()).name(), "active");
        assert_eq!(view.allocation.meter, Meter::Gpu);
        let union = view.balance.get(&units::Payer::Union).unwrap();
        assert_eq!(union.available, Work::hours(5_000).unwrap());
        assert_eq!(view.balance.len(), 1);

        let key = "meluxina-ai.gpu".parse().unwrap();
        let pools = hub.app.partition_pools(&actor, &key, hub.app.now()).await.unwrap();
        let (pool, left) =
            pools.opened.iter().find(|(pool, _)| pool.payer == units::Payer::Union).unwrap();
        assert_eq!(pool.amount.minus(*left), Work::hours(5_000));
        let next = begun(&hub, &story, draft(1)).await;
        let checked = hub.app.check_application(&story.actor, next.id).await.unwrap();
        let share = checked.findings.iter().find(|finding| finding.check == Check::ModeShare);
        let Outcome::Passed(text) = &share.unwrap().outcome else { panic!("{share:?}") };
        assert!(text.starts_with("106 283.20 GPU-h are left of 10 %"), "{text}");

        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        assert!(hub.app.check_ledger(&officer, |_| {}).await.unwrap().outcome.is_ok());
        let trail = hub
            .app
            .audit_trail(&officer, Some(&format!("application:{}", application.id)), None, 10)
            .await
            .unwrap();
        let awarded = trail.iter().find(|line| line.action == "application.awarded").unwrap();
        assert_eq!(awarded.rule, "policy/access-modes.toml#playground@2025-12-01");
    }
}

#[tokio::test]
async fn what_does_not_fit_stays_a_draft_with_reasons() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let application = begun(&hub, &story, draft(5_001)).await;
    let Err(Error::Refused(reasons)) =
        hub.app.submit_application(&story.actor, application.id).await
    else {
        panic!("not refused");
    };
    assert_eq!(reasons[0].text, "5001 GPU-h are asked; 1 to 5000 GPU-h; 5000 GPU-h would fit");
    assert_eq!(reasons[0].rule, "policy/access-modes.toml#playground@2025-12-01/hours");
    let still = hub.app.application(&story.actor, application.id).await.unwrap();
    assert_eq!(still.state, State::Draft);
    let fixed = hub
        .app
        .write_application(&story.actor, application.id, (draft(5_000), still.version))
        .await
        .unwrap();
    let late =
        hub.app.write_application(&story.actor, application.id, (draft(1), still.version)).await;
    assert!(matches!(late, Err(Error::Conflict(_))));
    assert_eq!(fixed.version, 2);
    let decided = hub.app.submit_application(&story.actor, application.id).await.unwrap();
    assert!(matches!(decided.state, State::Awarded { .. }));
    let twice = hub.app.submit_application(&story.actor, application.id).await;
    assert!(matches!(twice, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_second_award_waits_until_the_first_has_ended() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        let first = begun(&hub, &story, draft(100)).await;
        let second = begun(&hub, &story, draft(100)).await;
        hub.app.submit_application(&story.actor, first.id).await.unwrap();
        let Err(Error::Refused(reasons)) =
            hub.app.submit_application(&story.actor, second.id).await
        else {
            panic!("two open awards");
        };
        assert!(reasons[0].rule.ends_with("/open-awards"), "{reasons:?}");
        hub.clock.advance(SignedDuration::from_hours(24 * 93));
        let actor = hub.again(&story.actor).await;
        let decided = hub.app.submit_application(&actor, second.id).await.unwrap();
        assert!(matches!(decided.state, State::Awarded { .. }), "{:?}", decided.state);
        let done = hub.app.keep_house().await.unwrap();
        assert_eq!(done.allocations_lapsed, 1);
        assert_eq!(hub.app.keep_house().await.unwrap().allocations_lapsed, 0);
        let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
        assert!(hub.app.check_ledger(&officer, |_| {}).await.unwrap().outcome.is_ok());
    }
}

#[tokio::test]
async fn submissions_at_one_moment_never_take_more_than_is_allowed() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let application = begun(&hub, &story, draft(1_000)).await;
            let (app, actor) = (hub.app.clone(), story.actor.clone());
            tasks.spawn(async move { app.submit_application(&actor, application.id).await });
        }
        let mut awarded = 0;
        while let Some(outcome) = tasks.join_next().await {
            match outcome.unwrap() {
                Ok(application) => {
                    assert!(matches!(application.state, State::Awarded { .. }));
                    awarded += 1;
                }
                Err(Error::Refused(reasons)) => {
                    assert!(reasons[0].rule.ends_with("/open-awards"), "{reasons:?}");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(awarded, 1);
    }
}

#[tokio::test]
async fn a_draft_is_its_organisations_affair() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let application = begun(&hub, &story, draft(100)).await;
    let (_, officer) = hub.person("o", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let (_, stranger) = hub.person("s", &[]).await;
    for other in [&officer, &stranger] {
        let seen = hub.app.application(other, application.id).await;
        assert!(matches!(seen, Err(Error::NotFound("application"))), "{seen:?}");
        let listed = hub.app.applications(other, Filter::default(), 10).await.unwrap();
        assert!(listed.is_empty());
    }
    let own = hub.app.applications(&story.actor, Filter::default(), 10).await.unwrap();
    assert_eq!(own.len(), 1);
    hub.app.submit_application(&story.actor, application.id).await.unwrap();
    assert!(hub.app.application(&officer, application.id).await.is_ok());
    assert!(hub.app.application(&stranger, application.id).await.is_err());
    assert_eq!(hub.app.applications(&officer, Filter::default(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_undeclared_enterprise_is_told_what_to_do() {
    let hub = TestHub::new().await;
    hub.app.keep_house().await.unwrap();
    let (_, actor) = hub.person("ada", &[]).await;
    let new = NewOrganisation {
        country: "US".parse().unwrap(),
        registered_on: None,
        ..enterprise("Aurore")
    };
    let organisation = hub.app.register_organisation(&actor, new).await.unwrap().id;
    let actor = hub.again(&actor).await;
    let call = hub.app.calls(&actor, None, 10).await.unwrap()[0].id;
    let story = Story { actor, organisation, call };
    let application = begun(&hub, &story, Draft::default()).await;
    let checked = hub.app.check_application(&story.actor, application.id).await.unwrap();
    let outcome = |check| {
        let found = checked.findings.iter().find(|finding| finding.check == check);
        found.unwrap().outcome.clone()
    };
    assert!(matches!(outcome(Check::Free), Outcome::Open(text) if text.contains("declare")));
    assert!(matches!(outcome(Check::Country), Outcome::Failed(_)));
    assert!(matches!(outcome(Check::Title), Outcome::Open(_)));
}

#[tokio::test]
async fn an_application_can_be_withdrawn_until_it_is_decided() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let application = begun(&hub, &story, draft(100)).await;
    let withdrawn = hub.app.withdraw_application(&story.actor, application.id).await.unwrap();
    assert_eq!(withdrawn.state.name(), "withdrawn");
    let submitted = hub.app.submit_application(&story.actor, application.id).await;
    assert!(matches!(submitted, Err(Error::Conflict(_))));
    let decided = begun(&hub, &story, draft(100)).await;
    hub.app.submit_application(&story.actor, decided.id).await.unwrap();
    let late = hub.app.withdraw_application(&story.actor, decided.id).await;
    assert!(matches!(late, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn more_hours_join_the_project_they_are_asked_for() {
    for hub in TestHub::each().await {
        let mine = story(&hub, "ada").await;
        let first = begun(&hub, &mine, draft(1_000)).await;
        let first = hub.app.submit_application(&mine.actor, first.id).await.unwrap();
        let State::Awarded { project, .. } = first.state else {
            panic!("not awarded: {:?}", first.state);
        };
        let ada = hub.again(&mine.actor).await;
        let more = Draft { project: Some(project), ..draft(500) };
        let asked = hub.app.begin_application(&ada, (mine.call, mine.organisation), more).await;
        let asked = asked.unwrap();
        assert_eq!(hub.app.application(&ada, asked.id).await.unwrap().draft.project, Some(project));
        // The mode gives one award at a time, so the first has to be over.
        hub.clock.advance(SignedDuration::from_hours(24 * 100));
        hub.app.keep_house().await.unwrap();
        let decided = hub.app.submit_application(&ada, asked.id).await.unwrap();
        let State::Awarded { project: joined, .. } = decided.state else {
            panic!("not awarded: {:?}", decided.state);
        };
        assert_eq!(joined, project);
        assert_eq!(
            hub.app.projects(&ada, crate::projects::Filter::default(), 10).await.unwrap().len(),
            1
        );
        assert_eq!(hub.app.project_allocations(&ada, project).await.unwrap().len(), 2);

        let other = story(&hub, "bob").await;
        let theirs = Draft { project: Some(project), ..draft(500) };
        let place = (other.call, other.organisation);
        let refused = hub.app.begin_application(&other.actor, place, theirs).await.unwrap_err();
        assert!(refused.to_string().contains("has no project"), "{refused}");
    }
}
