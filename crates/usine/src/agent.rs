//! `usine agent`: the agent of a remote site, as a process of its own beside the machine.
//!
//! It dials out to the hub and listens nowhere. Stopped or killed, its jobs go on; started again, it
//! finds them.

mod accounts;
mod config;
mod logins;
mod slurm;
mod ssh;

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use ::site::agent::{Agent, Settings, drain};
use ::site::identity;
use anyhow::{Context, Result};
use engine::slurm::SlurmEngine;
use engine::{Engine, LocalEngine};
use tokio_util::sync::CancellationToken;

use crate::command::login::line_of_input;
use crate::exit::{Failure, Told};
use crate::remote::HubChoice;
use crate::up::{runtime, told_to_stop};
use config::{AgentConfig, EngineKind};

/// Where a one-time code may stand.
const CODE_VARIABLE: &str = "USINE_AGENT_CODE";

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct AgentArguments {
    #[command(subcommand)]
    step: Option<AgentCommand>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    code: CodeSource,
}

/// Which agent.
#[derive(clap::Args, Clone)]
struct Place {
    /// The site's name at the hub.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// The agent's configuration (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where the one-time code is, which is not for the list of processes.
#[derive(clap::Args, Clone)]
struct CodeSource {
    /// A file that holds the one-time code; without it the code is taken from USINE_AGENT_CODE.
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum AgentCommand {
    /// Make a key and have the hub take it by a one-time code, which is read from --code-file,
    /// USINE_AGENT_CODE or standard input.
    Enrol {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        code: CodeSource,
        /// The code itself; others on this machine can read it in the list of processes.
        #[arg(long = "code", value_name = "CODE", conflicts_with = "code_file")]
        bare_code: Option<String>,
    },
    /// Put a new key in the place of the one so far; a running agent takes it up by itself.
    Rotate(Place),
    /// Let this site take no more jobs; what runs and waits goes on. A running agent tells the hub
    /// within half a minute.
    Drain {
        #[command(flatten)]
        place: Place,
        /// Why, in one line, for users.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let this site take jobs again.
    Resume(Place),
    /// Print whom a certificate may be let in as this login, for sshd's AuthorizedPrincipalsCommand.
    Principals {
        #[command(flatten)]
        place: Place,
        /// The login (sshd's %u).
        login: String,
        /// The certificate (sshd's %k).
        certificate: String,
    },
    /// Fetch the key of the hub's SSH authority and the list of revoked keys into a folder, for sshd.
    SshTrust {
        #[command(flatten)]
        place: Place,
        /// The folder: `authority.pub` and `revoked` are written there.
        #[arg(long, value_name = "FOLDER", default_value = "/etc/ssh/usine")]
        folder: PathBuf,
    },
    /// Show which site and hub this agent is for, and the fingerprint of its key.
    Show(Place),
}

/// Carries out `usine agent`.
pub(crate) fn run(arguments: AgentArguments, hub: &HubChoice) -> Result<()> {
    let load =
        |place: &Place| AgentConfig::load(place.config.as_deref(), place.site.as_deref(), hub);
    match arguments.step {
        None => work(&load(&arguments.place)?, &arguments.code),
        Some(AgentCommand::Enrol { place, code, bare_code }) => {
            let config = load(&place)?;
            let code = match bare_code {
                Some(code) => code,
                None => code.read()?.map_or_else(ask_code, Ok)?,
            };
            crate::remote::wait(enrol(&config, &code))
        }
        Some(AgentCommand::Rotate(place)) => {
            let config = load(&place)?;
            let client = config.client()?;
            let fingerprint = crate::remote::wait(async {
                let rotated = identity::rotate(&client, &config.site, &config.identity()).await;
                rotated.map_err(told)
            })?;
            println!("the site {} has a new key: {fingerprint}", config.site);
            Ok(())
        }
        Some(AgentCommand::Drain { place, reason }) => {
            let config = load(&place)?;
            let reason = reason.trim();
            if reason.is_empty() || reason.chars().any(char::is_control) {
                let message = "--reason: say why in one line; users will read it";
                return Err(config::invalid(message.to_owned()));
            }
            drain::drain(&config.settings()?.folder, reason).context("cannot note it")?;
            println!("the site {} takes no more jobs: {reason}", config.site);
            Ok(())
        }
        Some(AgentCommand::Resume(place)) => {
            let config = load(&place)?;
            let was_drained =
                drain::resume(&config.settings()?.folder).context("cannot note it")?;
            let again = if was_drained { "takes jobs again" } else { "was not drained here" };
            println!("the site {} {again}", config.site);
            Ok(())
        }
        Some(AgentCommand::Principals { place, login, certificate }) => {
            ssh::principals(&load(&place)?, &login, &certificate)
        }
        Some(AgentCommand::SshTrust { place, folder }) => ssh::trust(&load(&place)?, &folder),
        Some(AgentCommand::Show(place)) => show(&load(&place)?),
    }
}

impl CodeSource {
    fn read(&self) -> Result<Option<String>> {
        if let Some(file) = &self.code_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the code in {}", file.display()))?;
            return Ok(Some(text.trim().to_owned()));
        }
        Ok(std::env::var(CODE_VARIABLE).ok().filter(|code| !code.is_empty()))
    }
}

/// Reads the code from standard input.
fn ask_code() -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("one-time code (from: usine site enrol NAME): ");
        std::io::stderr().flush()?;
    }
    Ok(line_of_input()?.trim().to_owned())
}

