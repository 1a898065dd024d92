//! How large an enterprise is, after Recommendation 2003/361/EC: computed over its whole group
//! and its accounting periods, with every line of the calculation.
//!
//! Not here: the ceilings themselves, which are policy.

mod assess;
mod counted;
mod describe;
mod group;
mod growth;
mod lines;
mod links;
mod member;
mod public;
mod size;

pub use assess::{Assessment, Incomplete, PeriodResult, assess};
pub use describe::{Description, Signatory};
pub use group::{About, Fault, Group};
pub use growth::{ScaleUp, StartUp, scale_up, start_up, valid_until};
pub use lines::{Addend, Line};
pub use links::linked_by_enterprises;
pub use member::{Control, Enterprise, EnterpriseKind, Holding, LocalAuthority, Relation};
pub use size::{AccountingPeriod, Awu, Size, SizeClass};

#[cfg(test)]
mod tests;
