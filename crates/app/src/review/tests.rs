//! Stories from the submission to the verdict, and what each may see on the way.

use std::collections::BTreeMap;

use access::application::{Draft, Member, State};
use access::review::{Standing, Verdict};
use jiff::SignedDuration;
use units::{ApplicationId, CallId, Meter, Work};

use super::{Profile, Written, WrittenReview};
use crate::applications::tests::{Story, begun, draft, story};
use crate::calls::NewCall;
use crate::testing::TestHub;
use crate::{Actor, Error, Role, Scope};

/// A hub with a call that peers review, and an application to it.
struct World {
    hub: TestHub,
    ada: Story,
    call: CallId,
    application: ApplicationId,
    officer: Actor,
    second: Actor,
    operator: Actor,
}

fn asked() -> Draft {
    Draft {
        months: Some(6),
        fields: vec!["pe6".parse().unwrap()],
        team: vec![Member {
            name: "Grace Hopper".to_owned(),
            email: "grace@lab.example.net".to_owned(),
            organisation: "A laboratory".to_owned(),
        }],
        ..draft(60_000)
    }
}

async fn world(hub: TestHub, mode: &str) -> World {
    let mut ada = story(&hub, "ada").await;
    let federation = |role| [(role, Scope::Federation)];
    let (_, officer) = hub.person("officer", &federation(Role::ProgrammeOfficer)).await;
    let (_, second) = hub.person("second", &federation(Role::ProgrammeOfficer)).await;
    let factory = Scope::Factory("meluxina-ai".parse().unwrap());
    let (_, operator) = hub.person("operator", &[(Role::SiteOperator, factory)]).await;
    let new = NewCall {
        key: "a-call".parse().unwrap(),
        title: "A call".to_owned(),
        mode: mode.parse().unwrap(),
        partitions: vec!["meluxina-ai.gpu".parse().unwrap()],
        opens_at: hub.app.now(),
        closes_at: None,
    };
    let call = hub.app.publish_call(&officer, new).await.unwrap().id;
    ada.call = call;
    let hours = if mode == "fast-lane" { 10_000 } else { 60_000 };
    let months = if mode == "fast-lane" { 3 } else { 6 };
    let draft = Draft { hours: Some(hours), months: Some(months), ..asked() };
    let application = begun(&hub, &ada, draft).await.id;
    let submitted = hub.app.submit_application(&ada.actor, application).await.unwrap();
    assert!(matches!(submitted.state, State::Submitted { .. }));
    let clock = hub.app.decision_clock(&ada.actor, application).await.unwrap().unwrap();
    assert!(clock.decide_by > hub.app.now() && !clock.is_overdue, "{clock:?}");
    World { hub, ada, call, application, officer, second, operator }
}

impl World {
    /// A reviewer in the call's pool, who signs in with the address `name`.
    async fn reviewer(&self, name: &str, fields: &str) -> Actor {
        let (_, actor) = self.hub.person(name, &[(Role::Reviewer, Scope::Federation)]).await;
        let profile = Profile {
            fields: fields.split_whitespace().map(|it| it.parse().unwrap()).collect(),
            ..Profile::default()
        };
        self.hub.app.state_profile(&actor, profile).await.unwrap();
        self.hub.app.add_reviewer(&self.officer, self.call, name).await.unwrap();
        actor
    }

    async fn hand_in(&self, actor: &Actor, points: [&str; 3]) {
        let keys = ["excellence", "innovation-and-impact", "implementation"];
        let scores = keys.iter().zip(points);
        let scores = scores.map(|(key, points)| (key.parse().unwrap(), points.parse().unwrap()));
        let written = Written {
            scores: scores.collect::<BTreeMap<_, _>>(),
            to_applicant: "Clear and feasible.".to_owned(),
            confidential: "I know the field well.".to_owned(),
        };
        let new = WrittenReview { written, hand_in: true };
        self.hub.app.write_review(actor, self.application, new).await.unwrap();
    }

    async fn propose(&self, verdict: Verdict) -> Result<(), Error> {
        let what = (verdict, "well founded");
        self.hub.app.propose_verdict(&self.officer, self.application, what).await.map(|_| ())
    }
}

