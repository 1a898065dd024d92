//! Calls: invitations to apply under an access mode.

use units::{CallId, PartitionKey, Slug, Timestamp};

use crate::policy::RuleId;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub id: CallId,
    /// Its name in addresses; standing calls are named after their mode.
    pub key: Slug,
    /// Its title.
    pub title: String,
    /// The access mode it opens.
    pub mode: Slug,
    /// The version of the mode's policy that it was opened under.
    pub rule: RuleId,
    /// The partitions one may ask for.
    pub partitions: Vec<PartitionKey>,
    /// When it opens.
    pub opens_at: Timestamp,
    /// The first instant at which it takes nothing any more; rolling calls have none.
    pub closes_at: Option<Timestamp>,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not open yet.
    Planned {
        /// When it opens.
        opens_at: Timestamp,
    },
    /// Taking applications.
    Open {
        /// Until when, if it closes.
        closes_at: Option<Timestamp>,
    },
    /// Over.
    Closed {
        /// Since when.
        closed_at: Timestamp,
    },
}

impl Call {
    /// Where the call stands at `now`.
    pub fn stage(&self, now: Timestamp) -> Stage {
        match self.closes_at {
            Some(closed_at) if closed_at <= now => Stage::Closed { closed_at },
            _ if now < self.opens_at => Stage::Planned { opens_at: self.opens_at },
            closes_at => Stage::Open { closes_at },
        }
    }
}
