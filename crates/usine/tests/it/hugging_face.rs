//! The clients of the Hugging Face Hub, as they come from PyPI, with a factory as their hub.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use reqwest::header;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::factory::{Client, Factory, http};
use crate::story::{StartUp, person, text};

/// A Python with `huggingface_hub` and `datasets`, and one with `transformers`.
const PYTHON: &str = "USINE_TEST_HF";
const TRANSFORMERS: &str = "USINE_TEST_PYTHON";

/// Runs a script of `tests/hf` with a factory as its hub; what it printed.
fn run(
    python: &Path,
    script: &str,
    arguments: &[&str],
    home: &Path,
    hub: &[(&str, &str)],
) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hf").join(script);
    let mut command = Command::new(python);
    command.arg(script).args(arguments).current_dir(home);
    // Nothing of whoever runs the test: its tokens, its caches, its offline mode.
    command.env_remove("HF_HUB_OFFLINE").env_remove("HF_TOKEN").env("HOME", home);
    command.env("HF_HOME", home.join("hf")).env("HF_HUB_DISABLE_TELEMETRY", "1");
    command.env("HF_HUB_DISABLE_XET", "1").env("HF_HUB_DISABLE_PROGRESS_BARS", "1");
    command.env("NO_PROXY", "127.0.0.1").envs(hub.iter().copied());
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{complaint}");
    told
}

fn python(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        println!("skipped: {variable} names no Python; `cargo xtask test` installs one");
    }
    found
}

/// A token of the founder's for data.
async fn token(client: &Client) -> String {
    let ask = json!({ "name": "hf", "abilities": ["read", "data"], "days": 1 });
    text(&client.post("/tokens", ask).await, "secret")
}

/// What other tools call the founder's project.
async fn handle(factory: &Factory, token: &str) -> String {
    let whoami = format!("{}/api/whoami-v2", factory.url);
    let answer = http(&factory.url).get(whoami).bearer_auth(token).send().await.unwrap();
    let me: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    text(&me["orgs"][0], "name")
}

#[tokio::test(flavor = "multi_thread")]
async fn its_clients_have_a_factory_for_their_hub() {
    let Some(python) = python(PYTHON) else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    // Parts so short that the test's large files come in several.
    std::fs::write(folder.path().join("usine.toml"), "[vault]\npart_bytes = 200000\n").unwrap();
    let factory = Factory::start_in(Arc::clone(&folder));
    let start_up = StartUp::with_hours(&factory, 100).await;
    let token = token(&start_up.founder).await;
    let owner = handle(&factory, &token).await;
    let stranger = person(&factory, "stranger@example.org").await.token.unwrap();
    let home = TempDir::new().unwrap();
    let hub = [("HF_ENDPOINT", factory.url.as_str())];
    let told = run(&python, "story.py", &[&owner, &token, &stranger], home.path(), &hub);
    assert_eq!(
        told,
        "signed in\nuploaded\ndownloaded\nbranched\ncommitted at once\nkept to the rights\n\
         datasets\n"
    );
    let trail = factory.administrator().await.get("/audit?limit=200").await;
    let trail = trail["items"].as_array().unwrap();
    for action in [
        "repository.create",
        "repository.rename",
        "repository.classify",
        "repository.delete",
        "revision.commit",
        "branch.create",
        "branch.delete",
        "tag.create",
        "tag.delete",
    ] {
        assert!(trail.iter().any(|line| line["action"] == action), "no line of {action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transformers_loads_a_model_that_the_service_trained() {
    let Some(python) = python(TRANSFORMERS) else { return };
    let factory = Factory::start();
    let start_up = StartUp::with_hours(&factory, 100).await;
    let (founder, project) = (&start_up.founder, &start_up.project);
    let texts: String =
        (0..300).map(|i| format!("The factory trains model {i} on text.\n")).collect();
    let new = json!({
        "kind": "dataset", "name": "texts", "title": "Texts", "sensitivity": "internal",
    });
    let dataset =
        text(&founder.post(&format!("/projects/{project}/repositories"), new).await, "id");
    let sha256 = vault::Sha256::of(texts.as_bytes()).to_string();
    let blob = format!("{}/api/v1/repositories/{dataset}/blobs/{sha256}", factory.url);
    let sent = http(&factory.url)
        .put(blob)
        .bearer_auth(founder.token.as_deref().unwrap())
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(texts)
        .send()
        .await
        .unwrap();
    assert!(sent.status().is_success(), "{sent:?}");
    let revision = json!({
        "message": "Texts", "put": [{ "path": "texts.txt", "sha256": sha256 }], "remove": [],
        "inputs": {},
    });
    founder.post(&format!("/repositories/{dataset}/revisions"), revision).await;
    let values = json!({ "dataset": dataset, "steps": 5 });
    let job = json!({ "service": { "name": "train-lm", "values": values } });
    let job = founder.post(&format!("/projects/{project}/jobs"), job).await;
    let ended = crate::line::ended(founder, &text(&job["jobs"][0], "id")).await;
    assert_eq!(ended["end"], "completed", "{ended}");
    let token = token(founder).await;
    let owner = handle(&factory, &token).await;
    let found = founder.get(&format!("/projects/{project}/repositories?kind=model")).await;
    let model = format!("{owner}/{}", text(&found["items"][0], "name"));
    let home = TempDir::new().unwrap();
    let hub = [("HF_ENDPOINT", factory.url.as_str()), ("HF_TOKEN", token.as_str())];
    let told = run(&python, "load_model.py", &[&model], home.path(), &hub);
    assert_eq!(told, "LlamaForCausalLM\n");
}
