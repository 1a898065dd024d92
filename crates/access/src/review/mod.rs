//! Review by experts: who may judge what, who judges what, and what comes of it.
//!
//! [`conflicts`] says why somebody may not judge an application; [`assign()`] spreads applications
//! over a pool of reviewers; [`evaluate`] brings reviews together and [`rank()`] puts applications
//! in order; [`obstacles`] says whether people may decide already.

mod assign;
mod conflict;
mod flow;
mod points;
mod rank;
mod score;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use units::{ApplicationId, OrganisationId, PersonId, Slug};

pub use assign::{Affinity, Assignment, Pair, Shortfall, assign};
pub use conflict::{Conflict, MailDomain, conflicts};
pub use points::{Mean, NotPoints, Points};
pub use rank::{Place, rank};
pub use score::{CriterionResult, Evaluation, ScoreFault, Scores, Standing, evaluate};
pub use verdict::{Course, Obstacle, Rebuttal, Verdict, obstacles};

/// Somebody who may be asked to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewer {
    /// Who.
    pub person: PersonId,
    /// Where they work or speak for somebody.
    pub organisations: BTreeSet<OrganisationId>,
    /// Where their mail goes.
    pub mail: Option<MailDomain>,
    /// What they know, by the fields of policy.
    pub fields: BTreeSet<Slug>,
    /// With whom they have published, as they state it.
    pub published_with: Vec<String>,
    /// The most applications they take.
    pub load_max: u32,
}

/// An application that is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub application: ApplicationId,
    /// Whose.
    pub organisation: OrganisationId,
    /// The other organisations that are one undertaking with it.
    pub undertaking: BTreeSet<OrganisationId>,
    /// Who asks: the applicant and those named with them.
    pub team: Vec<Applying>,
    /// What it is about, by the fields of policy.
    pub fields: BTreeSet<Slug>,
    /// Who has said that they have a conflict, and which.
    pub declared: BTreeMap<PersonId, String>,
    /// Who judges it already.
    pub judged_by: BTreeSet<PersonId>,
}

/// Somebody who asks for hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applying {
    /// Their account, when they are known to have one.
    pub person: Option<PersonId>,
    /// How they are called.
    pub name: String,
    /// Where their mail goes.
    pub mail: Option<MailDomain>,
}

#[cfg(test)]
mod tests;
