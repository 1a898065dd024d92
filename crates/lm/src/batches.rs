//! Which stretches of the text each step learns from: a function of the seed and the step alone, so
//! a resumed training sees what it would have seen.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Uniform};

/// Random numbers for one purpose: the first weights have stream 0, each step its own.
pub(crate) fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// Inputs of some sequences and, for each, the token that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) inputs: Vec<u32>,
    pub(crate) targets: Vec<u32>,
}

impl Batch {
    fn with_capacity(tokens: usize) -> Batch {
        Batch { inputs: Vec::with_capacity(tokens), targets: Vec::with_capacity(tokens) }
    }

    fn push(&mut self, window: &[u32]) {
        let (Some((_, targets)), Some((_, inputs))) = (window.split_first(), window.split_last())
        else {
            return;
        };
        self.inputs.extend_from_slice(inputs);
        self.targets.extend_from_slice(targets);
    }
}

/// The sequences of step `step`, drawn from `tokens` and divided into `shards` as even as can be.
pub(crate) fn draw(
    tokens: &[u32],
    (seed, step): (u64, u64),
    (batch, context): (usize, usize),
    shards: usize,
) -> Vec<Batch> {
    let mut random = stream(seed, step + 1);
    let last = tokens.len().saturating_sub(context + 1);
    let starts: Vec<usize> = match Uniform::new_inclusive(0, last) {
        Ok(range) => range.sample_iter(&mut random).take(batch).collect(),
        Err(_) => vec![0; batch],
    };
    let shards = shards.clamp(1, batch);
    (0..shards)
        .map(|shard| {
            let rows = (shard * batch / shards)..((shard + 1) * batch / shards);
            let mut out = Batch::with_capacity(rows.len() * context);
            for start in starts.get(rows).unwrap_or_default() {
                out.push(tokens.get(*start..start + context + 1).unwrap_or_default());
            }
            out
        })
        .collect()
}

/// At most `count` sequences, evenly spread over `tokens` and without overlap, in groups of
/// `batch`.
pub(crate) fn spread(tokens: &[u32], context: usize, count: usize, batch: usize) -> Vec<Batch> {
    let windows: Vec<&[u32]> = tokens.windows(context + 1).step_by(context).collect();
    let every = windows.len().div_ceil(count.max(1)).max(1);
    let chosen: Vec<&[u32]> = windows.into_iter().step_by(every).collect();
    chosen
        .chunks(batch)
        .map(|windows| {
            let mut out = Batch::with_capacity(windows.len() * context);
            windows.iter().for_each(|window| out.push(window));
            out
        })
        .collect()
}

#[cfg(test)]
mod tests;
