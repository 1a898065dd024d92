//! When a waiting job will start, as a range.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::{Core, Pool, Second, Ticket};

/// When a job is expected to start if nothing else arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// If jobs use as little of their time limits as one in ten did so far.
    pub earliest: Second,
    /// If jobs use as much of their time limits as half of them did so far.
    pub likely: Second,
    /// If every job runs as long as it may.
    pub latest: Second,
}

/// How much of their time limits jobs have used: a count for each whole percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrequest {
    /// Jobs that used up to 1 %, 2 % … 100 % or more.
    counts: [u64; 100],
}

impl Default for Overrequest {
    fn default() -> Self {
        Self { counts: [0; 100] }
    }
}

impl Overrequest {
    /// Counts a job that ran for `used` of the `limit` seconds it might.
    pub fn record(&mut self, used: Second, limit: Second) {
        let percent = used.max(0).saturating_mul(100).checked_div(limit.max(1)).unwrap_or_default();
        let bucket = usize::try_from(percent).unwrap_or(99).min(99);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
    }

    /// The percentage of its limit that `percent` of the jobs did not exceed; without any history,
    /// all of it.
    pub fn percentile(&self, percent: u64) -> u64 {
        let total: u64 = self.counts.iter().sum();
        let mut seen = 0;
        for (used, count) in (1..).zip(self.counts) {
            seen += count;
            if total > 0 && seen * 100 >= percent * total {
                return used;
            }
        }
        100
    }
}

impl<P: Pool> Core<P> {
    /// Whether the waiting job would start now if it asked `demand` for `seconds` instead, and
    /// nothing else changed.
    pub(crate) fn starts_if_changed(
        &self,
        now: Second,
        ticket: Ticket,
        demand: P::Demand,
        seconds: Second,
    ) -> bool {
        let mut core = self.clone();
        core.change(ticket, demand, seconds);
        let mut started = Vec::new();
        core.pass(now, &mut started);
        started.contains(&ticket)
    }

    /// When each waiting job starts if nothing arrives and every job uses `percent` of its
    /// estimate; those already past that end now.
    pub fn starts_if(&self, now: Second, percent: u64) -> BTreeMap<Ticket, Second> {
        let mut core = self.clone();
        let used = |estimate: Second| {
            let scaled = estimate.saturating_mul(i64::try_from(percent).unwrap_or(100)) / 100;
            scaled.max(1)
        };
        let mut ends: BinaryHeap<Reverse<(Second, Ticket)>> = BinaryHeap::new();
        for (ticket, end) in self.running() {
            let estimate = self.task(ticket).map_or(0, |task| task.estimate_seconds);
            let likely = end.saturating_sub(estimate).saturating_add(used(estimate));
            ends.push(Reverse((likely.max(now), ticket)));
        }
        let mut starts = BTreeMap::new();
        let mut started = Vec::new();
        let mut at = now;
        loop {
            core.pass(at, &mut started);
            for ticket in started.drain(..) {
                let estimate = core.task(ticket).map_or(0, |task| task.estimate_seconds);
                starts.insert(ticket, at);
                ends.push(Reverse((at.saturating_add(used(estimate)), ticket)));
            }
            let Some(&Reverse((next, _))) = ends.peek() else { return starts };
            at = next;
            while let Some(&Reverse((end, ticket))) = ends.peek()
                && end <= at
            {
                ends.pop();
                core.remove(at, ticket);
            }
        }
    }
}
