use jiff::SignedDuration;

use super::*;
use crate::testing::{PASSWORD, TestHub};
use crate::{Ability, Action, Actor, Error, Grant, Role, Scope, Secret};

fn account(email: &str, password: &str) -> NewAccount {
    NewAccount { email: email.to_owned(), name: "Ada".to_owned(), password: password.to_owned() }
}

#[tokio::test]
async fn a_registered_person_signs_in_with_any_case_of_their_address() {
    for hub in TestHub::each().await {
        let anonymous = Actor::anonymous();
        let ada = hub.app.register(&anonymous, account("Ada@Example.org", PASSWORD)).await.unwrap();
        let opened = hub.app.sign_in(" ADA@example.ORG ", PASSWORD.to_owned()).await.unwrap();
        let session = hub.app.authenticate(&opened.secret).await.unwrap();
        assert_eq!(session.actor.person_id().unwrap(), ada.id);
        assert!(session.interactive);

        hub.app.sign_out(&opened.secret).await.unwrap();
        let after = hub.app.authenticate(&opened.secret).await;
        assert!(matches!(after, Err(Error::BadCredentials(_))), "{after:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let hub = TestHub::new().await;
    hub.app.register(&Actor::anonymous(), account("ada@example.org", PASSWORD)).await.unwrap();
    let wrong = hub.app.sign_in("ada@example.org", "not the password".to_owned()).await;
    let unknown = hub.app.sign_in("eve@example.org", PASSWORD.to_owned()).await;
    assert_eq!(wrong.unwrap_err().to_string(), unknown.unwrap_err().to_string());
}

#[tokio::test]
async fn bad_accounts_are_refused_with_every_field_named() {
    let hub = TestHub::new().await;
    let new = NewAccount {
        email: "not an address".to_owned(),
        name: " ".to_owned(),
        password: "short".to_owned(),
    };
    let Err(Error::Invalid(wrong)) = hub.app.register(&Actor::anonymous(), new).await else {
        panic!("it was accepted")
    };
    let fields: Vec<_> = wrong.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["email", "name", "password"]);

    let again = account("ada@example.org", PASSWORD);
    hub.app.register(&Actor::anonymous(), again.clone()).await.unwrap();
    let twice = hub.app.register(&Actor::anonymous(), again).await;
    assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
}

#[tokio::test]
async fn sessions_and_tokens_end_when_the_clock_says_so() {
    let hub = TestHub::new().await;
    let (_, ada) = hub.person("ada", &[]).await;
    let new = NewToken { name: "ci".to_owned(), abilities: vec![Ability::Read], days: 2 };
    let (token, secret) = hub.app.create_token(&ada, new).await.unwrap();
    let session = hub.app.authenticate(&secret).await.unwrap();
    assert!(!session.interactive);
    assert!(session.actor.can(Action::ViewSelf, &[]));
    assert!(!session.actor.can(Action::RegisterOrganisation, &[]));
    assert_eq!(hub.app.tokens(&ada).await.unwrap(), [token]);

    hub.clock.advance(SignedDuration::from_hours(48));
    assert!(hub.app.authenticate(&secret).await.is_err());
    assert_eq!(hub.app.tokens(&ada).await.unwrap(), []);
}

#[tokio::test]
async fn a_token_cannot_make_a_stronger_one() {
    let hub = TestHub::new().await;
    let (_, ada) = hub.person("ada", &[]).await;
    let ask = |abilities| NewToken { name: "t".to_owned(), abilities, days: 1 };
    let narrow = ask(vec![Ability::Read, Ability::Administer]);
    let (_, secret) = hub.app.create_token(&ada, narrow).await.unwrap();
    let actor = hub.app.authenticate(&secret).await.unwrap().actor;
    let stronger = hub.app.create_token(&actor, ask(vec![Ability::Run])).await;
    assert!(matches!(stronger, Err(Error::Forbidden(_))), "{stronger:?}");
}

#[tokio::test]
async fn nobody_revokes_another_persons_token() {
    let hub = TestHub::new().await;
    let (_, ada) = hub.person("ada", &[]).await;
    let (_, eve) = hub.person("eve", &[]).await;
    let new = NewToken { name: "t".to_owned(), abilities: vec![Ability::Read], days: 1 };
    let (token, secret) = hub.app.create_token(&ada, new).await.unwrap();
    assert!(matches!(hub.app.revoke_token(&eve, token.id).await, Err(Error::NotFound("token"))));
    hub.app.revoke_token(&ada, token.id).await.unwrap();
    assert!(hub.app.authenticate(&secret).await.is_err());
}

#[tokio::test]
async fn the_first_administrator_gets_one_link_and_stays() {
    for hub in TestHub::each().await {
        let link = hub.app.first_administrator("root@example.org").await.unwrap().unwrap();
        assert!(hub.app.first_administrator("root@example.org").await.unwrap().is_none());
        let opened = hub.app.redeem_link(&link).await.unwrap();
        assert!(hub.app.redeem_link(&link).await.is_err());

        let root = hub.app.authenticate(&opened.secret).await.unwrap().actor;
        let grant = Grant { role: Role::Administrator, scope: Scope::Federation };
        let last = hub.app.take_role(&root, opened.person, &grant).await;
        assert!(matches!(last, Err(Error::Refused(_))), "{last:?}");

        let (bob, _) = hub.person("bob", &[]).await;
        hub.app.give_role(&root, bob, grant.clone()).await.unwrap();
        hub.app.take_role(&root, opened.person, &grant).await.unwrap();
        let (_, eve) = hub.person("eve", &[]).await;
        let refused = hub.app.give_role(&eve, bob, grant).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_sessions() {
    let hub = TestHub::new().await;
    hub.app.register(&Actor::anonymous(), account("ada@example.org", PASSWORD)).await.unwrap();
    let opened = hub.app.sign_in("ada@example.org", PASSWORD.to_owned()).await.unwrap();
    let ada = hub.app.authenticate(&opened.secret).await.unwrap().actor;
    hub.app.set_password(&ada, "another long password".to_owned()).await.unwrap();
    assert!(hub.app.authenticate(&opened.secret).await.is_err());
    hub.app.sign_in("ada@example.org", "another long password".to_owned()).await.unwrap();
}

#[tokio::test]
async fn a_restarted_sites_earlier_token_stops_working() {
    let hub = TestHub::new().await;
    let site = "here".parse().unwrap();
    let first = hub.app.site_token(&site).await.unwrap();
    let second = hub.app.site_token(&site).await.unwrap();
    assert!(hub.app.authenticate(&first).await.is_err());
    let actor = hub.app.authenticate(&second).await.unwrap().actor;
    assert!(actor.can(Action::ServeSite, &[]));
    assert!(!actor.can(Action::ViewLedger, &[]));
}

#[test]
fn a_secret_never_prints_itself() {
    let secret = Secret::presented("usine_api_123");
    assert_eq!(format!("{secret:?}"), "Secret(…)");
}

#[tokio::test]
async fn a_closed_account_works_nowhere_until_it_is_opened_again() {
    for hub in TestHub::each().await {
        let anonymous = Actor::anonymous();
        let ada = hub.app.register(&anonymous, account("ada@example.org", PASSWORD)).await.unwrap();
        let (_, root) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
        let sign_in = || hub.app.sign_in("ada@example.org", PASSWORD.to_owned());
        let opened = sign_in().await.unwrap();
        let actor = hub.app.authenticate(&opened.secret).await.unwrap().actor;
        let new = NewToken { name: "ci".to_owned(), abilities: vec![Ability::Read], days: 2 };
        let (_, token) = hub.app.create_token(&actor, new).await.unwrap();
        let link = hub.app.sign_in_link(ada.id).await.unwrap();

        let own = hub.app.set_access(&actor, ada.id, Access::Closed).await;
        assert!(matches!(own, Err(Error::Forbidden { .. })), "{own:?}");
        hub.app.set_access(&root, ada.id, Access::Closed).await.unwrap();
        for secret in [&opened.secret, &token] {
            assert!(hub.app.authenticate(secret).await.is_err());
        }
        assert!(sign_in().await.is_err());
        assert!(hub.app.redeem_link(&link).await.is_err());

        hub.app.set_access(&root, ada.id, Access::Open).await.unwrap();
        assert!(hub.app.authenticate(&token).await.is_err(), "what was revoked stays so");
        sign_in().await.unwrap();
        let trail = hub.app.audit_trail(&root, Some(&format!("person:{}", ada.id)), None, 9).await;
        let actions: Vec<_> = trail.unwrap().into_iter().map(|line| line.action).collect();
        for action in ["person.close", "person.open"] {
            assert!(actions.iter().any(|found| found == action), "{actions:?}");
        }
    }
}

#[tokio::test]
async fn an_administrators_account_is_closed_only_after_the_role_is_taken() {
    let hub = TestHub::new().await;
    let (_, root) = hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    let other = (Role::Administrator, Scope::Federation);
    let (eve, _) = hub.person("eve", &[other]).await;
    let refused = hub.app.set_access(&root, eve, Access::Closed).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    let grant = Grant { role: Role::Administrator, scope: Scope::Federation };
    hub.app.take_role(&root, eve, &grant).await.unwrap();
    hub.app.set_access(&root, eve, Access::Closed).await.unwrap();
}

#[tokio::test]
async fn open_sessions_are_listed_and_ended_one_by_one() {
    for hub in TestHub::each().await {
        let (_, ada) = hub.person("ada", &[]).await;
        hub.clock.advance(SignedDuration::from_secs(1));
        let here = hub.app.sign_in("ada@example.org", PASSWORD.to_owned()).await.unwrap();
        let open = hub.app.sessions(&ada, Some(&here.secret)).await.unwrap();
        let told: Vec<_> = open.iter().map(|it| (it.means.as_str(), it.current)).collect();
        assert_eq!(told, [("password", true), ("sign-in link", false)]);
        let (_, eve) = hub.person("eve", &[]).await;
        let others = hub.app.revoke_token(&eve, open[0].id).await;
        assert!(matches!(others, Err(Error::NotFound(_))), "{others:?}");
        hub.app.revoke_token(&ada, open[0].id).await.unwrap();
        assert!(hub.app.authenticate(&here.secret).await.is_err());
        assert_eq!(hub.app.sessions(&ada, None).await.unwrap().len(), 1);
    }
}
