//! Whether a site can take work now, and why not.
//!
//! [`assess`] weighs what is known of a site: its agent, what its operators ordered, its nodes, its
//! accounting, its queue. A site whose agent is silent is not judged by what it said before.

use std::fmt;

use units::Timestamp;

/// How a site's agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// None was admitted yet.
    NotEnrolled,
    /// It has not called yet.
    Silent,
    /// It calls.
    Present,
    /// It has not called for longer than it should.
    Away {
        /// When it called last.
        since: Timestamp,
    },
    /// Its operator sent it away.
    Dismissed {
        /// When.
        since: Timestamp,
    },
}

/// That somebody lets a site take no more work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Since when.
    pub since: Timestamp,
    /// Why, in their words, for people.
    pub reason: String,
}

/// Nodes that are kept free for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// What it is called.
    pub name: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many nodes.
    pub nodes: u32,
    /// Whether for maintenance, and not for somebody's jobs.
    pub maintenance: bool,
}

/// Nodes of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// On how many jobs may start.
    pub up: u32,
    /// How many there are.
    pub all: u32,
}

/// What waits in line at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many jobs.
    pub jobs: u32,
    /// How many nodes they ask for, times how long each may run.
    pub node_seconds: u64,
}

/// All that is known of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    /// Its agent.
    pub agent: Agent,
    /// Whether its operator at the hub lets it take no more.
    pub drained_at_hub: Option<Drained>,
    /// Whether it says so itself.
    pub drained_at_site: Option<Drained>,
    /// What its scheduler answers when it does not answer.
    pub failing: Option<String>,
    /// The scheduler's word for a partition that starts nothing.
    pub closed: Option<String>,
    /// Its nodes, once it has shown them.
    pub nodes: Option<Nodes>,
    /// What is kept free, now or later.
    pub reserved: Vec<Reserved>,
    /// Records that its accounting has not taken yet.
    pub accounting_backlog: Option<u64>,
    /// How far its clock is ahead of the hub's.
    pub clock_ahead_milliseconds: Option<i64>,
    /// What waits there.
    pub queue: Option<Queue>,
}

/// Something that stands in the way of work, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No agent was ever admitted.
    NotEnrolled,
    /// The agent has never called.
    Silent,
    /// The agent does not call any more.
    AgentAway {
        /// When it called last.
        since: Timestamp,
    },
    /// The agent was sent away.
    Dismissed {
        /// When.
        since: Timestamp,
    },
    /// An operator lets the site take no more.
    Drained {
        /// Whether the site did so itself; the hub's operator otherwise.
        by_site: bool,
        /// Since when and why.
        drained: Drained,
    },
    /// The scheduler does not answer.
    Failing {
        /// What came instead.
        answer: String,
    },
    /// The scheduler starts nothing in the partition.
    Closed {
        /// Its word for that.
        word: String,
    },
    /// Nothing can start on some nodes.
    NodesAway {
        /// The nodes.
        nodes: Nodes,
    },
    /// Nodes are in maintenance, or will be.
    Maintenance {
        /// Which, and when.
        reserved: Reserved,
        /// Whether it has begun.
        begun: bool,
        /// Whether it takes all nodes.
        all: bool,
    },
    /// The accounting is behind.
    AccountingBehind {
        /// How many records wait.
        records: u64,
    },
    /// Its clock is off.
    ClockOff {
        /// By how much it is ahead; behind when negative.
        ahead_milliseconds: i64,
    },
    /// Others stand in line.
    Queue {
        /// How many.
        jobs: u32,
        /// How long the partition needs for them if each runs as long as it may.
        seconds: u64,
    },
}

/// What an obstacle means for new work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Good to know.
    Note,
    /// There is less room than usual.
    Limits,
    /// Nothing can start.
    Blocks,
}

/// Whether a site can take work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// All that its partition can hold.
    Work,
    /// Some, for part of it is away.
    Less,
    /// None now.
    Nothing,
}

/// What stands in the way of work at a site, the heaviest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// All of it.
    pub obstacles: Vec<Obstacle>,
}

