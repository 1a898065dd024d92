//! Windows of cheap or clean energy, and jobs that can wait for them.

use crate::Second;

/// A price, or an intensity of carbon, known beforehand: from each instant on, until the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    steps: Vec<(Second, i64)>,
}

impl Signal {
    /// The value from each of these instants on; before the first it is as low as can be.
    pub fn new(steps: impl IntoIterator<Item = (Second, i64)>) -> Self {
        let mut steps: Vec<(Second, i64)> = steps.into_iter().collect();
        steps.sort_by_key(|(at, _)| *at);
        Self { steps }
    }

    /// The value at `at`.
    pub fn at(&self, at: Second) -> i64 {
        let step = self.steps.partition_point(|(from, _)| *from <= at).checked_sub(1);
        step.and_then(|step| self.steps.get(step)).map_or(i64::MIN, |(_, value)| *value)
    }

    /// The next instant after `at` at which the value may change.
    pub fn next(&self, at: Second) -> Option<Second> {
        self.steps.get(self.steps.partition_point(|(from, _)| *from <= at)).map(|(from, _)| *from)
    }

    /// The first instant, not before `at`, at which the value is `most` or less.
    pub fn first_at_most(&self, at: Second, most: i64) -> Option<Second> {
        if self.at(at) <= most {
            return Some(at);
        }
        let from = self.steps.partition_point(|(from, _)| *from <= at);
        let coming = self.steps.get(from..).unwrap_or_default();
        coming.iter().find(|(_, value)| *value <= most).map(|(from, _)| *from)
    }
}

/// A job that starts only while the [`Signal`] is low, or when it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferral {
    /// It may start while the signal is this or less.
    pub value_max: i64,
    /// From then on it may start at any value.
    pub latest_start: Second,
}

impl Deferral {
    /// The first instant, not before `now`, at which the job may start.
    pub fn opens(&self, signal: &Signal, now: Second) -> Second {
        let low = signal.first_at_most(now, self.value_max).unwrap_or(Second::MAX);
        low.min(self.latest_start.max(now))
    }
}
