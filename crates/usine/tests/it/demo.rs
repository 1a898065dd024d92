//! `usine demo --once`: the story as a person sees it, and its figures as the hub has them.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::factory::{Client, Factory};

/// Sentences enough to learn from, none like another.
fn corpus(folder: &Path) {
    let nouns = ["harbour", "engine", "ledger", "river", "library", "meadow", "furnace", "signal"];
    let verbs = ["keeps", "measures", "follows", "carries", "remembers", "opens", "describes"];
    std::fs::create_dir_all(folder).unwrap();
    for file in 0..40 {
        let mut text = String::new();
        for line in 0..220_usize {
            let pick = |words: &[&str], step: usize| {
                words[(file * 7 + line * step) % words.len()].to_owned()
            };
            let (one, other) = (pick(&nouns, 3), pick(&nouns, 5));
            let (verb, then) = (pick(&verbs, 1), pick(&verbs, 2));
            text.push_str(&format!(
                "The {one} {verb} the {other} and {then} number {file} {line}.\n"
            ));
        }
        std::fs::write(folder.join(format!("text-{file}.md")), text).unwrap();
    }
}

fn demo(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_usine"))
        .args(["demo", "--once", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("USINE_ADMINISTRATOR", "root@usine.localhost")
        .output()
        .unwrap()
}

/// What stands behind a figure's name.
fn figure<'a>(told: &'a str, name: &str) -> &'a str {
    let line = told.lines().find_map(|line| line.trim().strip_prefix(name));
    line.unwrap_or_else(|| panic!("the story does not tell `{name}`:\n{told}")).trim()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_is_told_to_its_end_and_the_hub_says_the_same() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    corpus(&folder.path().join("corpus"));
    let arguments = ["--corpus", "corpus", "--seconds", "8", "--data", "data"];
    let output = demo(folder.path(), &arguments);
    let told = String::from_utf8(output.stdout).unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{complained}");
    for step in 1..=7 {
        assert!(told.contains(&format!("{step}/7")), "step {step} is missing:\n{told}");
    }
    assert!(!told.contains('✗'), "{told}");
    check_against_the_hub(folder, &told).await;
}

/// Starts the same factory again and compares what it says with what was told.
async fn check_against_the_hub(folder: Arc<TempDir>, told: &str) {
    let job = figure(told, "by the job").to_owned();
    let factory = Factory::start_in(folder);
    // The story used the first link; its administrator signs in with a new one.
    let administrator = administrator(&factory).await;
    let check = administrator.get("/ledger/check").await;
    assert_eq!(check["sound"], true, "{check}");
    let entries = administrator.get("/ledger/entries?limit=200").await;
    let of_job: Vec<&Value> = entries["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["job"] == Value::String(job.clone()))
        .collect();
    let kinds: Vec<&str> = of_job.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["hold", "settle"], "the job is held once and charged once");
    let shown = administrator.get(&format!("/jobs/{job}")).await;
    let charged = shown["charged"]["unit_seconds"].as_i64().unwrap();
    let expected = format!("{charged} GPU-seconds, out of");
    assert!(figure(told, "charged").starts_with(&expected), "{expected}\n{told}");
    assert_eq!(shown["end"], "completed", "{shown}");
    assert_eq!(shown["allocation"], figure(told, "on the allocation"), "{shown}");
}

async fn administrator(factory: &Factory) -> Client {
    let link = Command::new(env!("CARGO_BIN_EXE_usine"))
        .args(["link", "root@usine.localhost", "--data"])
        .arg(factory.data())
        .output()
        .unwrap();
    let link = String::from_utf8(link.stdout).unwrap();
    let anonymous = Client::anonymous(&factory.url);
    let secret = link.trim().rsplit('/').next().unwrap();
    let session = anonymous.post("/session", json!({ "link": secret })).await;
    anonymous.with(session["token"].as_str().unwrap())
}

#[test]
fn too_little_text_ends_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.md"), "too short").unwrap();
    let output = demo(folder.path(), &["--corpus", "short.md", "--data", "data"]);
    assert_eq!(output.status.code(), Some(2));
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(complained.contains("--corpus PATH"), "{complained}");
    assert!(!folder.path().join("data").exists());
}
