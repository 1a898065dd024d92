//! When waiting jobs will start, from how users have over-requested so far.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::jobs::Stage;
use super::{Outcome, System};
use crate::machine::largest;
use crate::{Association, Forecast, Overrequest, Pool, Second, Sooner, Ticket};

/// How much of their time limits the jobs of each user have used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    all: Overrequest,
    users: BTreeMap<Association, (u64, Overrequest)>,
}

/// With fewer jobs than this, a user is taken to be like all others.
const JOBS_TO_KNOW_A_USER: u64 = 10;
/// Priorities move for ever; when nothing has started or ended for so long, nothing will.
const PATIENCE_SECONDS: Second = 31 * 86_400;

impl History {
    /// Counts a job of `user` that ran for `used` of the `limit` seconds it might.
    pub fn record(&mut self, user: Association, used: Second, limit: Second) {
        self.all.record(used, limit);
        let (jobs, own) = self.users.entry(user).or_default();
        *jobs += 1;
        own.record(used, limit);
    }

    /// What `percent` of the user's jobs did not exceed, as a percentage of their limits.
    fn percentile(&self, user: Association, percent: u64) -> u64 {
        let known = self.users.get(&user).filter(|(jobs, _)| *jobs >= JOBS_TO_KNOW_A_USER);
        known.map_or(&self.all, |(_, own)| own).percentile(percent)
    }
}

impl<P: Pool> System<P> {
    /// When each waiting job starts if nothing arrives; `None` for those that never do.
    ///
    /// Three futures are played through: every job uses as little of its limit as one in ten of its
    /// user's did, as much as half of them did, and all of it.
    pub fn forecast(&self, now: Second, history: &History) -> BTreeMap<Ticket, Option<Forecast>> {
        let short = self.starts_if(now, |user| history.percentile(user, 10));
        let usual = self.starts_if(now, |user| history.percentile(user, 50));
        let full = self.starts_if(now, |_| 100);
        let waiting =
            self.jobs.iter().filter(|(_, job)| !matches!(job.stage, Stage::Running { .. }));
        let range = |ticket: Ticket| {
            let mut range = [*short.get(&ticket)?, *usual.get(&ticket)?, *full.get(&ticket)?];
            range.sort_unstable();
            let [earliest, likely, latest] = range;
            Some(Forecast { earliest, likely, latest })
        };
        waiting.map(|(ticket, _)| (ticket, range(ticket))).collect()
    }

    /// When each waiting job starts first if nothing arrives and the jobs of each user take
    /// `percent` of their limits.
    fn starts_if(
        &self,
        now: Second,
        percent: impl Fn(Association) -> u64,
    ) -> BTreeMap<Ticket, Second> {
        let mut system = self.clone();
        let mut ends: BinaryHeap<Reverse<(Second, Ticket, Second)>> = BinaryHeap::new();
        for (ticket, job) in self.jobs.iter() {
            if let Stage::Running { started, .. } = job.stage {
                let end = started.saturating_add(self.likely_seconds(ticket, &percent));
                ends.push(Reverse((end.max(now), ticket, started)));
            }
        }
        let mut starts = BTreeMap::new();
        let mut at = now;
        let mut idle_until = at.saturating_add(PATIENCE_SECONDS);
        loop {
            let mut outcome = Outcome::default();
            system.pass(at, &mut outcome);
            for ticket in outcome.started {
                starts.entry(ticket).or_insert(at);
                let end = at.saturating_add(system.likely_seconds(ticket, &percent));
                ends.push(Reverse((end, ticket, at)));
                idle_until = end.saturating_add(PATIENCE_SECONDS).max(idle_until);
            }
            let end = ends.peek().map(|Reverse((end, ..))| *end);
            let next = system.next(at).filter(|next| *next <= idle_until);
            let Some(next) = end.into_iter().chain(next).min() else { return starts };
            at = next.max(at);
            while let Some(&Reverse((end, ticket, started))) = ends.peek()
                && end <= at
            {
                ends.pop();
                if system.started(ticket) == Some(started) {
                    system.end(at, ticket);
                }
            }
        }
    }

    /// Since when a job runs.
    fn started(&self, ticket: Ticket) -> Option<Second> {
        match self.jobs.get(ticket)?.stage {
            Stage::Running { started, .. } => Some(started),
            Stage::Deferred(_) | Stage::Backlog | Stage::Front(_) => None,
        }
    }

    fn likely_seconds(&self, ticket: Ticket, percent: &impl Fn(Association) -> u64) -> Second {
        let Some((job, class)) = self.jobs.with_class(ticket) else { return 1 };
        let percent = i64::try_from(percent(class.alike.association)).unwrap_or(100);
        (job.estimate_seconds.saturating_mul(percent) / 100).max(1)
    }

    /// What would start a waiting job at once, found by trying; limits must let it start.
    pub fn sooner(&self, ticket: Ticket, now: Second) -> Vec<Sooner> {
        let Some((job, class)) = self.jobs.with_class(ticket) else { return Vec::new() };
        let Some(lane) = self.lanes.get(class.alike.lane) else { return Vec::new() };
        let Stage::Front(seat) = job.stage else { return Vec::new() };
        let limit = job.estimate_seconds;
        let seconds_max = largest(limit, |seconds| {
            lane.core.starts_if_changed(now, seat, job.demand.clone(), seconds)
        });
        let shorter = (seconds_max > 0).then_some(Sooner::TimeLimit { seconds_max });
        let tallies = &self.rules.tallies;
        let blocked = tallies.blocks(&class.chain, &class.alike.tres, limit).is_some();
        shorter.into_iter().filter(|_| !blocked).collect()
    }
}
