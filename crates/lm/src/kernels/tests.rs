use proptest::prelude::*;

use super::*;

fn close(a: f32, b: f32, tolerance: f32) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn an_element_seen_by_no_one_has_no_share() {
    let mut scores = vec![1.0, 9.0, 2.0, 2.0];
    causal_softmax(&mut scores, 2);
    assert_eq!(scores, [1.0, 0.0, 0.5, 0.5]);
}

#[test]
fn the_loss_of_a_certain_right_answer_is_nothing_and_of_even_odds_is_their_logarithm() {
    let mut certain = vec![80.0, 0.0, 0.0];
    assert!(cross_entropy(&mut certain, &[0], 1.0) < 1e-6);
    let mut even = vec![3.0; 4];
    assert!((cross_entropy(&mut even, &[2], 1.0) - 4_f64.ln()).abs() < 1e-6);
    assert_eq!(even, [0.25, 0.25, -0.75, 0.25]);
}

#[test]
fn a_first_step_of_adamw_moves_each_weight_by_the_rate_against_its_gradient() {
    let step = Adam {
        rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 0.0,
        decay: 0.0,
        corrections: (10.0, 20.0),
        clip: 1.0,
    };
    let (mut weights, mut mean, mut square) = (vec![1.0, 1.0], vec![0.0; 2], vec![0.0; 2]);
    adamw(step, &mut weights, &[4.0, -0.01], &mut mean, &mut square);
    assert!(close(weights[0], 0.9, 1e-5) && close(weights[1], 1.1, 1e-5), "{weights:?}");
    adamw(
        Adam { decay: 0.5, rate: 0.2, clip: 0.0, ..step },
        &mut weights,
        &[9.0, 9.0],
        &mut [0.0; 2],
        &mut [1.0; 2],
    );
    assert!(close(weights[0], 0.81, 1e-5), "decay alone shrinks: {weights:?}");
}

proptest! {
    #[test]
    fn the_exponential_is_right_to_a_millionth(x in -80.0_f32..80.0) {
        prop_assert!((f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn sums_do_not_depend_on_how_many_lanes_are_full(
        pairs in prop::collection::vec((-3.0_f32..3.0, -3.0_f32..3.0), 0..70)
    ) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
        let exact: f64 = pairs.iter().map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        prop_assert!((f64::from(inner_product(&a, &b)) - exact).abs() < 1e-4);
    }

    #[test]
    fn chances_are_positive_and_sum_to_one(mut row in prop::collection::vec(-60.0_f32..60.0, 1..50)) {
        softmax(&mut row);
        prop_assert!(row.iter().all(|p| (0.0..=1.000_001).contains(p)));
        prop_assert!(close(row.iter().sum(), 1.0, 1e-5));
    }

    #[test]
    fn normalised_rows_have_unit_mean_square(row in prop::collection::vec(1.0_f32..9.0, 1..40)) {
        let y = rms_norm(&row, &vec![1.0; row.len()], 0.0);
        prop_assert!(close(inner_product(&y, &y) / row.len() as f32, 1.0, 1e-4));
    }
}
