//! Training from a corpus to a model folder.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::batches;
use crate::card;
use crate::checkpoint::{self, Position, Saved};
use crate::corpus::{Corpus, Split};
use crate::metrics::Metrics;
use crate::model::Model;
use crate::optimizer::{self, Moments};
use crate::progress::{CorpusSummary, Progress, Report};
use crate::schedule::rate_factor;
use crate::throughput::peak_flops;
use crate::tokenizer::Tokenizer;
use crate::{Error, TrainConfig, layout};

/// Validation windows, spread over the validation text.
const VALIDATION_WINDOWS: usize = 32;
/// The least time between two measurements in the metrics.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Trains a model on the text files in `corpus` and leaves it in `out`. A training that was
/// interrupted there is continued. `observe` hears of every step; when it breaks, the state is
/// saved and training stops.
///
/// # Errors
/// When a setting, the corpus or a checkpoint is unusable, a file cannot be read or written, or the
/// loss leaves the range of numbers.
pub fn train(
    config: &TrainConfig,
    corpus: &[PathBuf],
    out: &Path,
    observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Report, Error> {
    config.check()?;
    fs::create_dir_all(out).map_err(Error::file("cannot create", out))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.worker_threads()).build()?;
    let mut training = Training::prepare(config, corpus, out, pool, observe)?;
    let stopped = training.run(observe)?;
    training.finish(stopped)
}

/// A training under way.
struct Training<'a> {
    config: TrainConfig,
    out: &'a Path,
    pool: ThreadPool,
    metrics: Metrics,
    text: Split,
    /// Of the text: its fingerprint, and the bytes taken at most.
    taken: (u64, u64),
    model: Model,
    moments: Vec<Moments>,
    position: Position,
    /// Steps and time of this process alone, without validations and checkpoints.
    stepped: (u64, Duration),
    peak_flops: f64,
    report: Report,
}

impl<'a> Training<'a> {
    fn prepare(
        config: &TrainConfig,
        sources: &[PathBuf],
        out: &'a Path,
        pool: ThreadPool,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Training<'a>, Error> {
        let saved = Saved::find(out)?;
        let text_bytes_max =
            saved.as_ref().map_or_else(|| config.usable_text_bytes(), Saved::text_bytes_max);
        let corpus = Corpus::read(sources, text_bytes_max)?;
        let mut summary = CorpusSummary {
            files: corpus.files(),
            files_skipped: corpus.files_skipped,
            bytes: corpus.bytes,
            bytes_found: corpus.bytes_found,
            ..CorpusSummary::default()
        };
        let _ = observe(&Progress::CorpusRead(summary));
        let (tokenizer, text) = pool.install(|| tokens(config, &corpus, (out, saved.is_some())))?;
        let mut config = config.clone();
        config.dimensions.vocabulary = tokenizer.entries();
        summary.training_tokens = text.training.len() as u64;
        summary.validation_tokens = text.validation.len() as u64;
        let _ = observe(&Progress::Tokenized { entries: tokenizer.entries(), corpus: summary });

        let fingerprint = text.fingerprint();
        let (position, model, moments) = match &saved {
            Some(saved) => saved.restore(&config, fingerprint)?,
            None => first_state(&config)?,
        };
        let resumed_at = saved.map(|_| position.step);
        let tokens = config.batch * config.dimensions.context;
        let peak_flops = pool.install(|| peak_flops(config.dimensions, tokens))?;
        let report = Report::new(&config, summary, pool.current_num_threads());
        let _ = observe(&Progress::Started {
            parameters: report.parameters,
            threads: report.threads,
            peak_flops,
            resumed_at,
        });
        let metrics = config.metrics.clone().unwrap_or_else(|| out.join("metrics.jsonl"));
        let metrics = Metrics::append_to(&metrics)?;
        let stepped = (0, Duration::ZERO);
        Ok(Training {
            config,
            out,
            pool,
            metrics,
            text,
            taken: (fingerprint, text_bytes_max),
            model,
            moments,
            position,
            stepped,
            peak_flops,
            report,
        })
    }

