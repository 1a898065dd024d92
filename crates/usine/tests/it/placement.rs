//! Two sites on this machine: where a job had best run, why it waits, and when it starts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::factory::{Client, Factory};
use crate::story::{StartUp, text};

/// The machine of the second site.
pub(crate) const ELSEWHERE: &str = "daedalus-ai.gpu";

/// A folder whose factory has two sites of one core each, in Luxembourg and in Greece.
fn two_sites(folder: &Path) {
    two_places(folder);
    let config = format!(
        "federation = \"federation\"\npolicy = \"policy\"\n\
         [site]\ncores = 1\nmemory_mb = 2000\nwatts_per_unit = 1000\ncarbon_grams_per_kwh = 80\n\
         [[sites]]\nname = \"athens\"\nserves = \"{ELSEWHERE}\"\ncores = 1\nmemory_mb = 2000\n"
    );
    std::fs::write(folder.join("usine.toml"), config).unwrap();
}

/// Writes a federation with a second factory, in Greece, and a policy by which somebody may have hours
/// at both.
pub(crate) fn two_places(folder: &Path) {
    let built_in = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    for name in ["federation", "policy"] {
        std::fs::create_dir(folder.join(name)).unwrap();
        for entry in std::fs::read_dir(built_in(name)).unwrap() {
            let file = entry.unwrap().path();
            std::fs::copy(&file, folder.join(name).join(file.file_name().unwrap())).unwrap();
        }
    }
    let edit = |from: &str, to: &str, change: &dyn Fn(String) -> String| {
        let text = std::fs::read_to_string(folder.join(from)).unwrap();
        std::fs::write(folder.join(to), change(text)).unwrap();
    };
    edit("federation/meluxina-ai.toml", "federation/pharos.toml", &|text| {
        let (first, _) = text.split_once("[[systems]]\nkey = \"meluxina\"").unwrap();
        let without = |text: String, source: &str| {
            let (before, after) = text.split_once(&format!("[sources.{source}]")).unwrap();
            let (_, after) = after.split_once("\n\n").unwrap();
            format!("{before}{after}")
        };
        let text = without(without(first.to_owned(), "lxp"), "chronicle");
        text.replacen("key = \"meluxina-ai\"", "key = \"pharos\"", 1)
            .replacen("key = \"meluxina-ai\"", "key = \"daedalus-ai\"", 1)
            .replace("country = \"LU\"", "country = \"GR\"")
            .replace("{ LU = 1 }", "{ GR = 1 }")
    });
    edit("policy/access-modes.toml", "policy/access-modes.toml", &|text| {
        text.replace("open_awards_max = { value = 1,", "open_awards_max = { value = 9,")
    });
}

/// Asks until the answer is as it should be.
async fn until(client: &Client, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..300 {
        last = client.get(path).await;
        if is_there(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} stays {last}")
}

fn one_core(command: &str) -> String {
    format!("#!/bin/sh\n#SBATCH --time=5 --mem=100M --cpus-per-task=1\n{command}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_where_it_starts_first_unless_a_country_is_asked() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    two_sites(folder.path());
    let factory = Factory::start_in(folder);
    let start_up = StartUp::with_hours(&factory, 100).await;
    let (project, elsewhere) = start_up.awarded(Some(&start_up.project), ELSEWHERE, 100).await;
    assert_eq!(project, start_up.project, "the hours join the project");
    let founder = &start_up.founder;
    let [jobs, offers] =
        ["jobs", "offers"].map(|what| format!("/projects/{}/{what}", start_up.project));

    // Both are free, so neither starts sooner.
    let new = |limits: Value| json!({ "script": one_core("echo here"), "anywhere": limits });
    let compared = founder.post(&offers, new(json!({}))).await;
    assert_eq!(compared["offers"].as_array().unwrap().len(), 2, "{compared}");

    let allocations = founder.get(&format!("/projects/{}/allocations", start_up.project)).await;
    let at_home = allocations["items"].as_array().unwrap();
    let at_home = at_home.iter().find(|one| one["id"] != elsewhere).unwrap();
    let sleeper = json!({ "script": one_core("sleep 200"), "allocation": at_home["id"] });
    let sleeper = text(&founder.post(&jobs, sleeper).await, "id");
    until(founder, &format!("/jobs/{sleeper}"), |job| job["state"] == "running").await;

    // Once the first site has shown that it is busy, the second is the better place.
    let mut first = Value::Null;
    for _ in 0..100 {
        first = founder.post(&offers, new(json!({}))).await;
        if first["because"].as_str().is_some_and(|why| why.contains("earlier start")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(first["offers"][0]["allocation"], elsewhere, "{first}");
    let known = &first["offers"][1]["terms"];
    assert!(known["carbon_grams"].as_u64().unwrap() > 0, "{first}");

    let placed = founder.post(&jobs, new(json!({}))).await;
    assert_eq!(placed["placed"]["offers"][0]["allocation"], elsewhere, "{placed}");
    let job = format!("/jobs/{}", text(&placed, "id"));
    let ended = until(founder, &job, |job| job["state"] == "ended").await;
    assert_eq!((&ended["end"], &ended["site"]), (&json!("completed"), &json!("athens")));

    // In Luxembourg it has to wait, is told why and until when, and starts when room is made.
    let waiting = founder.post(&jobs, new(json!({ "countries": ["LU"] }))).await;
    let refused = text(&waiting["placed"]["offers"][1], "refused");
    assert!(refused.contains("GR"), "{refused}");
    let job = format!("/jobs/{}", text(&waiting, "id"));
    let path = format!("{job}/outlook");
    let outlook = until(founder, &path, |it| it["causes"][0]["kind"] == "not-free").await;
    assert!(text(&outlook, "text").starts_with("Expected to start at"), "{outlook}");
    founder.post(&format!("/jobs/{sleeper}/cancel"), json!({})).await;
    let ended = until(founder, &job, |job| job["state"] == "ended").await;
    assert_eq!((&ended["end"], &ended["site"]), (&json!("completed"), &json!("here")));
    let outlook = founder.get(&format!("{job}/outlook")).await;
    assert_eq!(outlook["causes"], json!([]), "a job that has ended waits for nothing");
}
