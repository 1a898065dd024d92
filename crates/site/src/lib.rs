//! The agent, the protocol it shares with the hub, and the typed client.
//!
//! Not here: the hub's database and rules. The hub links this crate for [`protocol`] and
//! [`ssh`].

pub mod agent;
pub mod client;
pub mod identity;
pub mod key;
pub mod protocol;
pub mod ssh;
pub mod wire;
