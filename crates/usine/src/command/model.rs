//! `usine model`: models, and text from them.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::data::{Common, common, find};
use super::job::{Follower, ended_well, follow};
use super::{Session, segment};
use crate::output::{spinner, text};
use crate::remote::wait;

/// Models.
#[derive(Subcommand)]
pub(crate) enum ModelCommand {
    /// Generate text with a language model, as a job of the service generate-text.
    Generate {
        /// The model's name or identifier.
        model: String,
        /// The text to continue.
        #[arg(long, default_value = "The ")]
        prompt: String,
        /// How many tokens to add.
        #[arg(long, default_value_t = 100)]
        tokens: u32,
        /// The project whose hours it uses.
        #[arg(long, value_name = "ID")]
        project: String,
        /// Hundredths: 0 always takes the likeliest token.
        #[arg(long, default_value_t = 80)]
        temperature: u32,
        /// Seed of the random numbers.
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    #[command(flatten)]
    Common(Common),
}

/// Carries out `usine model`.
pub(crate) fn model(command: &ModelCommand, session: &Session) -> Result<()> {
    let ModelCommand::Generate { model, prompt, tokens, project, temperature, seed } = command
    else {
        let ModelCommand::Common(command) = command else { return Ok(()) };
        return common("model", command, session);
    };
    let remote = session.remote()?;
    wait(async {
        let found = find(&remote, "model", model).await?;
        let values = json!({
            "model": text(&found, "/id"),
            "prompt": prompt,
            "tokens": tokens,
            "temperature": temperature,
            "seed": seed,
        });
        let body = json!({ "service": { "name": "generate-text", "values": values } });
        let path = format!("/projects/{}/jobs", segment(project));
        let submitted = remote.post(&path, &body).await?;
        let mut listening = Listening::default();
        let followed = follow(&remote, &text(&submitted, "/id"), &mut listening).await?;
        listening.bar.finish_and_clear();
        ended_well(&followed.job)?;
        let both = json!({ "job": followed.job, "text": listening.written });
        session.audience.show(&both, |both| println!("{}", text(both, "/text")))
    })
}

/// Keeps what a job writes.
pub(crate) struct Listening {
    pub(crate) written: String,
    pub(crate) bar: indicatif::ProgressBar,
}

impl Default for Listening {
    fn default() -> Self {
        Self { written: String::new(), bar: spinner("generating") }
    }
}

impl Follower for Listening {
    fn state(&mut self, job: &Value) {
        self.bar.set_message(super::job::state(job));
    }

    fn wrote(&mut self, text: &str) {
        self.written.push_str(text);
    }

    fn measured(&mut self, _metric: &Value) {}
}
