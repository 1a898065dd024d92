//! A decoder-only transformer as Llama has it: normalisation by root mean square before each part,
//! rotary positions, a gated feed-forward part, and one embedding for input and output.

use candle_core::{Error as LibraryError, Result as LibraryResult, Tensor};
use rand_distr::{Distribution, Normal};

use crate::Error;
use crate::attention::{Heads, Rotary};
use crate::batches::{Batch, stream};
use crate::block::{Block, Trace, rms_norm, rms_norm_gradient};
use crate::config::{Dimensions, ROPE_THETA};
use crate::kernels;
use crate::tensors::{tensor, update_floats, with_floats};

/// The spread of the first weights times the root of the width, so that a sum over a row's elements
/// starts at about half of what it sums.
const INITIAL_SPREAD: f64 = 0.5;
/// Positions whose scores over the vocabulary are held at once.
const SCORED_ROWS: usize = 512;

/// A model and its weights.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) dimensions: Dimensions,
    pub(crate) embedding: Tensor,
    pub(crate) blocks: Vec<Block>,
    pub(crate) norm: Tensor,
    pub(crate) rotary: Rotary,
}

/// The gradients of a model's weights, in the order of [`Model::weights`].
pub(crate) type Gradients = Vec<Tensor>;

/// Where a model's weights come from: a name and a shape in, a tensor out.
pub(crate) type Source<'a> = dyn FnMut(&str, &[usize]) -> Result<Tensor, Error> + 'a;

impl Model {
    /// A model whose weights are drawn from `seed`.
    pub(crate) fn initial(dimensions: Dimensions, seed: u64) -> Result<Model, Error> {
        let mut random = stream(seed, 0);
        let usual = INITIAL_SPREAD / (dimensions.width as f64).sqrt();
        let residual = usual / (2.0 * dimensions.layers as f64).sqrt();
        Model::from_source(dimensions, &mut |name, shape| {
            let elements = shape.iter().product();
            let deviation = if name.ends_with("_out") { residual } else { usual };
            let values = match Normal::new(0.0, deviation as f32) {
                Ok(normal) if shape.len() == 2 => {
                    normal.sample_iter(&mut random).take(elements).collect()
                }
                _ => vec![1.0; elements],
            };
            Ok(tensor(values, shape)?)
        })
    }

    /// A model whose weights `source` gives, in the order of [`Model::weights`].
    pub(crate) fn from_source(
        dimensions: Dimensions,
        source: &mut Source<'_>,
    ) -> Result<Model, Error> {
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
        embedding: Tensor,
        blocks: Vec<Block>,
        norm: Tensor,
    ) -> Model {
        let rotary = Rotary::new(dimensions.head_size(), dimensions.context, ROPE_THETA);
        Model { dimensions, embedding, blocks, norm, rotary }
    }

    /// Every weight with its name, always in the same order.
    pub(crate) fn weights(&self) -> Vec<(String, &Tensor)> {
        let mut all = vec![("embedding".to_owned(), &self.embedding)];
        for (layer, block) in self.blocks.iter().enumerate() {
            all.extend(block.weights().map(|(part, weight)| (name(layer, part), weight)));
        }
        all.push(("norm".to_owned(), &self.norm));
        all
    }

