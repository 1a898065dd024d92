//! The ready scenarios stay readable, and their comparisons stay comparisons.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what is missing here fails the test")]

use std::path::{Path, PathBuf};

use access::document::Document;
use access::federation::Federation;
use access::policy::Policy;
use twin::scenario::Scenario;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = root().join(folder).read_dir().unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
}

fn documents(folder: &str, names: Option<&[&str]>) -> Vec<Document> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let wanted = |path: &PathBuf| names.is_none_or(|names| names.contains(&name(path).as_str()));
    let paths = files(folder).into_iter().filter(wanted);
    paths.map(|path| Document::new(name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

fn scenarios() -> Vec<(String, Scenario)> {
    let policy = Policy::parse(&documents("policy", Some(&Policy::FILES))).unwrap();
    let caps = policy.caps_in_force("2026-11-21".parse().unwrap()).unwrap();
    let federation = Federation::parse(&documents("federation", None), &caps).unwrap();
    let ready = files("scenarios").into_iter().filter(|path| !path.ends_with("population.toml"));
    ready
        .map(|path| {
            let scenario = Scenario::open(&path, &federation);
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, scenario.unwrap_or_else(|error| panic!("{error}")))
        })
        .collect()
}

#[test]
fn every_ready_scenario_is_sound_and_names_itself_once() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 12);
    let mut names: Vec<&str> = scenarios.iter().map(|(_, it)| it.name.as_str()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn scenarios_that_are_compared_see_the_same_jobs() {
    for family in ["sme-lane", "capacity", "placement", "federation", "shares"] {
        let of_family = scenarios().into_iter().filter(|(name, _)| name.starts_with(family));
        let drawn: Vec<_> = of_family
            .map(|(_, mut scenario)| {
                scenario.span.days = 10;
                scenario.workload(&scenario.logs().unwrap(), 1)
            })
            .collect();
        assert!(drawn.len() > 1, "{family}");
        assert!(drawn.iter().all(|workload| Some(workload) == drawn.first()), "{family}");
    }
}
