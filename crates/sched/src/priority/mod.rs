//! Slurm's multifactor priority: what makes one waiting job go before another.
//!
//! A job's priority is a sum of points: a weight for each factor times a fraction between zero and
//! one, minus its `nice`. All of it is integers; the factors are rounded down to whole points.

mod accounts;
mod decay;
mod fair_share;

pub use accounts::{Accounts, Association};
pub use fair_share::FairShare;

pub(crate) use accounts::Usage;
pub(crate) use decay::scaled;
pub(crate) use fair_share::Factors;

use crate::{Resource, Second, Tres};

/// Points for each factor at its most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// `PriorityWeightAge`: for having waited as long as counts.
    pub age: i64,
    /// `PriorityWeightFairshare`: for the user who is furthest below their share.
    pub fair_share: i64,
    /// `PriorityWeightJobSize`: for asking the whole machine.
    pub size: i64,
    /// `PriorityWeightPartition`: for the partition with the highest factor.
    pub partition: i64,
    /// `PriorityWeightQOS`: for the class with the highest priority.
    pub qos: i64,
    /// `PriorityWeightTRES`: for asking all that the partition has of a kind.
    pub tres: Tres<i64>,
}

/// How waiting jobs are ordered; the names are those of `slurm.conf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityPolicy {
    /// What counts how much.
    pub weights: Weights,
    /// `PriorityMaxAge`: waiting longer than this counts no more.
    pub age_seconds_max: Second,
    /// `PriorityFavorSmall`: the size factor counts what is *not* asked.
    pub favor_small: bool,
    /// How usage and shares become a factor.
    pub fair_share: FairShare,
    /// `PriorityDecayHalfLife`: when half of past usage is forgotten; `None` for never.
    pub half_life_seconds: Option<Second>,
    /// `PriorityCalcPeriod`: how often usage decays and priorities are made anew.
    pub period_seconds: Second,
}

impl PriorityPolicy {
    /// First come, first served within what callers say of a job: every weight is zero.
    pub const ARRIVAL: Self = Self {
        weights: Weights { age: 0, fair_share: 0, size: 0, partition: 0, qos: 0, tres: NO_POINTS },
        age_seconds_max: 7 * 86_400,
        favor_small: false,
        fair_share: FairShare::Tree,
        half_life_seconds: Some(7 * 86_400),
        period_seconds: 300,
    };

    /// Whether priorities change while jobs wait.
    pub(crate) const fn moves(&self) -> bool {
        self.weights.age != 0 || self.weights.fair_share != 0
    }

    /// The points for having been eligible for `seconds`.
    pub(crate) fn age_points(&self, seconds: Second) -> i64 {
        let limit = self.age_seconds_max.max(1);
        fraction(self.weights.age, seconds.clamp(0, limit), limit)
    }

    /// The points for a share of `rank` out of `most`.
    pub(crate) fn fair_share_points(&self, rank: u32, most: u32) -> i64 {
        fraction(self.weights.fair_share, i64::from(rank), i64::from(most))
    }

    /// The points that a job keeps as long as it waits.
    pub(crate) fn lasting_points(&self, asked: &Asked) -> i64 {
        let tres = asked.tres.iter().map(|(resource, amount)| {
            let weight = self.weights.tres.of(resource);
            fraction(weight, whole(amount), whole(asked.partition.of(resource)))
        });
        let (size, size_max) = self.size(asked);
        let (partition, partition_max) = asked.partition_factor;
        let (qos, qos_max) = asked.qos_priority;
        tres.sum::<i64>()
            + fraction(self.weights.size, size, size_max)
            + fraction(self.weights.partition, i64::from(partition), i64::from(partition_max))
            + fraction(self.weights.qos, i64::from(qos), i64::from(qos_max))
            - asked.nice
    }

    /// How much of the machine is asked, or, to favour small jobs, is not: the mean of its part of
    /// the nodes and of the cores, as a part of a whole.
    fn size(&self, asked: &Asked) -> (i64, i64) {
        let of = |tres: &Tres, resource| whole(tres.of(resource));
        let (nodes, all_nodes) =
            (of(&asked.tres, Resource::Node), of(&asked.machine, Resource::Node));
        let (cores, all_cores) =
            (of(&asked.tres, Resource::Cpu), of(&asked.machine, Resource::Cpu));
        // A machine of counted processors has no nodes.
        let (part, all) = match all_nodes {
            0 => (cores, all_cores),
            _ => (nodes * all_cores + cores * all_nodes, 2 * all_nodes * all_cores),
        };
        (if self.favor_small { all - part } else { part }, all)
    }
}

/// What of a job's request counts towards its priority.
pub(crate) struct Asked {
    pub(crate) tres: Tres,
    /// All that the job's partition has.
    pub(crate) partition: Tres,
    /// All that the system has.
    pub(crate) machine: Tres,
    /// The partition's factor, and the highest of any.
    pub(crate) partition_factor: (u32, u32),
    /// The priority of the job's class, and the highest of any.
    pub(crate) qos_priority: (u32, u32),
    pub(crate) nice: i64,
}

const NO_POINTS: Tres<i64> = Tres::all(0);

fn whole(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// `weight` times `part` of `all`, rounded down, with `part` no more than `all`.
fn fraction(weight: i64, part: i64, all: i64) -> i64 {
    if weight == 0 || all <= 0 {
        return 0;
    }
    let part = part.min(all);
    // Nearly always both fit; the division in 64 bits is much the quicker.
    weight.checked_mul(part).map_or_else(
        || i64::try_from(i128::from(weight) * i128::from(part) / i128::from(all)).unwrap_or(weight),
        |product| product / all,
    )
}
