//! Scores for the next token, one position at a time, remembering keys and values.

use candle_core::{Device, Result, Tensor};

use crate::block::Block;
use crate::config::NORM_EPSILON;
use crate::kernels;
use crate::model::Model;
use crate::tensors::with_floats;

/// The keys and values of one block for all positions so far, each position's heads side by side.
#[derive(Debug, Default)]
struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// A model in the middle of a text.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    model: &'a Model,
    memory: Vec<Memory>,
    position: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(model: &'a Model) -> Decoder<'a> {
        let memory = model.blocks.iter().map(|_| Memory::default()).collect();
        Decoder { model, memory, position: 0 }
    }

    /// Positions taken in.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Takes in `token` and gives the score of every entry of the vocabulary as the next.
    pub(crate) fn advance(&mut self, token: u32) -> Result<Vec<f32>> {
        let model = self.model;
        let width = model.dimensions.width;
        let ids = Tensor::new(&[token], &Device::Cpu)?;
        let mut x = floats(&model.embedding.index_select(&ids, 0)?)?;
        for (block, memory) in model.blocks.iter().zip(&mut self.memory) {
            let packed = times(&norm(&x, &block.attention_norm)?, &block.attention_in)?;
            let context = attend(model, memory, self.position, &packed);
            kernels::add_scaled(&mut x, 1.0, &times(&context, &block.attention_out)?);
            let inner = feed_forward(block, &x)?;
            kernels::add_scaled(&mut x, 1.0, &inner);
        }
        self.position += 1;
        let last = Tensor::from_vec(norm(&x, &model.norm)?, (1, width), &Device::Cpu)?;
        floats(&last.matmul(&model.embedding.t()?)?)
    }
}

fn feed_forward(block: &Block, x: &[f32]) -> Result<Vec<f32>> {
    let gate_up = times(&norm(x, &block.hidden_norm)?, &block.hidden_in)?;
    times(&kernels::swiglu(&gate_up, gate_up.len() / 2), &block.hidden_out)
}

/// Attention of the newest position over all of them.
fn attend(model: &Model, memory: &mut Memory, position: usize, packed: &[f32]) -> Vec<f32> {
    let (width, size) = (model.dimensions.width, model.dimensions.head_size());
    let scale = (size as f32).sqrt().recip();
    let (queries, keys_values) = packed.split_at(width);
    let (keys, values) = keys_values.split_at(width);
    let turned = |x: &[f32], scale: f32| {
        let mut y = vec![0.0; width];
        for (x, y) in x.chunks_exact(size).zip(y.chunks_exact_mut(size)) {
            model.rotary.turn(position, scale, x, y);
        }
        y
    };
    memory.keys.extend(turned(keys, 1.0));
    memory.values.extend(values);
    let queries = turned(queries, scale);
    let mut context = vec![0.0; width];
    let heads = queries.chunks_exact(size).zip(context.chunks_exact_mut(size));
    for (head, (query, context)) in heads.enumerate() {
        let of_head = |rows: &'_ Vec<f32>| -> Vec<Vec<f32>> {
            let part = |row: &[f32]| row.iter().skip(head * size).take(size).copied().collect();
            rows.chunks_exact(width).map(part).collect()
        };
        let mut weights: Vec<f32> =
            of_head(&memory.keys).iter().map(|key| kernels::inner_product(query, key)).collect();
        kernels::softmax(&mut weights);
        for (weight, value) in weights.iter().zip(of_head(&memory.values)) {
            kernels::add_scaled(context, *weight, &value);
        }
    }
    context
}

fn floats(tensor: &Tensor) -> Result<Vec<f32>> {
    with_floats(tensor, <[f32]>::to_vec)
}

fn norm(x: &[f32], weight: &Tensor) -> Result<Vec<f32>> {
    with_floats(weight, |weight| kernels::rms_norm(x, weight, NORM_EPSILON))
}

fn times(x: &[f32], matrix: &Tensor) -> Result<Vec<f32>> {
    floats(&Tensor::from_slice(x, (1, x.len()), &Device::Cpu)?.matmul(matrix)?)
}

#[cfg(test)]
mod tests;
