//! The learning rate over the course of a training.

use std::f64::consts::PI;

/// The part of the highest rate that is left at the end.
const FLOOR: f64 = 0.1;

/// The factor on the learning rate when `progress` of the training is done: a linear rise over the
/// `warm_up` part, then half a cosine down to a tenth.
pub(crate) fn rate_factor(progress: f64, warm_up: f64) -> f64 {
    let progress = progress.clamp(0.0, 1.0);
    if progress < warm_up {
        return progress / warm_up;
    }
    if warm_up >= 1.0 {
        return 1.0;
    }
    let fallen = (progress - warm_up) / (1.0 - warm_up);
    FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + (PI * fallen).cos())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_rises_to_one_and_falls_to_a_tenth() {
        for (progress, factor) in [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.55, 0.55), (1.0, 0.1)] {
            assert!((rate_factor(progress, 0.1) - factor).abs() < 1e-12, "at {progress}");
        }
    }

    proptest! {
        #[test]
        fn it_never_leaves_its_range(progress in -1.0..2.0, warm_up in 0.0..=1.0) {
            prop_assert!((0.0..=1.0).contains(&rate_factor(progress, warm_up)));
        }

        #[test]
        fn after_the_warm_up_it_only_falls(a in 0.1..1.0, b in 0.1..1.0) {
            let (early, late) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(rate_factor(early, 0.1) >= rate_factor(late, 0.1));
        }
    }
}
