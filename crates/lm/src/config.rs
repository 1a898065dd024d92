//! The size of a model and the settings of a training.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// The base of the rotary frequencies.
pub(crate) const ROPE_THETA: f32 = 10_000.0;
/// Keeps the root of a mean square away from zero.
pub(crate) const NORM_EPSILON: f32 = 1e-5;

/// The dimensions of a decoder-only transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Entries of the tokenizer.
    pub vocabulary: usize,
    /// Elements that carry one position from layer to layer.
    pub width: usize,
    /// Elements inside the gated feed-forward part.
    pub hidden: usize,
    /// Transformer blocks.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Positions a sequence may have.
    pub context: usize,
}

impl Dimensions {
    /// Checks that such a model can be built and held.
    ///
    /// # Errors
    /// Names the first dimension that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let bounds = [
            ("vocabulary", self.vocabulary, 257, 1 << 18),
            ("width", self.width, 8, 1 << 14),
            ("hidden", self.hidden, 8, 1 << 16),
            ("layers", self.layers, 1, 256),
            ("heads", self.heads, 1, 256),
            ("context", self.context, 8, 1 << 14),
        ];
        for (setting, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                let problem = format!("must be between {least} and {most}, not {value}");
                return Err(Error::Setting { setting, problem });
            }
        }
        if !self.width.is_multiple_of(2 * self.heads) {
            let problem =
                format!("must be a multiple of twice the {} heads, not {}", self.heads, self.width);
            return Err(Error::Setting { setting: "width", problem });
        }
        Ok(())
    }

    /// Elements of one attention head.
    #[must_use]
    pub fn head_size(&self) -> usize {
        self.width / self.heads.max(1)
    }

    /// Trainable numbers; the embedding serves input and output and counts once.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let block = 4 * self.width * self.width + 3 * self.width * self.hidden + 2 * self.width;
        self.vocabulary * self.width + self.layers * block + self.width
    }

    /// Floating-point operations to train on one token: six for each parameter that multiplies
    /// (forward once, backward twice, each a multiplication and an addition), and twelve for each
    /// layer, element of width and position of the context, for attention, counted without the
    /// causal saving as is usual.
    #[must_use]
    pub fn training_flops_per_token(&self) -> f64 {
        let multiplied = self.vocabulary * self.width
            + self.layers * (4 * self.width * self.width + 3 * self.width * self.hidden);
        let attention = 12 * self.layers * self.width * self.context;
        (6 * multiplied + attention) as f64
    }
}

/// A named size with training settings that suit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A million parameters: reads like English after a minute on two cores.
    Tiny,
    /// Ten million parameters: an hour on a workstation.
    Small,
    /// A hundred million parameters: for many cores and days.
    Base,
}

impl Preset {
    /// Every preset, smallest first.
    pub const ALL: [Preset; 3] = [Preset::Tiny, Preset::Small, Preset::Base];

    /// The name used on the command line and in services.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Preset::Tiny => "tiny",
            Preset::Small => "small",
            Preset::Base => "base",
        }
    }

    /// The dimensions of the model.
    #[must_use]
    pub fn dimensions(self) -> Dimensions {
        let of = |vocabulary, width, hidden, layers, heads, context| Dimensions {
            vocabulary,
            width,
            hidden,
            layers,
            heads,
            context,
        };
        match self {
            Preset::Tiny => of(2048, 128, 384, 4, 2, 128),
            Preset::Small => of(8192, 320, 896, 6, 5, 256),
            Preset::Base => of(16384, 768, 2048, 12, 12, 512),
        }
    }

    fn batch(self) -> usize {
        match self {
            Preset::Tiny => 8,
            Preset::Small => 16,
            Preset::Base => 32,
        }
    }

    fn learning_rate(self) -> f64 {
        match self {
            Preset::Tiny => 3e-3,
            Preset::Small => 1.5e-3,
            Preset::Base => 6e-4,
        }
    }
}

impl std::str::FromStr for Preset {
    type Err = Error;
    fn from_str(name: &str) -> Result<Preset, Error> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| Error::Setting {
            setting: "preset",
            problem: format!("is tiny, small or base, not {name:?}"),
        })
    }
}

