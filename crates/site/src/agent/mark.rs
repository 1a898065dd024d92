//! How much of each job has been told: a fold over its events.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::protocol::{EventBody, Stream};

/// What the events of one job that are in the journal say so far.
///
/// Taking an event in twice changes nothing, so a journal may be read over a mark that already
/// knows part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) accepted: bool,
    pub(super) started: bool,
    /// Nothing more will be told.
    pub(super) over: bool,
    pub(super) stdout_bytes: u64,
    pub(super) stderr_bytes: u64,
    pub(super) metrics_bytes: u64,
    /// Outputs that were stored or refused.
    pub(super) outputs: BTreeSet<String>,
}

impl Mark {
    /// Takes in an event, with the place in the metrics file that it leads up to.
    pub(super) fn take(&mut self, body: &EventBody, metrics_bytes: Option<u64>) {
        self.metrics_bytes = self.metrics_bytes.max(metrics_bytes.unwrap_or_default());
        match body {
            EventBody::Accepted => self.accepted = true,
            EventBody::Started { .. } => self.started = true,
            EventBody::Metrics { .. } | EventBody::OrderRefused { .. } => {}
            EventBody::Refused { .. } | EventBody::Ended { .. } => self.over = true,
            EventBody::OutputStored { output, .. } | EventBody::OutputRefused { output, .. } => {
                self.outputs.insert(output.clone());
            }
            EventBody::Log { stream, offset, bytes } => {
                let length = u64::try_from(bytes.len()).unwrap_or_default();
                let told = match stream {
                    Stream::Stdout => &mut self.stdout_bytes,
                    Stream::Stderr => &mut self.stderr_bytes,
                };
                *told = (*told).max(offset.saturating_add(length));
            }
        }
    }
}
