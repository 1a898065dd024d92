//! Why a job waits, in the words of `squeue`.

use std::fmt;

use super::System;
use super::jobs::Stage;
use crate::{LimitCause, Policy, Pool, Second, Ticket};

/// What keeps a job of a [`System`] from starting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A limit.
    Limit(LimitCause),
    /// A cap, or another that is promised a start under it.
    Capped,
    /// It waits for a low signal, until then at most.
    Deferred {
        /// When it may start.
        opens: Second,
    },
    /// It asks for more than is free now.
    Resources,
    /// It would run into a reservation, or its own has not begun.
    Reserved {
        /// When that begins or ends.
        turns: Second,
    },
    /// It would delay the job that is first.
    WouldDelay {
        /// When that is promised to start.
        promised: Second,
    },
    /// Jobs of higher priority stand before it.
    Priority {
        /// How many of its partition, as far as they are considered.
        jobs: usize,
    },
    /// So many stand before it that it is not considered.
    Depth,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(cause) => cause.fmt(f),
            Self::Capped => f.write_str("QOSGrpBilling"),
            Self::Deferred { .. } => f.write_str("BeginTime"),
            Self::Resources | Self::WouldDelay { .. } => f.write_str("Resources"),
            Self::Reserved { .. } => f.write_str("ReqNodeNotAvail"),
            Self::Priority { .. } | Self::Depth => f.write_str("Priority"),
        }
    }
}

impl<P: Pool> System<P> {
    /// Why a job waits, most direct cause first; nothing for one that runs or is gone, or that the
    /// next pass will start.
    pub fn why(&self, ticket: Ticket, now: Second) -> Vec<Reason> {
        let Some((job, class)) = self.jobs.with_class(ticket) else { return Vec::new() };
        let tallies = &self.rules.tallies;
        let limit = tallies.blocks(&class.chain, &class.alike.tres, job.estimate_seconds);
        let limit = limit.map(|(_, cause)| Reason::Limit(cause));
        match job.stage {
            Stage::Running { .. } => Vec::new(),
            Stage::Deferred(opens) => vec![Reason::Deferred { opens }],
            Stage::Backlog => limit.into_iter().chain([Reason::Depth]).take(1).collect(),
            Stage::Front(seat) => {
                let mut causes: Vec<Reason> = limit.into_iter().collect();
                self.why_before_core(seat, class.alike.lane, now, &mut causes);
                causes
            }
        }
    }

    fn why_before_core(&self, seat: Ticket, lane: usize, now: Second, causes: &mut Vec<Reason>) {
        let Some(core) = self.lanes.get(lane).map(|lane| &lane.core) else { return };
        let Some(task) = core.task(seat) else { return };
        let ahead = core.waiting().take_while(|(other, _)| *other != seat).count();
        if !core.is_within_caps(now, seat) {
            causes.push(Reason::Capped);
        }
        let fits = core.pool().place(&task.demand).is_some();
        let held_back = core.held_back_until(now, task.estimate_seconds, &task.demand);
        if let Some(turns) = held_back {
            causes.push(Reason::Reserved { turns });
        } else if !fits {
            causes.push(Reason::Resources);
        }
        if ahead == 0 {
            return;
        }
        if causes.is_empty()
            && core.policy() == Policy::Easy
            && let Some(promised) = core.promised_start()
        {
            causes.push(Reason::WouldDelay { promised });
        }
        causes.push(Reason::Priority { jobs: ahead });
    }
}
