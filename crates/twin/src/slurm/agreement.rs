//! How far predicted starts are from those that were.

use serde::Serialize;

use crate::statistics::quantile;

/// Predicted starts beside those that were, of the jobs that have both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// How many jobs.
    pub jobs: usize,
    /// How far the predicted start is off, either way, in seconds: on average, …
    pub error_seconds_mean: f64,
    /// … of the job in the middle, …
    pub error_seconds_median: i64,
    /// … what 95 of 100 jobs do not exceed, …
    pub error_seconds_95th: i64,
    /// … and at most.
    pub error_seconds_max: i64,
    /// By how much predicted starts are late on average; negative when they are early.
    pub late_seconds_mean: f64,
    /// How long jobs waited on average, …
    pub wait_seconds_mean: f64,
    /// … and were predicted to.
    pub predicted_wait_seconds_mean: f64,
    /// Which part of the jobs starts in the predicted second, give or take one, …
    pub share_within_one_second: f64,
    /// … or five.
    pub share_within_five_seconds: f64,
    /// Of all pairs of jobs that started one after the other, which part is predicted in that order.
    pub share_of_pairs_in_order: f64,
    /// Kendall's rank correlation of the starts (tau-b): 1 for the same order, -1 for the opposite.
    pub kendall_tau: f64,
}

/// When a job could start, did start, and was predicted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Starts {
    pub(super) eligible: i64,
    pub(super) real: i64,
    pub(super) predicted: i64,
}

impl Agreement {
    /// Of the jobs that started, with the starts predicted for them.
    pub fn of(jobs: &[super::ObservedJob], prediction: &super::Prediction) -> Self {
        let both = jobs.iter().zip(&prediction.starts).filter_map(|(job, predicted)| {
            Some(Starts { eligible: job.eligible, real: job.start?, predicted: (*predicted)? })
        });
        Self::of_starts(&both.collect::<Vec<_>>())
    }

    fn of_starts(starts: &[Starts]) -> Self {
        let count = starts.len().max(1) as f64;
        let mean =
            |value: &dyn Fn(&Starts) -> i64| starts.iter().map(value).sum::<i64>() as f64 / count;
        let mut errors: Vec<i64> = starts.iter().map(|it| (it.predicted - it.real).abs()).collect();
        errors.sort_unstable();
        let within = |seconds| errors.partition_point(|error| *error <= seconds) as f64 / count;
        let pairs = Pairs::of(starts);
        Self {
            jobs: starts.len(),
            error_seconds_mean: mean(&|it| (it.predicted - it.real).abs()),
            error_seconds_median: quantile(&errors, 50),
            error_seconds_95th: quantile(&errors, 95),
            error_seconds_max: errors.last().copied().unwrap_or_default(),
            late_seconds_mean: mean(&|it| it.predicted - it.real),
            wait_seconds_mean: mean(&|it| it.real - it.eligible),
            predicted_wait_seconds_mean: mean(&|it| it.predicted - it.eligible),
            share_within_one_second: within(1),
            share_within_five_seconds: within(5),
            share_of_pairs_in_order: pairs.share_in_order(),
            kendall_tau: pairs.tau_b(),
        }
    }
}

/// How pairs of jobs stand to each other in both orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pairs {
    all: u64,
    /// That really started in the same second.
    tied: u64,
    /// That are predicted in the same second.
    tied_predicted: u64,
    tied_both: u64,
    /// That are predicted the other way round.
    reversed: u64,
}

impl Pairs {
    /// Counts them in a time that is not quadratic (Knight, 1966): sorted by one order, pairs that
    /// the other has the other way round are the steps of a merge sort.
    fn of(starts: &[Starts]) -> Self {
        let mut sorted: Vec<(i64, i64)> = starts.iter().map(|it| (it.real, it.predicted)).collect();
        sorted.sort_unstable();
        let tied = runs(&sorted, |it| it.0);
        let tied_both = runs(&sorted, |it| *it);
        let mut predicted: Vec<i64> = sorted.iter().map(|it| it.1).collect();
        let reversed = sort_counting(&mut predicted);
        let count = u64::try_from(starts.len()).unwrap_or_default();
        Self {
            all: count * count.saturating_sub(1) / 2,
            tied,
            tied_predicted: runs(&predicted, |it| *it),
            tied_both,
            reversed,
        }
    }

