//! What can go wrong while training or generating.

use std::path::PathBuf;

/// Why a model could not be trained, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{action} {}", path.display())]
    File {
        /// What was attempted, as in "cannot read".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The corpus holds too little text to learn from.
    #[error(
        "the corpus has {found} tokens of text in {files} files ({skipped} files are not text), \
         but training with this context needs at least {needed}"
    )]
    CorpusTooSmall {
        /// Text files read.
        files: usize,
        /// Files skipped because they are not UTF-8 text.
        skipped: usize,
        /// Tokens in the text.
        found: usize,
        /// Tokens needed for one training and one validation window.
        needed: usize,
    },
    /// A setting is out of range or contradicts another.
    #[error("{setting} {problem}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A model or checkpoint on disk is not what it should be.
    #[error("{} {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint was written by a training with other settings.
    #[error(
        "the checkpoint in {} was made with another {setting} ({found} there, {wanted} here)",
        path.display()
    )]
    OtherTraining {
        /// The folder of the checkpoint.
        path: PathBuf,
        /// The setting that differs.
        setting: &'static str,
        /// Its value in the checkpoint.
        found: String,
        /// Its value in this training.
        wanted: String,
    },
    /// The loss left the range of numbers.
    #[error("the loss became infinite or undefined at step {step}; try a lower learning rate")]
    Diverged {
        /// The step.
        step: u64,
    },
    /// The tokenizer library refused its input.
    #[error("the tokenizer failed")]
    Tokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tensor library refused an operation.
    #[error("a tensor operation failed")]
    Tensor(#[from] candle_core::Error),
    /// The worker threads could not be started.
    #[error("cannot start the worker threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Error {
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { action, path, source }
    }

    pub(crate) fn malformed(path: impl Into<PathBuf>, problem: impl ToString) -> Error {
        Error::Malformed { path: path.into(), problem: problem.to_string() }
    }
}
