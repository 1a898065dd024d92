//! What differs between two policies, entry by entry, whatever the files are about.
//!
//! Not here: what follows from it for anybody.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::reading::file_name;
use crate::document::{Diagnostic, Diagnostics, Document};

/// How an entry of the later policy stands to the earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// There was no entry of that name.
    Added,
    /// It is gone.
    Removed,
    /// The same version says something else.
    Changed,
    /// A new version; the one that held from this day says what is compared.
    Follows(String),
}

/// One figure or word of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which, as a path within the entry.
    pub what: String,
    /// What the earlier policy says.
    pub before: Option<String>,
    /// What the later one says.
    pub after: Option<String>,
}

/// An entry that is not the same in both policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file, without its folder.
    pub file: String,
    /// The entry, as `modes playground`; empty for what stands in no entry.
    pub entry: String,
    /// The day from which the version holds; empty for what has none.
    pub from: String,
    /// What became of it.
    pub news: News,
    /// What differs in it, or all of it when it is only in one of the two.
    pub lines: Vec<Line>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if !self.entry.is_empty() {
            write!(f, ": {}", self.entry)?;
        }
        if !self.from.is_empty() {
            write!(f, " from {}", self.from)?;
        }
        match &self.news {
            News::Added => f.write_str(": new"),
            News::Removed => f.write_str(": gone"),
            News::Changed => f.write_str(": changed"),
            News::Follows(earlier) => write!(f, ": a new version, compared with {earlier}"),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{}: {before} → {after}", self.what),
            (None, Some(after)) => write!(f, "{}: {after}", self.what),
            (Some(before), None) => write!(f, "{}: no longer {before}", self.what),
            (None, None) => f.write_str(&self.what),
        }
    }
}

/// File, entry and version.
type Name = (String, String, String);
/// What an entry says, by path.
type Says = BTreeMap<String, String>;

/// What `after` says otherwise than `before`, in the order of files and entries.
///
/// # Errors
/// Where a document is no TOML.
pub fn differences(
    before: &[Document],
    after: &[Document],
) -> Result<Vec<Difference>, Diagnostics> {
    let (before, after) = (entries_of(before)?, entries_of(after)?);
    let nothing = Says::new();
    let mut found = Vec::new();
    for (name, says) in &after {
        let (news, earlier) = match (before.get(name), predecessor(&before, name)) {
            (Some(same), _) => (News::Changed, same),
            (None, Some((from, earlier))) => (News::Follows(from.clone()), earlier),
            (None, None) => (News::Added, &nothing),
        };
        found.extend(difference(name, news, (earlier, says)));
    }
    for (name, says) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        found.extend(difference(name, News::Removed, (says, &nothing)));
    }
    found.sort_by(|a, b| (&a.file, &a.entry, &a.from).cmp(&(&b.file, &b.entry, &b.from)));
    Ok(found)
}

/// The version of the same entry that held last before `name`, with its day.
fn predecessor<'e>(
    entries: &'e BTreeMap<Name, Says>,
    (file, entry, from): &Name,
) -> Option<(&'e String, &'e Says)> {
    let earlier = entries.range((file.clone(), entry.clone(), String::new())..);
    let of_it =
        earlier.take_while(|((of, name, day), _)| (of, name) == (file, entry) && day < from);
    of_it.last().map(|((_, _, day), says)| (day, says))
}

fn difference(
    (file, entry, from): &Name,
    news: News,
    (before, after): (&Says, &Says),
) -> Option<Difference> {
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    // The day of a new version stands in its name.
    paths.retain(|path| before.get(*path) != after.get(*path) && path.as_str() != "from");
    let line = |path: &String| Line {
        what: path.clone(),
        before: before.get(path).cloned(),
        after: after.get(path).cloned(),
    };
    let lines: Vec<Line> = paths.into_iter().map(line).collect();
    let same = lines.is_empty() && news == News::Changed;
    let (file, entry, from) = (file.clone(), entry.clone(), from.clone());
    (!same).then_some(Difference { file, entry, from, news, lines })
}

fn entries_of(documents: &[Document]) -> Result<BTreeMap<Name, Says>, Diagnostics> {
    let mut entries = BTreeMap::new();
    let mut faults = Vec::new();
    for document in documents {
        let (root, errors) = DeTable::parse_recoverable(&document.text);
        let fault = |error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            Diagnostic::at_offset(document, at, error.message())
        };
        faults.extend(errors.iter().map(fault));
        let mut own = Says::new();
        for (key, value) in root.get_ref() {
            let key: &str = key.get_ref();
            let tables = tables_of(value.get_ref());
            if tables.is_empty() {
                flatten(key, value.get_ref(), &mut own);
            }
            for table in tables {
                let text = |name| table.get(name).map(|it| shown(it.get_ref())).unwrap_or_default();
                let mut says = Says::new();
                for (name, value) in table.iter().filter(|(name, _)| name.get_ref() != "key") {
                    flatten(name.get_ref(), value.get_ref(), &mut says);
                }
                let entry = format!("{key} {}", text("key"));
                entries.insert((file_name(document).to_owned(), entry, text("from")), says);
            }
        }
        entries.insert((file_name(document).to_owned(), String::new(), String::new()), own);
    }
    if faults.is_empty() { Ok(entries) } else { Err(Diagnostics(faults)) }
}

/// The tables of an array whose items are entries, each with a `key`.
fn tables_of<'t>(value: &'t DeValue<'_>) -> Vec<&'t DeTable<'t>> {
    let DeValue::Array(items) = value else { return Vec::new() };
    let entry = |item: &'t toml::Spanned<DeValue<'_>>| match item.get_ref() {
        DeValue::Table(table) if table.contains_key("key") => Some(table),
        _ => None,
    };
    items.iter().filter_map(entry).collect()
}

/// Every plain value below `path`. A figure stands under its own name, not under `value`.
fn flatten(path: &str, value: &DeValue<'_>, says: &mut Says) {
    let DeValue::Table(table) = value else {
        says.insert(path.to_owned(), shown(value));
        return;
    };
    for (key, value) in table {
        let key: &str = key.get_ref();
        let below = if key == "value" { path.to_owned() } else { format!("{path}.{key}") };
        flatten(&below, value.get_ref(), says);
    }
}

/// A value as people read it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(items) => {
            items.iter().map(|item| shown(item.get_ref())).collect::<Vec<_>>().join(", ")
        }
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(key, value)| {
                let key: &str = key.get_ref();
                format!("{key} = {}", shown(value.get_ref()))
            });
            format!("({})", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}
