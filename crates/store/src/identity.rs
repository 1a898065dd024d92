//! People, their grants, tokens and links; the audit trail; remembered answers; the hub's keys.

pub mod audit;
pub mod grants;
pub mod idempotency;
pub mod keys;
pub mod links;
pub mod people;
pub mod tokens;

#[cfg(test)]
mod tests;
