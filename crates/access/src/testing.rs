//! The project's own policy and federation, for tests.

use std::sync::LazyLock;

use units::{Meter, Period, Work};

use crate::allocation::Allocation;
use crate::document::Document;
use crate::federation::Federation;
use crate::policy::{Caps, Policy};

/// The documents of a folder at the root of the project, in the order of their names.
pub(crate) fn folder(name: &str) -> Vec<Document> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut documents: Vec<Document> = std::fs::read_dir(format!("{root}/{name}"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let file = path.file_name().unwrap().to_str().unwrap();
            Document::new(format!("{name}/{file}"), std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    documents
}

/// The policy of the project, read once.
pub(crate) fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        let mut documents = folder("policy");
        documents.retain(|document| {
            Policy::FILES.iter().any(|file| document.name.ends_with(&format!("/{file}")))
        });
        Policy::parse(&documents).unwrap_or_else(|faults| panic!("{faults}"))
    });
    &POLICY
}

/// The law on agreements as it stood in November 2026.
pub(crate) fn caps() -> Caps {
    policy().caps(day("2026-11-21")).unwrap()
}

/// The federation of the project, read once.
pub(crate) fn federation() -> &'static Federation {
    static FEDERATION: LazyLock<Federation> = LazyLock::new(|| {
        let read = Federation::parse(&folder("federation"), &caps());
        read.unwrap_or_else(|faults| panic!("{faults}"))
    });
    &FEDERATION
}

/// A day.
pub(crate) fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

/// 5 000 GPU-hours of MeluXina-AI over three months.
pub(crate) fn allocation() -> Allocation {
    let id = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
    let at = |text: &str| text.parse().unwrap();
    Allocation {
        id: id.parse().unwrap(),
        project: id.parse().unwrap(),
        application: id.parse().unwrap(),
        partition: "meluxina-ai.gpu".parse().unwrap(),
        meter: Meter::Gpu,
        amount: Work::hours(5_000).unwrap(),
        period: Period::new(at("2026-11-21T00:00:00Z"), at("2027-02-21T00:00:00Z")).unwrap(),
        rule: "policy/access-modes.toml#playground@2025-12-01".to_owned(),
        granted_at: at("2026-11-20T00:00:00Z"),
        closed_at: None,
        suspended: None,
    }
}
