//! What keeps a site from taking work, as far as it knows itself.

use serde::{Deserialize, Serialize};
use units::Timestamp;
use utoipa::ToSchema;

use crate::wire::{optional_text, text};

/// What stands in the way of new jobs at a site; the latest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Health {
    /// That the site lets itself take no more jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drained: Option<Drained>,
    /// What came when its scheduler was asked and did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// The scheduler's word for a partition that starts nothing, such as `drain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// Nodes on which nothing starts; at most 20 000.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<NodeAway>,
    /// Times in which nodes are kept free, now or to come; at most 1 000.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Reserved>,
    /// Records that its accounting has not taken yet, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounting_backlog: Option<u64>,
}

/// The most nodes that are told.
pub const AWAY_MAX: usize = 20_000;
/// The most reservations that are told.
pub const RESERVED_MAX: usize = 1_000;

/// That a site takes no more jobs by its own wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drained {
    /// Since when, by the site's clock.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Why, for people.
    pub reason: String,
}

/// A node on which nothing starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeAway {
    /// Its name.
    pub name: String,
    /// What it is away for.
    pub condition: Condition,
    /// What its administrator wrote about it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when, where that is known.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// What a node is away for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Its administrator lets nothing start; jobs still run.
    Draining,
    /// Its administrator lets nothing start, and nothing runs.
    Drained,
    /// It is kept for maintenance.
    Maintenance,
    /// It starts again.
    Rebooting,
    /// It is off to save power, or on its way there or back.
    Off,
    /// It is expected to fail.
    Failing,
    /// It does not answer.
    Down,
    /// Something else; also for what a later version has a word for.
    #[serde(other)]
    Unknown,
}

impl Condition {
    /// The condition in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Drained => "drained",
            Self::Maintenance => "maintenance",
            Self::Rebooting => "rebooting",
            Self::Off => "off",
            Self::Failing => "failing",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// A time in which nodes are kept free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reserved {
    /// Its name.
    pub name: String,
    /// From when.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Until when.
    #[serde(with = "text")]
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// How many nodes.
    pub nodes: u32,
    /// Whether for maintenance, and not for somebody's jobs.
    pub maintenance: bool,
}
