//! Causal self-attention with rotary positions, over queries, keys and values packed in one row.

use candle_core::{Result, Tensor};

use crate::kernels;
use crate::tensors::{tensor, update_floats, with_floats};

/// The rotation of each position, as `transformers` lays it out for Llama: the first half of a head
/// against the second.
#[derive(Debug)]
pub(crate) struct Rotary {
    half: usize,
    cos_sin: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Rotary {
    /// Tables for heads of `size` elements at positions below `context`.
    pub(crate) fn new(size: usize, context: usize, theta: f32) -> Rotary {
        let half = size / 2;
        let angles = |position: usize| {
            (0..half).map(move |i| {
                let frequency = f64::from(theta).powf(-2.0 * i as f64 / size as f64) as f32;
                position as f32 * frequency
            })
        };
        let row = |p| (angles(p).map(f32::cos).collect(), angles(p).map(f32::sin).collect());
        Rotary { half, cos_sin: (0..context).map(row).collect() }
    }

    /// Writes `scale · x`, turned by the angle of `position`, into `y`.
    pub(crate) fn turn(&self, position: usize, scale: f32, x: &[f32], y: &mut [f32]) {
        self.rotate(position, (scale, 1.0), x, y);
    }

    /// The reverse of [`Rotary::turn`], which is also its gradient.
    fn turn_back(&self, position: usize, scale: f32, x: &[f32], y: &mut [f32]) {
        self.rotate(position, (scale, -1.0), x, y);
    }

    fn rotate(&self, position: usize, (scale, sign): (f32, f32), x: &[f32], y: &mut [f32]) {
        let Some((cos, sin)) = self.cos_sin.get(position) else { return };
        let ((x_1, x_2), (y_1, y_2)) = (x.split_at(self.half), y.split_at_mut(self.half));
        let inputs = x_1.iter().zip(x_2).zip(cos.iter().zip(sin));
        for ((y_1, y_2), ((x_1, x_2), (cos, sin))) in y_1.iter_mut().zip(y_2).zip(inputs) {
            let (cos, sin) = (cos * scale, sin * scale * sign);
            *y_1 = x_1 * cos - x_2 * sin;
            *y_2 = x_2 * cos + x_1 * sin;
        }
    }
}

/// How rows of activations divide into sequences and heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) sequences: usize,
    pub(crate) positions: usize,
    pub(crate) heads: usize,
    pub(crate) size: usize,
}

impl Heads {
    fn width(&self) -> usize {
        self.heads * self.size
    }

    /// The factor on queries before they meet keys.
    pub(crate) fn scale(&self) -> f32 {
        (self.size as f32).sqrt().recip()
    }

    fn packed(&self) -> (usize, usize, usize) {
        (self.sequences * self.heads, self.positions, self.size)
    }

    fn elements(&self) -> usize {
        self.sequences * self.positions * self.width()
    }

    /// For each row of the head-major layout, its position and where it starts in position-major
    /// rows of `stride` elements.
    fn rows(self, stride: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..self.sequences).flat_map(move |s| {
            (0..self.heads).flat_map(move |h| {
                (0..self.positions)
                    .map(move |p| (p, (s * self.positions + p) * stride + h * self.size))
            })
        })
    }

    /// Copies one third of the packed rows into head-major layout, through `carry`.
    fn split(
        &self,
        packed: &[f32],
        third: usize,
        carry: impl Fn(usize, &[f32], &mut [f32]),
    ) -> Result<Tensor> {
        let mut out = vec![0.0; self.elements()];
        for (out, (position, start)) in
            out.chunks_exact_mut(self.size).zip(self.rows(3 * self.width()))
        {
            let start = start + third * self.width();
            if let Some(row) = packed.get(start..start + self.size) {
                carry(position, row, out);
            }
        }
        tensor(out, self.packed())
    }

    /// The reverse of [`Heads::split`], into rows of `stride` elements from `offset` on.
    fn join(
        &self,
        heads: &Tensor,
        (stride, offset): (usize, usize),
        out: &mut [f32],
        carry: impl Fn(usize, &[f32], &mut [f32]),
    ) -> Result<()> {
        with_floats(heads, |heads| {
            for (row, (position, start)) in heads.chunks_exact(self.size).zip(self.rows(stride)) {
                let start = start + offset;
                if let Some(out) = out.get_mut(start..start + self.size) {
                    carry(position, row, out);
                }
            }
        })
    }
}

fn copy(_: usize, from: &[f32], to: &mut [f32]) {
    to.copy_from_slice(from);
}

/// What the forward pass leaves for the backward one.
#[derive(Debug)]
pub(crate) struct Attended {
    heads: Heads,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    /// How much each position takes from itself and each one before it.
    shares: Tensor,
}

/// Attends from each position to itself and those before it. Rows of `packed` hold queries, keys
/// and values of all heads; rows of the result hold the heads' contexts.
pub(crate) fn forward(
    packed: &Tensor,
    heads: Heads,
    rotary: &Rotary,
) -> Result<(Tensor, Attended)> {
    let [queries, keys, values] = with_floats(packed, |x| -> Result<_> {
        let queries = heads.split(x, 0, |p, from, to| rotary.turn(p, heads.scale(), from, to))?;
        let keys = heads.split(x, 1, |p, from, to| rotary.turn(p, 1.0, from, to))?;
        Ok([queries, keys, heads.split(x, 2, copy)?])
    })??;
    let shares = queries.matmul(&keys.t()?)?;
    update_floats(&shares, |scores| kernels::causal_softmax(scores, heads.positions))?;
    let mut contexts = vec![0.0; heads.elements()];
    heads.join(&shares.matmul(&values)?, (heads.width(), 0), &mut contexts, copy)?;
    let contexts = tensor(contexts, (heads.sequences * heads.positions, heads.width()))?;
    Ok((contexts, Attended { heads, queries, keys, values, shares }))
}

/// The gradient of the packed rows from that of the contexts.
pub(crate) fn backward(attended: &Attended, d: &Tensor, rotary: &Rotary) -> Result<Tensor> {
    let Attended { heads, queries, keys, values, shares } = attended;
    let d = with_floats(d, |d| split_context(*heads, d))??;
    let d_values = shares.t()?.matmul(&d)?;
    let d_scores = d.matmul(&values.t()?)?;
    with_floats(shares, |shares| {
        update_floats(&d_scores, |d| kernels::causal_softmax_gradient(d, shares, heads.positions))
    })??;
    let (d_queries, d_keys) = (d_scores.matmul(keys)?, d_scores.t()?.matmul(queries)?);
    let (rows, stride) = (heads.sequences * heads.positions, 3 * heads.width());
    let mut out = vec![0.0; rows * stride];
    heads.join(&d_queries, (stride, 0), &mut out, |p, from, to| {
        rotary.turn_back(p, heads.scale(), from, to);
    })?;
    heads.join(&d_keys, (stride, heads.width()), &mut out, |p, from, to| {
        rotary.turn_back(p, 1.0, from, to);
    })?;
    heads.join(&d_values, (stride, 2 * heads.width()), &mut out, copy)?;
    tensor(out, (rows, stride))
}

/// Rows of contexts in head-major layout.
fn split_context(heads: Heads, rows: &[f32]) -> Result<Tensor> {
    let mut out = vec![0.0; heads.elements()];
    for (out, (_, start)) in out.chunks_exact_mut(heads.size).zip(heads.rows(heads.width())) {
        if let Some(row) = rows.get(start..start + heads.size) {
            out.copy_from_slice(row);
        }
    }
    tensor(out, heads.packed())
}
