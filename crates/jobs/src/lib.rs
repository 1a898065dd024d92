//! What a job is: a script with directives, what it asks for, how it lives and what it costs.
//!
//! Read in this order: [`script`] (what people write), [`directive`] (what the lines mean),
//! [`request`] (what that asks of a partition), [`template`] (services that write the script for
//! people), [`life`] (from submission to every possible end), [`charge`] (what use costs),
//! [`readiness`] (whether a site can take work, and why not), [`moving`] (whether a job may leave a
//! site that cannot), [`tenancy`] (the accounts and limits that Usine keeps in a site's own scheduler).
//!
//! Not here: how a job is carried out, where it waits, who may submit it, and any clock.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]

mod account;
mod array;
pub mod charge;
mod dependency;
pub mod directive;
mod export;
mod file_pattern;
pub mod life;
mod memory;
pub mod moving;
mod number;
pub mod placement;
mod quantity;
pub mod readiness;
pub mod request;
pub mod script;
pub mod template;
pub mod tenancy;
mod time_limit;

pub use account::{AccountPrefix, NotAPrefix};
pub use array::{ArraySpec, NotAnArray};
pub use dependency::{Condition, Dependency, NotADependency, Other, Verdict, When};
pub use export::{Export, NotAnExport};
pub use file_pattern::{FileNames, FilePattern, NotAFilePattern};
pub use memory::{Memory, NotAMemory};
pub use number::{JobNumber, NotAJobNumber};
pub use quantity::{GpuCount, NodeRange, NotAGpuCount, NotANodeCount};
pub use time_limit::{NotATimeLimit, TimeLimit};
