//! `usine lm`: train a small language model and let it continue a text, without a hub. The services
//! `train-lm` and `generate-text` call these commands.

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args as ClapArgs, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use lm::{GenerateConfig, Preset, Progress, Report, TrainConfig};

use crate::output::Audience;

/// Time between two lines of progress where there is no terminal.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The arguments of `usine lm`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a model on text files; an interrupted training is continued.
    Train(Train),
    /// Continue a text with a trained model.
    Generate(Generate),
}

#[derive(ClapArgs)]
struct Train {
    /// A text file, or a folder of them; may be given several times.
    #[arg(long = "corpus", visible_alias = "data", value_name = "PATH", required = true)]
    corpus: Vec<PathBuf>,
    /// The folder that receives the model.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The size of the model: tiny, small or base.
    #[arg(long, default_value = "tiny")]
    preset: Preset,
    /// Steps after which training ends [default: 1000 where no time is given].
    #[arg(long)]
    steps: Option<u64>,
    /// Seconds of training after which it ends.
    #[arg(long = "seconds", visible_alias = "time-budget-seconds")]
    seconds: Option<u64>,
    /// Sequences in one step [default: the preset's].
    #[arg(long)]
    batch: Option<usize>,
    /// Tokens in one sequence [default: the preset's].
    #[arg(long)]
    context: Option<usize>,
    /// The highest learning rate [default: the preset's].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Decides the first weights and the order of the text.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Worker threads [default: the processors this process may use].
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Where measurements go, one JSON object a line [default: metrics.jsonl in the folder].
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

#[derive(ClapArgs)]
struct Generate {
    /// The folder of the model.
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// The text to continue.
    #[arg(long)]
    prompt: String,
    /// Tokens to add at most.
    #[arg(long = "tokens", visible_alias = "max-tokens", default_value_t = 120)]
    tokens: usize,
    /// How freely each token is chosen; 0 always takes the likeliest.
    #[arg(long, default_value_t = 0.8)]
    temperature: f32,
    /// Consider only so many of the likeliest tokens; 0 considers all.
    #[arg(long, default_value_t = 40)]
    top_k: usize,
    /// Decides the choices.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Carries out `usine lm`.
pub(crate) fn run(arguments: Args, audience: Audience) -> Result<()> {
    match arguments.command {
        Command::Train(arguments) => train(arguments, audience),
        Command::Generate(arguments) => generate(&arguments),
    }
}

fn train(arguments: Train, audience: Audience) -> Result<()> {
    let threads = arguments.threads.or_else(|| std::thread::available_parallelism().ok());
    settle_environment(threads.unwrap_or(NonZeroUsize::MIN))?;
    let stop = stop_on_signal()?;
    let config = config(&arguments);
    let mut teller = Teller::new(audience, config.steps);
    let report = lm::train(&config, &arguments.corpus, &arguments.out, &mut |progress| {
        teller.tell(progress);
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    teller.finish();
    if !report.completed {
        bail!("stopped at step {}; the same command continues from there", report.steps);
    }
    match audience {
        Audience::People => println!("{}", summary(&report, &arguments)),
        Audience::Programs => println!("{}", serde_json::to_string_pretty(&json(&report))?),
    }
    Ok(())
}

fn config(arguments: &Train) -> TrainConfig {
    let preset = arguments.preset;
    let mut config = match (arguments.steps, arguments.seconds.map(Duration::from_secs)) {
        (None, Some(budget)) => TrainConfig::within(preset, budget),
        (steps, budget) => {
            TrainConfig { time_budget: budget, ..TrainConfig::steps(preset, steps.unwrap_or(1000)) }
        }
    };
    config.dimensions.context = arguments.context.unwrap_or(config.dimensions.context);
    config.batch = arguments.batch.unwrap_or(config.batch);
    config.learning_rate = arguments.learning_rate.unwrap_or(config.learning_rate);
    config.seed = arguments.seed;
    config.threads = arguments.threads;
    config.metrics.clone_from(&arguments.metrics);
    config
}

/// Begins this program anew, in the same process, if the tensor library has not been told how many
/// threads to use: it reads that from the environment alone.
fn settle_environment(threads: NonZeroUsize) -> Result<()> {
    let wanted = lm::environment(threads);
    if wanted.iter().all(|(name, _)| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let error =
        std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(wanted).exec();
    Err(error).context("cannot begin anew with the environment that training needs")
}

/// A flag that is set when this process is asked to end.
fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _guard = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
        });
        flag.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}

/// Tells people how a training goes: a bar at a terminal, a line now and then in a log.
struct Teller {
    audience: Audience,
    steps: Option<u64>,
    bar: ProgressBar,
    told: Option<Instant>,
}

impl Teller {
    fn new(audience: Audience, steps: Option<u64>) -> Teller {
        let terminal = audience == Audience::People && std::io::stdout().is_terminal();
        let bar = if terminal { ProgressBar::new(1000) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} % {msg}") {
            bar.set_style(style);
        }
        Teller { audience, steps, bar, told: None }
    }

