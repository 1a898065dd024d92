//! The inner loops of the transformer over plain slices: normalisation, activation, rotary
//! positions, causal softmax, cross entropy and the optimiser's update.
//!
//! Each loop is written so that the compiler vectorises it, and compiled once per instruction set;
//! the running machine's is chosen at run time. Matrix products are not here: the tensor library
//! does them.

use pulp::{Arch, Simd, WithSimd};

/// Independent partial sums, so that a reduction needs no fixed order between lanes.
const LANES: usize = 16;

/// Runs `loops` compiled for the widest instruction set of this machine.
#[inline(always)]
fn vectorised<R>(loops: impl FnOnce() -> R) -> R {
    struct Loops<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Loops<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> R {
            simd.vectorize(self.0)
        }
    }
    Arch::new().dispatch(Loops(loops))
}

/// `e^x` within two units in the last place for `x` in -87..88, without a branch or a call.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // 1.5 · 2²³: adding it leaves the nearest integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[inline(always)]
fn lanes_sum(lanes: [f32; LANES]) -> f32 {
    lanes.iter().sum()
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes_sum(lanes) + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| a.max(*b))
}

/// Replaces each element by `e^(x - peak)` and returns their sum.
#[inline(always)]
fn exponentials(row: &mut [f32], peak: f32) -> f32 {
    let (blocks, rest) = row.as_chunks_mut::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *x = exp(*x - peak);
            *lane += *x;
        }
    }
    let mut sum = lanes_sum(lanes);
    for x in rest {
        *x = exp(*x - peak);
        sum += *x;
    }
    sum
}

#[inline(always)]
fn scale(row: &mut [f32], factor: f32) {
    for x in row {
        *x *= factor;
    }
}

/// The inner product of two equally long slices.
pub(crate) fn inner_product(a: &[f32], b: &[f32]) -> f32 {
    vectorised(
        #[inline(always)]
        || dot(a, b),
    )
}

/// `y += factor · x`.
pub(crate) fn add_scaled(y: &mut [f32], factor: f32, x: &[f32]) {
    vectorised(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y += factor * x;
            }
        },
    );
}

/// Root-mean-square normalisation of each row of `x`, times `weight`.
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> {
    let width = weight.len();
    let mut y = vec![0.0; x.len()];
    vectorised(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
                let inverse = (dot(x, x) / width as f32 + epsilon).sqrt().recip();
                for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                    *y = x * inverse * w;
                }
            }
        },
    );
    y
}

/// The gradients of [`rms_norm`] with respect to `x` and `weight`.
pub(crate) fn rms_norm_gradient(
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    dy: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let width = weight.len();
    let mut dx = vec![0.0; x.len()];
    let mut dw = vec![0.0; width];
    vectorised(
        #[inline(always)]
        || {
            let rows = x.chunks_exact(width).zip(dy.chunks_exact(width));
            for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
                let inverse = (dot(x, x) / width as f32 + epsilon).sqrt().recip();
                for ((dw, dy), x) in dw.iter_mut().zip(dy).zip(x) {
                    *dw += dy * x * inverse;
                }
                for ((dx, dy), w) in dx.iter_mut().zip(dy).zip(weight) {
                    *dx = dy * w;
                }
                let along = dot(dx, x) * inverse * inverse / width as f32;
                for (dx, x) in dx.iter_mut().zip(x) {
                    *dx = inverse * (*dx - x * along);
                }
            }
        },
    );
    (dx, dw)
}

/// `silu(gate) · up` for rows that hold `width` gates, then `width` ups.
pub(crate) fn swiglu(gate_up: &[f32], width: usize) -> Vec<f32> {
    let mut y = vec![0.0; gate_up.len() / 2];
    vectorised(
        #[inline(always)]
        || {
            for (row, y) in gate_up.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
                let (gate, up) = row.split_at(width);
                for ((y, g), u) in y.iter_mut().zip(gate).zip(up) {
                    *y = g / (1.0 + exp(-g)) * u;
                }
            }
        },
    );
    y
}

