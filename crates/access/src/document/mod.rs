//! TOML that people write, read with diagnostics that point at file, line and key.
//!
//! All faults of a document are collected, unknown keys are faults, and what is allowed is said.
//! Not here: files. A document is a name and a text that somebody else has read.

mod measure;
mod source;
mod table;
mod value;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use toml::de::DeTable;

pub use source::{Evidence, Figure, Source, Standing};
pub use table::Table;
pub use value::Value;

/// One file, as text that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name to show in diagnostics, such as `federation/lumi-aif.toml`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Document {
    /// A document called `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from 1.
    pub line: usize,
    /// The character within the line, counted from 1.
    pub column: usize,
}

impl Place {
    /// Where a document begins.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Where the byte at `offset` of `text` stands.
    pub fn in_text(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count().saturating_add(1);
        let begun = before.rsplit('\n').next().unwrap_or_default();
        Self { line, column: begun.chars().count().saturating_add(1) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One fault of a document: where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The document's name.
    pub file: String,
    /// Where in it.
    pub at: Place,
    /// The path of the key within the document; empty when the fault is not about one key.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Diagnostic {
    /// A fault at the byte `offset` of `document`.
    pub fn at_offset(document: &Document, offset: usize, message: impl Into<String>) -> Self {
        Self {
            file: document.name.clone(),
            at: Place::in_text(&document.text, offset),
            key: String::new(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.at)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// All faults found in a set of documents, in the order of file and line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// Reads one document and collects its faults.
pub struct Reader<'d> {
    document: &'d Document,
    faults: RefCell<Vec<Diagnostic>>,
    sources: RefCell<BTreeMap<String, Source>>,
    sources_used: RefCell<BTreeSet<String>>,
}

impl<'d> Reader<'d> {
    /// Parses `document` and hands its root table to `read`.
    ///
    /// # Errors
    /// Every fault: of syntax, or of what `read` asked for, or keys that it did not ask for.
    pub fn read<T>(
        document: &'d Document,
        read: impl FnOnce(&Table<'_>) -> Option<T>,
    ) -> Result<T, Diagnostics> {
        let reader = Self {
            document,
            faults: RefCell::default(),
            sources: RefCell::default(),
            sources_used: RefCell::default(),
        };
        let (root, errors) = DeTable::parse_recoverable(&document.text);
        for error in &errors {
            reader.fault(&error.span().unwrap_or(0..0), "", error.message());
        }
        let mut outcome = None;
        if errors.is_empty() {
            let table = Table::new(&reader, String::new(), 0..0, root.get_ref());
            source::declare(&reader, &table);
            outcome = read(&table);
            table.finish();
            source::finish(&reader, &table);
        }
        let mut faults = reader.faults.into_inner();
        faults.sort();
        match outcome {
            Some(read) if faults.is_empty() => Ok(read),
            _ if faults.is_empty() => Err(Diagnostics(vec![Diagnostic {
                file: document.name.clone(),
                at: Place::START,
                key: String::new(),
                message: "the document says nothing that can be used".to_owned(),
            }])),
            _ => Err(Diagnostics(faults)),
        }
    }

    /// Records that what stands at `span` is wrong.
    fn fault(&self, span: &Range<usize>, key: &str, message: impl Into<String>) {
        self.faults.borrow_mut().push(Diagnostic {
            file: self.document.name.clone(),
            at: self.place_of(span.start),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// Where the byte at `offset` stands.
    fn place_of(&self, offset: usize) -> Place {
        Place::in_text(&self.document.text, offset)
    }
}

/// The word for `meant` in a table of words; every variant has one.
pub fn word<T: PartialEq>(words: &[(&'static str, T)], meant: &T) -> &'static str {
    words.iter().find(|(_, choice)| choice == meant).map_or("unnamed", |(word, _)| word)
}

#[cfg(test)]
mod tests;
