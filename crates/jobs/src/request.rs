//! What a job asks of a partition, in whole numbers.
//!
//! [`normalise`] fills in what a script leaves open, as Slurm does, and refuses what the
//! partition cannot give, saying what it could.

use std::fmt;
use std::num::NonZeroU32;

use crate::directive::Directives;
use crate::{GpuCount, Memory, NodeRange, TimeLimit};

mod misfit;

pub use misfit::{Conflict, Limit, Misfit};

/// What is set aside for a job while it runs: totals over all its nodes.
///
/// This is what is placed, limited and charged.
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

/// What is needed before the number of nodes is known.
struct Needs {
    tasks: Option<NonZeroU32>,
    tasks_per_node: Option<NonZeroU32>,
    cores_per_task: NonZeroU32,
    gpus: Option<u32>,
    gpus_per_node: Option<u32>,
    gpus_per_task: Option<u32>,
    tasks_per_gpu: Option<NonZeroU32>,
    cores_per_gpu: Option<NonZeroU32>,
    memory: MemoryNeed,
}

#[derive(Clone, Copy)]
enum MemoryNeed {
    PerNode(Memory),
    PerCore(Memory),
    PerGpu(Memory),
    /// As much as its part of the node's cores, or of its GPUs if that is more.
    Share,
    WholeNode,
}

/// Works out what `directives` ask of `partition`.
///
/// Left open, a job has one task a node, one core a task, memory in proportion to the part of the
/// node that it takes, no GPU, and the partition's usual time limit. The fewest nodes that hold it
/// are taken.
///
/// # Errors
/// When directives contradict each other or the partition cannot give what they ask.
pub fn normalise(directives: &Directives, partition: &PartitionShape) -> Result<Request, Misfit> {
    let time_limit_seconds = time_limit(directives.time, partition)?;
    let needs = needs(directives, partition)?;
    let range = nodes(directives.nodes, &needs, partition)?;
    let whole = directives.exclusive || partition.whole_nodes;
    let mut why = None;
    for count in range.min.get()..=range.max.get().min(partition.nodes.get()) {
        let Some(count) = NonZeroU32::new(count) else { continue };
        match on(count, &needs, partition) {
            Ok(request) => {
                let request = Request { time_limit_seconds, ..request };
                return Ok(if whole { whole_nodes(request, partition) } else { request });
            }
            // On more nodes it comes closest to fitting, so that is what is said.
            Err(misfit @ Misfit::TooMuch { .. }) => why = Some(misfit),
            Err(misfit) => why = why.or(Some(misfit)),
        }
    }
    Err(why.unwrap_or(Misfit::TooMuch {
        limit: Limit::Nodes,
        asked: u64::from(range.min.get()),
        most: u64::from(partition.nodes.get()),
    }))
}

fn time_limit(asked: Option<TimeLimit>, partition: &PartitionShape) -> Result<NonZeroU32, Misfit> {
    let most = partition.time_limit_max_seconds;
    match asked {
        None => Ok(partition.time_limit_default_seconds.min(most)),
        Some(TimeLimit::Unlimited) => Ok(most),
        Some(TimeLimit::Seconds(limit)) if limit <= most => Ok(limit),
        Some(TimeLimit::Seconds(limit)) => Err(Misfit::TooMuch {
            limit: Limit::Time,
            asked: u64::from(limit.get()),
            most: u64::from(most.get()),
        }),
    }
}