    /// Pairs that neither order ties and both have the same way round.
    const fn agreed(&self) -> u64 {
        self.all + self.tied_both - self.tied - self.tied_predicted - self.reversed
    }

    fn share_in_order(&self) -> f64 {
        self.agreed() as f64 / (self.all - self.tied).max(1) as f64
    }

    fn tau_b(&self) -> f64 {
        let real = (self.all - self.tied) as f64;
        let predicted = (self.all - self.tied_predicted) as f64;
        let product = libm::sqrt(real * predicted);
        if product > 0.0 { (self.agreed() as f64 - self.reversed as f64) / product } else { 1.0 }
    }
}

/// How many pairs of a sorted list have the same key.
fn runs<T, K: PartialEq>(sorted: &[T], key: impl Fn(&T) -> K) -> u64 {
    let same = sorted.chunk_by(|a, b| key(a) == key(b));
    same.map(|run| run.len() as u64 * (run.len() as u64 - 1) / 2).sum()
}

/// Sorts, and counts the pairs that stood the wrong way round.
fn sort_counting(values: &mut Vec<i64>) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let mut right = values.split_off(values.len() / 2);
    let mut left = std::mem::take(values);
    let mut steps = sort_counting(&mut left) + sort_counting(&mut right);
    let mut waiting = left.iter().peekable();
    let mut left_over = left.len() as u64;
    for value in right {
        while let Some(before) = waiting.next_if(|before| **before <= value) {
            values.push(*before);
            left_over -= 1;
        }
        steps += left_over;
        values.push(value);
    }
    values.extend(waiting);
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn starts(pairs: &[(i64, i64)]) -> Vec<Starts> {
        let of = |&(real, predicted): &(i64, i64)| Starts { eligible: 0, real, predicted };
        pairs.iter().map(of).collect()
    }

    #[test]
    fn errors_are_those_that_one_counts_by_hand() {
        let agreement = Agreement::of_starts(&starts(&[(10, 10), (20, 23), (30, 28), (40, 60)]));
        assert_eq!(agreement.jobs, 4);
        assert!((agreement.error_seconds_mean - 6.25).abs() < 1e-12);
        assert_eq!(agreement.error_seconds_median, 2);
        assert_eq!((agreement.error_seconds_95th, agreement.error_seconds_max), (20, 20));
        assert!((agreement.late_seconds_mean - 5.25).abs() < 1e-12);
        assert!((agreement.share_within_one_second - 0.25).abs() < 1e-12);
        assert!((agreement.share_within_five_seconds - 0.75).abs() < 1e-12);
        assert!((agreement.kendall_tau - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_opposite_order_has_a_correlation_of_minus_one() {
        let agreement = Agreement::of_starts(&starts(&[(1, 9), (2, 8), (3, 7)]));
        assert!((agreement.kendall_tau + 1.0).abs() < 1e-12);
        assert!(agreement.share_of_pairs_in_order.abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn pairs_are_counted_as_if_one_by_one(
            pairs in proptest::collection::vec((0_i64..8, 0_i64..8), 0..40),
        ) {
            let (mut agreed, mut reversed, mut tied) = (0, 0, 0);
            for (at, a) in pairs.iter().enumerate() {
                for b in &pairs[at + 1..] {
                    let ways = (a.0.cmp(&b.0) as i8) * (a.1.cmp(&b.1) as i8);
                    agreed += u64::from(ways > 0);
                    reversed += u64::from(ways < 0);
                    tied += u64::from(a.0 == b.0);
                }
            }
            let counted = Pairs::of(&starts(&pairs));
            prop_assert_eq!((counted.agreed(), counted.reversed, counted.tied), (agreed, reversed, tied));
        }
    }
}
