//! Draws that are the same on every machine for one seed.
//!
//! The stream is ChaCha8, whose output is specified, and logarithms and powers come from `libm`
//! and not from the system, so no digit depends on where a scenario runs.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// A stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream number `stream` of `seed`; streams of one seed have nothing in common.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// From 0 up to, but not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        // The 53 bits that a fraction holds exactly.
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// One of the numbers below `count`, which is not zero.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(count);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// All bits even.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// The time to the next of events that come once in a unit of time on average.
    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log1p(-self.unit())
    }

    /// From the standard normal distribution.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(2.0 * self.exponential());
        radius * libm::cos(2.0 * std::f64::consts::PI * self.unit())
    }

    /// How many tries until the first success, where each succeeds once in `mean` on average.
    pub(crate) fn geometric(&mut self, mean: f64) -> u64 {
        if mean <= 1.0 {
            return 1;
        }
        let tries = self.exponential() / -libm::log1p(-1.0 / mean);
        1 + tries.clamp(0.0, 1e6) as u64
    }

    /// The index of one of `weights`, each as often as it is heavy; 0 when all are zero.
    pub(crate) fn pick(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let total: u64 = weights.clone().sum();
        if total == 0 {
            return 0;
        }
        let mut left = self.below(total);
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_one_stream_for_ever() {
        let mut dice = Dice::new(7, 3);
        let drawn: Vec<u64> = (0..4).map(|_| dice.below(1_000_000)).collect();
        expect_test::expect!["[181541, 92864, 979004, 334218]"].assert_eq(&format!("{drawn:?}"));
    }

    #[test]
    fn draws_have_the_means_they_claim() {
        let mut dice = Dice::new(1, 0);
        let mean =
            |draw: &mut dyn FnMut() -> f64| (0..40_000).map(|_| draw()).sum::<f64>() / 40_000.0;
        assert!((mean(&mut || dice.unit()) - 0.5).abs() < 0.01);
        assert!((mean(&mut || dice.exponential()) - 1.0).abs() < 0.02);
        assert!(mean(&mut || dice.normal()).abs() < 0.02);
        assert!((mean(&mut || dice.geometric(4.0) as f64) - 4.0).abs() < 0.1);
        let weights = [1_u64, 0, 3];
        let picked = mean(&mut || dice.pick(weights.into_iter()) as f64);
        assert!((picked - 1.5).abs() < 0.02, "{picked}");
    }
}
