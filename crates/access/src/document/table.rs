//! A table of a document: keys are asked for by name, and what nobody asked for is a fault.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Place, Reader, Value};

/// A table, with its path in the document.
pub struct Table<'r> {
    pub(super) reader: &'r Reader<'r>,
    path: String,
    span: Range<usize>,
    entries: &'r DeTable<'r>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r> Table<'r> {
    pub(super) fn new(
        reader: &'r Reader<'r>,
        path: String,
        span: Range<usize>,
        entries: &'r DeTable<'r>,
    ) -> Self {
        Self { reader, path, span, entries, asked: RefCell::default() }
    }

    /// The value of `key`, read by `parse`; its absence is a fault.
    pub fn required<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&Value<'r>) -> Option<T>,
    ) -> Option<T> {
        match self.find(key) {
            Some(value) => parse(&value),
            None => {
                self.fault_at(&self.span, &self.path_of(key), "is missing here");
                None
            }
        }
    }

    /// The value of `key`, read by `parse`, when there is one.
    pub fn optional<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&Value<'r>) -> Option<T>,
    ) -> Option<T> {
        self.find(key).and_then(|value| parse(&value))
    }

    /// The tables of the array `key`, each read by `parse`; an absent array is empty.
    pub fn tables<T>(&self, key: &'static str, parse: impl Fn(&Table<'r>) -> Option<T>) -> Vec<T> {
        self.optional(key, |value| value.list(|item| item.table(&parse))).unwrap_or_default()
    }

    /// All entries, for tables whose keys are data.
    pub fn entries(&self) -> Vec<(String, Value<'r>)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), self.value_at(key.get_ref(), value)))
            .collect()
    }

    /// Records a fault of the table as a whole.
    pub fn fault<T>(&self, message: impl Into<String>) -> Option<T> {
        self.fault_at(&self.span, &self.path, message);
        None
    }

    /// Records a fault of `key`, at its line if it is there.
    pub fn fault_of<T>(&self, key: &str, message: impl Into<String>) -> Option<T> {
        self.fault_at(&self.span_of(key), &self.path_of(key), message);
        None
    }

    /// Whether `key` stands here, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// Where the table begins, and its path in the document.
    pub fn place(&self) -> (Place, String) {
        (self.reader.place_of(self.span.start), self.path.clone())
    }

    /// The name of the document.
    pub fn file(&self) -> String {
        self.reader.document.name.clone()
    }

    /// Where `key` stands, or else the table itself.
    pub fn place_of(&self, key: &str) -> Place {
        self.reader.place_of(self.span_of(key).start)
    }

    /// Refuses every key that was not asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.entries {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                let allowed = asked.join(", ");
                let message = format!("is not a key here; allowed: {allowed}");
                self.fault_at(&key.span(), &self.path_of(name), message);
            }
        }
    }

    fn find(&self, key: &'static str) -> Option<Value<'r>> {
        if !self.asked.borrow().contains(&key) {
            self.asked.borrow_mut().push(key);
        }
        let (_, value) = self.entries.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(self.value_at(key, value))
    }

    fn span_of(&self, key: &str) -> Range<usize> {
        let found = self.entries.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or_else(|| self.span.clone(), |(name, _)| name.span())
    }

    fn value_at(&self, key: &str, value: &'r Spanned<DeValue<'r>>) -> Value<'r> {
        Value::new(self.reader, self.path_of(key), value)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn fault_at(&self, span: &Range<usize>, key: &str, message: impl Into<String>) {
        self.reader.fault(span, key, message);
    }
}
