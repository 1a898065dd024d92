//! What a job asks of a partition, in whole numbers.

use std::num::NonZeroU32;

use crate::Memory;

/// What is set aside for a job while it runs: totals over all its nodes.
///
/// This is what is placed, limited and charged. It comes from [`normalise`], which fills in what
/// the script leaves open and refuses what the partition cannot give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// How many nodes.
    pub nodes: NonZeroU32,
    /// How many tasks, over all nodes.
    pub tasks: NonZeroU32,
    /// How many cores, over all nodes.
    pub cores: NonZeroU32,
    /// How much memory, over all nodes.
    pub memory: Memory,
    /// How many GPUs, over all nodes.
    pub gpus: u32,
    /// After how long the job is stopped.
    pub time_limit_seconds: NonZeroU32,
}

/// The nodes of a partition, all alike, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionShape {
    /// How many nodes there are.
    pub nodes: NonZeroU32,
    /// Cores that a job can have on each.
    pub cores_per_node: NonZeroU32,
    /// Memory that a job can have on each.
    pub memory_per_node: Memory,
    /// GPUs on each, as the scheduler counts them.
    pub gpus_per_node: u32,
    /// The time limit of a job that names none.
    pub time_limit_default_seconds: NonZeroU32,
    /// The longest time limit.
    pub time_limit_max_seconds: NonZeroU32,
    /// Whether a job always gets whole nodes.
    pub whole_nodes: bool,
}
