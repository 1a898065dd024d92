//! Logs that are drawn, so that anybody can measure.

use twin::Job;

/// Pseudo-random numbers, the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % bound).unwrap_or_default()
    }
}

/// A job as they come: small sizes and powers of two, run times over five orders of magnitude,
/// estimates in round numbers.
fn job(dice: &mut Dice, id: i64, submit: i64) -> Job {
    let procs = 1_u32 << dice.below(9).min(dice.below(9));
    let magnitude = 4 + dice.below(13);
    let run = 1 + dice.below(1 << magnitude);
    let estimate = (run * (1 + dice.below(6)) + 899) / 900 * 900;
    Job { id, submit, run, estimate, procs, user: 1, group: 1, queue: 1 }
}

/// Arrivals at about nine tenths of what 4096 processors can do.
pub(super) fn synthetic(jobs: usize) -> Vec<Job> {
    let mut dice = Dice(7);
    let mut submit = 1;
    (1..)
        .take(jobs)
        .map(|id| {
            submit += dice.below(52);
            job(&mut dice, id, submit)
        })
        .collect()
}

/// Ten times as many arrivals as the machine can take.
pub(super) fn burst(jobs: usize) -> Vec<Job> {
    let mut dice = Dice(11);
    let mut submit = 1;
    (1..)
        .take(jobs)
        .map(|id| {
            submit += dice.below(5);
            job(&mut dice, id, submit)
        })
        .collect()
}
