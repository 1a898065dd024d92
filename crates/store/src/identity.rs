//! People, their grants, tokens and links; the audit trail; remembered answers.

pub mod audit;
pub mod grants;
pub mod idempotency;
pub mod links;
pub mod people;
pub mod tokens;

#[cfg(test)]
mod tests;
