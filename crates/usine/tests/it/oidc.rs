//! Sign-in at a certified OpenID provider, a process of its own, and at one that lies.

pub(crate) mod browser;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::factory::Factory;
use crate::story::{PASSWORD, person};
use browser::{Browser, Page};

/// The folder with the provider and its packages.
const FOLDER: &str = "USINE_TEST_OIDC";
/// What the provider and the hub share.
const SECRET: &str = "a secret between provider and hub";

/// The honest provider and the liar, in one process that ends with the value.
struct Providers {
    process: Child,
    honest: String,
    liar: String,
}

impl Drop for Providers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Providers {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut next = |name: &str| {
            let line = lines.next().expect("the providers say where they are").unwrap();
            line.strip_prefix(name).unwrap().trim().to_owned()
        };
        let (honest, liar) = (next("honest"), next("liar"));
        Self { process, honest, liar }
    }
}

/// A factory that knows both providers; `None` when they are not installed.
fn started(more: &str) -> Option<(Providers, Factory)> {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        println!("skipped: {FOLDER} names no provider; `cargo xtask test` installs one");
        return None;
    };
    let providers = Providers::start(&folder);
    let home = Arc::new(TempDir::new().unwrap());
    std::fs::write(home.path().join("oidc.secret"), format!("{SECRET}\n")).unwrap();
    let one = |name: &str, issuer: &str, more: &str| {
        format!(
            "[[oidc]]\nname = \"{name}\"\nlabel = \"{name}\"\nissuer = \"{issuer}\"\n\
             client_id = \"usine\"\nclient_secret_file = \"oidc.secret\"\n\
             scopes = [\"profile\", \"email\", \"myaccessid\"]\n{more}\n"
        )
    };
    let config = one("honest", &providers.honest, more) + &one("liar", &providers.liar, "");
    std::fs::write(home.path().join("usine.toml"), config).unwrap();
    Some((providers, Factory::start_in(home)))
}

/// The API for who is signed in by this browser.
async fn identities(browser: &mut Browser, factory: &Factory) -> Value {
    let page = browser.get(&format!("{}/api/v1/me/identities", factory.url)).await;
    serde_json::from_str(&page.body).unwrap()
}

