//! What the configuration of a provider may be, and the pages of a provider that is away. The
//! protocol itself is tried against a certified provider by the tests of `usine`.

use super::*;
use crate::testing::{TestWeb, settings};
use app::testing::TestHub;

fn provider(name: &str, issuer: &str) -> ProviderSettings {
    ProviderSettings {
        name: name.parse().unwrap(),
        label: "MyAccessID".to_owned(),
        issuer: issuer.to_owned(),
        client_id: "usine".to_owned(),
        client_secret: Some(Secret::presented("hidden")),
        scopes: vec!["email".to_owned()],
        claims: ClaimNames::default(),
        trust: Trust { addresses: false, newcomers: true, assurance: Vec::new() },
        roots: tls::Trust::System,
    }
}

fn providers(settings: Vec<ProviderSettings>) -> Result<Providers, ProviderError> {
    Providers::new("https://hub.example.eu", settings)
}

#[test]
fn a_provider_that_others_could_read_along_with_is_refused() {
    for issuer in ["http://idp.example.eu", "http://127.0.0.1.example.eu", "ftp://localhost", "x"] {
        let refused = providers(vec![provider("a", issuer)]).unwrap_err();
        assert!(matches!(refused, ProviderError::Address { field: "issuer", .. }), "{refused}");
    }
    let local = provider("a", "http://127.0.0.1:1");
    let twice = providers(vec![local.clone(), local.clone()]).unwrap_err();
    assert_eq!(twice.to_string(), "two OpenID providers are called a");
    let fine = providers(vec![local]).unwrap();
    assert!(!format!("{fine:?}").contains("hidden"), "no secret in a log");
    assert_eq!((fine.label("a"), fine.label("gone")), ("MyAccessID", "gone"));
}

#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_from_the_other_doors() {
    // Port 9 is the discard service, which nothing here offers.
    let providers = providers(vec![provider("myaccessid", "http://127.0.0.1:9")]).unwrap();
    let hub = TestHub::new().await;
    let web = TestWeb::of(hub, crate::Settings { providers, ..settings() });
    let nobody = web.anonymous();
    let door = nobody.get("/sign-in?to=/jobs%3Fa%3D1%26b").await.expect(200).text();
    assert!(door.contains("/sign-in/with/myaccessid?to=%2Fjobs%3Fa%3D1%26b"), "{door}");
    assert!(door.contains("Sign in with MyAccessID") && door.contains("id=\"password\""), "{door}");
    let away = nobody.get("/sign-in/with/myaccessid").await.expect(502).text();
    assert!(away.contains("MyAccessID: it does not answer now."), "{away}");
    nobody.get("/sign-in/with/other").await.expect(404);
    let forged = nobody.get("/sign-in/back/myaccessid?code=a&state=b").await.expect(422).text();
    assert!(forged.contains("was begun in another browser"), "{forged}");
}

#[tokio::test]
async fn an_identity_is_added_by_a_form_of_ours_alone() {
    let providers = providers(vec![provider("myaccessid", "http://127.0.0.1:9")]).unwrap();
    let web = TestWeb::of(TestHub::new().await, crate::Settings { providers, ..settings() });
    let (_, ada) = web.browser("ada", &[]).await;
    let page = ada.get("/settings").await.expect(200).text();
    assert!(page.contains("Add MyAccessID"), "{page}");
    let add = [("provider", "myaccessid")];
    ada.form("/settings/identities", &add).await.expect(403);
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let away = ada.form("/settings/identities", &[("csrf", csrf), add[0]]).await.expect(502);
    assert!(away.text().contains("href=\"/settings\""));
    web.anonymous().form("/settings/identities", &add).await.expect(401);
}
