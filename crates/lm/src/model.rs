//! A decoder-only transformer as Llama has it: normalisation by root mean square before each part,
//! rotary positions, a gated feed-forward part, and one embedding for input and output.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};
use rand_distr::{Distribution, Normal};

use crate::batches::{Batch, stream};
use crate::config::{Dimensions, NORM_EPSILON, ROPE_THETA};
use crate::operations::{Heads, Rotary, causal_attention, loss, rms_norm, summed_loss, swiglu};

/// The spread of the first weights.
const INITIAL_DEVIATION: f64 = 0.02;

/// The weights of one transformer block. Matrices map rows from the left: `input · matrix`.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) attention_norm: Var,
    /// Queries, keys and values side by side.
    pub(crate) attention_in: Var,
    pub(crate) attention_out: Var,
    pub(crate) hidden_norm: Var,
    /// Gates and ups side by side.
    pub(crate) hidden_in: Var,
    pub(crate) hidden_out: Var,
}

/// A model and its weights.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) dimensions: Dimensions,
    pub(crate) embedding: Var,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Var,
    pub(crate) rotary: Arc<Rotary>,
}

/// Where a model's weights come from: a name and a shape in, a tensor out.
pub(crate) type Source<'a> = dyn FnMut(&str, &[usize]) -> Result<Var> + 'a;

impl Model {
    /// A model whose weights are drawn from `seed`.
    pub(crate) fn initial(dimensions: Dimensions, seed: u64) -> Result<Model> {
        let mut random = stream(seed, 0);
        let residual = INITIAL_DEVIATION / (2.0 * dimensions.layers as f64).sqrt();
        Model::from_source(dimensions, &mut |name, shape| {
            let elements = shape.iter().product();
            let deviation = if name.ends_with("_out") { residual } else { INITIAL_DEVIATION };
            let values = match Normal::new(0.0, deviation as f32) {
                Ok(normal) if shape.len() == 2 => {
                    normal.sample_iter(&mut random).take(elements).collect()
                }
                _ => vec![1.0; elements],
            };
            Var::from_vec(values, shape, &Device::Cpu)
        })
    }

    /// A model whose weights `source` gives, in the order of [`Model::weights`].
    pub(crate) fn from_source(dimensions: Dimensions, source: &mut Source<'_>) -> Result<Model> {
        let Dimensions { vocabulary, width, hidden, layers, .. } = dimensions;
        let embedding = source("embedding", &[vocabulary, width])?;
        let mut blocks = Vec::with_capacity(layers);
        for layer in 0..layers {
            let mut weight = |part: &str, shape: &[usize]| source(&name(layer, part), shape);
            blocks.push(Block {
                attention_norm: weight("attention_norm", &[width])?,
                attention_in: weight("attention_in", &[width, 3 * width])?,
                attention_out: weight("attention_out", &[width, width])?,
                hidden_norm: weight("hidden_norm", &[width])?,
                hidden_in: weight("hidden_in", &[width, 2 * hidden])?,
                hidden_out: weight("hidden_out", &[hidden, width])?,
            });
        }
        let norm = source("norm", &[width])?;
        Ok(Model::new(dimensions, embedding, blocks, norm))
    }

    /// A model of these weights.
    pub(crate) fn new(
        dimensions: Dimensions,
        embedding: Var,
        blocks: Vec<Block>,
        norm: Var,
    ) -> Model {
        let rotary = Rotary::new(dimensions.head_size(), dimensions.context, ROPE_THETA);
        Model { dimensions, embedding, blocks, norm, rotary: Arc::new(rotary) }
    }

    /// Every weight with its name, always in the same order.
    pub(crate) fn weights(&self) -> Vec<(String, &Var)> {
        let mut all = vec![("embedding".to_owned(), &self.embedding)];
        for (layer, block) in self.blocks.iter().enumerate() {
            all.extend([
                (name(layer, "attention_norm"), &block.attention_norm),
                (name(layer, "attention_in"), &block.attention_in),
                (name(layer, "attention_out"), &block.attention_out),
                (name(layer, "hidden_norm"), &block.hidden_norm),
                (name(layer, "hidden_in"), &block.hidden_in),
                (name(layer, "hidden_out"), &block.hidden_out),
            ]);
        }
        all.push(("norm".to_owned(), &self.norm));
        all
    }

    /// What the last block leaves for each position of the sequences in `inputs`, normalised.
    fn hidden(&self, inputs: &[u32], sequences: usize) -> Result<Tensor> {
        let heads = Heads {
            sequences,
            positions: inputs.len() / sequences.max(1),
            heads: self.dimensions.heads,
            size: self.dimensions.head_size(),
        };
        let ids = Tensor::new(inputs, &Device::Cpu)?;
        let mut x = self.embedding.index_select(&ids, 0)?;
        for block in &self.blocks {
            let input = rms_norm(&x, &block.attention_norm, NORM_EPSILON)?;
            let packed = input.matmul(&block.attention_in)?;
            let contexts = causal_attention(&packed, heads, &self.rotary)?;
            x = (x + contexts.matmul(&block.attention_out)?)?;
            let input = rms_norm(&x, &block.hidden_norm, NORM_EPSILON)?;
            let inner = swiglu(&input.matmul(&block.hidden_in)?)?;
            x = (x + inner.matmul(&block.hidden_out)?)?;
        }
        rms_norm(&x, &self.norm, NORM_EPSILON)
    }

    /// The summed loss on `batch` times `weight`, ready for back-propagation.
    pub(crate) fn loss(&self, batch: &Batch, weight: f32) -> Result<Tensor> {
        let hidden = self.hidden(&batch.inputs, self.sequences(batch))?;
        loss(&hidden, &self.embedding, &batch.targets, weight)
    }

    /// The summed loss on `batch`.
    pub(crate) fn summed_loss(&self, batch: &Batch) -> Result<f64> {
        let hidden = self.hidden(&batch.inputs, self.sequences(batch))?;
        summed_loss(&hidden, &self.embedding, &batch.targets)
    }

    fn sequences(&self, batch: &Batch) -> usize {
        batch.inputs.len().div_ceil(self.dimensions.context).max(1)
    }

    /// The scores of every vocabulary entry after each position of one sequence.
    #[cfg(test)]
    pub(crate) fn scores(&self, inputs: &[u32]) -> Result<Vec<Vec<f32>>> {
        self.hidden(inputs, 1)?.matmul(&self.embedding.t()?)?.to_vec2()
    }
}

fn name(layer: usize, part: &str) -> String {
    format!("blocks.{layer}.{part}")
}

#[cfg(test)]
mod tests;