/// Goes from the sign-in page to `provider` and back as `name`.
async fn sign_in(browser: &mut Browser, factory: &Factory, provider: &str, name: &str) -> Page {
    let door = browser.get(&format!("{}/sign-in?to=/settings", factory.url)).await;
    let link = door.link(&format!("/sign-in/with/{provider}"));
    let login = browser.get(&format!("{}{link}", factory.url)).await;
    browser.logged_in(login, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_researcher_signs_in_by_her_home_organisation_and_is_known_again() {
    let Some((_providers, factory)) = started("") else { return };
    let mut ada = Browser::new(&factory.url);
    let settings = sign_in(&mut ada, &factory, "honest", "ada").await;
    assert!(settings.at.ends_with("/settings"), "{}", settings.at);
    assert!(settings.body.contains("Name of ada"), "{}", settings.body);
    let found = identities(&mut ada, &factory).await;
    let identity = &found["items"][0];
    assert_eq!(identity["community_id"], "ada-4711@myaccessid.org");
    assert_eq!(identity["home_organisation"], "example.org");
    assert_eq!(identity["affiliations"][1], "faculty@example.org");
    assert_eq!(identity["assurance"][0], "https://refeds.org/assurance");
    assert_eq!(identity["email_verified"], true);

    // Another browser, another day: the same account, and the name at the provider decides whose.
    let mut elsewhere = Browser::new(&factory.url);
    sign_in(&mut elsewhere, &factory, "honest", "ada").await;
    assert_eq!(identities(&mut elsewhere, &factory).await["items"][0]["id"], identity["id"]);
    let mut ben = Browser::new(&factory.url);
    sign_in(&mut ben, &factory, "honest", "ben").await;
    assert_ne!(identities(&mut ben, &factory).await["items"][0]["id"], identity["id"]);

    // It is her only way in, until she sets a password.
    let remove = format!("/settings/identities/{}/remove", identity["id"].as_str().unwrap());
    let refused = ada.submit(&settings, &remove, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("only way to sign in"), "{}", refused.body);

    let trail = factory.administrator().await.get("/audit?limit=200").await;
    let trail = trail["items"].as_array().unwrap();
    for action in ["person.register", "identity.link", "session.open"] {
        assert!(trail.iter().any(|line| line["action"] == action), "no line of {action}");
    }
    let log = trail.iter().find(|line| line["action"] == "session.open").unwrap();
    assert!(!log.to_string().contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_account_adds_the_identity_and_it_alone_signs_them_in() {
    let Some((_providers, factory)) = started("") else { return };
    person(&factory, "carol@example.org").await;
    let mut carol = Browser::new(&factory.url);
    let told = sign_in(&mut carol, &factory, "honest", "carol").await;
    assert_eq!(told.status, 422);
    assert!(told.body.contains("your address has an account here"), "{}", told.body);
    let mut hers = Browser::new(&factory.url);
    let door = hers.get(&format!("{}/sign-in", factory.url)).await;
    let fields = [("email", "carol@example.org"), ("password", PASSWORD), ("to", "/settings")];
    let settings = hers.submit(&door, "/sign-in", &fields).await;
    let onward = hers.submit(&settings, "/settings/identities", &[("provider", "honest")]).await;
    assert!(onward.body.contains("asks who you are"), "{}", onward.body);
    let login = hers.get(&onward.refresh).await;
    let back = hers.logged_in(login, "carol").await;
    assert!(back.at.ends_with("/settings") && back.body.contains("carol@example.org"));
    assert_eq!(identities(&mut hers, &factory).await["items"][0]["provider"], "honest");
    let signed_in = sign_in(&mut carol, &factory, "honest", "carol").await;
    assert!(signed_in.at.ends_with("/settings"), "{}", signed_in.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_well_enough_is_told_precisely() {
    let more = "assurance = [\"https://refeds.org/assurance/IAP/medium\"]\ntrust_addresses = true";
    let Some((_providers, factory)) = started(more) else { return };
    let mut someone = Browser::new(&factory.url);
    let told = sign_in(&mut someone, &factory, "honest", "weak").await;
    assert_eq!(told.status, 422);
    let why = "one of https://refeds.org/assurance/IAP/medium is asked for";
    assert!(told.body.contains(why), "{}", told.body);
    let mut known = Browser::new(&factory.url);
    let fine = sign_in(&mut known, &factory, "honest", "known-ada").await;
    assert!(fine.at.ends_with("/settings"), "{}", fine.body);
    let mut other = Browser::new(&factory.url);
    let told = sign_in(&mut other, &factory, "liar", "unverified-ada").await;
    assert!(told.body.contains("has not verified the address unverified-ada@example.org"));
    let told = sign_in(&mut Browser::new(&factory.url), &factory, "liar", "nameless").await;
    assert!(told.body.contains("tells no e-mail address"), "{}", told.body);
    // The honest one is trusted for addresses: its people find their accounts.
    let client = person(&factory, "known-dan@example.org").await;
    let mut dan = Browser::new(&factory.url);
    let found = sign_in(&mut dan, &factory, "honest", "known-dan").await;
    assert!(found.body.contains("Ada Founder"), "the account's own name: {}", found.body);
    let (status, _) = client.send(reqwest::Method::GET, "/me", None).await;
    assert_eq!(status, 401, "whoever held the account without proof is out");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_of_a_provider_is_believed() {
    let Some((_providers, factory)) = started("") else { return };
    let mut visitor = Browser::new(&factory.url);
    let honest = sign_in(&mut visitor, &factory, "liar", "truthful").await;
    assert!(honest.at.ends_with("/settings"), "the liar can tell the truth: {}", honest.body);
    for lie in [
        "another-nonce",
        "no-nonce",
        "another-client",
        "one-more-client",
        "another-issuer",
        "another-key",
        "another-access-token",
        "another-page",
        "long-expired",
        "no-signature",
    ] {
        let mut victim = Browser::new(&factory.url);
        let told = sign_in(&mut victim, &factory, "liar", lie).await;
        assert_eq!(told.status, 502, "{lie}: {}", told.body);
        assert!(told.body.contains("does not prove who you are"), "{lie}: {}", told.body);
        assert_eq!(victim.get(&format!("{}/api/v1/me", factory.url)).await.status, 401, "{lie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_in_the_browser_that_asked_for_it_and_leads_nowhere_outside() {
    let Some((_providers, factory)) = started("") else { return };
    let begin = format!("{}/sign-in/with/honest?to=//evil.example", factory.url);
    // Stopped before the hub sees the code.
    let mut ada = Browser::new(&factory.url);
    let login = ada.get(&begin).await;
    let back = ada.logged_in_until(login, "ada", "/sign-in/back/").await;
    let told = |page: &Page| page.body.contains("was begun in another browser");
    // Sent to somebody else, it signs nobody in: neither alone nor with an attempt of their own.
    let mut victim = Browser::new(&factory.url);
    assert!(told(&victim.get(&back).await));
    victim.get(&begin).await;
    assert!(told(&victim.get(&back).await));
    let swapped = back.replace("state=", "state=x");
    let mut tried = ada.clone();
    assert!(told(&tried.get(&swapped).await), "a state that the hub never gave");
    // What was begun at one provider does not come back from the other.
    let mut mixed = Browser::new(&factory.url);
    let login = mixed.get(&begin).await;
    let other = mixed.logged_in_until(login, "eve", "/sign-in/back/").await;
    assert!(told(&mixed.get(&other.replace("back/honest", "back/liar")).await));

    let mut replayed = ada.clone();
    let landed = ada.get(&back).await;
    assert_eq!(landed.at, format!("{}/", factory.url), "not to another site");
    assert_eq!(ada.get(&format!("{}/api/v1/me", factory.url)).await.status, 200);
    assert!(told(&replayed.get(&back).await), "the same way back a second time");

    // The code itself, in an attempt that is good: the provider says that it was used.
    let mut again = Browser::new(&factory.url);
    let login = again.get(&begin).await;
    let fresh = again.logged_in_until(login, "ada", "/sign-in/back/").await;
    let code = |url: &str| url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let stale = fresh.replace(&code(&fresh), &code(&back));
    let refused = again.get(&stale).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("does not take the code"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_provider_is_gone_the_page_says_so_and_passwords_still_work() {
    let Some((providers, factory)) = started("") else { return };
    drop(providers);
    let mut ada = Browser::new(&factory.url);
    let told = ada.get(&format!("{}/sign-in/with/honest", factory.url)).await;
    assert_eq!(told.status, 502);
    assert!(told.body.contains("it does not answer now"), "{}", told.body);
    person(&factory, "ada@example.org").await;
}