/// The gradient of [`swiglu`] with respect to `gate_up`.
pub(crate) fn swiglu_gradient(gate_up: &[f32], width: usize, dy: &[f32]) -> Vec<f32> {
    let mut d = vec![0.0; gate_up.len()];
    vectorised(
        #[inline(always)]
        || {
            let rows = gate_up.chunks_exact(2 * width).zip(d.chunks_exact_mut(2 * width));
            for ((row, d), dy) in rows.zip(dy.chunks_exact(width)) {
                let (gate, up) = row.split_at(width);
                let (d_gate, d_up) = d.split_at_mut(width);
                // One output a loop: the compiler does not vectorise a loop with two.
                for (sigmoid, g) in d_gate.iter_mut().zip(gate) {
                    *sigmoid = 1.0 / (1.0 + exp(-g));
                }
                for ((d_up, sigmoid), (dy, g)) in
                    d_up.iter_mut().zip(&*d_gate).zip(dy.iter().zip(gate))
                {
                    *d_up = dy * g * sigmoid;
                }
                for ((d_gate, dy), (g, u)) in d_gate.iter_mut().zip(dy).zip(gate.iter().zip(up)) {
                    let sigmoid = *d_gate;
                    *d_gate = dy * u * sigmoid * (1.0 + g * (1.0 - sigmoid));
                }
            }
        },
    );
    d
}

/// Softmax over the first `row + 1` elements of each row of square matrices of side `side`; the
/// rest becomes zero.
pub(crate) fn causal_softmax(scores: &mut [f32], side: usize) {
    vectorised(
        #[inline(always)]
        || {
            for matrix in scores.chunks_exact_mut(side * side) {
                for (i, row) in matrix.chunks_exact_mut(side).enumerate() {
                    let (seen, unseen) = row.split_at_mut(i + 1);
                    let peak = maximum(seen);
                    let sum = exponentials(seen, peak);
                    scale(seen, sum.recip());
                    unseen.fill(0.0);
                }
            }
        },
    );
}

/// Turns the gradient of the probabilities into that of the scores, in place.
pub(crate) fn causal_softmax_gradient(d: &mut [f32], probabilities: &[f32], side: usize) {
    vectorised(
        #[inline(always)]
        || {
            let matrices = d.chunks_exact_mut(side * side);
            for (d, p) in matrices.zip(probabilities.chunks_exact(side * side)) {
                let rows = d.chunks_exact_mut(side).zip(p.chunks_exact(side));
                for (i, (d, p)) in rows.enumerate() {
                    let (d, unseen) = d.split_at_mut(i + 1);
                    let mean = dot(d, p.split_at(i + 1).0);
                    for (d, p) in d.iter_mut().zip(p) {
                        *d = p * (*d - mean);
                    }
                    unseen.fill(0.0);
                }
            }
        },
    );
}

/// Softmax of one row of scores.
pub(crate) fn softmax(row: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let peak = maximum(row);
            let sum = exponentials(row, peak);
            scale(row, sum.recip());
        },
    );
}

/// The summed negative log likelihood of `targets`; `logits` become its gradient times `weight`.
pub(crate) fn cross_entropy(logits: &mut [f32], targets: &[u32], weight: f32) -> f64 {
    let width = logits.len() / targets.len().max(1);
    let mut loss = 0.0;
    for (row, target) in logits.chunks_exact_mut(width.max(1)).zip(targets) {
        let target = *target as usize;
        let wanted = row.get(target).copied().unwrap_or(f32::NEG_INFINITY);
        let (peak, sum) = vectorised(
            #[inline(always)]
            || {
                let peak = maximum(row);
                let sum = exponentials(row, peak);
                scale(row, weight / sum);
                (peak, sum)
            },
        );
        loss += f64::from(sum).ln() + f64::from(peak - wanted);
        if let Some(d) = row.get_mut(target) {
            *d -= weight;
        }
    }
    loss
}

/// What one step of AdamW needs beside the slices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub(crate) rate: f32,
    pub(crate) beta_1: f32,
    pub(crate) beta_2: f32,
    pub(crate) epsilon: f32,
    pub(crate) decay: f32,
    /// `1 / (1 - beta_1^t)` and `1 / (1 - beta_2^t)`.
    pub(crate) corrections: (f32, f32),
    /// Factor on the gradient, from clipping.
    pub(crate) clip: f32,
}

/// One AdamW update of `weights` and the two running moments.
pub(crate) fn adamw(
    step: Adam,
    weights: &mut [f32],
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
) {
    let (first, second) = step.corrections;
    let keep = 1.0 - step.rate * step.decay;
    vectorised(
        #[inline(always)]
        || {
            let moments = mean.iter_mut().zip(square);
            for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
                let g = g * step.clip;
                *m = step.beta_1 * *m + (1.0 - step.beta_1) * g;
                *v = step.beta_2 * *v + (1.0 - step.beta_2) * g * g;
                let update = *m * first / ((*v * second).sqrt() + step.epsilon);
                *w = *w * keep - step.rate * update;
            }
        },
    );
}

#[cfg(test)]
mod tests;
