//! One transformer block, forwards and backwards.
//!
//! The backward pass is written out: it reuses what the forward pass computed and adds in place,
//! which the tensor library's own back-propagation does not. The tests compare the two.

use candle_core::{Result, Tensor};

use crate::attention::{self, Attended, Heads, Rotary};
use crate::config::NORM_EPSILON;
use crate::kernels;
use crate::tensors::{tensor, update_floats, with_floats};

/// The weights of a block. Matrices map rows from the left: `input · matrix`.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Tensor,
    /// Queries, keys and values side by side.
    pub(crate) attention_in: Tensor,
    pub(crate) attention_out: Tensor,
    pub(crate) hidden_norm: Tensor,
    /// Gates and ups side by side.
    pub(crate) hidden_in: Tensor,
    pub(crate) hidden_out: Tensor,
}

/// What the forward pass leaves for the backward one.
#[derive(Debug)]
pub(crate) struct Trace {
    attention: Part,
    attended: Attended,
    hidden: Part,
    gate_up: Tensor,
}

/// One of the two parts of a block: normalise, map in, compute, map out, add.
#[derive(Debug)]
struct Part {
    input: Tensor,
    normalised: Tensor,
    computed: Tensor,
}

impl Block {
    /// The weights with their names, always in the same order, which is that of the gradients.
    pub(crate) fn weights(&self) -> [(&'static str, &Tensor); 6] {
        [
            ("attention_norm", &self.attention_norm),
            ("attention_in", &self.attention_in),
            ("attention_out", &self.attention_out),
            ("hidden_norm", &self.hidden_norm),
            ("hidden_in", &self.hidden_in),
            ("hidden_out", &self.hidden_out),
        ]
    }

    /// What the block makes of `input`.
    pub(crate) fn forward(
        &self,
        input: Tensor,
        heads: Heads,
        rotary: &Rotary,
    ) -> Result<(Tensor, Trace)> {
        let normalised = rms_norm(&input, &self.attention_norm)?;
        let packed = normalised.matmul(&self.attention_in)?;
        let (computed, attended) = attention::forward(&packed, heads, rotary)?;
        let middle = computed.matmul(&self.attention_out)?;
        add(&middle, &input)?;
        let attention = Part { input, normalised, computed };

        let normalised = rms_norm(&middle, &self.hidden_norm)?;
        let gate_up = normalised.matmul(&self.hidden_in)?;
        let computed = swiglu(&gate_up)?;
        let output = computed.matmul(&self.hidden_out)?;
        add(&output, &middle)?;
        let hidden = Part { input: middle, normalised, computed };
        Ok((output, Trace { attention, attended, hidden, gate_up }))
    }

    /// The gradients of the input and of the weights, from that of the output.
    pub(crate) fn backward(
        &self,
        trace: &Trace,
        d: &Tensor,
        rotary: &Rotary,
    ) -> Result<(Tensor, [Tensor; 6])> {
        let Trace { attention, attended, hidden, gate_up } = trace;
        let d_hidden_out = hidden.computed.t()?.matmul(d)?;
        let d_gate_up = swiglu_gradient(gate_up, &d.matmul(&self.hidden_out.t()?)?)?;
        let d_hidden_in = hidden.normalised.t()?.matmul(&d_gate_up)?;
        let d_normalised = d_gate_up.matmul(&self.hidden_in.t()?)?;
        let (d_middle, d_hidden_norm) =
            rms_norm_gradient(&hidden.input, &self.hidden_norm, &d_normalised)?;
        add(&d_middle, d)?;

        let d_attention_out = attention.computed.t()?.matmul(&d_middle)?;
        let d_contexts = d_middle.matmul(&self.attention_out.t()?)?;
        let d_packed = attention::backward(attended, &d_contexts, rotary)?;
        let d_attention_in = attention.normalised.t()?.matmul(&d_packed)?;
        let d_normalised = d_packed.matmul(&self.attention_in.t()?)?;
        let (d_input, d_attention_norm) =
            rms_norm_gradient(&attention.input, &self.attention_norm, &d_normalised)?;
        add(&d_input, &d_middle)?;
        let weights = [
            d_attention_norm,
            d_attention_in,
            d_attention_out,
            d_hidden_norm,
            d_hidden_in,
            d_hidden_out,
        ];
        Ok((d_input, weights))
    }
}

/// `sum += x`.
pub(crate) fn add(sum: &Tensor, x: &Tensor) -> Result<()> {
    with_floats(x, |x| update_floats(sum, |sum| kernels::add_scaled(sum, 1.0, x)))?
}

/// Root-mean-square normalisation of the rows of `x`, times `weight`.
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let value =
        with_floats(x, |x| with_floats(weight, |w| kernels::rms_norm(x, w, NORM_EPSILON)))??;
    tensor(value, x.shape())
}

/// The gradients of `x` and `weight` from that of their [`rms_norm`].
pub(crate) fn rms_norm_gradient(
    x: &Tensor,
    weight: &Tensor,
    d: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let (d_x, d_weight) = with_floats(x, |x| {
        with_floats(weight, |weight| {
            with_floats(d, |d| kernels::rms_norm_gradient(x, weight, NORM_EPSILON, d))
        })
    })???;
    Ok((tensor(d_x, x.shape())?, tensor(d_weight, weight.shape())?))
}

/// The gated activation of rows that hold gates, then ups.
fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let (rows, both) = gate_up.dims2()?;
    tensor(with_floats(gate_up, |x| kernels::swiglu(x, both / 2))?, (rows, both / 2))
}

fn swiglu_gradient(gate_up: &Tensor, d: &Tensor) -> Result<Tensor> {
    let width = d.dims2()?.1;
    let d = with_floats(gate_up, |x| with_floats(d, |d| kernels::swiglu_gradient(x, width, d)))??;
    tensor(d, gate_up.shape())
}
