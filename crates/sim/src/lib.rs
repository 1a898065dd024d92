//! The hub, the agents of several sites and their clusters in one process, on one clock, under faults
//! that a seed chooses.
//!
//! Real are the hub from its router down to its database, and each agent from its client down to the
//! engine that drives Slurm. Modelled are the network between them, the disks of the agents, and the
//! clusters ([`engine::slurm::modelled`]). Time is the runtime's and passes only when nobody has
//! anything to do; all that is left to chance comes from one seed. So a seed tells the same story
//! every time, down to the last step, and a story that ends badly can be read.
//!
//! | part | file |
//! | --- | --- |
//! | what happened, and its digest | `trace` |
//! | the hub, one request at a time, and its death between two statements | `hub` |
//! | requests lost, late, doubled and cut | `network` |
//! | the disk of an agent | `disk` |
//! | an agent and its cluster, with their deaths | `site` |
//! | people who submit and cancel | `person` |
//! | what goes wrong when | `chaos` |
//! | what must hold | `judge` |
//! | one run, from its seed to its verdict | `run` |

mod chaos;
mod clock;
mod disk;
mod hub;
mod judge;
mod network;
mod person;
mod run;
mod site;
mod story;
mod trace;

pub use disk::Habit;
pub use run::{Plan, Sabotage, Verdict, run};
pub use trace::Steps;
