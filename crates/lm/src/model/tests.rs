//! The written-out passes against the tensor library's own operations and back-propagation.

use candle_core::{D, DType, Device, Result, Tensor, Var};

use super::*;
use crate::config::NORM_EPSILON;

const SMALL: Dimensions =
    Dimensions { vocabulary: 300, width: 16, hidden: 24, layers: 2, heads: 2, context: 8 };

fn batch(sequences: usize, positions: usize) -> Batch {
    let ids: Vec<u32> =
        (0..=sequences * positions).map(|i| (i * i * 31 + i) as u32 % 300).collect();
    Batch { inputs: ids[..ids.len() - 1].to_vec(), targets: ids[1..].to_vec() }
}

/// The model with larger weights, so that differences show, and the same weights as variables.
fn model_and_variables() -> (Model, Vec<Var>) {
    let model = Model::initial(SMALL, 7).unwrap();
    for (_, weight) in model.weights() {
        update_floats(weight, |w| w.iter_mut().for_each(|w| *w *= 2.0)).unwrap();
    }
    let variables =
        model.weights().into_iter().map(|(_, weight)| Var::from_tensor(weight).unwrap()).collect();
    (model, variables)
}

fn norm(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let mean = (x.sqr()?.sum_keepdim(D::Minus1)? / SMALL.width as f64)?;
    x.broadcast_div(&(mean + f64::from(NORM_EPSILON))?.sqrt()?)?.broadcast_mul(weight)
}

fn rotated(x: &Tensor, positions: usize) -> Result<Tensor> {
    let size = SMALL.head_size();
    let table = |f: fn(f32) -> f32| {
        let angle = |i: usize| {
            let frequency = ROPE_THETA.powf(-2.0 * ((i % size) % (size / 2)) as f32 / size as f32);
            f((i / size) as f32 * frequency)
        };
        let values = (0..positions * size).map(angle).collect();
        Tensor::from_vec(values, (positions, size), &Device::Cpu)
    };
    let (first, second) = (x.narrow(3, 0, size / 2)?, x.narrow(3, size / 2, size / 2)?);
    let turned = Tensor::cat(&[&second.neg()?, &first], 3)?;
    x.broadcast_mul(&table(f32::cos)?)? + turned.broadcast_mul(&table(f32::sin)?)?
}

fn softmax(x: &Tensor) -> Result<Tensor> {
    let x = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    x.broadcast_div(&x.sum_keepdim(D::Minus1)?)
}

/// The mean loss, made of the library's operations alone.
fn reference_loss(variables: &[Var], batch: &Batch, sequences: usize) -> Result<Tensor> {
    let (rows, width) = (batch.inputs.len(), SMALL.width);
    let positions = rows / sequences;
    let future = |i: usize| if i % positions > i / positions { -1e9_f32 } else { 0.0 };
    let mask = (0..positions * positions).map(future).collect();
    let mask = Tensor::from_vec(mask, (positions, positions), &Device::Cpu)?;
    let ids = Tensor::new(batch.inputs.as_slice(), &Device::Cpu)?;
    let mut x = variables[0].index_select(&ids, 0)?;
    for block in variables[1..variables.len() - 1].chunks(6) {
        let packed = norm(&x, &block[0])?.matmul(&block[1])?;
        let heads = |i: usize| -> Result<Tensor> {
            let shape = (sequences, positions, SMALL.heads, SMALL.head_size());
            packed.narrow(1, i * width, width)?.reshape(shape)?.transpose(1, 2)?.contiguous()
        };
        let (q, k) = (rotated(&heads(0)?, positions)?, rotated(&heads(1)?, positions)?);
        let scores = (q.matmul(&k.t()?)? / (SMALL.head_size() as f64).sqrt())?;
        let contexts = softmax(&scores.broadcast_add(&mask)?)?.matmul(&heads(2)?)?;
        let contexts = contexts.transpose(1, 2)?.reshape((rows, width))?;
        x = (x + contexts.matmul(&block[2])?)?;
        let gate_up = norm(&x, &block[3])?.matmul(&block[4])?;
        let gate = gate_up.narrow(1, 0, SMALL.hidden)?.silu()?;
        let inner = (gate * gate_up.narrow(1, SMALL.hidden, SMALL.hidden)?)?;
        x = (x + inner.matmul(&block[5])?)?;
    }
    let scores = norm(&x, &variables[variables.len() - 1])?.matmul(&variables[0].t()?)?;
    let targets = Tensor::new(batch.targets.as_slice(), &Device::Cpu)?.unsqueeze(1)?;
    softmax(&scores)?.gather(&targets, 1)?.log()?.neg()?.mean_all()
}

#[test]
fn loss_and_gradients_agree_with_the_librarys_back_propagation() {
    let (model, variables) = model_and_variables();
    for (sequences, positions) in [(1, 8), (3, 8), (1, 5)] {
        let batch = batch(sequences, positions);
        let reference = reference_loss(&variables, &batch, sequences).unwrap();
        let expected = reference.backward().unwrap();
        let weight = (batch.targets.len() as f32).recip();
        let (loss, gradients) = model.gradients(&batch, weight).unwrap();
        let reference = f64::from(reference.to_scalar::<f32>().unwrap());
        assert!((loss - reference).abs() < 1e-4, "{loss} and {reference}");
        assert!((model.loss(&batch).unwrap() * f64::from(weight) - loss).abs() < 1e-6);
        for (((name, _), variable), gradient) in
            model.weights().iter().zip(&variables).zip(&gradients)
        {
            let expected = expected.get(variable).unwrap();
            let scale = largest(expected);
            let difference = largest(&(expected - gradient).unwrap());
            assert!(scale > 1e-6, "{name} learns nothing");
            assert!(difference < 2e-3 * scale, "{name} differs by {difference} of {scale}");
        }
    }
}

fn largest(tensor: &Tensor) -> f32 {
    tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

#[test]
fn a_position_does_not_see_what_follows() {
    let (model, _) = model_and_variables();
    let before = model.scores(&[5, 6, 7, 8]).unwrap();
    let after = model.scores(&[5, 6, 7, 200]).unwrap();
    assert_eq!(before[..3], after[..3]);
    assert_ne!(before[3], after[3]);
}

#[test]
fn the_first_weights_follow_from_the_seed() {
    let weights = |seed| {
        let model = Model::initial(SMALL, seed).unwrap();
        model.blocks[1].hidden_in.to_vec2::<f32>().unwrap()
    };
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
}

#[test]
fn a_token_outside_the_vocabulary_is_refused() {
    let model = Model::initial(SMALL, 1).unwrap();
    let batch = Batch { inputs: vec![300; 8], targets: vec![0; 8] };
    assert!(model.loss(&batch).is_err());
    assert_eq!(model.embedding.dtype(), DType::F32);
}
