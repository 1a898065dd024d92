//! Pools: what of a machine's hours is whose, and what became of it.
//!
//! A pool is the share of a payer in what a machine offers over the measured days. *Used* is what
//! the payer's jobs held of the machine in that time, *asked* what those placed there would hold,
//! whenever they ran. What is asked beyond a pool was granted beyond it; what is asked below it goes
//! unused.

use super::measure::{DAY_SECONDS, Figure, Figures, Scope, held_within};
use crate::scenario::{Machine, Scenario};
use crate::simulation::Run;

#[derive(Clone, Copy, Debug, Default)]
struct Work {
    used: i64,
    asked: i64,
}

pub(super) fn figures(scenario: &Scenario, run: &Run, figures: &mut Figures) {
    let skipped = usize::try_from(scenario.warm_up_days).unwrap_or_default();
    let mut payers: std::collections::BTreeMap<&str, (f64, f64, f64)> = Default::default();
    for (index, (machine, days)) in scenario.machines.iter().zip(&run.days).enumerate() {
        let capacity: i64 = days.capacity.iter().skip(skipped).sum();
        for pool in &machine.pools {
            let work = work_of(scenario, run, index, &pool.payer);
            let promised = hours(capacity) * f64::from(pool.share.parts()) / 1_000_000.0;
            let (used, asked) = (hours(work.used), hours(work.asked));
            let told = [
                (Figure::PoolHours, promised),
                (Figure::UsedHours, used),
                (Figure::UnusedHours, (promised - asked).max(0.0)),
                (Figure::OverGrantedHours, (asked - promised).max(0.0)),
            ];
            let scope = scope(machine, &pool.payer);
            figures.extend(told.map(|(figure, value)| ((scope.clone(), figure), value)));
            let sums = payers.entry(&pool.payer).or_default();
            *sums = (sums.0 + promised, sums.1 + used, sums.2 + asked);
        }
    }
    let sums: Vec<(f64, f64, f64)> = payers.into_values().collect();
    if let Some(index) = fairness(&sums) {
        figures.insert((Scope::All, Figure::Fairness), index);
    }
}

fn scope(machine: &Machine, payer: &str) -> Scope {
    Scope::Pool(machine.key.clone(), payer.to_owned())
}

fn hours(unit_seconds: i64) -> f64 {
    unit_seconds as f64 / 3_600.0
}

fn work_of(scenario: &Scenario, run: &Run, machine: usize, payer: &str) -> Work {
    let from = i64::from(scenario.warm_up_days) * DAY_SECONDS;
    let until = i64::from(scenario.span.days) * DAY_SECONDS;
    let mut work = Work::default();
    for (job, fate) in run.workload.jobs.iter().zip(&run.fates) {
        let group = run.workload.groups.get(job.group);
        if fate.machine != Some(machine) || group.is_none_or(|group| group.payer != payer) {
            continue;
        }
        work.used += held_within(job, fate, from, until);
        if job.submit >= from {
            work.asked += job.run_seconds.saturating_mul(i64::from(fate.units));
        }
    }
    work
}

/// Jain's index, `(Σx)² / (n Σx²)`, of what each payer used over what it was due: its pool, or
/// what it asked where that is less. `None` of fewer than two payers.
fn fairness(payers: &[(f64, f64, f64)]) -> Option<f64> {
    let served = payers.iter().filter_map(|(promised, used, asked)| {
        let due = promised.min(*asked);
        (due > 0.0).then(|| used / due)
    });
    let served: Vec<f64> = served.collect();
    if served.len() < 2 {
        return None;
    }
    let sum: f64 = served.iter().sum();
    let squares: f64 = served.iter().map(|x| x * x).sum();
    Some(sum * sum / (served.len() as f64 * squares.max(f64::MIN_POSITIVE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payers_served_alike_are_served_fairly_and_one_alone_is_not() {
        let index = |payers: &[(f64, f64, f64)]| fairness(payers).unwrap();
        assert!((index(&[(100.0, 80.0, 90.0), (10.0, 8.0, 9.0)]) - 1.0).abs() < 1e-12);
        assert!((index(&[(100.0, 100.0, 100.0), (100.0, 0.0, 100.0)]) - 0.5).abs() < 1e-12);
        // Who asks little and gets it is served as well as who asks all and gets it.
        assert!((index(&[(100.0, 100.0, 100.0), (100.0, 5.0, 5.0)]) - 1.0).abs() < 1e-12);
        assert_eq!(fairness(&[(1.0, 1.0, 1.0)]), None);
    }
}
