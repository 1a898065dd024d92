//! What is measured of many submissions.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

/// How many a second, and how long each took in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Figures {
    pub(crate) const HEADING: &str = "per second    p50 ms    p99 ms";

    /// Of submissions that took so long each, and all together.
    pub(crate) fn of(mut each: Vec<f64>, all: Duration) -> Self {
        each.sort_by(f64::total_cmp);
        let percentile = |percent: usize| each[(each.len() - 1) * percent / 100];
        let per_second = each.len() as f64 / all.as_secs_f64();
        Self { per_second, p50: percentile(50), p99: percentile(99) }
    }
}

impl Display for Figures {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        write!(to, "{:10.1} {:9.2} {:9.2}", self.per_second, self.p50, self.p99)
    }
}

/// Milliseconds.
pub(crate) fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1_000.0
}
