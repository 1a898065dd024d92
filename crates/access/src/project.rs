//! Projects: people, allocations, data, models, jobs and keys that belong together.

use units::{OrganisationId, ProjectId, Timestamp};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Which.
    pub id: ProjectId,
    /// The organisation it belongs to.
    pub organisation: OrganisationId,
    /// Its title.
    pub title: String,
    /// What it is for, as its application said.
    pub purpose: String,
    /// When it was made.
    pub created_at: Timestamp,
}
