//! Classes, as `sacctmgr -P show qos` prints them.

use std::collections::BTreeMap;

use sched::{Qos, WhenPreempted};

use super::limits::LimitColumns;
use super::{Note, Part, SITE_ENTRIES_MAX, SlurmError};
use crate::trace::TraceError;
use crate::trace::table::{Dialect, Table};

/// Reads them; `preempts` is what becomes of jobs that must make room, if any must.
pub(super) fn read(
    text: &str,
    preempts: Option<WhenPreempted>,
    notes: &mut Vec<Note>,
) -> Result<Vec<(String, Qos)>, SlurmError> {
    rows(text, preempts, notes).map_err(|source| SlurmError::Text { part: Part::Qos, source })
}

fn rows(
    text: &str,
    preempts: Option<WhenPreempted>,
    notes: &mut Vec<Note>,
) -> Result<Vec<(String, Qos)>, TraceError> {
    let mut table = Table::open(text.as_bytes(), Dialect::Pipes)?;
    let name = table.require(&["Name"])?;
    let priority = table.require(&["Priority"])?;
    let limits = LimitColumns::of(&table);
    let flags = table.find(&["Flags"]);
    let preempt = table.find(&["Preempt"]);
    let mode = table.find(&["PreemptMode"]);
    let mut found: Vec<(String, Qos)> = Vec::new();
    let mut victims: Vec<Vec<String>> = Vec::new();
    while let Some(row) = table.next()? {
        if found.len() >= SITE_ENTRIES_MAX {
            let what = format!("there are more than {SITE_ENTRIES_MAX} classes");
            return Err(TraceError::TooMuch { line: row.line, what });
        }
        let flags = row.maybe(flags).map_or("", |field| field.text);
        let flags: Vec<&str> = flags.split(',').filter(|flag| !flag.is_empty()).collect();
        // A job over a limit that it alone exceeds is refused here, as with DenyOnLimit.
        let unknown = flags.iter().filter(|flag| !["NoDecay", "DenyOnLimit"].contains(flag));
        notes.extend(unknown.map(|flag| Note {
            part: Part::Qos,
            line: row.line,
            what: format!("the flag {flag} is not taken into account"),
        }));
        let mode = row.maybe(mode).map_or(String::new(), |it| it.text.to_ascii_lowercase());
        let qos = Qos {
            priority: row.field(priority).count()?,
            limits: limits.read(&row, Part::Qos, notes)?,
            keeps_usage: flags.contains(&"NoDecay"),
            preempts: Vec::new(),
            when_preempted: match mode.as_str() {
                "requeue" => WhenPreempted::Requeue,
                "cancel" => WhenPreempted::Cancel,
                _ => preempts.unwrap_or_default(),
            },
        };
        let named = row.maybe(preempt).map_or("", |field| field.text);
        victims.push(named.split(',').map(str::to_owned).collect());
        found.push((row.field(name).text.to_owned(), qos));
    }
    if preempts.is_some() {
        let places: BTreeMap<String, usize> =
            found.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        for ((_, qos), names) in found.iter_mut().zip(victims) {
            qos.preempts = names.iter().filter_map(|name| places.get(name).copied()).collect();
        }
    }
    Ok(found)
}
