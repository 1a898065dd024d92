//! AdamW with clipping by the gradient's global norm.

use candle_core::backprop::GradStore;
use candle_core::{Error, Result, Var};
use rayon::prelude::*;

use crate::kernels::{self, Adam};
use crate::operations::{update_floats, with_floats};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.95;
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

/// Moves `weights` against the sum of `gradients` and returns its global norm before clipping. Nothing
/// moves when that norm is not a number.
pub(crate) fn update(
    weights: &[(String, &Var)],
    moments: &mut [Moments],
    gradients: &[GradStore],
    step: Step,
) -> Result<f64> {
    let sums = weights
        .par_iter()
        .map(|(name, weight)| summed(name, weight, gradients))
        .collect::<Result<Vec<_>>>()?;
    let squares: f64 = sums.par_iter().map(|g| kernels::inner_product(g, g)).map(f64::from).collect::<Vec<_>>().iter().sum();
    let norm = squares.sqrt();
    if !norm.is_finite() {
        return Ok(norm);
    }
    let adam = adam(step, norm);
    weights.par_iter().zip(sums).zip(moments).try_for_each(|(((_, weight), gradient), moments)| {
        let decay = if weight.rank() > 1 { adam.decay } else { 0.0 };
        apply(Adam { decay, ..adam }, weight, &gradient, moments)
    })?;
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

fn summed(name: &str, weight: &Var, gradients: &[GradStore]) -> Result<Vec<f32>> {
    let mut sum = Vec::new();
    for gradient in gradients {
        let gradient = gradient
            .get(weight)
            .ok_or_else(|| Error::Msg(format!("{name} has no gradient")))?;
        with_floats(gradient, |gradient| {
            if sum.is_empty() {
                sum.extend_from_slice(gradient);
            } else {
                kernels::add_scaled(&mut sum, 1.0, gradient);
            }
        })?;
    }
    Ok(sum)
}

fn apply(adam: Adam, weight: &Var, gradient: &[f32], moments: &mut Moments) -> Result<()> {
    let moments = std::cell::RefCell::new(moments);
    update_floats(weight, |weight| {
        let Moments { mean, square } = &mut **moments.borrow_mut();
        kernels::adamw(adam, weight, gradient, mean, square);
    })
}

#[cfg(test)]
mod tests;
