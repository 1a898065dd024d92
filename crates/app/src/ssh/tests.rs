use jiff::SignedDuration;
use site::ssh::Authority;

use crate::identity::Access;
use crate::jobs::tests::yard::{Yard, here};
use crate::{Error, Role, Scope};

/// The public key of somebody.
fn key(number: u8) -> String {
    Authority::of_seed(&[number; 32]).unwrap().public().unwrap()
}

fn rules(error: Error) -> Vec<String> {
    match error {
        Error::Refused(reasons) => reasons.into_iter().map(|reason| reason.rule).collect(),
        other => panic!("not refused: {other}"),
    }
}

#[tokio::test]
async fn whoever_has_hours_at_a_site_gets_a_certificate_for_an_hour() {
    for yard in Yard::each().await {
        let app = yard.app();
        let issued = app.issue_ssh(&yard.ada, &here(), &key(1)).await.unwrap();
        assert_eq!(issued.host, "login.here.example");
        assert!(issued.principal.starts_with("here:ada"), "{}", issued.principal);
        let lasts = issued.record.expires_at.duration_since(issued.record.issued_at);
        assert_eq!(lasts, SignedDuration::from_hours(1));
        assert!(issued.certificate.starts_with("ssh-ed25519-cert-v01@openssh.com "));
        assert_eq!(
            app.ssh_certificates(&yard.ada).await.unwrap(),
            std::slice::from_ref(&issued.record)
        );
        yard.hub.clock.advance(SignedDuration::from_mins(61));
        let ada = yard.hub.again(&yard.ada).await;
        assert_eq!(app.ssh_certificates(&ada).await.unwrap(), []);
        app.keep_house().await.unwrap();
        let tx = app.store().read().await.unwrap();
        let kept = store::ssh::by_serial(&tx, issued.record.serial).await.unwrap();
        assert_eq!(kept, None, "the audit trail is enough");
    }
}

#[tokio::test]
async fn strangers_other_keys_and_sites_without_a_door_get_none() {
    let yard = Yard::new().await;
    let app = yard.app();
    let (_, stranger) = yard.hub.person("eve", &[]).await;
    let refused = app.issue_ssh(&stranger, &here(), &key(1)).await.unwrap_err();
    assert_eq!(rules(refused), ["ssh.allocation"]);
    let doorless = app.issue_ssh(&yard.ada, &"afar".parse().unwrap(), &key(1)).await;
    assert_eq!(rules(doorless.unwrap_err()), ["site.ssh"]);
    let nowhere = app.issue_ssh(&yard.ada, &"nowhere".parse().unwrap(), &key(1)).await;
    assert!(matches!(nowhere, Err(Error::NotFound("site"))));
    let garbled = app.issue_ssh(&yard.ada, &here(), "ssh-rsa AAAA").await;
    assert!(matches!(garbled, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_revoked_key_stands_in_the_list_until_its_certificate_would_have_ended() {
    for yard in Yard::each().await {
        let app = yard.app();
        let factory = Scope::Factory("meluxina-ai".parse().unwrap());
        let (_, operator) = yard.hub.person("olga", &[(Role::SiteOperator, factory)]).await;
        let (_, stranger) = yard.hub.person("eve", &[]).await;
        let mut serials = Vec::new();
        for number in [1, 2, 3] {
            let issued = app.issue_ssh(&yard.ada, &here(), &key(number)).await.unwrap();
            serials.push(issued.record.serial);
        }
        let foreign = app.revoke_ssh(&stranger, serials[0]).await;
        assert!(matches!(foreign, Err(Error::NotFound("certificate"))));
        app.revoke_ssh(&yard.ada, serials[0]).await.unwrap();
        app.revoke_ssh(&operator, serials[1]).await.unwrap();
        let twice = app.revoke_ssh(&yard.ada, serials[0]).await;
        assert!(matches!(twice, Err(Error::Conflict(_))));
        let bare = |number| key(number).rsplit_once(' ').map(|(key, _)| key.to_owned()).unwrap();
        let list = app.revoked_ssh(&crate::Actor::anonymous()).await.unwrap();
        assert_eq!(list.lines().count(), 2);
        assert!(list.contains(&bare(1)) && list.contains(&bare(2)), "{list}");
        yard.hub.clock.advance(SignedDuration::from_mins(61));
        assert_eq!(app.revoked_ssh(&crate::Actor::anonymous()).await.unwrap(), "");
    }
}

#[tokio::test]
async fn who_loses_the_account_loses_the_certificates() {
    let yard = Yard::new().await;
    let app = yard.app();
    app.issue_ssh(&yard.ada, &here(), &key(1)).await.unwrap();
    let (_, administrator) =
        yard.hub.person("root", &[(Role::Administrator, Scope::Federation)]).await;
    let person = yard.ada.person_id().unwrap();
    app.set_access(&administrator, person, Access::Closed).await.unwrap();
    let list = app.revoked_ssh(&administrator).await.unwrap();
    assert_eq!(list.lines().count(), 1, "{list}");
}
