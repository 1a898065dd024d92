//! People, their grants, tokens and links; whom providers vouch for; the audit trail; remembered answers; the hub's keys.

pub mod attempts;
pub mod audit;
pub mod devices;
pub mod grants;
pub mod idempotency;
pub mod invitations;
pub mod keys;
pub mod links;
pub mod people;
pub mod provided;
pub mod tokens;

#[cfg(test)]
mod tests;
