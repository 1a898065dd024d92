//! How large an enterprise is, after Recommendation 2003/361/EC: computed over its whole group
//! and its accounting periods, with every line of the calculation.
//!
//! Not here: the ceilings themselves, which are policy.

mod assess;
mod group;
mod size;

pub use assess::{Assessment, Incomplete, Line, PeriodResult, StartUp, assess, start_up};
pub use group::{Enterprise, EnterpriseKind, Group, Holding, Relation};
pub use size::{AccountingPeriod, Awu, Size, SizeClass};

#[cfg(test)]
mod tests;
