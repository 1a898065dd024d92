//! Figures with the source they come from.

use std::fmt;

use jiff::civil::Date;

use super::{Reader, Table, Value};

/// How much weight a source carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A legal text, or a publication of the body that decides.
    Official,
    /// A report of what somebody else decided.
    Secondary,
}

/// Where a figure was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Author and title, so that a reader can find it.
    pub text: String,
    /// The day of the publication or act or, failing that, the day it was read.
    pub date: Date,
    /// How much weight it carries.
    pub standing: Standing,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.date)
    }
}

/// What stands behind a known figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where it was read.
    pub source: Source,
    /// How it is to be understood.
    pub note: Option<String>,
}

/// A figure that is known with its evidence, or openly unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure<T> {
    /// The value and what stands behind it.
    Known(T, Evidence),
    /// What was looked for, and where.
    Unknown(String),
}

impl<T> Figure<T> {
    /// The value, when it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value, _) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The value, or why there is none, named as `what`.
    ///
    /// # Errors
    /// When the figure is unknown.
    pub fn require(&self, what: &str) -> Result<&T, String> {
        match self {
            Self::Known(value, _) => Ok(value),
            Self::Unknown(note) => Err(format!("{what} is unknown: {note}")),
        }
    }

    /// What stands behind it, when it is known.
    pub const fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Known(_, evidence) => Some(evidence),
            Self::Unknown(_) => None,
        }
    }

    /// The same figure with its value seen through `view`.
    pub fn map<U>(&self, view: impl FnOnce(&T) -> U) -> Figure<U> {
        match self {
            Self::Known(value, evidence) => Figure::Known(view(value), evidence.clone()),
            Self::Unknown(note) => Figure::Unknown(note.clone()),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Figure<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value, _) => value.fmt(f),
            Self::Unknown(_) => f.write_str("unknown"),
        }
    }
}

impl<'r> Value<'r> {
    /// `{ value = …, source = "…", note = "…" }` or `{ unknown = "…" }`.
    pub fn figure<T>(&self, parse: impl FnOnce(&Value<'r>) -> Option<T>) -> Option<Figure<T>> {
        self.table(|table| {
            let unknown = table.optional("unknown", Value::text);
            if let Some(note) = unknown {
                return Some(Figure::Unknown(note));
            }
            let value = table.required("value", parse);
            let source = table.required("source", Value::source);
            let note = table.optional("note", Value::text);
            Some(Figure::Known(value?, Evidence { source: source?, note }))
        })
    }

    /// The name of a source declared in the document's `sources`.
    pub fn source(&self) -> Option<Source> {
        let name = self.text()?;
        let sources = self.reader.sources.borrow();
        let Some(source) = sources.get(&name) else {
            let known: Vec<&str> = sources.keys().map(String::as_str).collect();
            return self.fault(format!(
                "`{name}` is not declared under `sources`; declared: {}",
                known.join(", ")
            ));
        };
        self.reader.sources_used.borrow_mut().insert(name);
        Some(source.clone())
    }
}

/// Takes in the `sources` of a document, so that figures can name them.
pub(super) fn declare(reader: &Reader<'_>, root: &Table<'_>) {
    let declared = root.optional("sources", |value| value.map::<String, _>(|it| it.table(source)));
    reader.sources.borrow_mut().extend(declared.unwrap_or_default());
}

/// Refuses sources that no figure names.
pub(super) fn finish(reader: &Reader<'_>, root: &Table<'_>) {
    let unused: Vec<(String, Value<'_>)> = root
        .optional("sources", |value| Some(value.entries()))
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| !reader.sources_used.borrow().contains(name))
        .collect();
    for (_, value) in unused {
        value.fault::<()>("no figure names this source");
    }
}

fn source(table: &Table<'_>) -> Option<Source> {
    const STANDINGS: [(&str, Standing); 2] =
        [("official", Standing::Official), ("secondary", Standing::Secondary)];
    let text = table.required("text", Value::text);
    let date = table.required("date", Value::date);
    let standing = table.required("standing", |value| value.choice(&STANDINGS));
    Some(Source { text: text?, date: date?, standing: standing? })
}
