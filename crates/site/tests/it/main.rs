//! The agent as a whole: on a simulated engine within this process, and on this machine in a
//! process of its own that is killed again and again.

mod agent;
mod crash;
mod hub;