fn told(error: Error) -> Vec<String> {
    match error {
        Error::Refused(reasons) => reasons.into_iter().map(|reason| reason.text).collect(),
        other => vec![other.to_string()],
    }
}

/// Three who know the field are asked, and one who does not is left alone.
async fn asked_to_judge(world: &World) -> Vec<Actor> {
    let app = &world.hub.app;
    let mut judges = Vec::new();
    for name in ["ben@judges.example.net", "cleo@judges.example.net", "dan@judges.example.net"] {
        judges.push(world.reviewer(name, "pe6").await);
    }
    let far = world.reviewer("eve@judges.example.net", "sh1").await;
    let dry = app.arrange_reviews(&world.officer, (world.call, true), |_, _| {}).await.unwrap();
    assert_eq!(dry.assignment.pairs.len(), 3);
    assert!(app.own_reviews(&judges[0]).await.unwrap().is_empty(), "nothing was changed");
    let hidden = app.dossier(&judges[0], world.application).await;
    assert!(matches!(hidden, Err(Error::NotFound("application"))), "not asked yet");
    app.arrange_reviews(&world.officer, (world.call, false), |_, _| {}).await.unwrap();
    assert!(app.own_reviews(&far).await.unwrap().is_empty(), "three know the field better");
    let dossier = app.dossier(&judges[0], world.application).await.unwrap();
    assert_eq!(dossier.review.reason, "knows the field (pe6), no conflict found, judges 1 in all");
    judges
}

/// They differ, agree, and the application passes with 12 points.
async fn judged(world: &World, judges: &[Actor]) {
    let app = &world.hub.app;
    world.hand_in(&judges[0], ["4", "4", "4"]).await;
    world.hand_in(&judges[1], ["4.5", "4", "1"]).await;
    world.hand_in(&judges[2], ["5", "4", "4"]).await;
    let apart = &app.ranking(&world.officer, world.call).await.unwrap()[0];
    let implementation = vec!["implementation".parse().unwrap()];
    assert_eq!(apart.evaluation.as_ref().unwrap().standing, Standing::Apart(implementation));
    let keys = ["excellence", "innovation-and-impact", "implementation"];
    let agreed = keys.iter().map(|key| (key.parse().unwrap(), "4".parse().unwrap())).collect();
    let what = (agreed, "We talked: the plan was misread.");
    app.enter_agreed(&world.officer, world.application, what).await.unwrap();
    let ranking = app.ranking(&world.officer, world.call).await.unwrap();
    assert_eq!(ranking[0].place.map(|place| (place.place, place.tied)), Some((1, false)));
    assert_eq!(ranking[0].evaluation.as_ref().unwrap().total.to_string(), "12.00");
}

