//! `slurm.conf` as lines of `Name=Value`, with the lines of nodes and partitions kept apart.

use std::collections::BTreeMap;

use super::{CONF_BYTES_MAX, Note, Part, SlurmError};
use crate::trace::TraceError;
use crate::trace::fields::Field;

/// One `Name=Value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The name as it stands there.
    pub(super) name: String,
    pub(super) value: String,
    pub(super) line: u64,
    /// Where the value begins, in bytes, from 1.
    pub(super) column: usize,
}

impl Setting {
    /// The value, for a complaint about it.
    pub(super) fn field(&self) -> Field<'_> {
        Field { text: &self.value, line: self.line, column: self.column }
    }

    /// Says that something else belongs here.
    pub(super) fn expected(&self, what: impl Into<String>) -> SlurmError {
        refused(self.field().expected(what))
    }

    pub(super) fn number<T: std::str::FromStr>(&self) -> Result<T, SlurmError> {
        self.value.parse().map_err(|_| self.expected("a whole number"))
    }
}

/// The settings of one line of a node or a partition, the defaults before it included; by their
/// name in lower case.
pub(super) type Entry = BTreeMap<String, Setting>;

#[derive(Debug, Default)]
pub(super) struct Conf {
    settings: BTreeMap<String, Setting>,
    pub(super) nodes: Vec<Entry>,
    pub(super) partitions: Vec<Entry>,
}

/// What a line of its own begins with, and is not taken into account.
const OTHER_LINES: [&str; 4] = ["downnodes", "frontendname", "nodeset", "switchname"];

impl Conf {
    pub(super) fn read(text: &str, notes: &mut Vec<Note>) -> Result<Self, SlurmError> {
        if text.len() > CONF_BYTES_MAX {
            let what = format!("the file is longer than {CONF_BYTES_MAX} bytes");
            return Err(refused(TraceError::TooMuch { line: 1, what }));
        }
        let mut conf = Self::default();
        let (mut node, mut partition) = (Entry::new(), Entry::new());
        for (line, text) in logical_lines(text) {
            let words = words(line, &text)?;
            let Some(first) = words.first() else { continue };
            match first.name.to_ascii_lowercase().as_str() {
                "nodename" => conf.nodes.extend(entry(words, &mut node)),
                "partitionname" => conf.partitions.extend(entry(words, &mut partition)),
                name if OTHER_LINES.contains(&name) => notes.push(Note {
                    part: Part::Conf,
                    line,
                    what: format!("lines of {} are not taken into account", first.name),
                }),
                _ => {
                    let named = words.into_iter().map(|it| (it.name.to_ascii_lowercase(), it));
                    conf.settings.extend(named);
                }
            }
        }
        Ok(conf)
    }

    /// Takes a setting, so that it is not named as one that is left out.
    pub(super) fn take(&mut self, name: &str) -> Option<Setting> {
        self.settings.remove(name)
    }

    /// The text of a setting.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|setting| setting.value.as_str())
    }

    /// Names every setting that nobody took, unless it has nothing to do with scheduling.
    pub(super) fn name_the_rest(self, notes: &mut Vec<Note>) {
        for (name, setting) in self.settings {
            if !is_beside_the_point(&name) {
                notes.push(Note {
                    part: Part::Conf,
                    line: setting.line,
                    what: format!("{}={} is not taken into account", setting.name, setting.value),
                });
            }
        }
    }
}

/// Settings that say where things are and how daemons talk, by how they begin and end.
fn is_beside_the_point(name: &str) -> bool {
    const BEGIN: &[&str] = &[
        "accountingstor",
        "acctgather",
        "auth",
        "cli",
        "clustername",
        "communication",
        "cred",
        "debugflags",
        "extsensors",
        "federation",
        "firstjobid",
        "gresty",
        "healthcheck",
        "include",
        "jobacctgather",
        "jobcomp",
        "kill",
        "launch",
        "logtime",
        "mail",
        "maxjobcount",
        "minjobage",
        "mpi",
        "plugin",
        "private",
        "proctrack",
        "resv",
        "returntoservice",
        "slurmctld",
        "slurmd",
        "slurmsched",
        "slurmuser",
        "srun",
        "statesave",
        "switch",
        "task",
        "tmpfs",
        "tree",
        "unkill",
        "usepam",
        "waittime",
        "x11",
    ];
    const END: &[&str] = &["port", "pidfile", "logfile", "debug", "timeout"];
    BEGIN.iter().any(|it| name.starts_with(it)) || END.iter().any(|it| name.ends_with(it))
}

/// A line of nodes or partitions; `DEFAULT` changes what those after it begin with.
fn entry(words: Vec<Setting>, defaults: &mut Entry) -> Option<Entry> {
    let is_default = words.first().is_some_and(|it| it.value.eq_ignore_ascii_case("default"));
    let mut entry = defaults.clone();
    entry.extend(words.into_iter().map(|it| (it.name.to_ascii_lowercase(), it)));
    if is_default {
        *defaults = entry;
        return None;
    }
    Some(entry)
}

/// Lines without comments, those that end in `\` joined with the next, each with its number.
fn logical_lines(text: &str) -> impl Iterator<Item = (u64, String)> {
    let mut lines = (1_u64..).zip(text.lines());
    std::iter::from_fn(move || {
        let (number, line) = lines.next()?;
        let mut whole = without_comment(line).to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            let Some((_, more)) = lines.next() else { break };
            whole.push_str(without_comment(more));
        }
        Some((number, whole))
    })
}

fn without_comment(line: &str) -> &str {
    let mark = line.char_indices().find(|&(at, mark)| {
        mark == '#' && !line.get(..at).is_some_and(|before| before.ends_with('\\'))
    });
    line.get(..mark.map_or(line.len(), |(at, _)| at)).unwrap_or(line).trim_end()
}

/// The words of a line, of which each is a `Name=Value`; a value in quotes may hold blanks.
fn words(line: u64, text: &str) -> Result<Vec<Setting>, SlurmError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let column = text.len() - rest.len() + 1;
        let here = Field { text: rest, line, column };
        let found = rest.split_once('=').filter(|(name, _)| {
            !name.is_empty()
                && name.bytes().all(|mark| mark.is_ascii_alphanumeric() || mark == b'_')
        });
        let (name, after) =
            found.ok_or_else(|| refused(here.expected("a setting such as Name=Value")))?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                quoted.split_once('"').ok_or_else(|| refused(here.expected("a closing quote")))?
            }
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                after.split_at_checked(end).unwrap_or((after, ""))
            }
        };
        words.push(Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            line,
            column: column + name.len() + 1,
        });
        rest = next.trim_start();
    }
    Ok(words)
}

pub(super) const fn refused(source: TraceError) -> SlurmError {
    SlurmError::Text { part: Part::Conf, source }
}
