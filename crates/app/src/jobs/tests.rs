//! Jobs from submission to charge, on every database.

mod concurrency;
mod events;
mod moving;
mod outlook;
mod services;
mod stories;
mod waiting;
pub(crate) mod yard;