/// Maintenance further away is of no interest yet.
const FORESIGHT_SECONDS: i64 = 7 * 86_400;
/// An accounting that is behind by fewer records catches up in a moment.
const BACKLOG_MIN: u64 = 100;
/// A clock that is off by less disturbs nobody.
const CLOCK_MILLISECONDS_MIN: u64 = 2_000;

/// Weighs what is known of a site.
pub fn assess(signs: &Signs, now: Timestamp) -> Readiness {
    let drained = |by_site: bool, drained: &Option<Drained>| {
        drained.clone().map(|drained| Obstacle::Drained { by_site, drained })
    };
    let mut obstacles: Vec<Obstacle> =
        agent(signs.agent).into_iter().chain(drained(false, &signs.drained_at_hub)).collect();
    if signs.agent == Agent::Present {
        obstacles.extend(drained(true, &signs.drained_at_site));
        obstacles.extend(signs.failing.clone().map(|answer| Obstacle::Failing { answer }));
        obstacles.extend(signs.closed.clone().map(|word| Obstacle::Closed { word }));
        obstacles.extend(of_nodes(signs, now));
        obstacles.extend(beside(signs));
    }
    obstacles.sort_by_key(|obstacle| std::cmp::Reverse(obstacle.weight()));
    Readiness { obstacles }
}

fn agent(agent: Agent) -> Option<Obstacle> {
    match agent {
        Agent::Present => None,
        Agent::NotEnrolled => Some(Obstacle::NotEnrolled),
        Agent::Silent => Some(Obstacle::Silent),
        Agent::Away { since } => Some(Obstacle::AgentAway { since }),
        Agent::Dismissed { since } => Some(Obstacle::Dismissed { since }),
    }
}

fn of_nodes(signs: &Signs, now: Timestamp) -> Vec<Obstacle> {
    let all = signs.nodes.map_or(0, |nodes| nodes.all);
    let away = signs.nodes.filter(|nodes| nodes.up < nodes.all);
    let away = away.map(|nodes| Obstacle::NodesAway { nodes });
    let is_near = |reserved: &&Reserved| {
        let ahead = reserved.from.as_second().saturating_sub(now.as_second());
        reserved.maintenance && reserved.until > now && ahead <= FORESIGHT_SECONDS
    };
    let maintenance = signs.reserved.iter().filter(is_near).map(|reserved| Obstacle::Maintenance {
        reserved: reserved.clone(),
        begun: reserved.from <= now,
        all: reserved.nodes >= all,
    });
    away.into_iter().chain(maintenance).collect()
}

fn beside(signs: &Signs) -> Vec<Obstacle> {
    let behind = signs.accounting_backlog.filter(|records| *records >= BACKLOG_MIN);
    let off = signs
        .clock_ahead_milliseconds
        .filter(|ahead| ahead.unsigned_abs() >= CLOCK_MILLISECONDS_MIN);
    let nodes = signs.nodes.map_or(1, |nodes| nodes.up.max(1));
    let queue = signs.queue.filter(|queue| queue.jobs > 0).map(|queue| Obstacle::Queue {
        jobs: queue.jobs,
        seconds: queue.node_seconds.div_ceil(u64::from(nodes)),
    });
    let behind = behind.map(|records| Obstacle::AccountingBehind { records });
    let off = off.map(|ahead_milliseconds| Obstacle::ClockOff { ahead_milliseconds });
    [queue, behind, off].into_iter().flatten().collect()
}

impl Readiness {
    /// Whether the site can take work.
    pub fn takes(&self) -> Takes {
        match self.obstacles.iter().map(Obstacle::weight).max() {
            Some(Weight::Blocks) => Takes::Nothing,
            Some(Weight::Limits) => Takes::Less,
            Some(Weight::Note) | None => Takes::Work,
        }
    }

    /// Why it takes nothing, if so: the first thing that blocks.
    pub fn blocked(&self) -> Option<&Obstacle> {
        self.obstacles.iter().find(|obstacle| obstacle.weight() == Weight::Blocks)
    }
}

