use candle_core::Device;

use super::*;

fn tensor(values: &[f32]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap().reshape((1, values.len())).unwrap()
}

fn step(clip_norm: f64) -> Step {
    Step { number: 1, learning_rate: 0.1, weight_decay: 0.0, clip_norm }
}

#[test]
fn the_norm_is_that_of_the_sum_over_all_shards() {
    let weight = tensor(&[0.0, 0.0]);
    let gradients = [vec![tensor(&[1.0, 4.0])], vec![tensor(&[2.0, 0.0])]];
    let mut moments = [Moments::zero(2)];
    let norm = update(&[("w".to_owned(), &weight)], &mut moments, &gradients, step(10.0)).unwrap();
    assert_eq!(norm, 5.0);
    assert!((moments[0].mean[0] - 0.3).abs() < 1e-6 && (moments[0].mean[1] - 0.4).abs() < 1e-6);
}

#[test]
fn a_gradient_above_the_limit_is_brought_down_to_it_over_all_weights_together() {
    let (first, second) = (tensor(&[0.0]), tensor(&[0.0]));
    let weights = [("a".to_owned(), &first), ("b".to_owned(), &second)];
    let mut moments = [Moments::zero(1), Moments::zero(1)];
    let gradients = [vec![tensor(&[30.0]), tensor(&[40.0])]];
    let norm = update(&weights, &mut moments, &gradients, step(1.0)).unwrap();
    assert_eq!(norm, 50.0);
    let kept: f32 = moments.iter().map(|m| (m.mean[0] / 0.1).powi(2)).sum();
    assert!((kept - 1.0).abs() < 1e-5, "the clipped norm is {kept}");
    assert!((moments[0].mean[0] / moments[1].mean[0] - 0.75).abs() < 1e-5, "direction is kept");
}

#[test]
fn nothing_moves_on_a_gradient_that_is_not_a_number() {
    let weight = tensor(&[1.0, 2.0]);
    let mut moments = [Moments::zero(2)];
    let gradients = [vec![tensor(&[f32::NAN, 0.0])]];
    let norm = update(&[("w".to_owned(), &weight)], &mut moments, &gradients, step(1.0)).unwrap();
    assert!(norm.is_nan());
    assert_eq!(weight.to_vec2::<f32>().unwrap(), [[1.0, 2.0]]);
    assert_eq!(moments, [Moments::zero(2)]);
}

#[test]
fn only_matrices_decay() {
    let (matrix, vector) = (tensor(&[1.0]), Tensor::new(&[1.0_f32], &Device::Cpu).unwrap());
    let weights = [("m".to_owned(), &matrix), ("v".to_owned(), &vector)];
    let gradients = [vec![tensor(&[0.0]), vector.zeros_like().unwrap()]];
    let mut moments = [Moments::zero(1), Moments::zero(1)];
    update(&weights, &mut moments, &gradients, Step { weight_decay: 0.5, ..step(1.0) }).unwrap();
    assert_eq!(matrix.to_vec2::<f32>().unwrap(), [[0.95]]);
    assert_eq!(vector.to_vec1::<f32>().unwrap(), [1.0]);
}