async fn enrol(config: &AgentConfig, code: &str) -> Result<()> {
    private(&config.folder)?;
    let enrolled = identity::enrol(&config.client()?, &config.site, &config.identity(), code).await;
    let fingerprint = enrolled.map_err(told)?;
    eprintln!("enrolled as the agent of the site {} with the key {fingerprint}", config.site);
    Ok(())
}

fn show(config: &AgentConfig) -> Result<()> {
    println!("site    {}", config.site);
    println!("hub     {}", config.hub);
    println!("folder  {}", config.folder.display());
    println!("engine  {}", config.engine.name());
    match config.identity().key() {
        Ok(key) => println!("key     {}", key.public().fingerprint()),
        Err(why) => println!("key     none: {why}"),
    }
    Ok(())
}

/// Works until it is told to stop.
fn work(config: &AgentConfig, code: &CodeSource) -> Result<()> {
    crate::logging("warn,usine=info,site=info");
    private(&config.folder)?;
    let _lock = sole(&config.folder)?;
    runtime()?.block_on(async {
        if !config.identity().is_enrolled()? {
            let code = code.read()?.ok_or(identity::Error::NotEnrolled)?;
            enrol(config, &code).await?;
        }
        match config.engine {
            EngineKind::Slurm => {
                let engine = SlurmEngine::open(config.slurm_engine()?).await;
                let engine = engine.context("cannot run jobs through Slurm")?;
                let name = format!("slurm {}", engine.version());
                carry_on(config, &name, engine).await
            }
            EngineKind::Local => {
                let settings = config.local_engine()?;
                let engine = LocalEngine::open(settings).await;
                let engine = engine.context("cannot run jobs on this machine")?;
                carry_on(config, config.engine.name(), engine).await
            }
        }
    })
}

async fn carry_on<E: Engine>(config: &AgentConfig, name: &str, engine: E) -> Result<()> {
    let client = config.client()?.as_agent(config.site.clone(), config.identity());
    let settings = Settings { engine: name.to_owned(), ..config.settings()? };
    let agent = Agent::open(settings, client, engine).context("cannot start the agent")?;
    let stop = CancellationToken::new();
    let working = tokio::spawn(agent.run(stop.clone()));
    tracing::info!(site = %config.site, hub = config.hub, "the agent is up");
    told_to_stop().await?;
    stop.cancel();
    working.await?;
    tracing::info!("the agent is down; running jobs go on and are found again");
    Ok(())
}

/// Makes the agent's folder readable by its owner alone.
fn private(folder: &Path) -> Result<()> {
    crate::hub::private_folder(folder)
}

/// Keeps a second agent away from the folder for as long as the file is held.
fn sole(folder: &Path) -> Result<File> {
    let path = folder.join("agent.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        let message = format!("another agent works in {}", folder.display());
        return Err(Told::new(Failure::Failed, message).into());
    }
    Ok(file)
}

/// What the hub answered, with an exit code.
fn told(error: ::site::client::Error) -> anyhow::Error {
    let failure = match error.status() {
        Some(401) => Failure::Refused,
        None => Failure::Unreachable,
        Some(_) => Failure::Failed,
    };
    let message = error.to_string();
    anyhow::Error::from(error).context(Told::new(failure, message))
}
