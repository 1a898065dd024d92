//! Reading policy files: each is there, known, and its entries do not contradict each other.

use super::{Entry, Policy, RuleId};
use crate::document::{Diagnostic, Document, Place, Reader, Table, Value};

pub(super) fn strangers(documents: &[Document]) -> Vec<Diagnostic> {
    let known = |document: &&Document| !Policy::FILES.contains(&file_name(document));
    documents
        .iter()
        .filter(known)
        .map(|document| Diagnostic {
            file: document.name.clone(),
            at: Place::START,
            key: String::new(),
            message: format!("is not a policy file; allowed: {}", Policy::FILES.join(", ")),
        })
        .collect()
}

pub(super) fn read_file<T>(
    documents: &[Document],
    name: &'static str,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
    faults: &mut Vec<Diagnostic>,
) -> Option<T> {
    let Some(document) = documents.iter().find(|document| file_name(document) == name) else {
        faults.push(Diagnostic {
            file: name.to_owned(),
            at: Place::START,
            key: String::new(),
            message: "this file is missing".to_owned(),
        });
        return None;
    };
    Reader::read(document, read).map_err(|found| faults.extend(found.0)).ok()
}

/// The same where the file may be missing.
pub(super) fn read_file_if_any<T: Default>(
    documents: &[Document],
    name: &'static str,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
    faults: &mut Vec<Diagnostic>,
) -> Option<T> {
    if documents.iter().any(|document| file_name(document) == name) {
        read_file(documents, name, read, faults)
    } else {
        Some(T::default())
    }
}

pub(super) fn file_name(document: &Document) -> &str {
    document.name.rsplit('/').next().unwrap_or(&document.name)
}

/// The same where there may be none.
pub(super) fn entries_if_any<T>(
    root: &Table<'_>,
    key: &'static str,
    says: impl Fn(&Table<'_>) -> Option<T>,
) -> Option<Vec<Entry<T>>> {
    if root.has(key) { entries(root, key, says) } else { Some(Vec::new()) }
}

/// Reads the entries of the array `key`; two versions of one entry may not hold on one day.
pub(super) fn entries<T>(
    root: &Table<'_>,
    key: &'static str,
    says: impl Fn(&Table<'_>) -> Option<T>,
) -> Option<Vec<Entry<T>>> {
    let entries = root.tables(key, |table| entry(table, &says));
    if entries.is_empty() {
        if root.has(key) {
            return None;
        }
        return root.fault_of(key, format!("needs at least one entry: write [[{key}]]"));
    }
    for (index, entry) in entries.iter().enumerate() {
        let clash = entries.iter().skip(index.saturating_add(1)).find(|other| {
            other.rule.entry == entry.rule.entry
                && (entry.holds_on(other.rule.from) || other.holds_on(entry.rule.from))
        });
        if let Some(other) = clash {
            root.fault_of::<()>(
                key,
                format!("{} and {} hold on the same days; end one", entry.rule, other.rule),
            );
        }
    }
    Some(entries)
}

fn entry<T>(table: &Table<'_>, says: impl Fn(&Table<'_>) -> Option<T>) -> Option<Entry<T>> {
    let key: Option<units::Slug> = table.required("key", Value::parsed);
    let from = table.required("from", Value::date);
    let until = table.optional("until", Value::date);
    let source = table.required("source", Value::source);
    let note = table.optional("note", Value::text);
    let says = says(table);
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        return table.fault_of("until", format!("lies before `from` ({from})"));
    }
    let rule = RuleId { file: table.file(), entry: key?.to_string(), from: from? };
    let at = table.place_of("key");
    Some(Entry { rule, until, source: source?, note, at, says: says? })
}
