//! What the users of one site ask.

use sched::{Amount, NodesDemand};

use crate::site::{ACCOUNTS, USERS_OF_ACCOUNT};

/// What one site is asked to do.
pub(crate) struct Load {
    pub(crate) jobs: u64,
    pub(crate) seconds: i64,
    pub(crate) percent: u64,
    pub(crate) gpus: u32,
}

/// Pseudo-random numbers, the same in every run (Knuth's MMIX generator).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

/// Jobs of one user that are submitted together and are alike but for how long they run.
pub(crate) struct Burst {
    pub(crate) at: i64,
    pub(crate) jobs: u64,
    pub(crate) user: usize,
    pub(crate) qos: usize,
    pub(crate) shared: bool,
    pub(crate) demand: NodesDemand,
    pub(crate) gpus: u64,
    /// Before it is scaled to the load that is wanted.
    pub(crate) run_seconds: i64,
}

impl Burst {
    /// How long its jobs run at most, when times are stretched by `scale_milli` thousandths.
    pub(crate) fn limit(&self, scale_milli: i64) -> i64 {
        (self.run_seconds * scale_milli / 1_000).clamp(60, 86_400)
    }
}

pub(crate) const WHOLE_NODE: Amount = Amount { cores: 32, memory_mb: 512_000, gpus: 4 };
pub(crate) const SHARED_NODE: Amount = Amount { cores: 64, memory_mb: 1_024_000, gpus: 8 };

/// What users ask, hour by hour.
pub(crate) struct Demand {
    pub(crate) dice: Dice,
    /// Between two bursts, on average.
    pub(crate) gap_seconds: u64,
    pub(crate) at: i64,
}

impl Demand {
    pub(crate) fn next(&mut self) -> Burst {
        let gap = 1 + self.dice.below(2 * self.gap_seconds);
        // Nights and weekends bring half as much as working days.
        let (hour, day) = (self.at / 3_600 % 24, self.at / 86_400 % 7);
        let quiet = !(8..20).contains(&hour) || day >= 5;
        self.at += i64::try_from(if quiet { gap * 4 / 3 } else { gap * 2 / 3 }).unwrap();
        let dice = &mut self.dice;
        let shared = dice.below(10) < 6;
        let users = u64::from(ACCOUNTS * USERS_OF_ACCOUNT);
        let user = dice.below(users).min(dice.below(users)) as usize;
        let (nodes, each) = if shared {
            let gpus = 1_u32 << dice.below(3).min(dice.below(4));
            (1, Amount { cores: gpus * 6, memory_mb: u64::from(gpus) * 96_000, gpus })
        } else {
            (1 << dice.below(8).min(dice.below(9)), WHOLE_NODE)
        };
        let magnitude = 8 + dice.below(8);
        Burst {
            at: self.at,
            jobs: 1 + dice.below(8) * dice.below(8) / 2,
            user,
            qos: usize::from(dice.below(10) == 0),
            shared,
            demand: NodesDemand { nodes, each, features: 0 },
            gpus: u64::from(nodes) * u64::from(each.gpus),
            run_seconds: 60 + i64::try_from(dice.below(1 << magnitude)).unwrap(),
        }
    }
}

/// How many jobs a burst has on average, times eight.
pub(crate) const BURST_EIGHTHS: u64 = 54;

/// By how much run times must be stretched for the load that is wanted, though none is longer than
/// a day.
pub(crate) fn scale(mut demand: Demand, load: &Load, [whole, shared]: [u64; 2]) -> [i64; 2] {
    let mut bursts = Vec::new();
    let mut jobs = 0;
    while jobs < 100_000 {
        let burst = demand.next();
        jobs += burst.jobs;
        bursts.push(burst);
    }
    [(false, whole), (true, shared)].map(|(shared, gpus)| {
        let gpus = u128::from(gpus);
        let wanted =
            gpus * u128::from(load.seconds.unsigned_abs()) * u128::from(load.percent) / 100;
        let wanted = wanted * u128::from(jobs) / u128::from(load.jobs);
        let asked = |scale| -> u128 {
            let of_kind = bursts.iter().filter(|burst| burst.shared == shared);
            // On average, nine sixteenths of the limit are used.
            of_kind
                .map(|burst| {
                    u128::from(burst.jobs * burst.gpus * burst.limit(scale).unsigned_abs())
                })
                .sum::<u128>()
                * 9
                / 16
        };
        let (mut low, mut high) = (1, 1_000_000);
        while high - low > 1 {
            let middle = i64::midpoint(low, high);
            if asked(middle) < wanted { low = middle } else { high = middle }
        }
        high
    })
}
