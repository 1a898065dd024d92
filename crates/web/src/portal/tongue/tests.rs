use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;

/// The messages of a locale, each with the gaps it has.
fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    FluentResource::try_new(text.to_owned()).expect("the locale parses");
    let mut all = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with([' ', '}'])) {
            current = key.to_owned();
            assert!(!all.contains_key(key), "{key} stands twice");
        }
        let gaps = line.split('$').skip(1).map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap().to_owned()
        });
        all.entry(current.clone()).or_insert_with(BTreeSet::new).extend(gaps);
    }
    all.remove("");
    all
}

/// Every file of the portal that speaks.
fn speakers() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("templates"), &mut found);
    walk(&root.join("src/portal"), &mut found);
    walk(&root.join("src/post"), &mut found);
    found
}

/// The keys that the portal names whole, and the beginnings of those it puts together.
fn named() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut whole, mut beginnings) = (BTreeSet::new(), BTreeSet::new());
    for path in speakers() {
        let text = std::fs::read_to_string(&path).unwrap();
        for call in ["say(", "count(", "fill(", "sub("] {
            for rest in text.split(call).skip(1) {
                let Some(literal) = rest.trim_start().strip_prefix('"') else { continue };
                let literal = literal.split('"').next().unwrap().to_owned();
                if call == "sub(" { &mut beginnings } else { &mut whole }.insert(literal);
            }
        }
    }
    // By the kinds of notices; the tests of `told` hold each to its text.
    beginnings.insert("told-".to_owned());
    (whole, beginnings)
}

#[test]
fn both_locales_say_the_same_things_with_the_same_gaps() {
    let (english, french) = (messages(EN), messages(FR));
    for (key, gaps) in &english {
        assert_eq!(Some(gaps), french.get(key), "{key}");
    }
    assert_eq!(english.len(), french.len());
}

#[test]
fn everything_the_portal_says_is_written_and_nothing_more() {
    let written: BTreeSet<String> = messages(EN).into_keys().collect();
    let (whole, beginnings) = named();
    let missing: Vec<_> = whole.difference(&written).collect();
    assert!(missing.is_empty(), "not in the locales: {missing:?}");
    for beginning in &beginnings {
        assert!(written.iter().any(|key| key.starts_with(beginning)), "nothing for {beginning}");
    }
    let idle: Vec<_> = written
        .difference(&whole)
        .filter(|key| !beginnings.iter().any(|beginning| key.starts_with(beginning.as_str())))
        .collect();
    assert!(idle.is_empty(), "said nowhere: {idle:?}");
}

#[test]
fn the_visitors_choice_goes_before_the_browsers() {
    let wanted = |pairs: &[(&'static str, &str)]| {
        let headers = pairs.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        Tongue::wanted(&headers)
    };
    assert_eq!(wanted(&[]), Tongue::English);
    assert_eq!(wanted(&[("accept-language", "de, fr-LU;q=0.8, en;q=0.5")]), Tongue::French);
    assert_eq!(wanted(&[("accept-language", "fr;q=0, en")]), Tongue::English);
    assert_eq!(wanted(&[("accept-language", "frr")]), Tongue::English);
    let both = [("accept-language", "en"), ("cookie", "usine_language=fr")];
    assert_eq!(wanted(&both), Tongue::French);
}

#[test]
fn figures_follow_the_language() {
    let plain = |text: String| text.replace('\u{a0}', " ");
    let (en, fr) = (Tongue::English, Tongue::French);
    let work = Work::hours(5_000).unwrap();
    assert_eq!(plain(en.work(work, Meter::Gpu)), "5 000.00 GPU-h");
    assert_eq!(plain(fr.work(work, Meter::Gpu)), "5 000,00 GPU-h");
    assert_eq!(plain(fr.percent(PartsPerMillion::new(125_000))), "12,5 %");
    assert_eq!(plain(en.percent(PartsPerMillion::percent(35))), "35 %");
    assert_eq!(plain(en.number(-1_234_567)), "−1 234 567");
    let at: Timestamp = "2026-11-21T09:05:59Z".parse().unwrap();
    assert_eq!(plain(en.minute(at)), "21 Nov 2026, 09:05 UTC");
    assert_eq!(plain(fr.day(at)), "21 nov. 2026");
    assert_eq!(plain(en.seconds(42)), "42 s");
    assert_eq!(plain(en.seconds(3_661)), "1 h 01 min");
    assert_eq!(plain(en.bytes(999)), "999 B");
    assert_eq!(plain(en.bytes(12_345_678)), "12.3 MB");
    assert_eq!(plain(fr.bytes(1_000)), "1,0 ko");
}
