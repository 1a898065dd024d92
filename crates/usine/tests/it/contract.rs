//! The API keeps what its document promises, whoever asks: schemathesis, once per role.

use std::process::Command;

use serde_json::json;

use crate::factory::{Client, Factory};

/// Requests tried per operation and phase.
const EXAMPLES: &str = "12";

/// Runs the tester against every operation but those that would end its own sign-in.
fn check(factory: &Factory, who: &Client, name: &str) {
    let python = std::env::var_os("USINE_TEST_SCHEMATHESIS")
        .expect("cargo xtask test installs schemathesis and says where");
    let reports = factory.data().join("reports");
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "run", "--no-color", "--checks", "all"])
        // What the document cannot express is refused all the same: a key used before, an end that
        // lies before its start, a cursor of another list.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure"])
        .args(["--request-timeout", "60", "--warnings", "off"])
        .args(["--exclude-operation-id", "sign_out"])
        .args(["--exclude-operation-id", "set_password"])
        .arg("--report-dir")
        .arg(&reports)
        .current_dir(factory.data());
    if let Some(token) = &who.token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.arg(format!("{}/api/v1/openapi.json", factory.url)).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "as {name}:\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("Tested:"), "as {name} nothing was tested:\n{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_a_stranger() {
    let factory = Factory::start();
    check(&factory, &Client::anonymous(&factory.url), "nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_an_administrator() {
    let factory = Factory::start();
    let administrator = factory.administrator().await;
    check(&factory, &administrator, "administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_promises_to_somebody_who_has_just_registered() {
    let factory = Factory::start();
    let anonymous = Client::anonymous(&factory.url);
    let account =
        json!({ "email": "ada@example.org", "name": "Ada", "password": "correct horse battery" });
    anonymous.post("/people", account).await;
    let signed_in = anonymous
        .post(
            "/session",
            json!({ "email": "ada@example.org", "password": "correct horse battery" }),
        )
        .await;
    check(&factory, &anonymous.with(signed_in["token"].as_str().unwrap()), "a person");
}
