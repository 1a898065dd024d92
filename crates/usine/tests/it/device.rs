//! `usine login` without a password: a code on the terminal, a yes in the portal.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::cli::Terminal;
use crate::factory::Factory;
use crate::oidc::browser::Browser;
use crate::story::{PASSWORD, person};

/// A command line that waits, and the address it shows with its code.
fn waiting(factory: &Factory, name: &str) -> (Child, String) {
    let folder = factory.folder();
    let mut process = Command::new(env!("CARGO_BIN_EXE_usine"))
        .args(["login", &factory.url])
        .current_dir(folder.path())
        .env("USINE_CREDENTIALS", folder.path().join(name).join("credentials.toml"))
        .env_remove("USINE_HUB")
        .env_remove("USINE_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut told = told.map(Result::unwrap);
    let line = told.find(|line| line.contains("?code=")).unwrap();
    // Its last words are read where it ends.
    std::thread::spawn(move || told.for_each(drop));
    (process, line.split_whitespace().last().unwrap().to_owned())
}

fn ended(mut process: Child) -> (bool, String) {
    let mut told = String::new();
    process.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    (process.wait().unwrap().success(), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_on_the_terminal_becomes_a_token_when_its_person_says_yes() {
    let factory = Factory::start();
    person(&factory, "ada@example.org").await;
    let (command_line, place) = waiting(&factory, "ada");
    let mut ada = Browser::new(&factory.url);
    // She signs in on the way, by whatever means, and comes back to the code.
    let door = ada.get(&place).await;
    assert!(door.at.contains("/sign-in?to=%2Fdevice%3Fcode"), "{}", door.at);
    let to = place.strip_prefix(&factory.url).unwrap();
    let fields = [("email", "ada@example.org"), ("password", PASSWORD), ("to", to)];
    let asks = ada.submit(&door, "/sign-in", &fields).await;
    assert!(asks.body.contains("command line") && asks.body.contains("127.0.0.1"), "{}", asks.body);
    let code = place.split_once("?code=").unwrap().1;
    let yes = ada.submit(&asks, "/device", &[("code", code), ("answer", "yes")]).await;
    assert!(yes.body.contains("Approved."), "{}", yes.body);
    let (fine, told) = ended(command_line);
    assert!(fine && told.contains("as ada@example.org"), "{told}");
    let again = ada.get(&place).await;
    assert!(again.body.contains("No program waits with this code"), "{}", again.body);

    let folder = factory.folder();
    let terminal = Terminal { folder: folder.path(), name: "ada" };
    let tokens = terminal.json(&["token", "list"]);
    assert!(tokens[0]["name"].as_str().unwrap().starts_with("command line"), "{tokens}");
    // What is open is listed and can be ended: her browser, and then the command line itself.
    let sessions = terminal.json(&["session", "list"]);
    let browser = sessions.as_array().unwrap().iter().find(|it| it["means"] == "password").unwrap();
    terminal.told(&["session", "end", browser["id"].as_str().unwrap()]);
    terminal.told(&["token", "revoke", tokens[0]["id"].as_str().unwrap()]);
    assert_eq!(terminal.refused(&["user", "show"]).0, 5);
    let trail = factory.administrator().await.get("/audit?limit=200").await.to_string();
    assert!(trail.contains("device.approve") && !trail.contains(code), "{trail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_in_the_portal_ends_the_waiting() {
    let factory = Factory::start();
    person(&factory, "ada@example.org").await;
    let (command_line, place) = waiting(&factory, "ada");
    let mut ada = Browser::new(&factory.url);
    let door = ada.get(&place).await;
    let fields = [("email", "ada@example.org"), ("password", PASSWORD), ("to", "/device")];
    let form = ada.submit(&door, "/sign-in", &fields).await;
    assert!(form.body.contains("Type it here."), "{}", form.body);
    let code = place.split_once("?code=").unwrap().1;
    let foreign = ada.submit(&door, "/device", &[("code", code), ("answer", "yes")]).await;
    assert_eq!(foreign.status, 403, "a form without this session's token answers nothing");
    let no = ada.submit(&form, "/device", &[("code", code), ("answer", "no")]).await;
    assert!(no.body.contains("Refused."), "{}", no.body);
    let (fine, told) = ended(command_line);
    assert!(!fine && told.is_empty(), "{told}");
}