impl Obstacle {
    /// What Slurm's `sinfo` would call a partition that starts nothing because of this.
    pub fn availability(&self) -> &'static str {
        match self {
            Self::Drained { .. } => "drain",
            Self::Closed { word } if word == "drain" => "drain",
            Self::Closed { word } if word.starts_with("inact") => "inact",
            Self::NotEnrolled
            | Self::Silent
            | Self::AgentAway { .. }
            | Self::Dismissed { .. }
            | Self::Failing { .. }
            | Self::Closed { .. }
            | Self::NodesAway { .. }
            | Self::Maintenance { .. }
            | Self::AccountingBehind { .. }
            | Self::ClockOff { .. }
            | Self::Queue { .. } => "down",
        }
    }
}

impl Takes {
    /// The answer in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Less => "less",
            Self::Nothing => "nothing",
        }
    }
}

impl Weight {
    /// The weight in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Limits => "limits",
            Self::Blocks => "blocks",
        }
    }
}

impl Obstacle {
    /// What it means for new work.
    pub fn weight(&self) -> Weight {
        match self {
            Self::NotEnrolled
            | Self::Silent
            | Self::AgentAway { .. }
            | Self::Dismissed { .. }
            | Self::Drained { .. }
            | Self::Failing { .. }
            | Self::Closed { .. } => Weight::Blocks,
            Self::NodesAway { nodes } if nodes.up == 0 => Weight::Blocks,
            Self::Maintenance { begun: true, all: true, .. } => Weight::Blocks,
            Self::NodesAway { .. } | Self::Maintenance { begun: true, .. } => Weight::Limits,
            Self::Maintenance { begun: false, .. }
            | Self::AccountingBehind { .. }
            | Self::ClockOff { .. }
            | Self::Queue { .. } => Weight::Note,
        }
    }

    /// The obstacle in a word, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::Silent => "silent",
            Self::AgentAway { .. } => "agent-away",
            Self::Dismissed { .. } => "dismissed",
            Self::Drained { .. } => "drained",
            Self::Failing { .. } => "failing",
            Self::Closed { .. } => "closed",
            Self::NodesAway { .. } => "nodes-away",
            Self::Maintenance { .. } => "maintenance",
            Self::AccountingBehind { .. } => "accounting-behind",
            Self::ClockOff { .. } => "clock-off",
            Self::Queue { .. } => "queue",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEnrolled => write!(f, "no agent was enrolled yet"),
            Self::Silent => write!(f, "its agent has not called yet"),
            Self::AgentAway { since } => write!(f, "its agent has not called since {since:.0}"),
            Self::Dismissed { since } => write!(f, "its agent was sent away at {since:.0}"),
            Self::Drained { by_site, drained: Drained { since, reason } } => {
                let who = if *by_site { "the site" } else { "its operator" };
                write!(f, "{who} lets it take no new jobs since {since:.0}: {reason}")
            }
            Self::Failing { answer } => write!(f, "its scheduler does not answer: {answer}"),
            Self::Closed { word } => write!(f, "its partition starts nothing: it is `{word}`"),
            Self::NodesAway { nodes } => {
                let away = nodes.all.saturating_sub(nodes.up);
                write!(f, "nothing can start on {away} of {} nodes", nodes.all)
            }
            Self::Maintenance { reserved, all, .. } => {
                let Reserved { name, from, until, nodes, .. } = reserved;
                let nodes = if *all { "all".to_owned() } else { nodes.to_string() };
                write!(f, "maintenance `{name}` of {nodes} nodes from {from:.0} to {until:.0}")
            }
            Self::AccountingBehind { records } => {
                write!(f, "its accounting is behind by {records} records")
            }
            Self::ClockOff { ahead_milliseconds } => {
                let seconds = ahead_milliseconds.unsigned_abs() / 1_000;
                let way = if *ahead_milliseconds < 0 { "behind" } else { "ahead" };
                write!(f, "its clock is {seconds} s {way}")
            }
            Self::Queue { jobs, seconds } => {
                let hours = seconds.div_ceil(3_600);
                write!(f, "{jobs} jobs stand in line, at most {hours} h of work for its nodes")
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "an overflow in a test fails it")]
mod tests;
