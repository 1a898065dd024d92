//! What a training tells while it runs and when it has ended.

use crate::TrainConfig;

/// The text that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorpusSummary {
    /// Text files read.
    pub files: usize,
    /// Files skipped because they are not UTF-8 text, or empty.
    pub files_skipped: usize,
    /// Bytes of text taken: no more than a training of this length can use.
    pub bytes: u64,
    /// Bytes of text found.
    pub bytes_found: u64,
    /// Tokens to learn from.
    pub training_tokens: u64,
    /// Tokens kept for validation.
    pub validation_tokens: u64,
}

/// A moment of a training.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// The files have been read; their tokens are not counted yet.
    CorpusRead(CorpusSummary),
    /// The tokenizer is ready and has been applied.
    Tokenized {
        /// Entries of the tokenizer.
        entries: usize,
        /// The text with its tokens counted.
        corpus: CorpusSummary,
    },
    /// Steps begin.
    Started {
        /// Trainable numbers of the model.
        parameters: usize,
        /// Worker threads.
        threads: usize,
        /// The best rate of a matrix product of the model's shapes on this machine, in
        /// floating-point operations per second.
        peak_flops: f64,
        /// The step at which an interrupted training continues.
        resumed_at: Option<u64>,
    },
    /// One step was made.
    Step {
        /// Its number, from one.
        step: u64,
        /// The part of the training that is done, 0 to 1.
        done: f64,
        /// The mean loss on its batch.
        loss: f64,
        /// The learning rate that it used.
        learning_rate: f64,
        /// Tokens learnt from per second of stepping, since this process began.
        tokens_per_second: f64,
        /// The operations that this takes, as a part of the measured peak.
        peak_fraction: f64,
    },
    /// The model was tried on text that it does not learn from.
    Validated {
        /// Steps made.
        step: u64,
        /// The mean loss.
        loss: f64,
    },
    /// The state was saved.
    Checkpointed {
        /// Steps made.
        step: u64,
    },
}

/// The outcome of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whether it reached its end; otherwise it was stopped and can be continued.
    pub completed: bool,
    /// The text.
    pub corpus: CorpusSummary,
    /// Trainable numbers of the model.
    pub parameters: usize,
    /// Worker threads.
    pub threads: usize,
    /// Steps made, over all resumptions.
    pub steps: u64,
    /// Tokens in one step.
    pub tokens_per_step: usize,
    /// Time spent on them, over all resumptions.
    pub seconds: f64,
    /// The mean loss over the last measured steps.
    pub loss: f64,
    /// The last validation loss.
    pub validation_loss: f64,
    /// Tokens learnt from per second of stepping, in this process.
    pub tokens_per_second: f64,
    /// The best rate of a matrix product of the model's shapes, in floating-point operations per
    /// second.
    pub peak_flops: f64,
    /// The operations of training as a part of that peak.
    pub peak_fraction: f64,
}

impl Report {
    pub(crate) fn new(config: &TrainConfig, corpus: CorpusSummary, threads: usize) -> Report {
        Report {
            completed: false,
            corpus,
            parameters: config.dimensions.parameters(),
            threads,
            steps: 0,
            tokens_per_step: config.batch * config.dimensions.context,
            seconds: 0.0,
            loss: f64::NAN,
            validation_loss: f64::NAN,
            tokens_per_second: 0.0,
            peak_flops: 0.0,
            peak_fraction: 0.0,
        }
    }
}
