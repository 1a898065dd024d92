//! Steps 5 and 6: a model is trained on the text, and asked to go on with a sentence.

use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Story;
use crate::command::job::{Follower, ended_well, follow, state};
use crate::command::model::Listening;
use crate::output::{entries, number, step_bar, text, work};

/// How often a line is printed where no bar can be.
const LINE_SECONDS: u64 = 15;

/// Trains with the service `train-lm` and shows where the model came from.
pub(super) async fn train(story: &mut Story, seconds: u64) -> Result<()> {
    story.narrator.heading("It trains a language model on its hours");
    let values = json!({ "dataset": story.dataset, "steps": 1_000_000, "seconds": seconds });
    let submission = json!({
        "allocation": story.allocation,
        "service": { "name": "train-lm", "values": values },
        "outputs": [{ "name": "model", "repository": "first-model" }],
        "options": [format!("--time={}", seconds.div_ceil(60).saturating_add(10))],
    });
    let path = format!("/projects/{}/jobs", story.project);
    let submitted = story.ada.post(&path, &submission).await?;
    let job = text(&submitted, "/id");
    let narrator = &story.narrator;
    narrator.say(&format!(
        "Job {job} runs the service train-lm for about {seconds} s of training. {} are held for its \
         time limit; what it does not use comes back.",
        work(&submitted, "/held"),
    ));
    narrator.aside(&format!(
        "This machine stands in for {}: the job really runs here, on this machine's cores.",
        story.partition
    ));
    narrator.pause();
    let mut watching = Watching::new(seconds);
    let followed = follow(&story.ada, &job, &mut watching).await?;
    watching.bar.finish_and_clear();
    ended_well(&followed.job)?;
    tell_training(story, &followed.job, &watching);
    tell_model(story, &followed.job).await
}

fn tell_training(story: &Story, job: &Value, seen: &Watching) {
    let narrator = &story.narrator;
    narrator.check(true, &format!("the job {}", state(job)));
    let known = |name: &str, of: &dyn Fn(f64) -> String, value: Option<f64>| {
        if let Some(value) = value {
            narrator.figure(name, &of(value));
        }
    };
    narrator.figure("steps", &seen.step.to_string());
    if let (Some(first), Some(last)) = (seen.first_loss, seen.loss) {
        narrator.figure("loss", &format!("{first:.2} at the first step, {last:.2} at the last"));
    }
    known("on unseen text", &|loss| format!("{loss:.2}"), seen.validation_loss);
    known("speed", &|speed| format!("{speed:.0} tokens per second"), seen.tokens_per_second);
    let peak = |part: f64| {
        format!("{:.0} % of what a matrix product reaches on these cores", part * 100.0)
    };
    known("which is", &peak, seen.peak_fraction);
    narrator.figure("rate", &text(job, "/rate"));
    let (charged, held) = (work(job, "/charged"), work(job, "/held"));
    narrator.figure("charged", &format!("{charged}, out of {held} held"));
}

async fn tell_model(story: &mut Story, job: &Value) -> Result<()> {
    let output = entries(job, "/outputs").first().context("the job has no output")?;
    if !text(output, "/refused").is_empty() {
        anyhow::bail!("the model could not be kept: {}", text(output, "/refused"));
    }
    story.model = text(output, "/repository");
    let path =
        format!("/repositories/{}/revisions/{}/lineage", story.model, text(output, "/revision"));
    let lineage = story.ada.get(&path).await?;
    let of = |key: &str| text(&lineage, key);
    let narrator = &story.narrator;
    narrator.pause();
    narrator.say("The result is a model whose revision says what it was made from:");
    narrator.figure(
        "model",
        &format!("{} revision {}", of("/repository/name"), number(&lineage, "/revision/number")),
    );
    let dataset = "/inputs/dataset";
    narrator.figure(
        "from the dataset",
        &format!(
            "{} revision {} ({})",
            of(&format!("{dataset}/repository/name")),
            number(&lineage, &format!("{dataset}/revision/number")),
            of(&format!("{dataset}/revision/id")),
        ),
    );
    narrator.figure("by the job", &of("/revision/making/job"));
    narrator.figure("on the allocation", &of("/revision/making/allocation"));
    let commit = of("/revision/making/program_commit");
    let commit = if commit.is_empty() { "of an unknown commit".to_owned() } else { commit };
    narrator.figure(
        "running the code",
        &format!(
            "service {} version {}, usine {} {commit}",
            of("/revision/making/recipe/name"),
            of("/revision/making/recipe/version"),
            of("/revision/making/program_version"),
        ),
    );
    Ok(())
}