    /// What the blocks make of `batch`, and what they leave for the way back.
    fn forward(&self, batch: &Batch) -> LibraryResult<(Tensor, Vec<Trace>)> {
        let positions = batch.inputs.len().min(self.dimensions.context);
        let heads = Heads {
            sequences: batch.inputs.len() / positions.max(1),
            positions,
            heads: self.dimensions.heads,
            size: self.dimensions.head_size(),
        };
        let mut x = self.embedded(&batch.inputs)?;
        let mut traces = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let (output, trace) = block.forward(x, heads, &self.rotary)?;
            x = output;
            traces.push(trace);
        }
        Ok((x, traces))
    }

    fn embedded(&self, inputs: &[u32]) -> LibraryResult<Tensor> {
        let width = self.dimensions.width;
        let rows = with_floats(&self.embedding, |table| {
            let row = |id: &u32| table.get(*id as usize * width..(*id as usize + 1) * width);
            inputs.iter().map(row).collect::<Option<Vec<_>>>().map(|rows| rows.concat())
        })?;
        let rows =
            rows.ok_or_else(|| LibraryError::Msg("a token is not in the vocabulary".into()))?;
        tensor(rows, (inputs.len(), width))
    }

    /// The summed loss on `batch` times `weight`, and its gradients.
    pub(crate) fn gradients(&self, batch: &Batch, weight: f32) -> LibraryResult<(f64, Gradients)> {
        let (last, traces) = self.forward(batch)?;
        let normalised = rms_norm(&last, &self.norm)?;
        let (loss, d_normalised, d_embedding) = self.scored(&normalised, &batch.targets, weight)?;
        let (mut d, d_norm) = rms_norm_gradient(&last, &self.norm, &d_normalised)?;
        drop((last, normalised, d_normalised));
        let mut layers = Vec::with_capacity(traces.len());
        for (block, trace) in self.blocks.iter().zip(traces).rev() {
            let (d_input, weights) = block.backward(&trace, &d, &self.rotary)?;
            d = d_input;
            layers.push(weights);
        }
        self.spread(&d, &batch.inputs, &d_embedding)?;
        let mut gradients = vec![d_embedding];
        gradients.extend(layers.into_iter().rev().flatten());
        gradients.push(d_norm);
        Ok((loss * f64::from(weight), gradients))
    }

    /// The summed loss of predicting `targets`, and its gradients times `weight` with respect to
    /// the positions and to the embedding. Scores are made, turned into their gradient and dropped
    /// a block at a time.
    fn scored(
        &self,
        positions: &Tensor,
        targets: &[u32],
        weight: f32,
    ) -> LibraryResult<(f64, Tensor, Tensor)> {
        let mut loss = 0.0;
        let mut d_positions = Vec::new();
        let mut d_embedding: Option<Tensor> = None;
        for (block, targets) in targets.chunks(SCORED_ROWS).enumerate() {
            let rows = positions.narrow(0, block * SCORED_ROWS, targets.len())?;
            let scores = rows.matmul(&self.embedding.t()?)?;
            update_floats(&scores, |s| loss += kernels::cross_entropy(s, targets, weight))?;
            d_positions.push(scores.matmul(&self.embedding)?);
            let d = scores.t()?.matmul(&rows)?;
            match &d_embedding {
                None => d_embedding = Some(d),
                Some(sum) => crate::block::add(sum, &d)?,
            }
        }
        let d_embedding =
            d_embedding.ok_or_else(|| LibraryError::Msg("a loss needs targets".into()))?;
        Ok((loss, Tensor::cat(&d_positions, 0)?, d_embedding))
    }

    /// Adds the gradient of each position to that of its token's embedding.
    fn spread(&self, d: &Tensor, inputs: &[u32], d_embedding: &Tensor) -> LibraryResult<()> {
        let width = self.dimensions.width;
        with_floats(d, |d| {
            update_floats(d_embedding, |table| {
                for (id, row) in inputs.iter().zip(d.chunks_exact(width)) {
                    let start = *id as usize * width;
                    if let Some(sum) = table.get_mut(start..start + width) {
                        kernels::add_scaled(sum, 1.0, row);
                    }
                }
            })
        })?
    }

    /// The summed loss on `batch`.
    pub(crate) fn loss(&self, batch: &Batch) -> LibraryResult<f64> {
        let normalised = rms_norm(&self.forward(batch)?.0, &self.norm)?;
        let mut loss = 0.0;
        for (block, targets) in batch.targets.chunks(SCORED_ROWS).enumerate() {
            let rows = normalised.narrow(0, block * SCORED_ROWS, targets.len())?;
            let scores = rows.matmul(&self.embedding.t()?)?;
            update_floats(&scores, |s| loss += kernels::cross_entropy(s, targets, 1.0))?;
        }
        Ok(loss)
    }

    /// The scores of every vocabulary entry after each position of one sequence.
    #[cfg(test)]
    pub(crate) fn scores(&self, inputs: &[u32]) -> LibraryResult<Vec<Vec<f32>>> {
        let batch = Batch { inputs: inputs.to_vec(), targets: Vec::new() };
        let normalised = rms_norm(&self.forward(&batch)?.0, &self.norm)?;
        normalised.matmul(&self.embedding.t()?)?.to_vec2()
    }
}

fn name(layer: usize, part: &str) -> String {
    format!("blocks.{layer}.{part}")
}

#[cfg(test)]
mod tests;
