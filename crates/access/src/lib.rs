//! Who may have which hours: agreements, pools, organisations, calls, applications, allocations.
//!
//! Not here: input and output, a clock, identifiers out of thin air. Every decision is a function
//! of what is handed in, and carries its reasons.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]

pub mod agreement;
pub mod document;
pub mod federation;
pub mod policy;
pub mod sme;

#[cfg(test)]
mod testing;
