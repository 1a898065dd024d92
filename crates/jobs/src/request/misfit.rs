//! Why a partition cannot give what a job asks, and what it could give.

use std::fmt;
use std::num::NonZeroU32;

use crate::{Memory, TimeLimit};

/// Two directives that cannot both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conflict {
    /// `--gpus-per-node` and `--gres` differ.
    GpusPerNodeAndGres,
    /// Two of `--mem`, `--mem-per-cpu` and `--mem-per-gpu` together.
    MemoryPerNodeAndPerCore,
    /// More tasks than the nodes may have.
    TasksAndTasksPerNode,
    /// A node would have no task.
    FewerTasksThanNodes,
    /// The total of GPUs is not that of the nodes.
    GpusAndGpusPerNode,
    /// The total of GPUs is not that of the tasks.
    GpusAndGpusPerTask,
    /// `--cpus-per-task` and `--cpus-per-gpu` together.
    CoresPerTaskAndPerGpu,
}

/// What a partition has only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Nodes.
    Nodes,
    /// Cores on one node.
    CoresPerNode,
    /// GPUs on one node.
    GpusPerNode,
    /// Memory on one node, in MiB.
    MemoryPerNode,
    /// The time limit, in seconds.
    Time,
}

/// Why a partition cannot give what a job asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Misfit {
    /// It asks for more than there is.
    TooMuch {
        /// Of what.
        limit: Limit,
        /// How much it asks for.
        asked: u64,
        /// How much would fit.
        most: u64,
    },
    /// The partition has no GPU at all.
    NoGpus,
    /// It contradicts itself.
    Contradiction(Conflict),
}

impl Misfit {
    /// The directives to change, without the dashes.
    pub const fn directives(&self) -> &'static str {
        match self {
            Self::TooMuch { limit, .. } => match limit {
                Limit::Nodes => "nodes",
                Limit::CoresPerNode => "ntasks, cpus-per-task",
                Limit::GpusPerNode => "gpus, gpus-per-node, gres",
                Limit::MemoryPerNode => "mem, mem-per-cpu",
                Limit::Time => "time",
            },
            Self::NoGpus => "gpus, gpus-per-node, gres",
            Self::Contradiction(conflict) => match conflict {
                Conflict::GpusPerNodeAndGres => "gpus-per-node, gres",
                Conflict::MemoryPerNodeAndPerCore => "mem, mem-per-cpu, mem-per-gpu",
                Conflict::TasksAndTasksPerNode => "ntasks, ntasks-per-node, nodes",
                Conflict::FewerTasksThanNodes => "ntasks, nodes",
                Conflict::GpusAndGpusPerNode => "gpus, gpus-per-node, nodes",
                Conflict::GpusAndGpusPerTask => "gpus, gpus-per-task, ntasks",
                Conflict::CoresPerTaskAndPerGpu => "cpus-per-task, cpus-per-gpu",
            },
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMuch { limit, asked, most } => too_much(f, *limit, *asked, *most),
            Self::NoGpus => f.write_str("this partition has no GPUs; ask for none"),
            Self::Contradiction(conflict) => f.write_str(match conflict {
                Conflict::GpusPerNodeAndGres => {
                    "--gpus-per-node and --gres ask for different numbers of GPUs; give one of them"
                }
                Conflict::MemoryPerNodeAndPerCore => {
                    "of --mem, --mem-per-cpu and --mem-per-gpu only one can hold; give one of them"
                }
                Conflict::TasksAndTasksPerNode => {
                    "--ntasks is more than the nodes hold with --ntasks-per-node; ask for more nodes"
                }
                Conflict::FewerTasksThanNodes => {
                    "there are fewer tasks than nodes; ask for fewer nodes or more tasks"
                }
                Conflict::GpusAndGpusPerNode => {
                    "--gpus is not the number of nodes times the GPUs on each; give one of them"
                }
                Conflict::GpusAndGpusPerTask => {
                    "the GPUs asked for are not the number of tasks times --gpus-per-task; give one \
                     of them"
                }
                Conflict::CoresPerTaskAndPerGpu => {
                    "--cpus-per-task and --cpus-per-gpu cannot both hold; give one of them"
                }
            }),
        }
    }
}

fn too_much(f: &mut fmt::Formatter<'_>, limit: Limit, asked: u64, most: u64) -> fmt::Result {
    let time = |seconds: u64| {
        let seconds = u32::try_from(seconds).ok().and_then(NonZeroU32::new);
        seconds.map_or(TimeLimit::Unlimited, TimeLimit::Seconds)
    };
    match limit {
        Limit::Nodes => write!(f, "it needs {asked} nodes; the partition has {most}"),
        Limit::CoresPerNode => write!(
            f,
            "its fullest node would need {asked} cores; a node has {most}: ask for fewer tasks or \
             cores a node, or for more nodes"
        ),
        Limit::GpusPerNode => write!(
            f,
            "its fullest node would need {asked} GPUs; a node has {most}: ask for fewer GPUs or \
             for more nodes"
        ),
        Limit::MemoryPerNode => {
            let (asked, most) = (Memory::mebibytes(asked), Memory::mebibytes(most));
            write!(
                f,
                "it would need {asked} of memory on a node; a node has {most}: ask for less \
                 memory, fewer cores a node, or more nodes"
            )
        }
        Limit::Time => {
            write!(f, "it asks for {}; the longest job here runs {}", time(asked), time(most))
        }
    }
}
