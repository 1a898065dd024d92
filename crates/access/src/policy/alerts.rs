//! When people are told how an allocation stands.

use units::PartsPerMillion;

use super::{Entry, entries};
use crate::document::{Table, Value};

/// What must come about for an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So much of what was granted is used.
    Used {
        /// At least this part.
        percent: PartsPerMillion,
    },
    /// Nothing is likely to be left before the end.
    RunsOutEarly {
        /// Looked at once this part of the allocation's time has passed.
        elapsed: PartsPerMillion,
    },
    /// Much is likely to be left at the end.
    UnusedAtEnd {
        /// More than this part of what was granted.
        percent: PartsPerMillion,
        /// Looked at once this part of the allocation's time has passed.
        elapsed: PartsPerMillion,
    },
}

impl Threshold {
    /// Whether it is about what is to come, not about what has happened.
    pub const fn looks_ahead(&self) -> bool {
        match self {
            Self::Used { .. } => false,
            Self::RunsOutEarly { .. } | Self::UnusedAtEnd { .. } => true,
        }
    }
}

/// The kinds of thresholds, by the words of the file.
#[derive(Clone, Copy)]
enum When {
    Used,
    RunsOutEarly,
    UnusedAtEnd,
}

const WORDS: [(&str, When); 3] = [
    ("used", When::Used),
    ("runs-out-early", When::RunsOutEarly),
    ("unused-at-end", When::UnusedAtEnd),
];

/// The entries of `alerts.toml`.
pub(super) fn read(root: &Table<'_>) -> Option<Vec<Entry<Threshold>>> {
    entries(root, "alerts", threshold)
}

fn threshold(table: &Table<'_>) -> Option<Threshold> {
    let part = |key| table.required(key, Value::percent);
    Some(match table.required("when", |value| value.choice(&WORDS))? {
        When::Used => Threshold::Used { percent: part("percent")? },
        When::RunsOutEarly => Threshold::RunsOutEarly { elapsed: part("elapsed")? },
        When::UnusedAtEnd => {
            let (percent, elapsed) = (part("percent"), part("elapsed"));
            Threshold::UnusedAtEnd { percent: percent?, elapsed: elapsed? }
        }
    })
}
