//! `usine up`, from the first start to the next.

use std::os::unix::fs::PermissionsExt;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::factory::{Client, Factory};

#[tokio::test]
async fn the_first_administrator_signs_in_once_with_the_printed_link() {
    let factory = Factory::start();
    let administrator = factory.administrator().await;
    let me = administrator.get("/me").await;
    assert_eq!(me["grants"][0]["role"], "administrator", "{me}");

    let again = Some(json!({ "link": factory.link }));
    let (status, problem) =
        Client::anonymous(&factory.url).send(Method::POST, "/session", again).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{problem}");

    // A second start offers no second link, and the session of the first still works.
    let folder = factory.folder();
    assert!(factory.stop().success());
    let factory = Factory::start_in(folder);
    assert_eq!(factory.link, None);
    let token = administrator.token.unwrap();
    Client::anonymous(&factory.url).with(&token).get("/me").await;
}

#[tokio::test]
async fn the_printed_link_opens_a_page_that_offers_to_sign_in() {
    let factory = Factory::start();
    let link = format!("{}/sign-in/link/{}", factory.url, factory.link.as_deref().unwrap());
    let page = crate::factory::http(&link).get(&link).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let html = page.text().await.unwrap();
    assert!(html.contains("method=\"post\" action=\"/sign-in/link/"), "{html}");
    // To look is not to use: mail scanners follow links too.
    factory.administrator().await;
}

#[test]
fn the_data_folder_is_for_its_owner_alone() {
    let factory = Factory::start();
    let mode = factory.data().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[tokio::test]
async fn a_factory_killed_on_the_spot_starts_again_with_what_it_had_acknowledged() {
    let factory = Factory::start();
    let administrator = factory.administrator().await;
    let token = json!({ "name": "laptop", "abilities": ["read"], "days": 1 });
    administrator.post("/tokens", token).await;
    let folder = factory.folder();
    factory.kill();
    let factory = Factory::start_in(folder);
    let again = Client::anonymous(&factory.url).with(&administrator.token.unwrap());
    let tokens = again.get("/tokens").await;
    assert!(tokens.to_string().contains("laptop"), "{tokens}");
}

#[tokio::test]
async fn an_idle_factory_holds_less_than_fifty_megabytes_of_its_own() {
    let factory = Factory::start();
    factory.administrator().await;
    let kib = factory.memory_kib();
    assert!(kib < 50_000, "{kib} KiB");
}
