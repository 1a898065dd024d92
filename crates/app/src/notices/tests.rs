use access::application::State;
use jiff::SignedDuration;
use units::{AllocationId, PersonId};

use super::*;
use crate::allocations::Change;
use crate::applications::tests::{Story, begun, draft, story};
use crate::testing::TestHub;
use crate::{Parts, Role, Scope};

/// What was told somebody, oldest first.
async fn told(hub: &TestHub, actor: &Actor) -> Vec<String> {
    let inbox = hub.app.inbox(actor, (false, None), 50).await.unwrap();
    inbox.into_iter().rev().map(|it| it.notice.kind).collect()
}

async fn awarded(hub: &TestHub, story: &Story) -> AllocationId {
    let application = begun(hub, story, draft(500)).await;
    let decided = hub.app.submit_application(&story.actor, application.id).await.unwrap();
    let State::Awarded { allocation, .. } = decided.state else { panic!("{:?}", decided.state) };
    allocation
}

fn later(hub: &TestHub, seconds: i64) {
    hub.clock.advance(SignedDuration::from_secs(seconds));
}

/// The same hub with a mail server.
fn with_mail(hub: &mut TestHub) {
    let post = Outlets { mail_server: Some("mail.example:587".to_owned()), private_webhooks: true };
    hub.app = App::new(Parts { post, ..(*hub.app.parts).clone() });
}

async fn officer(hub: &TestHub) -> Actor {
    hub.person("officer", &[(Role::ProgrammeOfficer, Scope::Federation)]).await.1
}

#[tokio::test]
async fn a_change_is_told_to_those_it_concerns_and_to_nobody_else() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        let officer = officer(&hub).await;
        let (_, stranger) = hub.person("eve", &[]).await;
        let before = told(&hub, &story.actor).await;
        let allocation = awarded(&hub, &story).await;
        later(&hub, 1);
        let why = "the report is overdue";
        hub.app.change_allocation(&officer, allocation, (Change::Suspend, why)).await.unwrap();
        let new = told(&hub, &story.actor).await.split_off(before.len());
        assert_eq!(new, ["application.awarded", "allocation.suspended"]);
        let inbox = hub.app.inbox(&story.actor, (true, None), 1).await.unwrap();
        assert_eq!(inbox[0].notice.facts["reason"], Fact::Text(why.to_owned()));
        assert_eq!(told(&hub, &officer).await, ["role.given"], "who did it knows");
        assert_eq!(told(&hub, &stranger).await, [""; 0]);
    }
}

#[tokio::test]
async fn whatever_moment_a_hub_is_killed_in_a_change_is_told_exactly_when_it_was_made() {
    let hub = TestHub::new().await;
    let story = story(&hub, "ada").await;
    let officer = officer(&hub).await;
    let allocation = awarded(&hub, &story).await;
    later(&hub, 1);
    let (mut lost, mut statements) = (0, 0);
    loop {
        let hub = hub.copy().await;
        let change = hub.app.change_allocation(&officer, allocation, (Change::Suspend, "why"));
        hub.app.store().fuse().set(statements);
        let killed = tokio::select! {
            done = change => { done.unwrap(); false }
            () = hub.app.store().fuse().blown() => true,
        };
        hub.app.store().fuse().mend();
        let suspended = hub.app.allocation(&story.actor, allocation).await.unwrap();
        let suspended = usize::from(suspended.allocation.suspended.is_some());
        let news = told(&hub, &story.actor).await;
        let news = news.iter().filter(|kind| *kind == "allocation.suspended").count();
        assert_eq!(news, suspended, "killed before statement {statements}");
        if !killed {
            break;
        }
        lost += 1;
        statements += 3;
    }
    assert!(lost > 5, "{lost}");
}

