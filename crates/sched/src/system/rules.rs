//! What decides over jobs beside room: priorities, shares, usage and limits.

use super::class::{Class, ClassId};
use super::jobs::Jobs;
use super::spec::{Backfill, Qos};
use super::tally::Tallies;
use crate::priority::{Asked, Factors, Usage};
use crate::{Accounts, PriorityPolicy, Second, Signal, Ticket, Tres};

#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) accounts: Accounts,
    pub(super) usage: Usage,
    factors: Factors,
    /// The period for which the factors are known.
    period: Second,
    pub(super) policy: PriorityPolicy,
    pub(super) qos: Vec<Qos>,
    pub(super) tallies: Tallies,
    pub(super) backfill: Backfill,
    pub(super) signal: Signal,
}

impl Rules {
    pub(super) fn new<P>(spec: &super::SystemSpec<P>) -> Self {
        Self {
            usage: Usage::new(&spec.accounts, &spec.priority),
            factors: Factors::new(&spec.accounts),
            period: Second::MIN,
            policy: spec.priority,
            tallies: Tallies::new(&spec.accounts, &spec.limits, &spec.qos),
            accounts: spec.accounts.clone(),
            qos: spec.qos.clone(),
            backfill: spec.backfill,
            signal: spec.signal.clone(),
        }
    }

    /// The priority of a job of `class` that has been eligible since `since`.
    pub(super) fn priority<D>(&self, class: &Class<D>, since: Second) -> i64 {
        let waited = self.usage.since().saturating_sub(since);
        let (part, whole) = self.factors.of(class.alike.association);
        class.points + self.policy.age_points(waited) + self.policy.fair_share_points(part, whole)
    }

    /// The points that jobs of a class keep.
    pub(super) fn lasting_points(&self, asked: &Asked) -> i64 {
        self.policy.lasting_points(asked)
    }

    /// Makes the factors of users anew, if a period has ended since.
    pub(super) fn refresh(&mut self) {
        if self.period != self.usage.since() {
            self.period = self.usage.since();
            if self.policy.weights.fair_share != 0 {
                self.policy.fair_share.update(&mut self.accounts, &self.usage, &mut self.factors);
            }
        }
    }

    /// Lets a class wait for a tally.
    pub(super) fn park<D>(&mut self, tally: usize, id: ClassId, jobs: &mut Jobs<D>) {
        if let Some(class) = jobs.classes.get_mut(id) {
            class.parked = true;
            self.tallies.park(tally, id);
        }
    }

    /// Lets a class wait for the tally that keeps `ticket` of it from starting.
    pub(super) fn park_if_blocked<D>(&mut self, id: ClassId, ticket: Ticket, jobs: &mut Jobs<D>) {
        let (Some(class), Some(job)) = (jobs.classes.get(id), jobs.get(ticket)) else { return };
        let blocks = self.tallies.blocks(&class.chain, &class.alike.tres, job.estimate_seconds);
        if let Some((tally, _)) = blocks.filter(|_| !class.parked) {
            self.park(tally, id, jobs);
        }
    }
}

/// What the weights of a partition make of an amount, in whole billing units.
pub(super) fn billed(tres: Tres, milli: &Tres<u64>) -> Tres {
    let parts = tres.zip(*milli, |amount, milli| amount.saturating_mul(milli));
    let billing = parts.iter().map(|(_, part)| part).fold(0_u64, u64::saturating_add) / 1_000;
    tres.with(crate::Resource::Billing, billing)
}
