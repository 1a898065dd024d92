//! AdamW with clipping by the gradient's global norm.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use crate::kernels::{self, Adam};
use crate::model::Gradients;
use crate::tensors::{update_floats, with_floats};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.99;
const EPSILON: f32 = 1e-8;

/// The running mean of a weight's gradient and of its square.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moments {
    pub(crate) mean: Vec<f32>,
    pub(crate) square: Vec<f32>,
}

impl Moments {
    /// Those of a weight with `elements` numbers before the first step.
    pub(crate) fn zero(elements: usize) -> Moments {
        Moments { mean: vec![0.0; elements], square: vec![0.0; elements] }
    }
}

/// The settings of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Counted from one.
    pub(crate) number: u64,
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    pub(crate) clip_norm: f64,
}

/// Moves `weights` against the sum of `gradients` and returns its global norm before clipping.
/// Nothing moves when that norm is not a number.
pub(crate) fn update(
    weights: &[(String, &Tensor)],
    moments: &mut [Moments],
    gradients: &[Gradients],
    step: Step,
) -> Result<f64> {
    let sums = (0..weights.len()).into_par_iter().map(|i| summed(i, gradients));
    let sums = sums.collect::<Result<Vec<_>>>()?;
    let norm = sums.iter().map(|(_, squares)| squares).sum::<f64>().sqrt();
    if !norm.is_finite() {
        return Ok(norm);
    }
    let adam = adam(step, norm);
    weights.par_iter().zip(sums).zip(moments).try_for_each(
        |(((_, weight), (gradient, _)), moments)| {
            let decay = if weight.rank() > 1 { adam.decay } else { 0.0 };
            apply(Adam { decay, ..adam }, weight, &gradient, moments)
        },
    )?;
    Ok(norm)
}

/// The factor that brings a gradient of `norm` down to `largest`.
fn clip_factor(norm: f64, largest: f64) -> f64 {
    if norm > largest { largest / norm } else { 1.0 }
}

fn adam(step: Step, norm: f64) -> Adam {
    let correction = |beta: f64| (1.0 - beta.powf(step.number as f64)).recip() as f32;
    Adam {
        rate: step.learning_rate as f32,
        beta_1: BETA_1 as f32,
        beta_2: BETA_2 as f32,
        epsilon: EPSILON,
        decay: step.weight_decay as f32,
        corrections: (correction(BETA_1), correction(BETA_2)),
        clip: clip_factor(norm, step.clip_norm) as f32,
    }
}

/// The sum of the gradients of the weight at `index`, and of its squares.
fn summed(index: usize, gradients: &[Gradients]) -> Result<(Vec<f32>, f64)> {
    let mut sum = Vec::new();
    for gradient in gradients.iter().filter_map(|gradients| gradients.get(index)) {
        with_floats(gradient, |gradient| {
            if sum.is_empty() {
                sum.extend_from_slice(gradient);
            } else {
                kernels::add_scaled(&mut sum, 1.0, gradient);
            }
        })?;
    }
    let squares = kernels::inner_product(&sum, &sum);
    Ok((sum, f64::from(squares)))
}

fn apply(adam: Adam, weight: &Tensor, gradient: &[f32], moments: &mut Moments) -> Result<()> {
    let Moments { mean, square } = moments;
    update_floats(weight, |weight| kernels::adamw(adam, weight, gradient, mean, square))
}

#[cfg(test)]
mod tests;