#[tokio::test]
async fn letters_leave_at_once_daily_or_never_as_their_reader_wants() {
    for mut hub in TestHub::each().await {
        with_mail(&mut hub);
        let story = story(&hub, "ada").await;
        let settle = async |hub: &TestHub, failure: Option<&Failure>| {
            for letter in hub.app.letters_due().await.unwrap() {
                hub.app.settle_letter(&letter, failure).await.unwrap();
            }
        };
        settle(&hub, None).await;
        let choose = async |mail| {
            let settings = NoticeSettings { language: "fr".to_owned(), mail, calls: false };
            hub.app.set_notice_settings(&story.actor, &settings).await.unwrap();
        };
        choose(ByMail::Daily).await;
        awarded(&hub, &story).await;
        give_role(&hub, story.actor.person_id().unwrap()).await;
        assert_eq!(hub.app.letters_due().await.unwrap(), []);
        later(&hub, 24 * 3_600);
        let due = hub.app.letters_due().await.unwrap();
        let [letter] = due.as_slice() else { panic!("{due:?}") };
        assert_eq!((letter.notices.len(), letter.language.as_str()), (2, "fr"));
        settle(&hub, None).await;
        let ada = hub.again(&story.actor).await;
        let story = Story { actor: ada, ..story };
        let settings = NoticeSettings { mail: ByMail::No, ..NoticeSettings::default() };
        hub.app.set_notice_settings(&story.actor, &settings).await.unwrap();
        let officer = officer(&hub).await;
        settle(&hub, None).await;
        let (_, operator) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
        let health = hub.app.post_health(&operator).await.unwrap();
        assert_eq!((health.letters.waiting, health.letters.unsent), (1, 0), "the operator's role");
        assert!(matches!(hub.app.post_health(&officer).await, Err(Error::Forbidden(_))));
    }
}

#[tokio::test]
async fn a_letter_that_fails_is_tried_for_three_days_and_then_given_up_where_the_operator_sees() {
    let mut hub = TestHub::new().await;
    with_mail(&mut hub);
    let (_, root) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    let failure = Failure { text: "connection refused".to_owned(), for_good: false };
    let begun = hub.app.now();
    let mut tries = 0;
    while hub.app.now().duration_since(begun).as_hours() < 100 {
        for letter in hub.app.letters_due().await.unwrap() {
            tries += 1;
            hub.app.settle_letter(&letter, Some(&failure)).await.unwrap();
        }
        later(&hub, 600);
    }
    assert_eq!(tries, 10);
    let root = hub.again(&root).await;
    let health = hub.app.post_health(&root).await.unwrap();
    assert_eq!((health.letters.waiting, health.letters.unsent), (0, 1));
    assert_eq!(health.unsent[0].error, "connection refused");
    assert_eq!(told(&hub, &root).await, ["role.given"], "the inbox has it all the same");
}

#[tokio::test]
async fn without_a_mail_server_nothing_waits_for_one() {
    let hub = TestHub::new().await;
    let (_, root) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    assert_eq!(hub.app.letters_due().await.unwrap(), []);
    let health = hub.app.post_health(&root).await.unwrap();
    assert_eq!((health.mail_server, health.letters.waiting, health.letters.unsent), (None, 0, 1));
}

#[tokio::test]
async fn a_webhook_that_fails_for_three_days_is_switched_off_and_its_owner_is_told() {
    for mut hub in TestHub::each().await {
        with_mail(&mut hub);
        let (ada, own) = hub.person("ada", &[]).await;
        let (webhook, secret) = hub.app.add_webhook(&own, "http://10.0.0.1/hook").await.unwrap();
        assert!(secret.starts_with("whsec_"));
        let (_, eve) = hub.person("eve", &[]).await;
        let foreign = hub.app.test_webhook(&eve, webhook.id).await;
        assert!(matches!(foreign, Err(Error::NotFound("webhook"))), "{foreign:?}");
        hub.app.test_webhook(&own, webhook.id).await.unwrap();
        let failure = Failure { text: "it answered 500".to_owned(), for_good: false };
        for _ in 0..500 {
            for parcel in hub.app.parcels_due().await.unwrap() {
                let failed = (Some(500), Some(&failure));
                hub.app.settle_parcel(&parcel, failed).await.unwrap();
            }
            later(&hub, 600);
        }
        let own = hub.again(&own).await;
        let [off] = &hub.app.webhooks(&own).await.unwrap()[..] else { panic!() };
        assert!(off.disabled_at.is_some());
        assert_eq!(told(&hub, &own).await, ["webhook.disabled"]);
        give_role(&hub, ada).await;
        assert_eq!(hub.app.parcels_due().await.unwrap().len(), 0, "nothing is sent there");

        hub.app.test_webhook(&own, webhook.id).await.unwrap();
        for parcel in hub.app.parcels_due().await.unwrap() {
            hub.app.settle_parcel(&parcel, (Some(204), None)).await.unwrap();
        }
        let [on] = &hub.app.webhooks(&own).await.unwrap()[..] else { panic!() };
        assert_eq!((on.disabled_at, on.failing_since), (None, None));
        let sent = hub.app.deliveries(&own, webhook.id).await.unwrap();
        let states: Vec<_> = sent.iter().map(|it| it.state).collect();
        assert_eq!(states, [DeliveryState::Delivered, DeliveryState::GivenUp]);
    }
}