/// Everything that decides a training beside its corpus.
#[derive(Clone, Debug)]
pub struct TrainConfig {
    /// The size of the model.
    pub dimensions: Dimensions,
    /// Sequences in one step.
    pub batch: usize,
    /// Steps after which training ends.
    pub steps: Option<u64>,
    /// Training time, over all resumptions, after which training ends.
    pub time_budget: Option<Duration>,
    /// The highest learning rate.
    pub learning_rate: f64,
    /// The part of the training in which the learning rate rises.
    pub warm_up: f64,
    /// How strongly AdamW pulls matrices towards zero.
    pub weight_decay: f64,
    /// The largest global norm a gradient keeps.
    pub clip_norm: f64,
    /// Decides the first weights and the order of the batches.
    pub seed: u64,
    /// The part of the text that is kept for validation.
    pub validation_fraction: f64,
    /// Validations over the whole training, evenly spread.
    pub validations: u32,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
    /// Worker threads; the processors this process may use when absent.
    pub threads: Option<NonZeroUsize>,
    /// Where measurements go as JSON lines; `metrics.jsonl` in the output folder when absent.
    pub metrics: Option<PathBuf>,
    /// Bytes of text taken at most; what a training of this length can use when absent.
    pub text_bytes_max: Option<u64>,
}

impl TrainConfig {
    /// The settings of a preset, ending after `steps`.
    #[must_use]
    pub fn steps(preset: Preset, steps: u64) -> TrainConfig {
        TrainConfig { steps: Some(steps), ..TrainConfig::of(preset) }
    }

    /// The settings of a preset, ending after `budget`.
    #[must_use]
    pub fn within(preset: Preset, budget: Duration) -> TrainConfig {
        TrainConfig { time_budget: Some(budget), ..TrainConfig::of(preset) }
    }

    fn of(preset: Preset) -> TrainConfig {
        TrainConfig {
            dimensions: preset.dimensions(),
            batch: preset.batch(),
            steps: None,
            time_budget: None,
            learning_rate: preset.learning_rate(),
            warm_up: 0.05,
            weight_decay: 0.1,
            clip_norm: 1.0,
            seed: 0,
            validation_fraction: 0.05,
            validations: 10,
            checkpoint_every: Duration::from_secs(30),
            threads: None,
            metrics: None,
            text_bytes_max: None,
        }
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// Names the first setting that does not.
    pub fn check(&self) -> Result<(), Error> {
        self.dimensions.check()?;
        let refuse =
            |setting, problem: &str| Err(Error::Setting { setting, problem: problem.to_owned() });
        if self.steps.is_none() && self.time_budget.is_none() {
            return refuse("steps", "or a time budget must say when training ends");
        }
        if self.steps == Some(0) || self.time_budget == Some(Duration::ZERO) {
            return refuse("steps", "and the time budget must not be zero");
        }
        if !(1..=4096).contains(&self.batch) {
            return refuse("batch", "must be between 1 and 4096");
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if !positive(self.learning_rate) || self.learning_rate > 1.0 {
            return refuse("learning rate", "must be above 0 and at most 1");
        }
        if !positive(self.clip_norm) {
            return refuse("clipping norm", "must be above 0");
        }
        if !(0.0..=1.0).contains(&self.weight_decay) || !(0.0..=1.0).contains(&self.warm_up) {
            return refuse("weight decay", "and warm-up must be between 0 and 1");
        }
        if !positive(self.validation_fraction) || self.validation_fraction > 0.5 {
            return refuse("validation fraction", "must be above 0 and at most a half");
        }
        Ok(())
    }

    /// The bytes of text that this training can at most make use of, generously estimated, so that
    /// the rest of a large corpus need not be tokenized.
    pub(crate) fn usable_text_bytes(&self) -> u64 {
        const BYTES_PER_TOKEN: f64 = 5.0;
        const THREAD_FLOPS: f64 = 8e10;
        const LEAST: f64 = (4 << 20) as f64;
        let speed = THREAD_FLOPS * self.worker_threads() as f64
            / self.dimensions.training_flops_per_token();
        let in_steps = |steps| steps as f64 * (self.batch * self.dimensions.context) as f64;
        let in_time = |budget: Duration| budget.as_secs_f64() * speed;
        let tokens = self
            .steps
            .map_or(f64::INFINITY, in_steps)
            .min(self.time_budget.map_or(f64::INFINITY, in_time));
        self.text_bytes_max.unwrap_or((BYTES_PER_TOKEN * tokens).max(LEAST) as u64)
    }

    /// The threads to use: what was asked for, or what this process may use.
    pub(crate) fn worker_threads(&self) -> usize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from)
    }
}

#[cfg(test)]
mod tests;
