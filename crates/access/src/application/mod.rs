//! Applications: drafts that are checked while they are written, admitted, and decided.
//!
//! [`check()`] explains where a draft stands; [`admit`] lets a complete one in; [`decide()`] and,
//! where people decide, [`award_by_people`] alone make an [`Award`]. Not here: who may write a draft, and where it is kept.

mod check;
mod decide;
mod facts;
mod people;
mod state_aid;

use std::fmt;

use units::{PartitionKey, PartsPerMillion, ProjectId, Slug, Timestamp, Work};

use crate::aid::AidStanding;
use crate::allocation::Promised;
use crate::call::Call;
use crate::organisation::Applicant;
use crate::policy::{AccessMode, Commitment, Entry, Policy, RuleId};

pub use check::{Check, Finding, Outcome, check};
pub use decide::{Admitted, Award, Decision, admit, decide};
pub use facts::{Answer, Asker, Case, Facts, Ground, PoolLeft, Unanswerable, compared};
pub use people::award_by_people;

/// What is asked, as far as it has been written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The organisation's project that is to have more hours; a new one when none is named.
    pub project: Option<ProjectId>,
    /// What the project will be called.
    pub title: String,
    /// What the hours are for.
    pub purpose: String,
    /// Where.
    pub partition: Option<PartitionKey>,
    /// How many hours of the mode's unit.
    pub hours: Option<u32>,
    /// For how many months.
    pub months: Option<u32>,
    /// Whether the applicant promises what the mode obliges to, civilian use included.
    pub duties_accepted: bool,
    /// What it is about, by the fields of policy.
    pub fields: Vec<Slug>,
    /// Who asks with the applicant.
    pub team: Vec<Member>,
}

/// Somebody who asks for hours with the applicant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// How they are called.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Where they work.
    pub organisation: String,
}

impl Draft {
    /// The most fields that it may be about.
    pub const FIELDS_MAX: usize = 5;
    /// The most members of the team.
    pub const TEAM_MAX: usize = 50;
    /// The longest title, in characters.
    pub const TITLE_LENGTH_MAX: usize = 200;
    /// The longest purpose, in characters.
    pub const PURPOSE_LENGTH_MAX: usize = 10_000;
}

/// Where an application stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Being written.
    Draft,
    /// Waiting for people to decide.
    Submitted {
        /// Since when.
        at: Timestamp,
    },
    /// Taken back by the applicant.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
    /// Granted.
    Awarded {
        /// When.
        at: Timestamp,
        /// The project that has the hours.
        project: ProjectId,
        /// The hours.
        allocation: units::AllocationId,
    },
    /// Refused.
    Refused {
        /// When.
        at: Timestamp,
        /// Why.
        reasons: Vec<Reason>,
    },
}

impl State {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted { .. } => "submitted",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Awarded { .. } => "awarded",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Why a rule says no: the rule, what it saw, what it allows and what would fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The entry of policy, with its version.
    pub rule: String,
    /// Which check of it.
    pub check: Check,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
    /// What would be accepted instead, when something would.
    pub fits: Option<String>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.found, self.allowed)?;
        match &self.fits {
            Some(fits) => write!(f, "; {fits} would fit"),
            None => Ok(()),
        }
    }
}

/// Everything that bears on an application, at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The call.
    pub call: &'a Call,
    /// Its access mode.
    pub mode: &'a Entry<AccessMode>,
    /// The policy, for groups of states.
    pub policy: &'a Policy,
    /// The organisation that asks.
    pub applicant: &'a Applicant,
    /// How many awards of this mode it holds that have not ended.
    pub open_awards: u32,
    /// What the partition that is asked for has to offer.
    pub offer: Option<Offer>,
    /// Where it stands with State aid, when the hours would be some.
    pub aid: Option<AidStanding<'a>>,
    /// What is left of the shares of the Union's time that the mode is part of.
    pub shares: &'a [ShareLeft],
    /// How much may be promised, and what is, when it is known for how long.
    pub commitment: Option<(&'a Entry<Commitment>, Promised)>,
    /// The instant.
    pub now: Timestamp,
}

/// What a partition has to offer under a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What is counted on it.
    pub meter: units::Meter,
    /// What is left in the pool that the mode draws on, for the current period.
    pub remaining: Work,
}

/// What is left, in the current period, of a share of the Union's time that modes have together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareLeft {
    /// The entry of policy that sets it.
    pub rule: RuleId,
    /// The share.
    pub limit: PartsPerMillion,
    /// What the modes have not been granted of it yet.
    pub remaining: Work,
}

#[cfg(test)]
mod tests;
