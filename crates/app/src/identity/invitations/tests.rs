use super::*;
use crate::Parts;
use crate::notices::Outlets;
use crate::testing::TestHub;

const OPEN: InvitationState = InvitationState::Open;

/// A hub, and somebody who represents an organisation there.
async fn represented(hub: &TestHub) -> (Actor, Scope) {
    let (_, actor) = hub.person("ada", &[]).await;
    let new = crate::organisations::tests::enterprise("Aurore");
    let organisation = hub.app.register_organisation(&actor, new).await.unwrap();
    (hub.again(&actor).await, Scope::Organisation(organisation.id))
}

fn as_user(scope: &Scope) -> Grant {
    Grant { role: Role::User, scope: scope.clone() }
}

async fn states(hub: &TestHub, actor: &Actor, scope: &Scope) -> Vec<&'static str> {
    let found = hub.app.invitations(actor, scope).await.unwrap();
    found.iter().map(|it| InvitationState::of(it, hub.app.now()).name()).collect()
}

#[tokio::test]
async fn a_link_is_accepted_once_by_whoever_opens_it_and_the_inviter_is_told() {
    for hub in TestHub::each().await {
        let (ada, scope) = represented(&hub).await;
        let invited = hub.app.invite(&ada, " Grace@Example.org ", as_user(&scope)).await;
        let (invitation, secret) = invited.unwrap();
        let secret = secret.expect("nobody sends it");
        assert_eq!(invitation.email, "grace@example.org");
        let offer = hub.app.invitation_offer(&secret).await.unwrap();
        assert_eq!((offer.by.as_str(), offer.place.name.as_deref()), ("ada", Some("Aurore")));

        let nobody = hub.app.accept_invitation(&Actor::anonymous(), &secret).await;
        assert!(matches!(nobody, Err(Error::NotSignedIn)), "{nobody:?}");
        let (_, grace) = hub.person("grace", &[]).await;
        assert_eq!(hub.app.accept_invitation(&grace, &secret).await.unwrap(), as_user(&scope));
        let grace = hub.again(&grace).await;
        assert_eq!(grace.grants(), [as_user(&scope)]);
        let twice = hub.app.accept_invitation(&grace, &secret).await;
        assert!(matches!(twice, Err(Error::Conflict(_))), "{twice:?}");
        let inbox = hub.app.inbox(&ada, (true, None), 9).await.unwrap();
        assert_eq!(inbox[0].notice.kind, "invitation.accepted");
        assert_eq!(states(&hub, &ada, &scope).await, ["accepted"]);
        let late = hub.app.revoke_invitation(&ada, invitation.id).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    }
}

#[tokio::test]
async fn a_link_ends_when_it_is_revoked_or_nobody_came_and_strangers_can_do_neither() {
    let hub = TestHub::new().await;
    let (ada, scope) = represented(&hub).await;
    let (_, eve) = hub.person("eve", &[]).await;
    let (invitation, secret) =
        hub.app.invite(&ada, "grace@example.org", as_user(&scope)).await.unwrap();
    let foreign = hub.app.revoke_invitation(&eve, invitation.id).await;
    assert!(matches!(foreign, Err(Error::NotFound("invitation"))), "{foreign:?}");
    let foreign = hub.app.invite(&eve, "eve@example.org", as_user(&scope)).await;
    assert!(matches!(foreign, Err(Error::NotFound("organisation"))), "{foreign:?}");
    assert!(hub.app.invitations(&eve, &scope).await.is_err());
    let raised = Grant { role: Role::Administrator, scope: scope.clone() };
    let refused = hub.app.invite(&ada, "grace@example.org", raised).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let federation = Grant { role: Role::Reviewer, scope: Scope::Federation };
    let refused = hub.app.invite(&ada, "grace@example.org", federation).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::GrantRoles))), "{refused:?}");

    hub.app.revoke_invitation(&ada, invitation.id).await.unwrap();
    assert!(hub.app.accept_invitation(&eve, &secret.unwrap()).await.is_err());
    hub.clock.advance(SignedDuration::from_secs(1));
    let (_, secret) = hub.app.invite(&ada, "grace@example.org", as_user(&scope)).await.unwrap();
    hub.clock.advance(LASTS);
    let (ada, eve) = (hub.again(&ada).await, hub.again(&eve).await);
    assert!(hub.app.accept_invitation(&eve, &secret.unwrap()).await.is_err());
    assert_eq!(states(&hub, &ada, &scope).await, ["expired", "revoked"]);
}

#[tokio::test]
async fn each_letter_has_a_link_of_its_own_and_only_the_last_one_works() {
    for mut hub in TestHub::each().await {
        let (ada, scope) = represented(&hub).await;
        let post = Outlets { mail_server: Some("m:25".to_owned()), private_webhooks: false };
        hub.app = App::new(Parts { post, ..(*hub.app.parts).clone() });
        let (_, secret) = hub.app.invite(&ada, "grace@example.org", as_user(&scope)).await.unwrap();
        assert!(secret.is_none(), "the inviter does not see what is sent");
        let first = hub.app.invitations_due().await.unwrap().remove(0);
        let failure = Failure { text: "it is away".to_owned(), for_good: false };
        hub.app.settle_invitation(&first.invitation, Some(&failure)).await.unwrap();
        assert!(hub.app.invitations_due().await.unwrap().is_empty());
        hub.clock.advance(SignedDuration::from_secs(5));
        let second = hub.app.invitations_due().await.unwrap().remove(0);
        hub.app.settle_invitation(&second.invitation, None).await.unwrap();
        assert!(hub.app.invitation_offer(&first.secret).await.is_err());
        assert!(hub.app.invitation_offer(&second.secret).await.is_ok());
        let found = hub.app.invitations(&ada, &scope).await.unwrap();
        assert_eq!(InvitationState::of(&found[0], hub.app.now()), OPEN);
        assert!(found[0].letter.sent_at.is_some() && found[0].letter.error.is_none());
    }
}
