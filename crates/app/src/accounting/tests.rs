//! What an agent tells of runs, and what the ledger makes of it, on every database.

mod days;
mod desk;
mod order;
mod stories;
