//! Alerts: an allocation has come to a threshold of policy, or is likely to.

use units::{PartsPerMillion, Timestamp, Work};

use super::{Allocation, BurnDown, Stage};
use crate::policy::{Entry, RuleId, Threshold};

/// An allocation crossed a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The entry of policy that asks for it.
    pub rule: RuleId,
    /// How the allocation stood to it.
    pub crossing: Crossing,
}

/// How an allocation stood to a threshold when it crossed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// So much was used.
    Used {
        /// The part that the threshold names.
        percent: PartsPerMillion,
        /// What was used.
        used: Work,
    },
    /// Nothing was likely to be left before the end.
    RunsOutEarly {
        /// From when on.
        at: Timestamp,
    },
    /// Much was likely to be left at the end.
    UnusedAtEnd {
        /// The part that the threshold names.
        percent: PartsPerMillion,
        /// How much.
        left: Work,
    },
}

impl Crossing {
    /// What happened, in a sentence.
    pub fn told(&self, allocation: &Allocation) -> String {
        let amount = |work: Work| work.display(allocation.meter).to_string();
        let granted = amount(allocation.amount);
        match self {
            Self::Used { percent, used } => {
                format!("{percent} are used: {} of {granted}", amount(*used))
            }
            Self::RunsOutEarly { at } => {
                let end = allocation.period.end();
                format!("nothing is likely to be left from {at} on; the allocation ends at {end}")
            }
            Self::UnusedAtEnd { percent, left } => format!(
                "more than {percent} are likely to be left at the end: {} of {granted}",
                amount(*left)
            ),
        }
    }
}

/// The thresholds that `used` hours of an allocation have come to.
pub fn alerts_of_use<'p>(
    allocation: &Allocation,
    used: Work,
    thresholds: impl Iterator<Item = &'p Entry<Threshold>>,
) -> Vec<Alert> {
    let crossed = thresholds.filter_map(|entry| match entry.says {
        Threshold::Used { percent } => {
            let line = percent.of(allocation.amount.count());
            let crossing = Crossing::Used { percent, used };
            (used.count() >= line).then(|| Alert { rule: entry.rule.clone(), crossing })
        }
        Threshold::RunsOutEarly { .. } | Threshold::UnusedAtEnd { .. } => None,
    });
    crossed.collect()
}

/// The thresholds that an allocation in use is heading for at `now`.
pub fn alerts_ahead<'p>(
    (allocation, heading): (&Allocation, &BurnDown),
    now: Timestamp,
    thresholds: impl Iterator<Item = &'p Entry<Threshold>>,
) -> Vec<Alert> {
    if !matches!(allocation.stage(now), Stage::Active { .. }) {
        return Vec::new();
    }
    let length = allocation.period.seconds();
    let gone = now.as_second().saturating_sub(allocation.period.start().as_second());
    let due = |elapsed: PartsPerMillion| gone >= elapsed.of(length);
    let crossing = |says: Threshold| match says {
        Threshold::Used { .. } => None,
        Threshold::RunsOutEarly { elapsed } => heading
            .runs_out
            .likely
            .filter(|_| due(elapsed) && heading.falls_short(allocation))
            .map(|at| Crossing::RunsOutEarly { at }),
        Threshold::UnusedAtEnd { percent, elapsed } => {
            let left = heading.left_at_end;
            let much = left.count() > percent.of(allocation.amount.count());
            (due(elapsed) && much).then_some(Crossing::UnusedAtEnd { percent, left })
        }
    };
    let ahead = thresholds.filter_map(|entry| {
        let crossing = crossing(entry.says)?;
        Some(Alert { rule: entry.rule.clone(), crossing })
    });
    ahead.collect()
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the figures of the stories are small")]
mod tests {
    use expect_test::{Expect, expect};
    use jiff::SignedDuration;

    use super::*;
    use crate::allocation::burn_down;
    use crate::testing::{allocation, day, policy};

    fn hours(count: i64) -> Work {
        Work::hours(count).unwrap()
    }

    fn used(count: Work) -> Vec<String> {
        let thresholds = policy().alerts(day("2026-11-21"));
        let alerts = alerts_of_use(&allocation(), count, thresholds);
        alerts.iter().map(|alert| alert.rule.entry.clone()).collect()
    }

    /// 5 000 hours over 92 days, of which `per_day` were used each day of the first `days`.
    fn ahead(days: i64, per_day: i64, expected: Expect) {
        let allocation = allocation();
        let start = allocation.period.start();
        let after = |hours: i64| start.checked_add(SignedDuration::from_hours(hours)).unwrap();
        let charges: Vec<_> = (0..days).map(|n| (after(n * 24 + 12), hours(per_day))).collect();
        let now = after(days * 24 - 1);
        let remaining = hours(5_000 - days * per_day);
        let heading = burn_down(&allocation, remaining, &charges, now);
        let thresholds = policy().alerts(day("2026-11-21"));
        let alerts = alerts_ahead((&allocation, &heading), now, thresholds);
        let told: Vec<String> = alerts
            .iter()
            .map(|alert| format!("{}: {}", alert.rule, alert.crossing.told(&allocation)))
            .collect();
        expected.assert_eq(&told.join("\n"));
    }

    #[test]
    fn use_comes_to_one_threshold_after_the_other() {
        assert_eq!(used(Work::seconds(hours(2_500).count() - 1)), [""; 0]);
        assert_eq!(used(hours(2_500)), ["half-used"]);
        assert_eq!(used(hours(4_999)), ["half-used", "three-quarters-used", "nine-tenths-used"]);
        assert_eq!(used(hours(5_000)).last().unwrap(), "all-used");
    }

    #[test]
    fn hours_that_will_not_last_are_told_of_once_a_tenth_of_the_time_has_passed() {
        ahead(8, 200, expect![""]);
        ahead(
            12,
            200,
            expect![
                "policy/alerts.toml#runs-out-early@2026-11-01: nothing is likely to be left from 2026-12-15T23:00:00Z on; the allocation ends at 2027-02-21T00:00:00Z"
            ],
        );
    }

    #[test]
    fn hours_that_nobody_uses_are_told_of_at_half_time() {
        ahead(40, 20, expect![""]);
        ahead(
            50,
            20,
            expect![
                "policy/alerts.toml#unused-at-end@2026-11-01: more than 25 % are likely to be left at the end: 3 159.17 GPU-h of 5 000.00 GPU-h"
            ],
        );
    }

    #[test]
    fn an_allocation_that_is_over_is_heading_nowhere() {
        let allocation = allocation();
        let end = allocation.period.end();
        let heading = burn_down(&allocation, hours(5_000), &[], end);
        let thresholds = policy().alerts(day("2026-11-21"));
        assert_eq!(alerts_ahead((&allocation, &heading), end, thresholds), []);
    }
}
