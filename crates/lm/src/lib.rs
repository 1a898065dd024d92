//! Trains and serves a small language model: a decoder-only transformer with a byte-pair tokenizer,
//! in the layout that Hugging Face `transformers` loads unchanged.
//!
//! Not here: jobs, projects, hours, the network. Progress goes to a function that the caller gives.

mod attention;
mod batches;
mod block;
mod card;
mod checkpoint;
mod config;
mod corpus;
mod decoder;
mod error;
mod files;
mod generate;
mod kernels;
mod layout;
mod metrics;
mod model;
mod optimizer;
mod progress;
mod schedule;
mod tensors;
mod throughput;
mod tokenizer;
mod train;

pub use config::{Dimensions, Preset, TrainConfig};
pub use error::Error;
pub use generate::{GenerateConfig, Scored, generate, score};
pub use progress::{CorpusSummary, Progress, Report};
pub use throughput::environment;
pub use train::train;
