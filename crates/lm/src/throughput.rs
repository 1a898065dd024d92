//! How fast this machine multiplies matrices of the model's shapes, measured with the library and
//! the threads that train, so that a training's speed can be given as a part of it.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use candle_core::{Device, Result, Tensor};

use crate::config::Dimensions;

/// Time spent on each shape.
const MEASURING: Duration = Duration::from_millis(120);

/// The highest rate, in floating-point operations per second, among the matrix products of a
/// training step with `tokens` tokens, in the current thread pool.
pub(crate) fn peak_flops(dimensions: Dimensions, tokens: usize) -> Result<f64> {
    let Dimensions { vocabulary, width, hidden, .. } = dimensions;
    let mut peak = 0.0_f64;
    for (rows, inner, columns) in
        [(tokens, width, 2 * hidden), (tokens, hidden, width), (tokens, width, vocabulary)]
    {
        peak = peak.max(product_flops(rows, inner, columns)?);
    }
    Ok(peak)
}

fn product_flops(rows: usize, inner: usize, columns: usize) -> Result<f64> {
    let left = Tensor::ones((rows, inner), candle_core::DType::F32, &Device::Cpu)?;
    let right = Tensor::ones((inner, columns), candle_core::DType::F32, &Device::Cpu)?;
    let operations = 2.0 * rows as f64 * inner as f64 * columns as f64;
    let started = Instant::now();
    let mut best = f64::INFINITY;
    while started.elapsed() < MEASURING {
        let before = Instant::now();
        let product = left.matmul(&right)?;
        best = best.min(before.elapsed().as_secs_f64());
        drop(product);
    }
    Ok(operations / best.max(1e-9))
}

/// Variables for the environment of a process that trains on `threads` threads. The tensor library
/// reads them at every matrix product; where they are missing it counts the machine's processors
/// each time, which on a machine with many takes longer than a small product.
#[must_use]
pub fn environment(threads: NonZeroUsize) -> [(&'static str, String); 2] {
    [("RAYON_NUM_THREADS", threads.to_string()), ("CANDLE_NUM_THREADS", "1".to_owned())]
}
