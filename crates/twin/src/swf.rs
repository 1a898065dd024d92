//! The Standard Workload Format: one job a line, eighteen numbers, comments after a semicolon.
//!
//! Source: <https://www.cs.huji.ac.il/labs/parallel/workload/swf.html>. Reading streams, and stops
//! with the line number at the first thing that is not a record.

use std::io::{self, BufRead};

/// The fields of a record that scheduling needs; -1 where the log does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Field 1, the job's number.
    pub id: i64,
    /// Field 2, in seconds since the start of the log.
    pub submit: i64,
    /// Field 4, how long the job ran, in seconds.
    pub run: i64,
    /// Field 5, the processors it got.
    pub allocated: i64,
    /// Field 8, the processors it asked.
    pub requested: i64,
    /// Field 9, the time it asked, in seconds.
    pub estimate: i64,
    /// Field 12.
    pub user: i64,
    /// Field 13.
    pub group: i64,
    /// Field 15.
    pub queue: i64,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SwfError {
    /// The bytes did not come.
    #[error("reading failed after line {after_line}")]
    Read {
        /// The last line that was read.
        after_line: u64,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line that no record needs.
    #[error("line {line} is longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong {
        /// Its number, from 1.
        line: u64,
    },
    /// A line that ends early.
    #[error("line {line} has {fields} fields; a record of the Standard Workload Format has 18")]
    TooFewFields {
        /// Its number, from 1.
        line: u64,
        /// How many it has.
        fields: usize,
    },
    /// Text where a number belongs.
    #[error("line {line}, field {field}: `{text}` is not a number")]
    NotANumber {
        /// Its number, from 1.
        line: u64,
        /// The field, from 1.
        field: usize,
        /// What stands there.
        text: String,
    },
    /// A number that no log can mean.
    #[error("line {line}, field {field}: {text} is beyond {NUMBER_MAX}")]
    OutOfRange {
        /// Its number, from 1.
        line: u64,
        /// The field, from 1.
        field: usize,
        /// What stands there.
        text: String,
    },
}

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 4096;
/// The greatest magnitude of a number: thirty thousand years, in seconds.
pub const NUMBER_MAX: i64 = 1_000_000_000_000;

/// The fields of [`Record`], counted from 0; up to the last of them a line must go.
const FIELDS: [usize; 9] = [0, 1, 3, 4, 7, 8, 11, 12, 14];

/// Reads records from a log, skipping comments and empty lines.
#[derive(Debug)]
pub struct Records<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Records<R> {
    /// The records of `input`, which is text.
    pub const fn new(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub const fn line(&self) -> u64 {
        self.number
    }

    /// The record on the next line, if that line holds one; `None` at the end.
    fn advance(&mut self) -> Result<Option<Option<Record>>, SwfError> {
        self.number += 1;
        let number = self.number;
        let buffer = self
            .input
            .fill_buf()
            .map_err(|source| SwfError::Read { after_line: number - 1, source })?;
        if let Some(end) = memchr::memchr(b'\n', buffer)
            && let Some(line) = buffer.get(..end)
        {
            let record = on_line(line, number);
            self.input.consume(end + 1);
            return record.map(Some);
        }
        self.advance_across_buffers()
    }

    /// As [`advance`](Self::advance), for a line that does not end within the buffer.
    fn advance_across_buffers(&mut self) -> Result<Option<Option<Record>>, SwfError> {
        self.line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
        let read = io::Read::take(&mut self.input, limit)
            .read_until(b'\n', &mut self.line)
            .map_err(|source| SwfError::Read { after_line: self.number - 1, source })?;
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        if read == 0 { Ok(None) } else { on_line(line, self.number).map(Some) }
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<Record, SwfError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Err(error) => return Some(Err(error)),
                Ok(None) => return None,
                Ok(Some(Some(record))) => return Some(Ok(record)),
                Ok(Some(None)) => {}
            }
        }
    }
}

/// The record on a line, unless it is empty or a comment.
fn on_line(line: &[u8], number: u64) -> Result<Option<Record>, SwfError> {
    if line.len() > LINE_BYTES_MAX {
        return Err(SwfError::LineTooLong { line: number });
    }
    match line.trim_ascii_start().first() {
        None | Some(b';') => Ok(None),
        Some(_) => record(line, number).map(Some),
    }
}

/// Reads one record; `line` is for messages.
fn record(text: &[u8], line: u64) -> Result<Record, SwfError> {
    let mut values = [0_i64; FIELDS.len()];
    let mut wanted = FIELDS.iter().zip(&mut values);
    let mut next = wanted.next();
    let mut rest = text;
    for index in 0.. {
        let Some((field, value)) = next else { break };
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Err(SwfError::TooFewFields { line, fields: index });
        }
        if index < *field {
            rest = after_field(rest);
            next = Some((field, value));
            continue;
        }
        let (number, after) = number(rest, line, index + 1)?;
        *value = number;
        rest = after;
        next = wanted.next();
    }
    let [id, submit, run, allocated, requested, estimate, user, group, queue] = values;
    Ok(Record { id, submit, run, allocated, requested, estimate, user, group, queue })
}

/// What follows the field that `text` begins with.
fn after_field(text: &[u8]) -> &[u8] {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    text.get(end..).unwrap_or_default()
}

/// The whole number that `text` begins with, or a decimal one cut off, and what follows it.
fn number(text: &[u8], line: u64, place: usize) -> Result<(i64, &[u8]), SwfError> {
    let (negative, mut rest) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let before = rest.len();
    let mut value = 0_i64;
    while let [digit @ b'0'..=b'9', after @ ..] = rest
        && value <= NUMBER_MAX
    {
        value = value * 10 + i64::from(*digit - b'0');
        rest = after;
    }
    let ended = rest.first().is_none_or(u8::is_ascii_whitespace);
    if ended && rest.len() < before && value <= NUMBER_MAX {
        return Ok((if negative { -value } else { value }, rest));
    }
    let after = after_field(text);
    let field = text.get(..text.len() - after.len()).unwrap_or_default();
    decimal(field, line, place).map(|value| (value, after))
}

#[cold]
fn decimal(field: &[u8], line: u64, place: usize) -> Result<i64, SwfError> {
    let text = String::from_utf8_lossy(field).into_owned();
    let value = text.parse::<f64>().ok().filter(|value| !value.is_nan());
    match value {
        None => Err(SwfError::NotANumber { line, field: place, text }),
        Some(value) if value.abs() > NUMBER_MAX as f64 => {
            Err(SwfError::OutOfRange { line, field: place, text })
        }
        Some(value) => Ok(value as i64),
    }
}

#[cfg(test)]
mod tests;