fn needs(directives: &Directives, partition: &PartitionShape) -> Result<Needs, Misfit> {
    let gpus_per_node = match (&directives.gpus_per_node, &directives.gres) {
        (Some(a), Some(b)) if a.count != b.count => {
            return Err(Misfit::Contradiction(Conflict::GpusPerNodeAndGres));
        }
        (Some(gpus), _) | (None, Some(gpus)) => Some(gpus.count),
        (None, None) => None,
    };
    let memory = match (directives.memory, directives.memory_per_cpu, directives.memory_per_gpu) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            return Err(Misfit::Contradiction(Conflict::MemoryPerNodeAndPerCore));
        }
        (Some(Memory::ZERO), None, None) => MemoryNeed::WholeNode,
        (Some(memory), None, None) => MemoryNeed::PerNode(memory),
        (None, Some(memory), None) => MemoryNeed::PerCore(memory),
        (None, None, Some(memory)) => MemoryNeed::PerGpu(memory),
        (None, None, None) => MemoryNeed::Share,
    };
    if directives.cpus_per_gpu.is_some() && directives.cpus_per_task.is_some() {
        return Err(Misfit::Contradiction(Conflict::CoresPerTaskAndPerGpu));
    }
    let count = |gpus: &Option<GpuCount>| gpus.as_ref().map(|GpuCount { count, .. }| *count);
    let (gpus, gpus_per_task) = (count(&directives.gpus), count(&directives.gpus_per_task));
    let most = gpus.max(gpus_per_node).max(gpus_per_task);
    if partition.gpus_per_node == 0 && most.is_some_and(|count| count > 0) {
        return Err(Misfit::NoGpus);
    }
    Ok(Needs {
        tasks: directives.ntasks,
        tasks_per_node: directives.ntasks_per_node,
        cores_per_task: directives.cpus_per_task.unwrap_or(NonZeroU32::MIN),
        gpus,
        gpus_per_node,
        gpus_per_task,
        tasks_per_gpu: directives.ntasks_per_gpu,
        cores_per_gpu: directives.cpus_per_gpu,
        memory,
    })
}

/// The numbers of nodes to try: as asked, or what the tasks and GPUs call for, up to all.
fn nodes(
    asked: Option<NodeRange>,
    needs: &Needs,
    partition: &PartitionShape,
) -> Result<NodeRange, Misfit> {
    if let Some(range) = asked {
        return Ok(range);
    }
    let by_gpus = match (needs.gpus, needs.gpus_per_node) {
        (Some(total), Some(each)) if each > 0 => Some(total.div_ceil(each)),
        _ => None,
    };
    let by_tasks = match (needs.tasks, needs.tasks_per_node) {
        (Some(tasks), Some(each)) => Some(tasks.get().div_ceil(each.get())),
        // Without a number of tasks, nothing asks for more than one node but the GPUs.
        (None, _) if needs.gpus.is_none() => Some(1),
        _ => None,
    };
    let exact = by_gpus.or(by_tasks).and_then(NonZeroU32::new);
    let range =
        NodeRange { min: exact.unwrap_or(NonZeroU32::MIN), max: exact.unwrap_or(partition.nodes) };
    Ok(range)
}

/// The request on exactly `nodes` nodes, its time limit still open.
fn on(nodes: NonZeroU32, needs: &Needs, partition: &PartitionShape) -> Result<Request, Misfit> {
    let known = known_gpus(nodes, needs)?;
    let tasks = tasks(nodes, known, needs)?;
    let gpus = gpus(tasks, known, needs)?;
    let fullest = |total: u32| u64::from(total.div_ceil(nodes.get()));
    let (cores, cores_on_fullest) = match needs.cores_per_gpu.zip(NonZeroU32::new(gpus)) {
        // A task has one core at least, however few GPUs there are.
        Some((each, gpus)) => {
            let cores = product(gpus, each).max(tasks);
            (cores, fullest(cores.get()))
        }
        None => {
            let each = u64::from(needs.cores_per_task.get());
            (product(tasks, needs.cores_per_task), fullest(tasks.get()).saturating_mul(each))
        }
    };
    let memory = memory(nodes, cores, gpus, needs, partition);
    let most_cores = u64::from(partition.cores_per_node.get());
    let most_gpus = u64::from(partition.gpus_per_node);
    let most_memory = partition.memory_per_node.count_mb();
    let table = [
        (Limit::CoresPerNode, cores_on_fullest, most_cores),
        (Limit::GpusPerNode, fullest(gpus), most_gpus),
        (Limit::MemoryPerNode, memory.count_mb().div_ceil(u64::from(nodes.get())), most_memory),
        (Limit::Nodes, u64::from(nodes.get()), u64::from(partition.nodes.get())),
    ];
    for (limit, asked, most) in table {
        if asked > most {
            return Err(Misfit::TooMuch { limit, asked, most });
        }
    }
    Ok(Request { nodes, tasks, cores, memory, gpus, time_limit_seconds: NonZeroU32::MIN })
}

