//! What an agent knows of one job, as a file.

use serde::{Deserialize, Serialize};

use crate::protocol::StartJob;

/// A job that the hub has ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JobRecord {
    /// It is to be seen through.
    Ordered {
        /// What was ordered.
        order: Box<StartJob>,
        /// Whether it is to be ended.
        cancel: bool,
    },
    /// It was to be ended before it was ordered: it will never run.
    CancelledUnseen,
    /// The hub knows how it ended.
    Over,
}
