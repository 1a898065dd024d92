//! What tests share: the project's own federation, and scenarios from text.

use std::path::Path;
use std::sync::LazyLock;

use access::document::Document;
use access::federation::Federation;
use access::policy::Policy;

use crate::scenario::Scenario;

static FEDERATION: LazyLock<Federation> = LazyLock::new(|| {
    let policy = Policy::parse(&documents("policy", |name| Policy::FILES.contains(&name))).unwrap();
    let caps = policy.caps_in_force("2026-11-21".parse().unwrap()).unwrap();
    Federation::parse(&documents("federation", |_| true), &caps).unwrap()
});

/// The federation that the project describes.
pub(crate) fn federation() -> Federation {
    FEDERATION.clone()
}

fn documents(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<Document> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = root.read_dir().unwrap().map(|entry| entry.unwrap());
    let named =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    let named = named.filter(|(name, _)| name.ends_with(".toml") && wanted(name));
    named
        .map(|(name, path)| {
            Document::new(format!("{folder}/{name}"), std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// A scenario from its text.
pub(crate) fn scenario(text: &str) -> Scenario {
    let document = Document::new("test.toml", text);
    Scenario::parse(&document, Path::new(""), &federation()).unwrap_or_else(|it| panic!("{it}"))
}
