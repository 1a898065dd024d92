//! Whose an identity becomes: stories of people and of those who want to be them.

use jiff::SignedDuration;

use super::*;
use crate::identity::NewAccount;
use crate::testing::{PASSWORD, TestHub};
use crate::{Role, Scope, Secret};

const EMPLOYED: &str = "https://refeds.org/assurance/IAP/medium";

fn vouched(subject: &str, email: &str) -> Vouched {
    Vouched {
        provider: "myaccessid".parse().unwrap(),
        issuer: "https://proxy.example.eu".to_owned(),
        subject: subject.to_owned(),
        claims: Claims {
            name: Some("Ada Lovelace".to_owned()),
            email: Some(email.to_owned()),
            email_verified: true,
            ..Claims::default()
        },
    }
}

fn careful() -> Trust {
    Trust { addresses: false, newcomers: true, assurance: Vec::new() }
}

fn trusting() -> Trust {
    Trust { addresses: true, ..careful() }
}

/// The rule by which it was refused.
#[track_caller]
fn rule<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused(reasons)) => reasons.into_iter().map(|reason| reason.rule).collect(),
        other => panic!("{other:?}"),
    }
}

async fn actor(hub: &TestHub, opened: &Opened) -> Actor {
    hub.app.authenticate(&opened.secret).await.unwrap().actor
}

#[tokio::test]
async fn a_newcomer_gets_an_account_and_is_the_same_person_ever_after() {
    for hub in TestHub::each().await {
        let first = vouched("ada-1", "Ada@Example.org");
        let opened = hub.app.sign_in_vouched(&first, &careful()).await.unwrap();
        let ada = actor(&hub, &opened).await;
        assert_eq!(hub.app.me(&ada).await.unwrap().email, "ada@example.org");
        hub.clock.advance(SignedDuration::from_hours(1));
        // Another address and no name later: the identity is still hers.
        let mut later = vouched("ada-1", "countess@example.net");
        later.claims.name = None;
        let again = hub.app.sign_in_vouched(&later, &careful()).await.unwrap();
        assert_eq!(again.person, opened.person);
        let [identity] = &hub.app.identities(&ada).await.unwrap()[..] else { panic!("one") };
        assert_eq!(identity.claims, later.claims, "what was said last is kept");
        assert!(identity.seen_at > identity.linked_at);
        assert_eq!(hub.app.me(&ada).await.unwrap().email, "ada@example.org");
    }
}

#[tokio::test]
async fn an_existing_account_is_not_had_by_its_address_unless_the_provider_is_trusted_for_that() {
    let hub = TestHub::new().await;
    let (_, ada) = hub.person("ada", &[]).await;
    let by = vouched("ada-1", "ada@example.org");
    let refused = hub.app.sign_in_vouched(&by, &careful()).await;
    assert_eq!(rule(refused), "sign-in.account-exists");
    // She adds it herself, and then it signs her in.
    hub.app.link_vouched(&ada, &by, &careful()).await.unwrap();
    let opened = hub.app.sign_in_vouched(&by, &careful()).await.unwrap();
    assert_eq!(opened.person, ada.person_id().unwrap());
    let (_, eve) = hub.person("eve", &[]).await;
    let stolen = hub.app.link_vouched(&eve, &by, &careful()).await;
    assert_eq!(rule(stolen), "identity.other-person");
}

#[tokio::test]
async fn who_made_an_account_for_an_address_of_others_loses_it_to_whom_it_is_verified_for() {
    for hub in TestHub::each().await {
        let account = NewAccount {
            email: "ada@example.org".to_owned(),
            name: "not Ada".to_owned(),
            password: PASSWORD.to_owned(),
        };
        hub.app.register(&Actor::anonymous(), account).await.unwrap();
        let squatter = hub.app.sign_in("ada@example.org", PASSWORD.to_owned()).await.unwrap();
        let by = vouched("ada-1", "ada@example.org");
        let opened = hub.app.sign_in_vouched(&by, &trusting()).await.unwrap();
        assert_eq!(opened.person, squatter.person);
        assert!(hub.app.authenticate(&squatter.secret).await.is_err(), "the session has ended");
        let password = hub.app.sign_in("ada@example.org", PASSWORD.to_owned()).await;
        assert!(password.is_err(), "the password opens nothing");
        hub.app.authenticate(&opened.secret).await.unwrap();
    }
}