    fn tell(&mut self, progress: &Progress) {
        if let Progress::Step { step, done, loss, tokens_per_second, peak_fraction, .. } = progress
        {
            let of = self.steps.map(|steps| format!(" of {steps}")).unwrap_or_default();
            let line = format!(
                "step {step}{of}: loss {loss:.3}, {tokens_per_second:.0} tokens/s, {:.0} % of peak",
                peak_fraction * 100.0
            );
            self.bar.set_position((done * 1000.0) as u64);
            self.bar.set_message(line.clone());
            if self.bar.is_hidden() && self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                self.told = Some(Instant::now());
                self.say(&format!("{:3.0} % {line}", done * 100.0));
            }
        } else if let Some(line) = moment(progress) {
            self.say(&line);
        }
    }

    fn say(&self, line: &str) {
        if self.audience == Audience::People {
            self.bar.suspend(|| println!("{line}"));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A moment of a training in words, unless it is a step.
fn moment(progress: &Progress) -> Option<String> {
    let text = match progress {
        Progress::CorpusRead(corpus) => format!(
            "Read {} of text in {} files ({} skipped: not text).",
            megabytes(corpus.bytes_found),
            corpus.files,
            corpus.files_skipped
        ),
        Progress::Tokenized { entries, corpus } => format!(
            "Learnt {entries} byte pairs; {} of the text make {} tokens to learn from and {} to \
             validate on.",
            megabytes(corpus.bytes),
            corpus.training_tokens,
            corpus.validation_tokens
        ),
        Progress::Started { parameters, threads, peak_flops, resumed_at } => {
            let from = resumed_at.map(|step| format!(", continued from step {step}"));
            format!(
                "Training {parameters} parameters on {threads} threads, whose matrix products reach \
                 {:.0} GFLOP/s{}.",
                peak_flops / 1e9,
                from.unwrap_or_default()
            )
        }
        Progress::Validated { step, loss } => format!("step {step}: validation loss {loss:.3}"),
        Progress::Checkpointed { step } => format!("step {step}: checkpoint written"),
        _ => return None,
    };
    Some(text)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn summary(report: &Report, arguments: &Train) -> String {
    format!(
        "Trained {} steps of {} tokens in {:.1} s: loss {:.3}, validation loss {:.3}, {:.0} \
         tokens/s ({:.0} % of the peak of {:.0} GFLOP/s).\nThe model is in {}.",
        report.steps,
        report.tokens_per_step,
        report.seconds,
        report.loss,
        report.validation_loss,
        report.tokens_per_second,
        report.peak_fraction * 100.0,
        report.peak_flops / 1e9,
        arguments.out.display()
    )
}

fn json(report: &Report) -> serde_json::Value {
    serde_json::json!({
        "steps": report.steps,
        "tokens_per_step": report.tokens_per_step,
        "parameters": report.parameters,
        "threads": report.threads,
        "seconds": report.seconds,
        "loss": report.loss,
        "validation_loss": report.validation_loss,
        "tokens_per_second": report.tokens_per_second,
        "peak_flops": report.peak_flops,
        "peak_fraction": report.peak_fraction,
        "corpus": {
            "files": report.corpus.files,
            "files_skipped": report.corpus.files_skipped,
            "bytes_found": report.corpus.bytes_found,
            "bytes": report.corpus.bytes,
            "training_tokens": report.corpus.training_tokens,
            "validation_tokens": report.corpus.validation_tokens,
        },
    })
}

fn generate(arguments: &Generate) -> Result<()> {
    let config = GenerateConfig {
        tokens_max: arguments.tokens,
        temperature: arguments.temperature,
        top_k: arguments.top_k,
        seed: arguments.seed,
    };
    let mut out = std::io::stdout();
    let mut failed = out.write_all(arguments.prompt.as_bytes()).err();
    lm::generate(&arguments.model, &arguments.prompt, config, &mut |piece| {
        let written = out.write_all(piece.as_bytes()).and_then(|()| out.flush());
        failed = failed.take().or(written.err());
    })?;
    if let Some(error) = failed {
        return Err(error).context("cannot write the text");
    }
    println!();
    Ok(())
}
