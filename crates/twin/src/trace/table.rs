//! Text with a heading and one row a line, such as `sacct -P` and CSV.

use std::io::{self, BufRead};

use super::fields::Field;
use super::{COLUMNS_MAX, LINE_BYTES_MAX, TraceError};

/// How fields are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// By `|`, and never quoted.
    Pipes,
    /// By `,`, in quotes where they hold one; a quote is doubled.
    Commas,
}

/// A table as it is read.
pub(crate) struct Table<R> {
    input: R,
    dialect: Dialect,
    heading: Vec<String>,
    line: u64,
    bytes: Vec<u8>,
    text: String,
    fields: Vec<Span>,
}

/// Where a field stands in the text of its row, and in its line.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
    column: usize,
}

/// A column that was found in the heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column(usize);

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'t> {
    /// Its line, from 1.
    pub(crate) line: u64,
    text: &'t str,
    fields: &'t [Span],
}

impl Row<'_> {
    /// The field of `column`; empty when the row is shorter.
    pub(crate) fn field(&self, column: Column) -> Field<'_> {
        let span = self.fields.get(column.0).copied();
        let last = self.fields.last().map_or(1, |last| last.column);
        let span = span.unwrap_or(Span { start: 0, end: 0, column: last });
        let text = self.text.get(span.start..span.end).unwrap_or_default().trim();
        Field { text, line: self.line, column: span.column }
    }

    /// The field of a column that need not be there.
    pub(crate) fn maybe(&self, column: Option<Column>) -> Option<Field<'_>> {
        column.map(|column| self.field(column)).filter(|field| !field.text.is_empty())
    }
}

impl<R: BufRead> Table<R> {
    /// Reads the heading of `input`.
    pub(crate) fn open(input: R, dialect: Dialect) -> Result<Self, TraceError> {
        let mut table = Self {
            input,
            dialect,
            heading: Vec::new(),
            line: 0,
            bytes: Vec::new(),
            text: String::new(),
            fields: Vec::new(),
        };
        let Some(row) = table.next()? else { return Err(TraceError::Empty) };
        let names = (0..row.fields.len()).map(|index| row.field(Column(index)).text.to_owned());
        table.heading = names.collect();
        Ok(table)
    }

    /// The first column that has one of these names, in any case.
    pub(crate) fn find(&self, names: &[&str]) -> Option<Column> {
        let place = |name: &&str| self.heading.iter().position(|it| it.eq_ignore_ascii_case(name));
        names.iter().find_map(place).map(Column)
    }

    /// As [`find`](Self::find), for a column that must be there.
    pub(crate) fn require(&self, names: &[&str]) -> Result<Column, TraceError> {
        self.find(names).ok_or_else(|| TraceError::NoColumn {
            missing: names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
            present: self.heading.join(", ").chars().take(SHOWN_MAX).collect(),
        })
    }

    /// The next row that is not blank; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, TraceError> {
        loop {
            self.line += 1;
            self.bytes.clear();
            let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
            let read = io::Read::take(&mut self.input, limit)
                .read_until(b'\n', &mut self.bytes)
                .map_err(TraceError::Read)?;
            if read == 0 {
                return Ok(None);
            }
            if self.bytes.len() > LINE_BYTES_MAX {
                return Err(
                    self.too_much(format!("the line is longer than {LINE_BYTES_MAX} bytes"))
                );
            }
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        self.split()?;
        if !self.heading.is_empty() && self.fields.len() > self.heading.len() + 1 {
            let (has, of) = (self.fields.len(), self.heading.len());
            return Err(self.too_much(format!("the row has {has} fields, the heading {of}")));
        }
        Ok(Some(Row { line: self.line, text: &self.text, fields: &self.fields }))
    }

    fn too_much(&self, what: String) -> TraceError {
        TraceError::TooMuch { line: self.line, what }
    }

    /// Cuts the line into fields.
    fn split(&mut self) -> Result<(), TraceError> {
        self.text.clear();
        self.fields.clear();
        let Ok(line) = str::from_utf8(self.bytes.trim_ascii_end()) else {
            let valid = self.bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            return Err(TraceError::Unexpected {
                line: self.line,
                column: valid + 1,
                expected: "text in UTF-8".to_owned(),
                found: String::from_utf8_lossy(self.bytes.get(valid..).unwrap_or_default())
                    .chars()
                    .take(FOUND_MAX)
                    .collect(),
            });
        };
        let line = line.trim_start_matches('\u{feff}');
        let separator = match self.dialect {
            Dialect::Pipes => '|',
            Dialect::Commas => ',',
        };
        let (mut rest, mut column) = (line, 1);
        loop {
            let start = self.text.len();
            let taken = match (self.dialect, rest.strip_prefix('"')) {
                (Dialect::Commas, Some(quoted)) => {
                    unquoted(quoted, &mut self.text).map(|length| length + 1).ok_or_else(|| {
                        Field { text: rest, line: self.line, column }.expected("a closing quote")
                    })?
                }
                _ => {
                    let length = rest.find(separator).unwrap_or(rest.len());
                    self.text.push_str(rest.get(..length).unwrap_or_default());
                    length
                }
            };
            self.fields.push(Span { start, end: self.text.len(), column });
            if self.fields.len() > COLUMNS_MAX {
                return Err(self.too_much(format!("there are more than {COLUMNS_MAX} columns")));
            }
            let after = rest.get(taken..).unwrap_or_default();
            let Some(next) = after.strip_prefix(separator) else {
                let at = column + taken;
                return match after.is_empty() {
                    true => Ok(()),
                    false => Err(Field { text: after, line: self.line, column: at }
                        .expected("a comma after the closing quote")),
                };
            };
            (rest, column) = (next, column + taken + 1);
        }
    }
}

/// Adds what stands before the closing quote to `text`; says how long it is with that quote.
fn unquoted(quoted: &str, text: &mut String) -> Option<usize> {
    let mut marks = quoted.char_indices();
    while let Some((at, mark)) = marks.next() {
        if mark != '"' {
            text.push(mark);
        } else if quoted.get(at + 1..).is_some_and(|rest| rest.starts_with('"')) {
            text.push('"');
            marks.next();
        } else {
            return Some(at + 1);
        }
    }
    None
}

/// How much of what was found is shown.
pub(crate) const FOUND_MAX: usize = 40;
/// How much of a heading is shown.
const SHOWN_MAX: usize = 400;
