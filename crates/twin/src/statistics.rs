//! Quantiles, the distance of two samples, and intervals of confidence.

/// The value that `percent` of the sorted sample do not exceed, by nearest rank; 0 of nothing.
pub(crate) fn quantile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// `count` quantiles at even steps, from the least to the greatest.
pub(crate) fn quantiles(mut sample: Vec<i64>, count: usize) -> Vec<i64> {
    sample.sort_unstable();
    let last = sample.len().saturating_sub(1);
    let steps = count.saturating_sub(1).max(1);
    let at = |step: usize| sample.get(last * step / steps).copied().unwrap_or_default();
    (0..count).map(at).collect()
}

/// The greatest difference between the distributions of two sorted samples, from 0 to 1.
pub(crate) fn distance(a: &[i64], b: &[i64]) -> f64 {
    let share = |sorted: &[i64], value: i64| {
        sorted.partition_point(|it| *it <= value) as f64 / sorted.len().max(1) as f64
    };
    let apart = |value: &i64| (share(a, *value) - share(b, *value)).abs();
    a.iter().chain(b).map(apart).fold(0.0, f64::max)
}

/// A mean, and how far the true one may lie from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The mean of the repetitions.
    pub mean: f64,
    /// Half the width of the interval of 95 % confidence; `None` of fewer than two repetitions.
    pub margin: Option<f64>,
}

impl Estimate {
    /// Of repetitions that have nothing to do with one another, by Student's distribution.
    pub fn of(sample: &[f64]) -> Self {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count.max(1.0);
        if sample.len() < 2 {
            return Self { mean, margin: None };
        }
        let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
        let error = libm::sqrt(squares / (count - 1.0) / count);
        Self { mean, margin: Some(error * student_95(sample.len() - 1)) }
    }

    /// Whether chance alone may have made it differ from zero.
    pub fn may_be_zero(&self) -> bool {
        self.margin.is_none_or(|margin| self.mean.abs() <= margin)
    }
}

/// The quantile of Student's distribution that 97.5 % are below, so that 95 % are within both
/// sides, for 1, 2, 3 … degrees of freedom.
const STUDENT_95: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

fn student_95(freedom: usize) -> f64 {
    // Beyond the table it nears the normal distribution's from above; 2.04 is on the safe side.
    STUDENT_95.get(freedom.saturating_sub(1)).copied().unwrap_or(2.04)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_textbook() {
        let estimate = Estimate::of(&[4.0, 6.0, 8.0]);
        assert!((estimate.mean - 6.0).abs() < 1e-12);
        // A deviation of 2, over the root of three, times 4.303.
        assert!((estimate.margin.unwrap() - 4.968).abs() < 0.002);
        assert!(!estimate.may_be_zero());
        assert!(Estimate::of(&[-1.0, 1.5, 0.2]).may_be_zero());
        assert_eq!(Estimate::of(&[7.0]), Estimate { mean: 7.0, margin: None });
    }

    #[test]
    fn quantiles_and_distances_are_those_of_small_samples() {
        assert_eq!(quantiles(vec![30, 10, 20], 3), [10, 20, 30]);
        assert_eq!(quantile(&[1, 2, 3, 4], 50), 2);
        assert!((distance(&[1, 2, 3, 4], &[3, 4, 5, 6]) - 0.5).abs() < 1e-12);
        assert!(distance(&[1, 2], &[1, 2]).abs() < 1e-12);
    }
}
