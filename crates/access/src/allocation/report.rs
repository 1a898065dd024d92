//! The final report of an award: when it is due, and whether it came.

use jiff::{ToSpan, tz::TimeZone};
use units::Timestamp;

use super::{Allocation, Stage};
use crate::document::Figure;

/// Where the final report of an award stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportStage {
    /// The award lasts; the report may come earlier.
    Later {
        /// When it will be due, as far as that is known.
        due: Option<Timestamp>,
    },
    /// The award is over, and there is time left.
    Due {
        /// Until when, as far as that is known.
        due: Option<Timestamp>,
    },
    /// It should have come.
    Overdue {
        /// Since when.
        since: Timestamp,
    },
    /// It came.
    HandedIn {
        /// When.
        at: Timestamp,
    },
}

impl ReportStage {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Later { .. } => "later",
            Self::Due { .. } => "due",
            Self::Overdue { .. } => "overdue",
            Self::HandedIn { .. } => "handed-in",
        }
    }

    /// The instant that goes with it, if there is one.
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Later { due } | Self::Due { due } => *due,
            Self::Overdue { since: at } | Self::HandedIn { at } => Some(*at),
        }
    }
}

/// Where the final report of `allocation` stands at `now`: it is due so many `months` after the end.
pub fn report_stage(
    allocation: &Allocation,
    months: &Figure<u32>,
    handed_in: Option<Timestamp>,
    now: Timestamp,
) -> ReportStage {
    if let Some(at) = handed_in {
        return ReportStage::HandedIn { at };
    }
    let ended = match allocation.stage(now) {
        Stage::Expired { at } | Stage::Closed { at } => Some(at),
        Stage::Granted { .. } | Stage::Active { .. } | Stage::Suspended { .. } => None,
    };
    let end = ended.unwrap_or_else(|| allocation.period.end());
    let due = months.known().and_then(|months| {
        let due = end.to_zoned(TimeZone::UTC).checked_add(i64::from(*months).months()).ok()?;
        Some(due.timestamp())
    });
    match (ended, due) {
        (None, due) => ReportStage::Later { due },
        (Some(_), Some(since)) if since <= now => ReportStage::Overdue { since },
        (Some(_), due) => ReportStage::Due { due },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{allocation, day, policy};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_report_is_due_three_months_after_the_end_and_overdue_then() {
        let mode = policy().mode(&"playground".parse().unwrap(), day("2026-11-21")).unwrap();
        let months = &mode.says.final_report_months;
        let mut held = allocation();
        let told = |held: &Allocation, now: &str| {
            let stage = report_stage(held, months, None, at(now));
            (stage.name(), stage.at().unwrap().to_string())
        };
        let due = "2027-05-21T00:00:00Z".to_owned();
        assert_eq!(told(&held, "2027-02-20T23:59:59Z"), ("later", due.clone()));
        assert_eq!(told(&held, "2027-02-21T00:00:00Z"), ("due", due.clone()));
        assert_eq!(told(&held, "2027-05-21T00:00:00Z"), ("overdue", due));
        held.closed_at = Some(at("2026-12-31T12:00:00Z"));
        assert_eq!(told(&held, "2027-03-31T12:00:00Z").0, "overdue");
        let came = at("2027-03-01T00:00:00Z");
        let stage = report_stage(&held, months, Some(came), at("2027-09-01T00:00:00Z"));
        assert_eq!((stage.name(), stage.at()), ("handed-in", Some(came)));
        let unknown = Figure::Unknown("not found".to_owned());
        let stage = report_stage(&held, &unknown, None, at("2029-01-01T00:00:00Z"));
        assert_eq!(stage, ReportStage::Due { due: None });
    }
}
