//! A trace as the hub's history, so that any log can be kept in one form.

use std::io::{self, Write};

use jiff::Timestamp;

use super::history::HEADING;
use super::{Entry, NameId, Trace};

/// Writes `trace` in the form of [`Format::History`](super::Format::History). A job starts when it
/// is submitted: when it started for real is nothing that a replay may know.
///
/// # Errors
/// When `out` cannot be written, or an instant is no date.
pub fn write_history(mut out: impl Write, trace: &Trace) -> io::Result<()> {
    writeln!(out, "{}", HEADING.join(","))?;
    for (number, entry) in (1_u64..).zip(&trace.entries) {
        write_row(&mut out, trace, number, entry)?;
    }
    out.flush()
}

fn write_row(out: &mut impl Write, trace: &Trace, number: u64, entry: &Entry) -> io::Result<()> {
    let submitted = instant(entry.submit)?;
    let ended = instant(entry.submit.saturating_add(entry.run_seconds))?;
    let limit = entry.limit_seconds.map_or_else(String::new, |seconds| seconds.to_string());
    let Entry { nodes, cores, gpus, .. } = entry;
    let name = |id: NameId| quoted(trace.names.name(id));
    let names = [entry.user, entry.account, entry.queue, entry.class].map(name).join(",");
    writeln!(out, "{number},{submitted},{submitted},{ended},{limit},{nodes},{cores},{gpus},{names}")
}

fn instant(seconds: i64) -> io::Result<Timestamp> {
    Timestamp::from_second(seconds).map_err(io::Error::other)
}

/// A text in quotes where commas or quotes would be misread.
fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