/// The GPUs, as far as they are said without the tasks.
fn known_gpus(nodes: NonZeroU32, needs: &Needs) -> Result<Option<u32>, Misfit> {
    let by_node = needs.gpus_per_node.map(|each| each.saturating_mul(nodes.get()));
    match (needs.gpus, by_node) {
        (Some(total), Some(by_node)) if total != by_node => {
            Err(Misfit::Contradiction(Conflict::GpusAndGpusPerNode))
        }
        (total, by_node) => Ok(total.or(by_node)),
    }
}

fn tasks(nodes: NonZeroU32, gpus: Option<u32>, needs: &Needs) -> Result<NonZeroU32, Misfit> {
    let by_gpus = gpus.and_then(NonZeroU32::new).and_then(|gpus| match needs.tasks_per_gpu {
        Some(each) => Some(product(gpus, each)),
        None => NonZeroU32::new(gpus.get().checked_div(needs.gpus_per_task?)?),
    });
    match (needs.tasks.or(by_gpus), needs.tasks_per_node) {
        (Some(tasks), Some(each)) if tasks > product(nodes, each) => {
            Err(Misfit::Contradiction(Conflict::TasksAndTasksPerNode))
        }
        (Some(tasks), _) if tasks < nodes => {
            Err(Misfit::Contradiction(Conflict::FewerTasksThanNodes))
        }
        (Some(tasks), _) => Ok(tasks),
        (None, Some(each)) => Ok(product(nodes, each)),
        (None, None) => Ok(nodes),
    }
}

fn gpus(tasks: NonZeroU32, known: Option<u32>, needs: &Needs) -> Result<u32, Misfit> {
    let by_task = needs.gpus_per_task.map(|each| each.saturating_mul(tasks.get()));
    match (known, by_task) {
        (Some(known), Some(by_task)) if known != by_task => {
            Err(Misfit::Contradiction(Conflict::GpusAndGpusPerTask))
        }
        (known, by_task) => Ok(known.or(by_task).unwrap_or_default()),
    }
}

fn memory(
    nodes: NonZeroU32,
    cores: NonZeroU32,
    gpus: u32,
    needs: &Needs,
    partition: &PartitionShape,
) -> Memory {
    let all = partition.memory_per_node;
    match needs.memory {
        MemoryNeed::PerNode(memory) => memory.times(nodes.get()),
        MemoryNeed::PerCore(memory) => memory.times(cores.get()),
        MemoryNeed::PerGpu(memory) => memory.times(gpus),
        MemoryNeed::WholeNode => all.times(nodes.get()),
        MemoryNeed::Share => {
            let by_cores = all.share(cores.get(), partition.cores_per_node.get());
            let by_gpus = all.share(gpus, partition.gpus_per_node.max(1));
            by_cores.max(by_gpus).min(all.times(nodes.get()))
        }
    }
}

/// All that the request's nodes have.
fn whole_nodes(request: Request, partition: &PartitionShape) -> Request {
    Request {
        cores: product(request.nodes, partition.cores_per_node),
        memory: partition.memory_per_node.times(request.nodes.get()),
        gpus: partition.gpus_per_node.saturating_mul(request.nodes.get()),
        ..request
    }
}

fn product(a: NonZeroU32, b: NonZeroU32) -> NonZeroU32 {
    a.saturating_mul(b)
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, cores, memory, gpus, .. } = self;
        let limit = TimeLimit::Seconds(self.time_limit_seconds);
        write!(f, "{nodes} nodes, {cores} cores, {memory} memory, {gpus} GPUs, at most {limit}")
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "an overflow in a test fails it")]
mod tests;
