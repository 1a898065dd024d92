//! Writing the hub's history, whether the hub does it or a trace is kept in that form.

use std::io::{self, Write};

use jiff::Timestamp;

use super::history::HEADING;
use super::{Entry, NameId, Trace};

/// One job of a history, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow<'a> {
    /// Its id.
    pub job: &'a str,
    /// When it was submitted.
    pub submitted: Timestamp,
    /// When it started, unless it never did.
    pub started: Option<Timestamp>,
    /// When it ended, unless it never started.
    pub ended: Option<Timestamp>,
    /// How long it asked to run, in seconds.
    pub time_limit_seconds: Option<i64>,
    /// The nodes it held.
    pub nodes: u32,
    /// The cores it held altogether.
    pub cores: u32,
    /// The GPUs it held altogether.
    pub gpus: u32,
    /// Who submitted it, as a pseudonym.
    pub person: &'a str,
    /// The project it was charged to.
    pub project: &'a str,
    /// Where it ran.
    pub partition: &'a str,
    /// The class of the organisation.
    pub class: &'a str,
}

impl HistoryRow<'_> {
    /// Writes the heading that rows stand under.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_heading(out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", HEADING.join(","))
    }

    /// Writes the row.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let instant = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        let limit = self.time_limit_seconds.map_or_else(String::new, |limit| limit.to_string());
        let (submitted, started, ended) =
            (self.submitted, instant(self.started), instant(self.ended));
        let Self { nodes, cores, gpus, .. } = self;
        write!(out, "{},{submitted},{started},{ended},{limit}", quoted(self.job))?;
        write!(out, ",{nodes},{cores},{gpus}")?;
        for name in [self.person, self.project, self.partition, self.class] {
            write!(out, ",{}", quoted(name))?;
        }
        writeln!(out)
    }
}

/// Writes `trace` in the form of [`Format::History`](super::Format::History). A job starts when it
/// is submitted: when it started for real is nothing that a replay may know.
///
/// # Errors
/// When `out` cannot be written, or an instant is no date.
pub fn write_history(mut out: impl Write, trace: &Trace) -> io::Result<()> {
    HistoryRow::write_heading(&mut out)?;
    for (number, entry) in (1_u64..).zip(&trace.entries) {
        write_entry(&mut out, trace, number, entry)?;
    }
    out.flush()
}

fn write_entry(out: &mut impl Write, trace: &Trace, number: u64, entry: &Entry) -> io::Result<()> {
    let submitted = instant(entry.submit)?;
    let name = |id: NameId| trace.names.name(id);
    let row = HistoryRow {
        job: &number.to_string(),
        submitted,
        started: Some(submitted),
        ended: Some(instant(entry.submit.saturating_add(entry.run_seconds))?),
        time_limit_seconds: entry.limit_seconds,
        nodes: entry.nodes,
        cores: entry.cores,
        gpus: entry.gpus,
        person: name(entry.user),
        project: name(entry.account),
        partition: name(entry.queue),
        class: name(entry.class),
    };
    row.write(out)
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
