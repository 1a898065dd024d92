//! What keeps a place from taking work, as far as the place itself knows.

use units::Timestamp;

/// What stands in the way of new jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing starts at all, where that was ordered: the word of the place's scheduler.
    pub closed: Option<String>,
    /// Nodes on which nothing starts, by name.
    pub away: Vec<NodeAway>,
    /// Times in which nodes are kept free, now or to come, the earliest first.
    pub reserved: Vec<Reserved>,
    /// Records that its accounting has not taken yet, where it tells.
    pub accounting_backlog: Option<u64>,
}

/// A node on which nothing starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeAway {
    /// The node's name.
    pub name: String,
    /// What it is away for.
    pub condition: Condition,
    /// What its administrator wrote about it; may be empty.
    pub reason: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
}

/// What a node is away for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Its scheduler has a word for it that is not known here.
    Unknown,
}

/// A time in which nodes are kept free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// Its name.
    pub name: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many of the nodes.
    pub nodes: u32,
    /// Whether it is for maintenance, and not for somebody's jobs.
    pub maintenance: bool,
}
