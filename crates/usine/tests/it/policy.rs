//! `usine policy`: a policy checked and compared, without a hub.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::Terminal;

/// A copy of the project's policy with one text replaced.
fn edited(folder: &Path, (name, file): (&str, &str), (from, to): (&str, &str)) -> String {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policy");
    let copy = folder.join(name);
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    let text = std::fs::read_to_string(copy.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(copy.join(file), text.replacen(from, to, 1)).unwrap();
    name.to_owned()
}

fn in_a_folder<T>(told: impl FnOnce(Terminal<'_>) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    told(Terminal { folder: folder.path(), name: "any" })
}

#[test]
fn a_sound_policy_says_what_holds_today() {
    in_a_folder(|it| {
        let checked = it.json(&["policy", "check"]);
        assert_eq!(checked["valid"], true);
        let modes = checked["modes"].as_array().unwrap();
        assert_eq!(modes.len(), 8);
        assert_eq!(modes[0]["hours_max"], 5_000);
        assert_eq!(modes[0]["cut_offs"], "always open");
        assert_eq!(modes[4]["cut_offs"], "day 1 of every month, 10:00 Brussels");
        assert!(modes[4]["next_cut_off"].as_str().unwrap().contains("-01T"));
        let told = it.told(&["policy", "check"]);
        assert!(told.contains("Extreme Scale"), "{told}");
    });
}

#[test]
fn every_fault_of_every_file_is_told_with_its_place() {
    in_a_folder(|it| {
        let dir =
            edited(it.folder, ("mine", "caps.toml"), ("limit = \"50 %\"", "limit = \"150 %\""));
        let charge = it.folder.join("mine/charge-rules.toml");
        let text = std::fs::read_to_string(&charge).unwrap();
        std::fs::write(&charge, text.replacen("rounding = \"up\"", "rounding = \"sideways\"", 1))
            .unwrap();
        std::fs::remove_file(it.folder.join("mine/placement.toml")).unwrap();
        std::fs::write(it.folder.join("mine/sme2.toml"), "").unwrap();
        let (code, complaint) = it.refused(&["policy", "check", &dir]);
        assert_eq!(code, 2);
        for part in [
            "mine/caps.toml:16:9: caps[0].limit: `150 %` is more than the whole",
            "mine/charge-rules.toml:17:12: unknown variant `sideways`",
            "placement.toml:1:1: this file is missing",
            "mine/sme2.toml:1:1: is not a policy file",
            "4 faults",
        ] {
            assert!(complaint.contains(part), "{part} is missing in {complaint}");
        }
        let output = it.run(&["policy", "check", &dir, "--json"], "");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&told["valid"], told["errors"].as_array().unwrap().len()), (&json!(false), 4));
        assert!(told["errors"][0]["column"].is_u64(), "{told}");
        assert_eq!(it.refused(&["policy", "diff", "built-in", &dir]).0, 2);
    });
}

#[test]
fn two_policies_are_compared_in_words() {
    in_a_folder(|it| {
        let from = "hours_max = { value = 5000,";
        let dir =
            edited(it.folder, ("mine", "access-modes.toml"), (from, "hours_max = { value = 4000,"));
        let told = it.told(&["policy", "diff", "built-in", &dir]);
        let expected = "access-modes.toml: modes playground from 2025-12-01: changed\n  \
                        hours_max: 5000 → 4000\n";
        assert_eq!(told, expected);
        let same = it.told(&["policy", "diff", "built-in", "built-in"]);
        assert_eq!(same, "both policies say the same\n");
    });
}
