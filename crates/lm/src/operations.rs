//! The transformer's parts as operations of the tensor library: the value is computed in one pass by
//! our own loops, and the rule for its gradient is attached for the library's back-propagation.
//!
//! Each has a plain equivalent made of the library's own operations in the tests, which compare
//! values and gradients.

use std::sync::{Mutex, PoisonError};

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, Device, Error, InplaceOp1, Layout, Result, Shape, Storage,
    Tensor,
};

use crate::kernels;

mod attention;

pub(crate) use attention::{Heads, Rotary, causal_attention};

/// Rows of scores over the vocabulary that are held at once.
const LOSS_ROWS: usize = 512;

/// Hands the elements of a contiguous tensor to `read`.
pub(crate) fn with_floats<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(contiguous(storage, layout)?)),
        _ => Err(Error::Msg("the tensor is not in main memory".into())),
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let range = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "read" })?;
    storage
        .as_slice::<f32>()?
        .get(range.0..range.1)
        .ok_or_else(|| Error::Msg("a layout leaves its storage".into()))
}

/// Lets `write` change the elements of a contiguous tensor where they lie.
pub(crate) fn update_floats(tensor: &Tensor, write: impl Fn(&mut [f32])) -> Result<()> {
    struct Update<F>(F);
    impl<F: Fn(&mut [f32])> InplaceOp1 for Update<F> {
        fn name(&self) -> &'static str {
            "update"
        }
        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
            let range =
                layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "update" })?;
            let CpuStorage::F32(elements) = storage else {
                return Err(Error::Msg("only 32-bit floats can be updated".into()));
            };
            elements
                .get_mut(range.0..range.1)
                .map(&self.0)
                .ok_or_else(|| Error::Msg("a layout leaves its storage".into()))
        }
    }
    tensor.inplace_op1(&Update(write))
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// A value that was computed outside the graph, waiting to become a node of it.
struct Computed<G> {
    name: &'static str,
    value: Mutex<Option<Vec<f32>>>,
    shape: Shape,
    gradient: G,
}

impl<G> Computed<G> {
    fn new(
        name: &'static str,
        value: Vec<f32>,
        shape: impl Into<Shape>,
        gradient: G,
    ) -> Computed<G> {
        Computed { name, value: Mutex::new(Some(value)), shape: shape.into(), gradient }
    }

    fn take(&self) -> Result<(CpuStorage, Shape)> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner).take();
        let value = value.ok_or_else(|| Error::Msg(format!("{} was used twice", self.name)))?;
        Ok((CpuStorage::F32(value), self.shape.clone()))
    }
}

impl<G: Fn(&Tensor) -> Result<Tensor>> CustomOp1 for Computed<G> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.take()
    }
    fn bwd(&self, _: &Tensor, _: &Tensor, d: &Tensor) -> Result<Option<Tensor>> {
        (self.gradient)(d).map(Some)
    }
}

impl<G: Fn(&Tensor) -> Result<(Tensor, Tensor)>> CustomOp2 for Computed<G> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.take()
    }
    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        d: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (first, second) = (self.gradient)(d)?;
        Ok((Some(first), Some(second)))
    }
}

/// Root-mean-square normalisation of the rows of `x`, times `weight`.
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, epsilon: f32) -> Result<Tensor> {
    let value =
        with_floats(x, |x| with_floats(weight, |weight| kernels::rms_norm(x, weight, epsilon)))??;
    let (input, scale) = (x.clone(), weight.clone());
    let gradient = move |d: &Tensor| {
        let (dx, dw) = with_floats(&input, |x| {
            with_floats(&scale, |weight| {
                with_floats(d, |d| kernels::rms_norm_gradient(x, weight, epsilon, d))
            })
        })???;
        Ok((tensor(dx, input.shape())?, tensor(dw, scale.shape())?))
    };
    x.apply_op2(weight, Computed::new("rms-norm", value, x.shape(), gradient))
}

/// The gated activation of rows that hold gates, then ups.
pub(crate) fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let (rows, both) = gate_up.dims2()?;
    let width = both / 2;
    let value = with_floats(gate_up, |x| kernels::swiglu(x, width))?;
    let input = gate_up.clone();
    let gradient = move |d: &Tensor| {
        let d = with_floats(&input, |x| {
            with_floats(d, |d| kernels::swiglu_gradient(x, width, d))
        })??;
        tensor(d, input.shape())
    };
    gate_up.apply_op1(Computed::new("swiglu", value, (rows, width), gradient))
}

/// The negative log likelihood of `targets` under the scores `hidden · embeddingᵀ`, summed and times
/// `weight`, as a node of the graph. Scores are made, turned into their gradient and dropped a block at a
/// time.
pub(crate) fn loss(
    hidden: &Tensor,
    embedding: &Tensor,
    targets: &[u32],
    weight: f32,
) -> Result<Tensor> {
    let (table, inputs) = (embedding.detach(), hidden.detach());
    let mut total = 0.0;
    let mut d_hidden = Vec::new();
    let mut d_table: Option<Tensor> = None;
    for (block, targets) in targets.chunks(LOSS_ROWS).enumerate() {
        let rows = inputs.narrow(0, block * LOSS_ROWS, targets.len())?;
        let (scores, loss) = scored(&rows, &table, targets, weight)?;
        total += loss;
        d_hidden.push(scores.matmul(&table)?);
        let d = scores.t()?.matmul(&rows)?;
        d_table = Some(match d_table {
            None => d,
            Some(sum) => (sum + d)?,
        });
    }
    let d_hidden = Tensor::cat(&d_hidden, 0)?;
    let d_table = d_table.ok_or_else(|| Error::Msg("a loss needs targets".into()))?;
    let value = vec![total as f32 * weight];
    let gradient = move |d: &Tensor| {
        let factor = f64::from(d.to_scalar::<f32>()?);
        if (factor - 1.0).abs() < f64::EPSILON {
            return Ok((d_hidden.clone(), d_table.clone()));
        }
        Ok(((&d_hidden * factor)?, (&d_table * factor)?))
    };
    hidden.apply_op2(embedding, Computed::new("loss", value, (), gradient))
}

/// The summed negative log likelihood of `targets`, outside any graph.
pub(crate) fn summed_loss(hidden: &Tensor, embedding: &Tensor, targets: &[u32]) -> Result<f64> {
    let (table, inputs) = (embedding.detach(), hidden.detach());
    let mut total = 0.0;
    for (block, targets) in targets.chunks(LOSS_ROWS).enumerate() {
        let rows = inputs.narrow(0, block * LOSS_ROWS, targets.len())?;
        total += scored(&rows, &table, targets, 1.0)?.1;
    }
    Ok(total)
}

/// The gradient of the scores of `rows`, and their summed loss.
fn scored(rows: &Tensor, table: &Tensor, targets: &[u32], weight: f32) -> Result<(Tensor, f64)> {
    let scores = rows.matmul(&table.t()?)?;
    let loss = std::cell::Cell::new(0.0);
    update_floats(&scores, |scores| loss.set(kernels::cross_entropy(scores, targets, weight)))?;
    Ok((scores, loss.get()))
}

#[cfg(test)]
mod tests;
