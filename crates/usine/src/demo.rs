//! `usine demo`: the whole way once, from an agreement to a trained model, through the HTTP API.
//!
//! The factory is started as `usine up` starts it. From then on the story speaks to it only over
//! HTTP, as the people in it would; nothing in it is prepared, and every figure is read back from
//! the hub. At the end the factory stays, with everything that the story left in it.

mod access;
mod closing;
mod federation;
mod narrator;
mod training;
mod upload;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::config::{Config, ConfigFile};
use crate::corpus::{BYTES_MIN, Corpus};
use crate::exit::{Failure, Told};
use crate::factory::Factory;
use crate::output::{bytes, text};
use crate::remote::Remote;
use crate::remote::credentials::Token;
use crate::up::{runtime, told_to_stop};
use narrator::Narrator;
use units::PersonId;

/// What the folder is called when nobody names one.
const FOLDER: &str = "usine-demo";

/// Play the main job once: from an agreement to a trained model, on this machine.
#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Text to learn from: a file or a folder [default: readable text found on this machine].
    #[arg(long, value_name = "PATH")]
    corpus: Option<PathBuf>,
    /// How long to train.
    #[arg(long, value_name = "SECONDS", default_value_t = 75,
        value_parser = clap::value_parser!(u64).range(5..=3_000))]
    seconds: u64,
    /// End after the story instead of leaving the portal running.
    #[arg(long)]
    once: bool,
    /// Where the factory keeps everything; must be new or empty [default: usine-demo].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the hub listens; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// What the story has come to so far.
struct Story {
    narrator: Narrator,
    /// The start-up's engineer.
    ada: Remote,
    ada_id: PersonId,
    /// The hub's administrator, who may check the ledger.
    administrator: Remote,
    administrator_id: PersonId,
    /// The partition that this machine stands in for.
    partition: String,
    organisation: String,
    project: String,
    allocation: String,
    dataset: String,
    model: String,
}

/// Plays the story.
pub(crate) fn run(arguments: DemoArguments) -> Result<()> {
    crate::logging("warn");
    let corpus = corpus(arguments.corpus.as_deref())?;
    let mut config = Config::load(&arguments.config)?;
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.data = new_folder(arguments.data.as_deref())?;
    // The story asks faster than people do.
    config.web.requests_per_minute = config.web.requests_per_minute.max(100_000);
    runtime()?.block_on(async {
        let factory = Factory::start(&config).await?;
        let told = tokio::select! {
            told = tell(&factory, &config, &corpus, arguments.seconds) => told,
            stopped = told_to_stop() => stopped.and(Err(interrupted())),
        };
        match told {
            Ok(story) if arguments.once => {
                let seconds = story.narrator.elapsed().as_secs();
                story.narrator.say(&format!("The story took {seconds} s. The factory stops now."));
                factory.stop().await
            }
            Ok(story) => {
                closing::leave_open(&story, &factory, &config).await?;
                told_to_stop().await?;
                println!("\nstopping; start the same factory again with:");
                println!("  usine up --data {}", config.data.display());
                factory.stop().await
            }
            Err(error) => {
                closing::cancel_jobs(&factory).await;
                factory.stop().await?;
                Err(error)
            }
        }
    })
}

fn interrupted() -> anyhow::Error {
    Told::new(Failure::Failed, "stopped before the end of the story").into()
}

/// The seven steps.
async fn tell(factory: &Factory, config: &Config, corpus: &Corpus, seconds: u64) -> Result<Story> {
    let mut story = begin(factory, config).await?;
    federation::tell(&mut story).await?;
    access::assess(&mut story).await?;
    access::apply(&mut story).await?;
    upload::tell(&mut story, corpus).await?;
    training::train(&mut story, seconds).await?;
    training::generate(&mut story).await?;
    closing::tell(&mut story).await?;
    Ok(story)
}

/// Signs the administrator in and introduces the factory.
async fn begin(factory: &Factory, config: &Config) -> Result<Story> {
    let narrator = Narrator::new(7);
    let anybody = Remote::new(&factory.hub.url, None, None)?;
    let link = factory.hub.first_link(config).await?;
    let link =
        link.context("the folder already has an administrator; name a new one with --data")?;
    let secret = link.rsplit('/').next().unwrap_or_default();
    let session = anybody.post("/session", &json!({ "link": secret })).await?;
    narrator.title("Usine: from an agreement to a trained model");
    narrator.pause();
    narrator.say(&format!(
        "A whole AI factory runs in this process now: hub, agent, engine, database and vault. It \
         keeps everything in {} and answers at {}. What follows uses its public HTTP API alone.",
        config.data.display(),
        factory.hub.url,
    ));
    Ok(Story {
        narrator,
        ada: anybody.clone(),
        ada_id: text(&session, "/person").parse()?,
        administrator: anybody.with(Token::new(text(&session, "/token"))),
        administrator_id: text(&session, "/person").parse()?,
        partition: config.site.serves.clone(),
        organisation: String::new(),
        project: String::new(),
        allocation: String::new(),
        dataset: String::new(),
        model: String::new(),
    })
}

/// The text to learn from, if there is enough of it.
fn corpus(named: Option<&Path>) -> Result<Corpus> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let corpus = match named {
        Some(path) => Corpus::of(path),
        None => Corpus::of_this_machine(home.as_deref()),
    };
    if corpus.size_bytes >= BYTES_MIN {
        return Ok(corpus);
    }
    let place = match named {
        Some(path) => format!("in {}", path.display()),
        None => "in the documentation on this machine".to_owned(),
    };
    let message = format!(
        "there is only {} of readable text {place}, and learning needs at least {}; name a file or \
         folder of text with --corpus PATH",
        bytes(corpus.size_bytes),
        bytes(BYTES_MIN),
    );
    Err(Told::new(Failure::Invalid, message).into())
}

/// An empty folder: the one that was named, or the first free one called `usine-demo`.
fn new_folder(named: Option<&Path>) -> Result<PathBuf> {
    let is_free = |folder: &Path| {
        std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
    };
    let folder = match named {
        Some(folder) if is_free(folder) => folder.to_owned(),
        Some(folder) => {
            let message = format!(
                "{} is not empty, and the story begins with an empty factory; name another folder, \
                 or open this one with: usine up --data {0}",
                folder.display()
            );
            return Err(Told::new(Failure::Invalid, message).into());
        }
        None => (1..)
            .map(|n: u32| match n {
                1 => PathBuf::from(FOLDER),
                n => PathBuf::from(format!("{FOLDER}-{n}")),
            })
            .find(|folder| is_free(folder))
            .context("no free name for the folder")?,
    };
    Ok(std::path::absolute(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(new_folder(Some(folder.path())).unwrap(), folder.path());
        assert!(new_folder(Some(&folder.path().join("new"))).is_ok());
        std::fs::write(folder.path().join("hub.db"), "").unwrap();
        let error = new_folder(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("usine up --data"), "{error}");
    }

    #[test]
    fn too_little_text_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = corpus(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("--corpus PATH"), "{error}");
    }
}
