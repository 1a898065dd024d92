//! Notices on their way out of a real hub: letters to a mail server, webhooks to a receiver, both as
//! they come from PyPI.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::factory::{Client, Factory};
use crate::story::{StartUp, person, text};

/// A Python with `aiosmtpd` and `standardwebhooks`.
const PYTHON: &str = "USINE_TEST_POST";

/// A mail server and a receiver of webhooks.
struct PostOffice {
    process: Child,
    arrived: Mutex<Receiver<Value>>,
    smtp: u64,
    http: u64,
}

impl PostOffice {
    fn open(python: &Path, folder: &Path, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/post/receive.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(folder.join("secret"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ports: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let (told, arrived) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if told.send(serde_json::from_str(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        let port = |name: &str| ports[name].as_u64().unwrap();
        Self { process, arrived: Mutex::new(arrived), smtp: port("smtp"), http: port("http") }
    }

    /// What arrives next.
    fn next(&self) -> Value {
        let arrived = self.arrived.lock().unwrap();
        arrived.recv_timeout(Duration::from_secs(20)).expect("something arrives")
    }

    /// Everything until `enough` of it, sorted by what it is.
    fn letters(&self, enough: usize) -> Vec<Value> {
        let mut letters: Vec<Value> = (0..enough).map(|_| self.next()).collect();
        letters.sort_by_key(|letter| letter["letter"]["subject"].to_string());
        letters
    }

    fn is_quiet(&self) -> bool {
        self.arrived.lock().unwrap().try_recv().is_err()
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn python() -> Option<PathBuf> {
    let found = std::env::var_os(PYTHON).map(PathBuf::from);
    if found.is_none() {
        println!("skipped: {PYTHON} names no Python; `cargo xtask test` installs one");
    }
    found
}

fn configured(folder: &TempDir, text: &str) {
    std::fs::write(folder.path().join("usine.toml"), text).unwrap();
}

/// What stands in the inbox of somebody, oldest first.
async fn kinds(client: &Client) -> Vec<String> {
    let inbox = client.get("/notices").await;
    inbox["items"].as_array().unwrap().iter().rev().map(|it| text(it, "kind")).collect()
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_reaches_its_founder_by_letter_and_by_a_signed_webhook() {
    let Some(python) = python() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let office = PostOffice::open(&python, folder.path(), &[]);
    configured(
        &folder,
        &format!(
            "[webhooks]\nprivate_networks = true\n[mail]\n\
             server = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Usine <hub@usine.example>\"\n",
            office.smtp
        ),
    );
    let factory = Factory::start_in(folder.clone());
    let start_up = StartUp::with_hours(&factory, 500).await;
    let letter = office.next();
    let headers = &letter["letter"];
    assert_eq!(headers["subject"], "Hours granted: “A small model of our own”", "{letter}");
    assert_eq!(letter["to"], json!(["founder@lumiere.example"]));
    assert_eq!(headers["auto-submitted"], "auto-generated");
    let settings = format!("<{}/settings/notices>", factory.url);
    assert_eq!(headers["list-unsubscribe"], settings);
    assert_eq!(headers["from"], "Usine <hub@usine.example>");
    assert!(text(headers, "message-id").ends_with("@usine.example>"), "{letter}");
    let said = text(&letter, "text");
    assert!(said.starts_with("Good day, Ada Founder,"), "{said}");
    let project = format!("{}/projects/{}", factory.url, start_up.project);
    assert!(said.contains("500.00 GPU-h") && said.contains(&project), "{said}");
    assert_eq!(kinds(&start_up.founder).await, ["application.awarded"]);

    let url = format!("http://127.0.0.1:{}/ok", office.http);
    let webhook = start_up.founder.post("/webhooks", json!({ "url": url })).await;
    std::fs::write(folder.path().join("secret"), text(&webhook, "secret")).unwrap();
    let settings = json!({ "language": "fr", "mail": "no", "calls": false });
    start_up.founder.put("/notices/settings", settings).await;
    let test = format!("/webhooks/{}/test", text(&webhook, "id"));
    start_up.founder.post(&test, json!({})).await;
    let call = office.next();
    assert_eq!((&call["genuine"], &call["body"]["type"]), (&json!(true), &json!("webhook.test")));
    assert_eq!(call["headers"]["webhook-id"], call["body"]["data"]["id"]);

    // From now on what happens comes by the webhook and not by letter.
    let root = factory.administrator().await;
    let me = start_up.founder.get("/me").await;
    let role = json!({ "person": me["id"], "role": "reviewer", "scope": "federation" });
    root.post("/grants", role).await;
    let call = office.next();
    assert_eq!(call["body"]["type"], "role.given", "{call}");
    assert_eq!((&call["genuine"], &call["webhook"]), (&json!(true), &json!("/ok")));
    assert_eq!(call["body"]["data"]["facts"]["role"], "role-reviewer");
    assert!(office.is_quiet());
    let deliveries = format!("/webhooks/{}/deliveries", text(&webhook, "id"));
    until("deliveries are entered", async || {
        let sent = start_up.founder.get(&deliveries).await;
        let states: Vec<_> =
            sent["items"].as_array().unwrap().iter().map(|it| text(it, "state")).collect();
        (states == ["delivered", "delivered"]).then_some(())
    })
    .await;
    let inbox = start_up.founder.get("/notices?unread=true").await;
    assert!(text(&inbox["items"][0], "subject").starts_with("Vous avez un rôle"), "{inbox}");
    start_up.founder.post("/notices/read", json!({})).await;
    let unread = start_up.founder.get("/notices?unread=true").await;
    assert_eq!(unread["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_loses_no_notice_and_tells_none_twice() {
    let Some(python) = python() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    // First nobody listens where letters should go.
    let mail = |port: u64| {
        format!(
            "[mail]\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"hub@u.example\"\n"
        )
    };
    configured(&folder, &mail(9));
    let factory = Factory::start_in(folder.clone());
    let root = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 500).await;
    until("a letter was tried in vain", async || {
        let health = root.get("/post").await;
        (health["tried"] == 1).then_some(())
    })
    .await;
    let role =
        |who: &Value| json!({ "person": who["id"], "role": "reviewer", "scope": "federation" });
    let grace = person(&factory, "grace@u.example").await;
    root.post("/grants", role(&grace.get("/me").await)).await;
    factory.kill();

    let office = PostOffice::open(&python, folder.path(), &[]);
    configured(&folder, &mail(office.smtp));
    let factory = Factory::start_in(folder.clone());
    let founder = Client::anonymous(&factory.url).with(start_up.founder.token.as_ref().unwrap());
    let letters = office.letters(2);
    let about: Vec<_> = letters.iter().map(|it| text(&it["letter"], "subject")).collect();
    assert!(about[0].starts_with("Hours granted"), "{about:?}");
    assert!(about[1].starts_with("You have a role"), "{about:?}");
    assert_eq!(kinds(&founder).await, ["application.awarded"], "told once, and still there");
    let nobody = person(&factory, "nobody@u.example").await;
    let root = Client::anonymous(&factory.url).with(root.token.as_ref().unwrap());
    root.post("/grants", role(&nobody.get("/me").await)).await;
    until("a letter to nobody is given up, where the operator sees it", async || {
        let health = root.get("/post").await;
        let refused = health["given_up"][0]["to"] == "nobody@u.example";
        (refused && health["waiting"] == 0 && health["sent"] == 2).then_some(())
    })
    .await;
    assert!(office.is_quiet(), "each left once");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_leave_over_tls_with_a_password_and_a_private_ca() {
    let Some(python) = python() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let at = folder.path();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(at.join("ca.pem"), authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(at.join("mail.pem"), params.signed_by(&key, &*authority).unwrap().pem())
        .unwrap();
    std::fs::write(at.join("mail.key"), key.serialize_pem()).unwrap();
    std::fs::write(at.join("password"), "s3cret words\n").unwrap();
    let path = |name: &str| at.join(name).display().to_string();
    let office = PostOffice::open(
        &python,
        at,
        &[&path("mail.pem"), &path("mail.key"), "hub", "s3cret words"],
    );
    configured(
        &folder,
        &format!(
            "[mail]\nserver = \"localhost\"\nport = {}\nca = \"ca.pem\"\nfrom = \"hub@u.example\"\n\
             user = \"hub\"\npassword_file = \"password\"\n",
            office.smtp
        ),
    );
    let factory = Factory::start_in(folder.clone());
    let root = factory.administrator().await;
    let ada = person(&factory, "ada@u.example").await;
    let me = ada.get("/me").await;
    let grant = json!({ "person": me["id"], "role": "programme-officer", "scope": "federation" });
    root.post("/grants", grant).await;
    let letter = office.next();
    assert_eq!(letter["to"], json!(["ada@u.example"]), "{letter}");
    assert_eq!((&letter["secured"], &letter["signed_in"]), (&json!(true), &json!(true)));
    let invited = json!({ "email": "new@u.example", "role": "reviewer", "scope": "federation" });
    let invitation = root.post("/invitations", invited).await;
    assert!(invitation["link"].is_null(), "{invitation}");
    let letter = office.next();
    assert_eq!(letter["letter"]["subject"], "Administrator invites you to the federation");
    let said = text(&letter, "text");
    let secret = said.split("/invitation/").nth(1).unwrap().split_whitespace().next().unwrap();
    let new = person(&factory, "new@u.example").await;
    let accepted = new.post("/invitations/accept", json!({ "secret": secret })).await;
    assert_eq!(accepted, json!({ "role": "reviewer", "scope": "federation" }));
    let (status, refused) =
        ada.send(Method::POST, "/webhooks", Some(json!({ "url": "https://127.0.0.1/x" }))).await;
    assert_eq!(status, 422, "{refused}");
}