/// Shows a training while it goes on.
struct Watching {
    bar: ProgressBar,
    seconds: u64,
    running_since: Option<Instant>,
    told: Option<Instant>,
    step: i64,
    first_loss: Option<f64>,
    loss: Option<f64>,
    validation_loss: Option<f64>,
    tokens_per_second: Option<f64>,
    peak_fraction: Option<f64>,
}

impl Watching {
    fn new(seconds: u64) -> Self {
        Self {
            bar: step_bar(seconds, "queued"),
            seconds,
            running_since: None,
            told: None,
            step: 0,
            first_loss: None,
            loss: None,
            validation_loss: None,
            tokens_per_second: None,
            peak_fraction: None,
        }
    }

    fn line(&self) -> String {
        let mut line = format!("step {}", self.step);
        if let Some(loss) = self.loss {
            line.push_str(&format!("  loss {loss:.3}"));
        }
        if let Some(loss) = self.validation_loss {
            line.push_str(&format!("  unseen {loss:.3}"));
        }
        if let Some(speed) = self.tokens_per_second {
            line.push_str(&format!("  {speed:.0} tokens/s"));
        }
        line
    }
}

impl Follower for Watching {
    fn state(&mut self, job: &Value) {
        self.bar.set_prefix(state(job));
        if text(job, "/state") == "running" {
            let since = *self.running_since.get_or_insert_with(Instant::now);
            self.bar.set_position(since.elapsed().as_secs().min(self.seconds));
        }
        self.bar.set_message(self.line());
        let silent = self.told.is_none_or(|told| told.elapsed().as_secs() >= LINE_SECONDS);
        if self.bar.is_hidden() && self.step > 0 && silent {
            self.told = Some(Instant::now());
            println!("   {}", self.line());
        }
    }

    fn wrote(&mut self, _text: &str) {}

    fn measured(&mut self, metric: &Value) {
        let value = metric.pointer("/value").and_then(Value::as_f64);
        self.step = self.step.max(number(metric, "/step"));
        match text(metric, "/name").as_str() {
            "loss" => {
                self.first_loss = self.first_loss.or(value);
                self.loss = value;
            }
            "validation_loss" => self.validation_loss = value,
            "tokens_per_second" => self.tokens_per_second = value,
            "peak_fraction" => self.peak_fraction = value,
            _ => {}
        }
    }
}

/// Asks the model to go on with a sentence.
pub(super) async fn generate(story: &mut Story) -> Result<()> {
    const PROMPT: &str = "This crate provides";
    story.narrator.heading("It lets the model write");
    let values =
        json!({ "model": story.model, "prompt": PROMPT, "tokens": 100, "temperature": 60 });
    let submission = json!({
        "allocation": story.allocation,
        "service": { "name": "generate-text", "values": values },
    });
    let path = format!("/projects/{}/jobs", story.project);
    let submitted = story.ada.post(&path, &submission).await?;
    let mut listening = Listening::default();
    let followed = follow(&story.ada, &text(&submitted, "/id"), &mut listening).await?;
    listening.bar.finish_and_clear();
    ended_well(&followed.job)?;
    let narrator = &story.narrator;
    narrator.say(&format!("Asked to go on after “{PROMPT}”, it writes:"));
    narrator.pause();
    narrator.quote(listening.written.trim());
    narrator.pause();
    narrator.aside(
        "A model of this size, after so short a training, has learnt how words and documentation \
         look, not what they mean.",
    );
    narrator.figure("charged", &work(&followed.job, "/charged"));
    Ok(())
}
