use expect_test::{Expect, expect};

use super::reading::file_name;
use super::*;
use crate::testing::{day, folder, policy};

fn documents() -> Vec<Document> {
    let mut documents = folder("policy");
    documents.retain(|document| Policy::FILES.contains(&file_name(document)));
    documents
}

fn check_broken(file: &str, from: &str, to: &str, expected: Expect) {
    let mut documents = documents();
    let document = documents.iter_mut().find(|document| file_name(document) == file).unwrap();
    assert!(document.text.contains(from), "{file} has no {from}");
    document.text = document.text.replacen(from, to, 1);
    expected.assert_eq(&Policy::parse(&documents).unwrap_err().to_string());
}

#[test]
fn every_mode_of_the_programme_is_described() {
    let policy = policy();
    let modes: Vec<String> = policy
        .modes(day("2026-11-21"))
        .map(|entry| {
            let says = &entry.says;
            let hours = |figure: &crate::document::Figure<u32>| figure.to_string();
            format!(
                "{}: {} to {} {}",
                entry.rule,
                hours(&says.hours_min),
                hours(&says.hours_max),
                says.meter.hour_name()
            )
        })
        .collect();
    expect![[r#"
        policy/access-modes.toml#playground@2025-12-01: 1 to 5000 GPU-h
        policy/access-modes.toml#fast-lane@2025-12-01: 10000 to 50000 GPU-h
        policy/access-modes.toml#large-scale@2025-12-01: 50000 to unknown GPU-h
        policy/access-modes.toml#ai-for-science@2025-12-01: 20000 to 90000 node-h
        policy/access-modes.toml#benchmark@2025-12-01: 200 to 3500 node-h
        policy/access-modes.toml#development@2025-12-01: 400 to 4500 node-h
        policy/access-modes.toml#regular@2025-12-01: 20000 to 1800000 node-h
        policy/access-modes.toml#extreme-scale@2025-12-01: 100000 to 3000000 node-h"#]]
    .assert_eq(&modes.join("\n"));
    assert_eq!(policy.mode_shares(day("2026-11-21")).count(), 3);
}

#[test]
fn an_entry_holds_from_its_day_on() {
    let policy = policy();
    let playground: Slug = "playground".parse().unwrap();
    assert!(policy.mode(&playground, day("2025-11-30")).is_none());
    assert!(policy.mode(&playground, day("2025-12-01")).is_some());
    assert!(policy.caps(day("2024-07-08")).is_none());
}

#[test]
fn a_newer_version_takes_over_on_its_day() {
    let mut documents = documents();
    let caps = documents.iter_mut().find(|it| file_name(it) == "caps.toml").unwrap();
    caps.text = caps.text.replacen(
        "key = \"commercial\"\nfrom = 2024-07-09",
        "key = \"commercial\"\nfrom = 2024-07-09\nuntil = 2026-12-31",
        1,
    );
    caps.text.push_str(
        "\n[[caps]]\nkey = \"commercial\"\nfrom = 2027-01-01\nsource = \"regulation\"\n\
         article = \"Article 18\"\nlimit = \"25 %\"\n",
    );
    let policy = Policy::parse(&documents).unwrap();
    let limit = |at| policy.caps(day(at)).unwrap().commercial.limit.to_string();
    assert_eq!(limit("2026-12-31"), "20 %");
    assert_eq!(limit("2027-01-01"), "25 %");
}

#[test]
fn countries_are_found_in_the_groups_that_a_mode_names() {
    let policy = policy();
    let playground = policy.mode(&"playground".parse().unwrap(), day("2026-11-21")).unwrap();
    let group = |code: &str| {
        policy
            .group_of(code.parse().unwrap(), &playground.says.countries, day("2026-11-21"))
            .map(|entry| entry.rule.entry.clone())
    };
    assert_eq!(group("LU").as_deref(), Some("union"));
    assert_eq!(group("NO").as_deref(), Some("participating"));
    assert_eq!(group("CH").as_deref(), Some("antennas"));
    assert_eq!(group("US"), None);
}

#[test]
fn two_versions_may_not_hold_on_one_day() {
    check_broken(
        "caps.toml",
        "key = \"union-operation\"",
        "key = \"union-acquisition\"",
        expect![[r#"
            policy/caps.toml:11:3: caps: policy/caps.toml#union-acquisition@2024-07-09 and policy/caps.toml#union-acquisition@2024-07-09 hold on the same days; end one
            policy/caps.toml:11:3: caps: the entry `union-operation` is missing"#]],
    );
}

#[test]
fn a_mode_that_rules_decide_leaves_no_bound_open() {
    check_broken(
        "access-modes.toml",
        "hours_max = { value = 5000, source = \"programme\", note = \"about 5 000 GPU-hours, fixed for each system; one may ask for less here\" }",
        "hours_max = { unknown = \"forgotten\" }",
        expect![
            "policy/access-modes.toml:48:1: modes[0].hours_max: must be known, for the rules decide alone in this mode"
        ],
    );
}

#[test]
fn a_mode_names_groups_that_exist() {
    check_broken(
        "access-modes.toml",
        "countries = [\"union\", \"participating\", \"antennas\"]",
        "countries = [\"union\", \"elsewhere\"]",
        expect![
            "policy/access-modes.toml:38:1: playground.countries: `elsewhere` is not a group of policy/countries.toml"
        ],
    );
}

#[test]
fn smaller_classes_have_smaller_ceilings() {
    check_broken(
        "sme.toml",
        "small = { headcount_below = 50",
        "small = { headcount_below = 5",
        expect![
            "policy/sme.toml:24:1: definitions[0].small: its ceilings lie below those of the smaller class"
        ],
    );
}

#[test]
fn a_call_keeps_the_version_it_was_opened_under_when_a_newer_one_holds() {
    let mut documents = documents();
    let modes = documents.iter_mut().find(|it| file_name(it) == "access-modes.toml").unwrap();
    let (start, end) = (
        modes.text.find("[[modes]]").unwrap(),
        modes.text.find("[[modes]]\nkey = \"fast-lane\"").unwrap(),
    );
    let newer = modes.text[start..end]
        .replace("from = 2025-12-01", "from = 2027-01-01")
        .replace("hours_max = { value = 5000,", "hours_max = { value = 2000,");
    modes.text =
        modes.text.replacen("from = 2025-12-01", "from = 2025-12-01\nuntil = 2026-12-31", 1);
    modes.text.push_str(&newer);
    let policy = Policy::parse(&documents).unwrap();
    let key: Slug = "playground".parse().unwrap();
    let opened_under = policy.mode(&key, day("2026-12-31")).unwrap().rule.clone();
    let later = policy.mode(&key, day("2027-01-01")).unwrap();
    assert_eq!(later.says.hours_max.known(), Some(&2_000));
    let elsewhere = RuleId { file: "/srv/rules/access-modes.toml".to_owned(), ..opened_under };
    let kept = policy.mode_version(&elsewhere).unwrap();
    assert_eq!(kept.says.hours_max.known(), Some(&5_000));
    assert_eq!(policy.modes_later(day("2026-12-31")).count(), 1);
}

fn told(found: &[Difference]) -> String {
    let lines = found.iter().flat_map(|it| {
        let below = it.lines.iter().map(|line| format!("  {line}"));
        std::iter::once(it.to_string()).chain(below)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn differences_are_told_entry_by_entry() {
    let (before, mut after) = (documents(), documents());
    assert_eq!(differences(&before, &after).unwrap(), Vec::new());
    let of = |documents: &mut Vec<Document>, name: &str| {
        documents.iter().position(|it| file_name(it) == name).unwrap()
    };
    let modes = of(&mut after, "access-modes.toml");
    after[modes].text = after[modes]
        .text
        .replacen("hours_max = { value = 5000,", "hours_max = { value = 4000,", 1)
        .replacen("open_awards_max = { unknown = \"no limit was found\" }\n", "", 1);
    let caps = of(&mut after, "caps.toml");
    after[caps].text = after[caps].text.replacen(
        "key = \"commercial\"\nfrom = 2024-07-09",
        "key = \"commercial\"\nfrom = 2024-07-09\nuntil = 2026-12-31",
        1,
    );
    after[caps].text.push_str(
        "\n[[caps]]\nkey = \"commercial\"\nfrom = 2027-01-01\nsource = \"regulation\"\n\
         article = \"Article 18\"\nlimit = \"25 %\"\n",
    );
    expect![[r#"
        access-modes.toml: modes fast-lane from 2025-12-01: changed
          open_awards_max.unknown: no longer no limit was found
        access-modes.toml: modes playground from 2025-12-01: changed
          hours_max: 5000 → 4000
        caps.toml: caps commercial from 2024-07-09: changed
          until: 2026-12-31
        caps.toml: caps commercial from 2027-01-01: a new version, compared with 2024-07-09
          limit: 20 % → 25 %
          note: no longer of the Union's time on each machine, sold at a fee that the Governing Board sets"#]].assert_eq(&told(&differences(&before, &after).unwrap()));
    let back = told(&differences(&after, &before).unwrap());
    assert!(back.contains("caps.toml: caps commercial from 2027-01-01: gone"), "{back}");
}

#[test]
fn what_is_no_toml_has_no_differences() {
    let broken = [Document::new("policy/caps.toml", "[[caps]]\nkey =\n")];
    let faults = differences(&broken, &documents()).unwrap_err().to_string();
    assert!(faults.starts_with("policy/caps.toml:2:"), "{faults}");
}

#[test]
fn an_application_is_decided_within_the_working_days_after_its_cut_off() {
    let decide_by = |mode: &str, at: &str| {
        let mode = policy().mode(&mode.parse().unwrap(), day("2026-11-21")).unwrap();
        policy().decide_by(&mode.says, at.parse().unwrap()).unwrap().to_string()
    };
    // Fast Lane is always open: four working days from the day after, to midnight in Brussels.
    assert_eq!(decide_by("fast-lane", "2026-11-20T15:00:00Z"), "2026-11-26T23:00:00Z");
    // Large Scale has cut-offs on the 1st and the 15th at ten: ten working days after the next.
    assert_eq!(decide_by("large-scale", "2026-11-20T15:00:00Z"), "2026-12-15T23:00:00Z");
    assert_eq!(decide_by("large-scale", "2026-12-02T15:00:00Z"), "2027-01-07T23:00:00Z");
    // In summer the day ends two hours earlier by UTC.
    assert_eq!(decide_by("fast-lane", "2026-06-01T08:00:00Z"), "2026-06-05T22:00:00Z");
}

#[test]
fn texts_of_earlier_versions_are_still_read_since_decisions_rest_on_them() {
    let mut older = documents();
    older.retain(|it| !["calendar.toml", "estimates.toml"].contains(&file_name(it)));
    let awards = older.iter_mut().find(|it| file_name(it) == "awards.toml").unwrap();
    let later = ["transfer_max", "advance_max", "renewals_max", "beyond"];
    let lines = awards.text.lines().filter(|line| !later.iter().any(|key| line.starts_with(key)));
    let text = lines.collect::<Vec<_>>().join("\n");
    awards.text = text.split("[[cuts]]").next().unwrap().to_owned();
    let policy = Policy::parse(&older).unwrap_or_else(|faults| panic!("{faults}"));
    let partition = "meluxina-ai.gpu".parse().unwrap();
    assert!(policy.commitment(&partition, day("2026-11-21")).is_none());
    assert!(policy.is_working_day(day("2026-12-25")), "no holidays are known");
}
