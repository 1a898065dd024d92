//! Programs that ask, and the people who answer.

use super::*;
use crate::identity::NewToken;
use crate::testing::TestHub;

/// The rule by which a program gets no token.
async fn refused(hub: &TestHub, device: &Secret) -> String {
    match hub.app.collect_device(device).await {
        Err(Error::Refused(reasons)) => reasons.into_iter().map(|reason| reason.rule).collect(),
        other => panic!("{other:?}"),
    }
}

fn wait(hub: &TestHub, seconds: i64) {
    hub.clock.advance(SignedDuration::from_secs(seconds));
}

#[tokio::test]
async fn a_program_gets_its_token_once_after_the_person_said_yes() {
    for hub in TestHub::each().await {
        let (id, ada) = hub.person("ada", &[]).await;
        let asked = hub.app.ask_for_device("command line on x", "192.0.2.7").await.unwrap();
        assert_eq!(refused(&hub, &asked.device).await, "authorization_pending");
        // However it is typed.
        let typed = asked.code.to_lowercase().replace('-', " ");
        let seen = hub.app.device_waiting(&ada, &typed).await.unwrap();
        assert_eq!((seen.name.as_str(), seen.address.as_str()), ("command line on x", "192.0.2.7"));
        assert!(!format!("{seen:?}").contains(&asked.code), "the code is kept as a hash");
        hub.app.answer_device(&ada, &asked.code, true).await.unwrap();
        let twice = hub.app.answer_device(&ada, &asked.code, false).await;
        assert!(matches!(twice, Err(Error::NotFound(_))), "{twice:?}");
        wait(&hub, 3);
        let (token, secret) = hub.app.collect_device(&asked.device).await.unwrap();
        assert_eq!(token.name, "command line on x");
        let session = hub.app.authenticate(&secret).await.unwrap();
        assert_eq!(session.actor.person_id().unwrap(), id);
        assert_eq!(hub.app.tokens(&ada).await.unwrap()[0].id, token.id, "it is in her list");
        assert_eq!(refused(&hub, &asked.device).await, "expired_token", "it was fetched");
        hub.app.revoke_token(&ada, token.id).await.unwrap();
        assert!(hub.app.authenticate(&secret).await.is_err());
    }
}

#[tokio::test]
async fn a_no_and_silence_give_nothing() {
    for hub in TestHub::each().await {
        let (_, ada) = hub.person("ada", &[]).await;
        let asked = hub.app.ask_for_device("x", "192.0.2.7").await.unwrap();
        hub.app.answer_device(&ada, &asked.code, false).await.unwrap();
        assert_eq!(refused(&hub, &asked.device).await, "access_denied");
        assert_eq!(refused(&hub, &asked.device).await, "expired_token");
        let late = hub.app.ask_for_device("x", "192.0.2.7").await.unwrap();
        wait(&hub, 601);
        let answered = hub.app.answer_device(&ada, &late.code, true).await;
        assert!(matches!(answered, Err(Error::NotFound(_))), "{answered:?}");
        assert_eq!(refused(&hub, &late.device).await, "expired_token");
    }
}

#[tokio::test]
async fn who_asks_too_often_waits_longer() {
    let hub = TestHub::new().await;
    let asked = hub.app.ask_for_device("x", "192.0.2.7").await.unwrap();
    assert_eq!(refused(&hub, &asked.device).await, "authorization_pending");
    wait(&hub, 1);
    assert_eq!(refused(&hub, &asked.device).await, "slow_down");
    wait(&hub, asked.interval_seconds + 1);
    assert_eq!(refused(&hub, &asked.device).await, "slow_down", "five seconds more than before");
    wait(&hub, asked.interval_seconds + 11);
    assert_eq!(refused(&hub, &asked.device).await, "authorization_pending");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have_and_no_closed_account_gets_a_token() {
    let hub = TestHub::new().await;
    let (id, ada) = hub.person("ada", &[]).await;
    let asked = hub.app.ask_for_device("x", "192.0.2.7").await.unwrap();
    let narrow = NewToken { name: "n".to_owned(), abilities: vec![Ability::Administer], days: 1 };
    let (_, secret) = hub.app.create_token(&ada, narrow).await.unwrap();
    let narrow = hub.app.authenticate(&secret).await.unwrap().actor;
    let answered = hub.app.answer_device(&narrow, &asked.code, true).await;
    assert!(matches!(answered, Err(Error::Forbidden(_))), "{answered:?}");
    let nobody = hub.app.device_waiting(&Actor::anonymous(), &asked.code).await;
    assert!(matches!(nobody, Err(Error::NotSignedIn)), "{nobody:?}");
    hub.app.answer_device(&ada, &asked.code, true).await.unwrap();
    let administrator = [(crate::Role::Administrator, crate::Scope::Federation)];
    let (_, root) = hub.person("root", &administrator).await;
    hub.app.set_access(&root, id, crate::identity::Access::Closed).await.unwrap();
    assert_eq!(refused(&hub, &asked.device).await, "access_denied");
}

#[test]
fn a_code_has_eight_letters_that_make_no_word() {
    for _ in 0..50 {
        let code = letters().unwrap();
        assert_eq!(code.len(), 8);
        assert!(code.bytes().all(|letter| LETTERS.contains(&letter)), "{code}");
    }
    assert_eq!(plain(" wdjb-mjht "), "WDJBMJHT");
}
