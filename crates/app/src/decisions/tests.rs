use access::application::{Draft, State};
use access::document::Document;
use jiff::SignedDuration;
use units::{Cents, Payer, Work};

use crate::applications::tests::{Story, begun, draft, story};
use crate::testing::{TestHub, rules_where};
use crate::{Action, Error, Parts, Role, Scope};

use super::*;

async fn officer(hub: &TestHub) -> Actor {
    hub.person("officer", &[(Role::ProgrammeOfficer, Scope::Federation)]).await.1
}

/// The rules of the project with one text of the access modes replaced.
fn modes_with(from: &'static str, to: &'static str) -> crate::federation::Rules {
    rules_where(move |document: &mut Document| {
        if document.name.ends_with("/access-modes.toml") {
            assert!(document.text.contains(from));
            document.text = document.text.replacen(from, to, 1);
        }
    })
}

fn under(hub: &TestHub, rules: crate::federation::Rules) -> App {
    App::new(Parts { rules, ..(*hub.app.parts).clone() })
}

async fn decided(hub: &TestHub, story: &Story, draft: Draft) -> Application {
    let application = begun(hub, story, draft).await;
    hub.app.submit_application(&story.actor, application.id).await.unwrap()
}

#[tokio::test]
async fn a_decision_is_recomputed_from_its_record_though_the_policy_has_changed_since() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        let officer = officer(&hub).await;
        let application = decided(&hub, &story, draft(4_000)).await;
        let replayed = hub.app.replay_decision(&officer, application.id).await.unwrap();
        assert_eq!(replayed.differences, Vec::new());
        assert!(replayed.policy_in_force);
        assert_eq!(replayed.told[0], ("outcome".to_owned(), "awarded".to_owned()));
        assert!(replayed.told.contains(&("amount".into(), "14400000 unit-seconds".into())));

        let later = under(&hub, modes_with("{ value = 5000,", "{ value = 3000,"));
        hub.clock.advance(SignedDuration::from_hours(24 * 400));
        let officer = hub.again(&officer).await;
        let replayed = later.replay_decision(&officer, application.id).await.unwrap();
        assert_eq!(replayed.differences, Vec::new());
        assert!(!replayed.policy_in_force);
        assert!(replayed.facts.contains("\"open_awards\":0"), "{}", replayed.facts);

        let stranger = later.replay_decision(&story.actor, application.id).await;
        assert!(matches!(stranger, Err(Error::Forbidden(Action::ReplayDecision))), "{stranger:?}");
    }
}

#[tokio::test]
async fn a_record_that_does_not_follow_from_its_facts_is_told_line_by_line() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let officer = officer(&hub).await;
    let application = decided(&hub, &story, draft(4_000)).await;
    let tx = hub.app.store().write().await.unwrap();
    let mut record = records::latest(&tx, application.id).await.unwrap().unwrap();
    record.id = hub.app.clock().mint();
    record.decided_at = record.decided_at.checked_add(SignedDuration::from_secs(1)).unwrap();
    record.facts.draft.hours = Some(4_001);
    records::insert(&tx, &record).await.unwrap();
    tx.commit().await.unwrap();
    let replayed = hub.app.replay_decision(&officer, application.id).await.unwrap();
    let told: Vec<String> = replayed.differences.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["amount: 14400000 unit-seconds → 14403600 unit-seconds"]);
    let none = hub.app.replay_decision(&officer, units::ApplicationId::from_uuid(record.id)).await;
    assert!(matches!(none, Err(Error::NotFound("decision"))), "{none:?}");
}

#[tokio::test]
async fn another_policy_says_which_open_applications_it_would_decide_otherwise() {
    for hub in TestHub::each().await {
        let (ada, bob) = (story(&hub, "ada").await, story(&hub, "bob").await);
        let large = begun(&hub, &ada, draft(4_000)).await;
        begun(&hub, &bob, draft(1_000)).await;
        decided(&hub, &story(&hub, "eve").await, draft(4_500)).await;
        let now = &hub.app.rules().policy;
        assert_eq!(hub.app.decided_otherwise(now, now).await.unwrap().1.len(), 0);
        let less = modes_with("{ value = 5000,", "{ value = 3000,").policy;
        let (open, otherwise) = hub.app.decided_otherwise(now, &less).await.unwrap();
        assert_eq!((open, otherwise.len()), (2, 1));
        assert_eq!(otherwise[0].application.id, large.id);
        let told: Vec<String> = otherwise[0].lines.iter().map(ToString::to_string).collect();
        assert_eq!(told[0], "outcome: awarded → not admitted");
        assert!(
            told.last().unwrap().starts_with(
                "because of hours: 4000 GPU-h are asked; 1 to 3000 GPU-h; 3000 GPU-h would fit"
            ),
            "{told:?}"
        );
    }
}

