//! Who has hours at a site, as the hub wishes it on the books of the site's scheduler, and what the
//! site tells of the difference.

use serde::{Deserialize, Serialize};
use units::{AllocationId, PersonId, ProjectId};
use utoipa::ToSchema;

use crate::wire::text;

/// The most steps, changes by hand or deeds that one report tells.
pub const TOLD_MAX: usize = 500;

/// Who has hours at a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenancy {
    /// [`super::VERSION`] of the hub.
    pub version: u32,
    /// Changes with everything here but what was used.
    pub revision: String,
    /// Every allocation on the site's partition that is not long over.
    pub allocations: Vec<Tenant>,
    /// The plan that the site's operator wants carried out, by its [`TenancyReport::plan`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<String>,
}

/// An allocation at a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// Which.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub allocation: AllocationId,
    /// Whose.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub project: ProjectId,
    /// The access mode that it was granted under.
    pub mode: String,
    /// What is counted: `gpu`, `node`, `core` or `qpu`.
    pub meter: String,
    /// Unit-seconds that were granted.
    pub granted_seconds: u64,
    /// Unit-seconds that the ledger has charged.
    pub used_seconds: u64,
    /// Where it stands.
    pub standing: Standing,
    /// Those who may use it.
    pub members: Vec<Member>,
}

/// Where an allocation stands at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its jobs run.
    Active,
    /// Its jobs run behind all others.
    Downscaled,
    /// The site's operator lets nothing be submitted.
    Paused,
    /// It has not begun, or is over; also for what a later version has a word for.
    #[serde(other)]
    Closed,
}

impl Standing {
    /// The standing in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Downscaled => "downscaled",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }
}

/// Somebody who may use an allocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The person at the hub.
    #[serde(with = "text")]
    #[schema(value_type = uuid::Uuid)]
    pub person: PersonId,
    /// The address by which the site's administrator knows them.
    pub email: String,
}

/// How the site lets what the hub wishes come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Manage {
    /// A plan is shown, and carried out when the site's operator says so.
    Plan,
    /// It is carried out at once; also for what a later version has a word for.
    #[serde(other)]
    Apply,
}

/// What a site tells of its books; the latest counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenancyReport {
    /// [`super::VERSION`] of the agent.
    pub version: u32,
    /// How the site lets things come about.
    pub manage: Manage,
    /// The [`Tenancy::revision`] that it has compared with.
    pub revision: String,
    /// Changes with the steps: by this a plan is agreed to; up to 64 letters and digits.
    #[schema(example = "0123456789abcdef")]
    pub plan: String,
    /// What is to be done, in this order; the first of them, where there are many.
    pub steps: Vec<StepTold>,
    /// How many steps there are.
    pub steps_total: u64,
    /// What somebody changed by hand.
    pub drift: Vec<DriftTold>,
    /// Whether the site is as the hub wishes, but for what its policy accepts.
    pub agrees: bool,
    /// What was done since the report before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// Why something could not be done, or the books not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepTold {
    /// What, for people.
    pub text: String,
    /// Why: `missing`, `wish`, `mend` or `left`.
    pub why: String,
}

/// Something that somebody changed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftTold {
    /// What, for people.
    pub text: String,
    /// What it is about: `limits`, `shares` or `tree`.
    pub kind: String,
    /// What becomes of it by the site's policy: `mend`, `accept` or `report`.
    pub response: String,
}

/// The hub's reply to [`TenancyReport`]: it is durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenancyReceipt {
    /// Whether the hub's wish is still the one that was compared with.
    pub current: bool,
}
