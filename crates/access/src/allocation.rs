//! Allocations and their life: granted, active, suspended, expired, closed; and what changes it.

mod advance;
mod alert;
mod burn_down;
mod change;
mod commitment;
mod cut;
mod renewal;
mod report;
mod tranche;
mod transfer;

pub use advance::advance;
pub use alert::{Alert, Crossing, alerts_ahead, alerts_of_use};
pub use burn_down::{BurnDown, RunsOut, WINDOW_DAYS, burn_down};
pub use change::{
    Before, Changing, Refusal, Source, extend, resume, supplement, suspend, terminate,
};
pub use commitment::{Open, Promised, delivered};
pub use cut::{Use, cut};
pub use renewal::{Renewing, renew};
pub use report::{ReportStage, report_stage};
pub use tranche::{Story, Tranche, tranche};
pub use transfer::{Between, transfer};

use units::{AllocationId, ApplicationId, Meter, PartitionKey, Period, ProjectId, Timestamp, Work};

/// Hours that a project has on a partition. Their balance is the ledger's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Which.
    pub id: AllocationId,
    /// Whose.
    pub project: ProjectId,
    /// The application that asked for it.
    pub application: ApplicationId,
    /// Where.
    pub partition: PartitionKey,
    /// What is counted.
    pub meter: Meter,
    /// How much was granted.
    pub amount: Work,
    /// From when until when it may be used.
    pub period: Period,
    /// The entry of policy it rests on, with its version.
    pub rule: String,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it was closed before its end.
    pub closed_at: Option<Timestamp>,
    /// Since when nothing may be submitted against it, and why.
    pub suspended: Option<Suspension>,
}

/// A suspension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Since when.
    pub since: Timestamp,
    /// Why, for people.
    pub reason: String,
}

/// Where an allocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Granted, not begun.
    Granted {
        /// When it begins.
        starts_at: Timestamp,
    },
    /// In use.
    Active {
        /// When it ends.
        ends_at: Timestamp,
    },
    /// Begun, but nothing may be submitted for now.
    Suspended {
        /// Since when.
        since: Timestamp,
    },
    /// Over; what is left is lost.
    Expired {
        /// Since when.
        at: Timestamp,
    },
    /// Closed before its end.
    Closed {
        /// Since when.
        at: Timestamp,
    },
}

impl Stage {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Granted { .. } => "granted",
            Self::Active { .. } => "active",
            Self::Suspended { .. } => "suspended",
            Self::Expired { .. } => "expired",
            Self::Closed { .. } => "closed",
        }
    }
}

impl Allocation {
    /// Where it stands at `now`.
    pub fn stage(&self, now: Timestamp) -> Stage {
        match self.closed_at {
            Some(at) if at <= now => Stage::Closed { at },
            _ if now < self.period.start() => Stage::Granted { starts_at: self.period.start() },
            _ if now < self.period.end() => match &self.suspended {
                Some(suspension) => Stage::Suspended { since: suspension.since },
                None => Stage::Active { ends_at: self.period.end() },
            },
            _ => Stage::Expired { at: self.period.end() },
        }
    }

    /// Whether jobs may be submitted against it at `now`; if not, why.
    ///
    /// # Errors
    /// What stands against it, in words for the one who submits.
    pub fn usable(&self, now: Timestamp) -> Result<(), String> {
        match self.stage(now) {
            Stage::Active { .. } => Ok(()),
            Stage::Granted { starts_at } => Err(format!("the allocation begins on {starts_at}")),
            Stage::Suspended { since } => {
                let reason = self.suspended.as_ref().map_or("", |it| &it.reason);
                Err(format!("the allocation is suspended since {since}: {reason}"))
            }
            Stage::Expired { at } => Err(format!("the allocation ended on {at}")),
            Stage::Closed { at } => Err(format!("the allocation was closed on {at}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::allocation;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_allocation_goes_through_its_life() {
        let mut allocation = allocation();
        let stage = |it: &Allocation, text| it.stage(at(text)).name();
        assert_eq!(stage(&allocation, "2026-11-20T23:59:59Z"), "granted");
        assert_eq!(stage(&allocation, "2026-11-21T00:00:00Z"), "active");
        assert_eq!(stage(&allocation, "2027-02-21T00:00:00Z"), "expired");
        assert!(allocation.usable(at("2027-02-20T23:59:59Z")).is_ok());
        allocation.closed_at = Some(at("2026-12-01T00:00:00Z"));
        assert_eq!(stage(&allocation, "2026-11-30T00:00:00Z"), "active");
        let refused = allocation.usable(at("2026-12-01T00:00:00Z")).unwrap_err();
        assert_eq!(refused, "the allocation was closed on 2026-12-01T00:00:00Z");
    }
}