    /// Steps until the end, or until the observer stops it.
    fn run(
        &mut self,
        observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Error> {
        let mut clock = Instant::now();
        let (mut saved, mut measured) = (clock, Interval::starting(clock, self.stepped));
        let mut validated = self.due_validations();
        while self.progress() < 1.0 {
            let rate =
                self.config.learning_rate * rate_factor(self.progress(), self.config.warm_up);
            let loss = self.step(rate)?;
            measured.losses.push(loss);
            let now = Instant::now();
            self.position.spent += now - clock;
            clock = now;

            let flow = observe(&self.seen(loss, rate));
            let due = self.due_validations();
            let last = self.progress() >= 1.0;
            if measured.is_due(now) || due != validated || last {
                self.measure(&mut measured, rate, now)?;
            }
            if due != validated || last {
                validated = due;
                let loss = self.validate()?;
                let _ = observe(&Progress::Validated { step: self.position.step, loss });
            }
            if flow.is_break() && !last {
                self.save(observe)?;
                return Ok(flow);
            }
            if now - saved >= self.config.checkpoint_every && !last {
                self.save(observe)?;
                saved = Instant::now();
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// One step of the optimiser; returns the loss before it.
    fn step(&mut self, learning_rate: f64) -> Result<f64, Error> {
        let started = Instant::now();
        let config = &self.config;
        let sizes = (config.batch, config.dimensions.context);
        let at = (config.seed, self.position.step);
        let shards = batches::draw(&self.text.training, at, sizes, self.report.threads);
        let weight = ((config.batch * config.dimensions.context) as f32).recip();
        let step = optimizer::Step {
            number: self.position.step + 1,
            learning_rate,
            weight_decay: config.weight_decay,
            clip_norm: config.clip_norm,
        };
        let (model, moments) = (&self.model, &mut self.moments);
        let loss = self.pool.install(|| -> Result<f64, Error> {
            let gradients = shards.par_iter().map(|shard| model.gradients(shard, weight));
            let gradients = gradients.collect::<Result<Vec<_>, _>>()?;
            let loss = gradients.iter().map(|(loss, _)| loss).sum();
            let gradients: Vec<_> = gradients.into_iter().map(|(_, gradients)| gradients).collect();
            let norm = optimizer::update(&model.weights(), moments, &gradients, step)?;
            if norm.is_finite() { Ok(loss) } else { Ok(f64::NAN) }
        })?;
        if !loss.is_finite() {
            return Err(Error::Diverged { step: step.number });
        }
        self.position.step += 1;
        self.stepped = (self.stepped.0 + 1, self.stepped.1 + started.elapsed());
        Ok(loss)
    }

    /// The part of the training that is done.
    fn progress(&self) -> f64 {
        let part = |done: f64, of: f64| done / of;
        let steps = self.config.steps.map(|steps| part(self.position.step as f64, steps as f64));
        let budget = self.config.time_budget;
        let time = budget.map(|b| part(self.position.spent.as_secs_f64(), b.as_secs_f64()));
        steps.unwrap_or(0.0).max(time.unwrap_or(0.0))
    }

    fn due_validations(&self) -> u64 {
        (self.progress() * f64::from(self.config.validations)) as u64
    }

    fn tokens_per_second(&self, (steps, time): (u64, Duration)) -> f64 {
        let tokens = steps * (self.config.batch * self.config.dimensions.context) as u64;
        tokens as f64 / time.as_secs_f64().max(1e-9)
    }

    fn peak_fraction(&self, tokens_per_second: f64) -> f64 {
        tokens_per_second * self.config.dimensions.training_flops_per_token() / self.peak_flops
    }

    fn seen(&self, loss: f64, learning_rate: f64) -> Progress {
        let tokens_per_second = self.tokens_per_second(self.stepped);
        Progress::Step {
            step: self.position.step,
            done: self.progress().min(1.0),
            loss,
            learning_rate,
            tokens_per_second,
            peak_fraction: self.peak_fraction(tokens_per_second),
        }
    }

    fn measure(&mut self, interval: &mut Interval, rate: f64, now: Instant) -> Result<(), Error> {
        let (steps, time) = interval.stepped;
        let speed = self.tokens_per_second((self.stepped.0 - steps, self.stepped.1 - time));
        let loss = interval.losses.iter().sum::<f64>() / interval.losses.len().max(1) as f64;
        let values = [
            ("loss", loss),
            ("learning_rate", rate),
            ("tokens_per_second", speed),
            ("peak_fraction", self.peak_fraction(speed)),
        ];
        self.report.loss = loss;
        *interval = Interval::starting(now, self.stepped);
        self.metrics.write(self.position.step, &values)
    }

    fn validate(&mut self) -> Result<f64, Error> {
        let context = self.config.dimensions.context;
        let batch = (self.config.batch / self.report.threads).max(1);
        let windows = batches::spread(&self.text.validation, context, VALIDATION_WINDOWS, batch);
        let model = &self.model;
        let losses = self
            .pool
            .install(|| windows.par_iter().map(|w| model.loss(w)).collect::<Result<Vec<_>, _>>())?;
        let tokens: usize = windows.iter().map(|window| window.targets.len()).sum();
        let loss = losses.iter().sum::<f64>() / tokens.max(1) as f64;
        self.report.validation_loss = loss;
        self.metrics.write(self.position.step, &[("validation_loss", loss)])?;
        Ok(loss)
    }

    fn save(&self, observe: &mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Result<(), Error> {
        let identity = (&self.config, self.taken.0, self.taken.1);
        checkpoint::save(self.out, identity, self.position, (&self.model, &self.moments))?;
        let _ = observe(&Progress::Checkpointed { step: self.position.step });
        Ok(())
    }

    /// Writes the model, unless training was stopped before its end.
    fn finish(mut self, stopped: ControlFlow<()>) -> Result<Report, Error> {
        let speed = self.tokens_per_second(self.stepped);
        self.report.steps = self.position.step;
        self.report.seconds = self.position.spent.as_secs_f64();
        self.report.tokens_per_second = speed;
        self.report.peak_flops = self.peak_flops;
        self.report.peak_fraction = self.peak_fraction(speed);
        self.report.completed = stopped.is_continue();
        if self.report.completed {
            let card = card::text(&self.config, &self.report);
            layout::write(self.out, &self.model, &card)?;
            checkpoint::remove(self.out)?;
        }
        Ok(self.report)
    }
}

/// What was seen since the last measurement.
struct Interval {
    since: Instant,
    stepped: (u64, Duration),
    losses: Vec<f64>,
}

impl Interval {
    fn starting(since: Instant, stepped: (u64, Duration)) -> Interval {
        Interval { since, stepped, losses: Vec::new() }
    }

    fn is_due(&self, now: Instant) -> bool {
        now - self.since >= MEASURE_EVERY
    }
}

/// The tokenizer of this training, kept from an interrupted one or new, and the tokens of the
/// corpus.
fn tokens(
    config: &TrainConfig,
    corpus: &Corpus,
    (out, resumed): (&Path, bool),
) -> Result<(Tokenizer, Split), Error> {
    let window = config.dimensions.context + 1;
    let too_small = |found| Error::CorpusTooSmall {
        files: corpus.files(),
        skipped: corpus.files_skipped,
        found,
        needed: 2 * window,
    };
    if corpus.files() == 0 {
        return Err(too_small(0));
    }
    let kept = out.join(layout::TOKENIZER);
    let tokenizer = if resumed {
        Tokenizer::load(&kept)?
    } else {
        Tokenizer::train(corpus.sample(), config.dimensions.vocabulary)?
    };
    let tokens = corpus.tokens(&tokenizer)?;
    let split = Split::new(&tokens, config.validation_fraction, window);
    let split = split.ok_or_else(|| too_small(tokens.len()))?;
    layout::write_tokenizer(out, &tokenizer, config.dimensions.context)?;
    Ok((tokenizer, split))
}

fn first_state(config: &TrainConfig) -> Result<(Position, Model, Vec<Moments>), Error> {
    let model = Model::initial(config.dimensions, config.seed)?;
    let elements = model.weights().into_iter().map(|(_, weight)| weight.elem_count());
    let moments = elements.map(Moments::zero).collect();
    Ok((Position::default(), model, moments))
}

#[cfg(test)]
mod tests;