/// The decision can be replayed, and every step and look is in the audit trail.
async fn on_record(world: &World) {
    let app = &world.hub.app;
    let replayed = app.replay_decision(&world.officer, world.application).await.unwrap();
    assert_eq!(replayed.record.facts.granted, Some(50_000));
    assert!(replayed.differences.is_empty(), "{:?}", replayed.differences);
    let object = format!("application:{}", world.application);
    let trail = app.audit_trail(&world.officer, Some(&object), None, 50).await.unwrap();
    let actions: Vec<&str> = trail.iter().rev().map(|line| line.action.as_str()).collect();
    for action in ["verdict.propose", "verdict.adopt", "application.awarded", "verdict.publish"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
    let looks = actions.iter().filter(|action| **action == "application.look").count();
    assert_eq!(looks, 1, "the dossier was opened once");
}

#[tokio::test]
async fn an_application_is_judged_by_three_decided_by_two_and_becomes_an_allocation() {
    for hub in TestHub::each().await {
        let world = world(hub, "large-scale").await;
        let app = &world.hub.app;
        let award = Verdict::Award { hours: 50_000 };
        assert_eq!(
            told(world.propose(award).await.unwrap_err()),
            [
                "the factory has not made its technical check",
                "0 reviews are there",
                "the applicant has not been shown the reviews yet"
            ]
        );
        let judges = asked_to_judge(&world).await;
        judged(&world, &judges).await;

        let applicant = app.proceedings(&world.ada.actor, world.application).await.unwrap();
        assert!(applicant.reviews.is_empty() && applicant.evaluation.is_none());
        app.show_reviews(&world.officer, world.application).await.unwrap();
        let shown = app.proceedings(&world.ada.actor, world.application).await.unwrap();
        assert_eq!(shown.reviews.len(), 3);
        for review in &shown.reviews {
            let hidden = [&review.name, &review.reason, &review.written.confidential];
            assert!(hidden.iter().all(|text| text.is_empty()), "{review:?}");
        }
        app.answer_reviews(&world.ada.actor, world.application, "We did measure.").await.unwrap();

        let feasible = (true, "fits 16 nodes");
        app.check_technically(&world.operator, world.application, feasible).await.unwrap();
        world.propose(award).await.unwrap();
        let own = app.adopt_verdict(&world.officer, world.application).await.unwrap_err();
        assert_eq!(told(own), ["you have proposed it; a second person adopts it"]);
        let early = app.publish_verdict(&world.officer, world.application).await.unwrap_err();
        assert!(matches!(early, Error::Conflict(_)));
        app.adopt_verdict(&world.second, world.application).await.unwrap();
        let before = app.proceedings(&world.ada.actor, world.application).await.unwrap();
        assert!(before.verdict.is_none(), "applicants learn of it when it is published");

        world.hub.clock.advance(SignedDuration::from_secs(60));
        let published = app.publish_verdict(&world.officer, world.application).await.unwrap();
        let State::Awarded { allocation, .. } = published.state else {
            panic!("{:?}", published.state);
        };
        let actor = world.hub.again(&world.ada.actor).await;
        let view = app.allocation(&actor, allocation).await.unwrap();
        assert_eq!(view.allocation.amount, Work::hours(50_000).unwrap());
        assert_eq!(view.allocation.meter, Meter::Gpu);
        assert!(app.check_ledger(&world.officer, |_| {}).await.unwrap().outcome.is_ok());
        on_record(&world).await;
    }
}

#[tokio::test]
async fn hours_of_an_adopted_award_are_not_given_to_the_next() {
    let world = world(TestHub::new().await, "fast-lane").await;
    let app = &world.hub.app;
    let left = async || {
        let key = "meluxina-ai.gpu".parse().unwrap();
        let next = begun(&world.hub, &world.ada, Draft { hours: Some(10_000), ..asked() }).await;
        let checked = app.check_application(&world.ada.actor, next.id).await.unwrap();
        let pool = |it: &&access::application::Finding| it.check.to_string() == "pool";
        let finding = format!("{:?}", checked.findings.iter().find(pool).unwrap().outcome);
        let pools = app.partition_pools(&world.officer, &key, app.now()).await.unwrap();
        (finding, pools.opened.len())
    };
    let (before, _) = left().await;
    let feasible = (true, "fits");
    app.check_technically(&world.operator, world.application, feasible).await.unwrap();
    world.propose(Verdict::Award { hours: 10_000 }).await.unwrap();
    assert_eq!(left().await.0, before, "a proposal takes nothing");
    app.adopt_verdict(&world.second, world.application).await.unwrap();
    let (after, _) = left().await;
    assert_ne!(after, before, "an adopted award is set aside");
    app.return_verdict(&world.second, world.application, "the plan has changed").await.unwrap();
    assert_eq!(left().await.0, before, "what is sent back is free again");
}

#[tokio::test]
async fn a_refusal_is_appealed_against_and_another_decides_on_it() {
    let world = world(TestHub::new().await, "large-scale").await;
    let app = &world.hub.app;
    let cannot = (false, "the partition has no such nodes");
    app.check_technically(&world.operator, world.application, cannot).await.unwrap();
    let award = told(world.propose(Verdict::Award { hours: 60_000 }).await.unwrap_err());
    assert_eq!(award[0], "the technical check says that it cannot be done");
    world.propose(Verdict::Refuse).await.unwrap();
    app.adopt_verdict(&world.second, world.application).await.unwrap();
    let refused = app.publish_verdict(&world.second, world.application).await.unwrap();
    let State::Refused { reasons, .. } = refused.state else { panic!("{:?}", refused.state) };
    assert_eq!(reasons[0].found, "well founded");
    let ada = &world.ada.actor;
    app.appeal(ada, world.application, "It has: see page 3.").await.unwrap();
    let again = app.appeal(ada, world.application, "And page 4.").await;
    assert!(matches!(again, Err(Error::Conflict(_))));
    let answer = (true, "page 3 was overlooked");
    let took_part = app.decide_appeal(&world.second, world.application, answer).await.unwrap_err();
    assert_eq!(
        told(took_part),
        ["you took part in the verdict; somebody else decides on the appeal"]
    );
    let (_, third) =
        world.hub.person("third", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    app.decide_appeal(&third, world.application, answer).await.unwrap();
    let back = app.application(ada, world.application).await.unwrap();
    assert!(matches!(back.state, State::Submitted { .. }), "it waits for a new verdict");
    world.propose(Verdict::Refuse).await.unwrap();
}

#[tokio::test]
async fn an_appeal_comes_too_late_after_the_days_of_the_procedure() {
    let world = world(TestHub::new().await, "large-scale").await;
    let app = &world.hub.app;
    app.check_technically(&world.operator, world.application, (false, "no")).await.unwrap();
    world.propose(Verdict::Refuse).await.unwrap();
    app.adopt_verdict(&world.second, world.application).await.unwrap();
    app.publish_verdict(&world.second, world.application).await.unwrap();
    world.hub.clock.advance(SignedDuration::from_hours(24 * 30));
    let ada = world.hub.again(&world.ada.actor).await;
    let late = told(app.appeal(&ada, world.application, "It has.").await.unwrap_err());
    assert!(late[0].starts_with("an appeal was possible until"), "{late:?}");
}

#[tokio::test]
async fn whoever_declares_a_conflict_is_replaced_and_never_asked_again() {
    let world = world(TestHub::new().await, "large-scale").await;
    let app = &world.hub.app;
    let ben = world.reviewer("ben@judges.example.net", "pe6").await;
    for name in ["cleo@judges.example.net", "dan@judges.example.net"] {
        world.reviewer(name, "pe6").await;
    }
    app.arrange_reviews(&world.officer, (world.call, false), |_, _| {}).await.unwrap();
    app.declare_conflict(&ben, world.application, "she was my student").await.unwrap();
    assert!(app.own_reviews(&ben).await.unwrap().is_empty());
    let again = app.arrange_reviews(&world.officer, (world.call, false), |_, _| {}).await.unwrap();
    assert_eq!(again.assignment.pairs, []);
    let short = &again.assignment.short[0];
    assert_eq!((short.found, short.wanted), (2, 3));
    assert_eq!(short.conflicts.get("declared"), Some(&1));
    world.reviewer("eve@judges.example.net", "sh1").await;
    let third = app.arrange_reviews(&world.officer, (world.call, false), |_, _| {}).await.unwrap();
    assert_eq!(third.assignment.pairs.len(), 1);
}

#[tokio::test]
async fn nobody_takes_part_in_the_case_of_their_own_organisation() {
    let world = world(TestHub::new().await, "fast-lane").await;
    let own = Scope::Organisation(world.ada.organisation);
    let both = [
        (Role::ProgrammeOfficer, Scope::Federation),
        (Role::OrganisationRepresentative, own.clone()),
    ];
    let (_, both) = world.hub.person("both", &both).await;
    let app = &world.hub.app;
    app.check_technically(&world.operator, world.application, (true, "fits")).await.unwrap();
    let award = (Verdict::Award { hours: 10_000 }, "ours");
    let refused = app.propose_verdict(&both, world.application, award).await.unwrap_err();
    assert!(told(refused)[0].starts_with("you belong to the organisation that applies"));
    world.propose(Verdict::Award { hours: 10_000 }).await.unwrap();
    assert!(app.adopt_verdict(&both, world.application).await.is_err());
    let seen = app.proceedings(&both, world.application).await.unwrap();
    assert!(!seen.staff && seen.verdict.is_none(), "they read what an applicant reads");
}