#[tokio::test]
async fn accounts_of_staff_and_those_with_an_identity_are_not_had_by_an_address() {
    let hub = TestHub::new().await;
    hub.person("officer", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let refused = hub.app.sign_in_vouched(&vouched("o", "officer@example.org"), &trusting()).await;
    assert_eq!(rule(refused), "sign-in.account-exists");
    hub.app.sign_in_vouched(&vouched("a", "ada@example.org"), &trusting()).await.unwrap();
    let second = hub.app.sign_in_vouched(&vouched("b", "ada@example.org"), &trusting()).await;
    assert_eq!(rule(second), "sign-in.account-exists");
}

#[tokio::test]
async fn an_address_that_nobody_verified_makes_no_account() {
    let hub = TestHub::new().await;
    let mut by = vouched("ada-1", "ada@example.org");
    by.claims.email_verified = false;
    assert_eq!(rule(hub.app.sign_in_vouched(&by, &trusting()).await), "sign-in.address");
    by.claims.email = None;
    assert_eq!(rule(hub.app.sign_in_vouched(&by, &trusting()).await), "sign-in.address");
    by.claims = vouched("ada-1", "not an address").claims;
    assert_eq!(rule(hub.app.sign_in_vouched(&by, &trusting()).await), "sign-in.address");
    let closed = Trust { newcomers: false, ..trusting() };
    let refused = hub.app.sign_in_vouched(&vouched("ada-1", "ada@example.org"), &closed).await;
    assert_eq!(rule(refused), "sign-in.no-account");
}

#[tokio::test]
async fn assurance_is_asked_for_at_every_sign_in() {
    let hub = TestHub::new().await;
    let strict = Trust { assurance: vec![EMPLOYED.to_owned()], ..careful() };
    let mut by = vouched("ada-1", "ada@example.org");
    assert_eq!(rule(hub.app.sign_in_vouched(&by, &strict).await), "sign-in.assurance");
    by.claims.assurance = vec!["https://refeds.org/assurance".to_owned(), EMPLOYED.to_owned()];
    hub.app.sign_in_vouched(&by, &strict).await.unwrap();
    by.claims.assurance.pop();
    assert_eq!(rule(hub.app.sign_in_vouched(&by, &strict).await), "sign-in.assurance");
}

#[tokio::test]
async fn the_last_way_in_is_not_taken_away() {
    let hub = TestHub::new().await;
    let by = vouched("ada-1", "ada@example.org");
    let opened = hub.app.sign_in_vouched(&by, &careful()).await.unwrap();
    let ada = actor(&hub, &opened).await;
    let id = hub.app.identities(&ada).await.unwrap()[0].id;
    assert_eq!(rule(hub.app.unlink_identity(&ada, id).await), "identity.last");
    hub.app.set_password(&ada, PASSWORD.to_owned()).await.unwrap();
    let again = hub.app.sign_in_vouched(&by, &careful()).await.unwrap();
    let (_, eve) = hub.person("eve", &[]).await;
    let others = hub.app.unlink_identity(&eve, id).await;
    assert!(matches!(others, Err(Error::NotFound(_))), "{others:?}");
    hub.app.unlink_identity(&ada, id).await.unwrap();
    assert!(hub.app.authenticate(&again.secret).await.is_err(), "its sessions have ended");
    assert_eq!(hub.app.identities(&ada).await.unwrap(), []);
    hub.app.sign_in("ada@example.org", PASSWORD.to_owned()).await.unwrap();
}

#[tokio::test]
async fn a_closed_account_stays_closed_to_its_provider() {
    let hub = TestHub::new().await;
    let (_, root) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    let by = vouched("ada-1", "ada@example.org");
    let opened = hub.app.sign_in_vouched(&by, &careful()).await.unwrap();
    hub.app.set_access(&root, opened.person, crate::identity::Access::Closed).await.unwrap();
    assert_eq!(rule(hub.app.sign_in_vouched(&by, &careful()).await), "sign-in.closed");
}

#[tokio::test]
async fn an_attempt_comes_back_once_in_time_to_the_browser_that_began_it() {
    for hub in TestHub::each().await {
        let provider: Slug = "myaccessid".parse().unwrap();
        let begun = hub.app.begin_attempt(&provider, None, "/jobs").await.unwrap();
        assert_ne!(begun.nonce().reveal(), begun.verifier().reveal());
        let foreign = Secret::random("usine_attempt").unwrap();
        let other = hub.app.end_attempt(&foreign, &begun.state).await;
        assert_eq!(rule(other), "sign-in.expired", "another browser");
        let state = Secret::presented("forged");
        assert_eq!(rule(hub.app.end_attempt(&begun.browser, &state).await), "sign-in.expired");
        let attempt = hub.app.end_attempt(&begun.browser, &begun.state).await.unwrap();
        assert_eq!(attempt.nonce.reveal(), begun.nonce().reveal());
        assert_eq!(attempt.verifier.reveal(), begun.verifier().reveal());
        assert_eq!((attempt.provider, attempt.destination.as_str()), (provider.clone(), "/jobs"));
        let twice = hub.app.end_attempt(&begun.browser, &begun.state).await;
        assert_eq!(rule(twice), "sign-in.expired");
        let begun = hub.app.begin_attempt(&provider, None, "/").await.unwrap();
        hub.clock.advance(SignedDuration::from_mins(11));
        let late = hub.app.end_attempt(&begun.browser, &begun.state).await;
        assert_eq!(rule(late), "sign-in.expired");
    }
}