async fn give_role(hub: &TestHub, person: PersonId) {
    let grant = crate::Grant { role: Role::Reviewer, scope: Scope::Federation };
    let tx = hub.app.store().write().await.unwrap();
    hub.app.grant(&tx, &Actor::system(), person, grant).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_time_brings_is_told_once_however_often_the_house_is_kept() {
    for hub in TestHub::each().await {
        let story = story(&hub, "ada").await;
        awarded(&hub, &story).await;
        let before = told(&hub, &story.actor).await.len();
        let mut all = Vec::new();
        for days in [93, 1, 90, 1] {
            later(&hub, days * 24 * 3_600);
            hub.app.keep_house().await.unwrap();
            all = told(&hub, &hub.again(&story.actor).await).await.split_off(before);
        }
        all.retain(|kind| kind.starts_with("report."));
        assert_eq!(all, ["report.due", "report.overdue"]);
    }
}

#[tokio::test]
async fn a_call_is_told_to_those_who_follow_calls_when_it_opens_and_before_it_closes() {
    let hub = TestHub::new().await;
    let officer = officer(&hub).await;
    let (_, follower) = hub.person("ada", &[]).await;
    let (_, other) = hub.person("bob", &[]).await;
    let settings = NoticeSettings { calls: true, ..NoticeSettings::default() };
    hub.app.set_notice_settings(&follower, &settings).await.unwrap();
    let opens_at = hub.app.now() + SignedDuration::from_hours(2);
    let new = crate::calls::NewCall {
        key: "spring".parse().unwrap(),
        title: "Spring".to_owned(),
        mode: "fast-lane".parse().unwrap(),
        partitions: vec!["meluxina-ai.gpu".parse().unwrap()],
        opens_at,
        closes_at: Some(opens_at + SignedDuration::from_hours(24 * 30)),
    };
    hub.app.publish_call(&officer, new).await.unwrap();
    let spring = async |hub: &TestHub, actor: &Actor| {
        let actor = hub.again(actor).await;
        let inbox = hub.app.inbox(&actor, (false, None), 50).await.unwrap();
        let about = |it: &InboxRecord| it.notice.facts["title"] == Fact::Text("Spring".to_owned());
        inbox
            .iter()
            .rev()
            .filter(|it| about(it))
            .map(|it| it.notice.kind.clone())
            .collect::<Vec<_>>()
    };
    hub.app.keep_house().await.unwrap();
    assert_eq!(spring(&hub, &follower).await, [""; 0]);
    for (hours, expected) in [
        (3, &["call.opened"][..]),
        (24 * 20, &["call.opened"]),
        (24 * 4, &["call.opened", "call.closing"]),
        (24 * 10, &["call.opened", "call.closing"]),
    ] {
        later(&hub, hours * 3_600);
        hub.app.keep_house().await.unwrap();
        assert_eq!(spring(&hub, &follower).await, expected);
    }
    assert_eq!(spring(&hub, &other).await, [""; 0]);
}
