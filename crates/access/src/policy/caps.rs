//! The caps that the law sets on agreements.

use units::PartsPerMillion;

use super::{Entry, RuleId, entries};
use crate::document::{Table, Value};

/// One cap of the law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The entry of policy.
    pub rule: RuleId,
    /// The article that sets it.
    pub article: String,
    /// The most that is allowed.
    pub limit: PartsPerMillion,
}

/// The caps that hold on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// On the Union's part of the acquisition.
    pub union_acquisition: Cap,
    /// On the Union's part of the operation.
    pub union_operation: Cap,
    /// On the Union's part of the time.
    pub union_time: Cap,
    /// On the Union's part of the time of mid-range and industrial machines.
    pub union_time_mid_range: Cap,
    /// On commercial use, of the Union's time.
    pub commercial: Cap,
    /// On the remainder, which belongs to the states as a whole.
    pub remainder: Cap,
}

impl Caps {
    /// The caps, each found by its key.
    pub(super) fn gather<'e>(find: impl Fn(&str) -> Option<&'e Entry<Cap>>) -> Option<Self> {
        let cap = |key| find(key).map(|entry| entry.says.clone());
        Some(Self {
            union_acquisition: cap("union-acquisition")?,
            union_operation: cap("union-operation")?,
            union_time: cap("union-time")?,
            union_time_mid_range: cap("union-time-mid-range")?,
            commercial: cap("commercial")?,
            remainder: cap("remainder")?,
        })
    }
}

/// The entries of `caps.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Vec<Entry<Cap>>> {
    const KEYS: [&str; 6] = [
        "union-acquisition",
        "union-operation",
        "union-time",
        "union-time-mid-range",
        "commercial",
        "remainder",
    ];
    let read = entries(root, "caps", |table| {
        let article = table.required("article", Value::text);
        let limit = table.required("limit", Value::percent);
        Some((article?, limit?))
    })?;
    for key in KEYS {
        if !read.iter().any(|entry| entry.rule.entry == key) {
            root.fault_of::<()>("caps", format!("the entry `{key}` is missing"));
        }
    }
    for entry in read.iter().filter(|entry| !KEYS.contains(&entry.rule.entry.as_str())) {
        let message = format!("`{}` is not a cap; allowed: {}", entry.rule.entry, KEYS.join(", "));
        root.fault_of::<()>("caps", message);
    }
    let cap = |Entry { rule, until, source, note, at, says: (article, limit) }| Entry {
        says: Cap { rule: RuleId::clone(&rule), article, limit },
        rule,
        until,
        source,
        note,
        at,
    };
    Some(read.into_iter().map(cap).collect())
}