/// Numbers that only look random: the story of a seed is always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
        u32::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Playground without a limit of awards, paid by Luxembourg, whose pool and aid run out.
async fn a_history(seed: u64) -> (TestHub, Vec<Application>) {
    let mut hub = TestHub::new().await;
    let rules = rules_where(|document| {
        if document.name.ends_with("/access-modes.toml") {
            document.text = document
                .text
                .replacen("draws_on = \"union\"", "draws_on = \"state:LU\"", 1)
                .replacen("{ value = 5000,", "{ value = 100000,", 1)
                .replacen("open_awards_max = { value = 1,", "open_awards_max = { value = 90,", 1);
        }
    });
    hub.app = under(&hub, rules);
    let mut dice = Dice(seed);
    let mut stories = Vec::new();
    for name in ["ada", "bob", "eve"] {
        stories.push(story(&hub, name).await);
    }
    let mut settled = Vec::new();
    for _ in 0..24 {
        let story = &stories[usize::try_from(dice.below(3)).unwrap()];
        let asked = Draft {
            months: Some(1 + dice.below(4)),
            partition: (dice.below(9) > 0).then(|| "meluxina-ai.gpu".parse().unwrap()),
            ..draft(1 + dice.below(100_000))
        };
        let actor = hub.again(&story.actor).await;
        let place = (story.call, story.organisation);
        let begun = hub.app.begin_application(&actor, place, asked).await.unwrap();
        match hub.app.submit_application(&actor, begun.id).await {
            Ok(application) => settled.push(application),
            Err(Error::Refused(_)) => {}
            Err(other) => panic!("seed {seed}: {other}"),
        }
        hub.clock.advance(SignedDuration::from_hours(i64::from(dice.below(24 * 9))));
    }
    (hub, settled)
}

#[tokio::test]
async fn over_any_history_no_cap_is_crossed_and_every_decision_follows_from_its_record() {
    for seed in [1, 2, 3] {
        let (hub, settled) = a_history(seed).await;
        let officer = officer(&hub).await;
        let mut awarded = 0;
        for application in &settled {
            let replayed = hub.app.replay_decision(&officer, application.id).await.unwrap();
            assert_eq!(replayed.differences, Vec::new(), "seed {seed}");
            let facts = &replayed.record.facts;
            for pool in facts.ground.iter().flat_map(|ground| &ground.pools) {
                assert!(pool.left >= Work::ZERO && pool.left <= pool.opened, "seed {seed}");
            }
            awarded += usize::from(matches!(application.state, State::Awarded { .. }));
        }
        assert!(awarded > 2 && awarded < 24, "seed {seed}: {awarded} awards");
        assert!(hub.app.check_ledger(&officer, |_| {}).await.unwrap().outcome.is_ok());
        let everything = crate::aid::AidFilter::default();
        let register = hub.app.aid_register(&officer, &everything, 200).await.unwrap();
        assert_eq!(register.len(), awarded, "seed {seed}");
        for beneficiary in register.iter().map(|it| it.line.beneficiary) {
            let its = register.iter().filter(|it| it.line.beneficiary == beneficiary);
            let sum: i64 = its.map(|it| it.line.amount.count()).sum();
            assert!(Cents::new(sum) <= Cents::euros(300_000).unwrap(), "seed {seed}: {sum}");
        }
        let key = "meluxina-ai.gpu".parse().unwrap();
        let pools = hub.app.partition_pools(&officer, &key, hub.app.now()).await.unwrap();
        let of_state = |payer| matches!(payer, Payer::State(_));
        assert!(
            pools.opened.iter().any(|(pool, left)| of_state(pool.payer) && *left >= Work::ZERO)
        );
    }
}
