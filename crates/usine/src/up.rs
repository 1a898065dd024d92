//! `usine up`: a factory on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Config};
use crate::exit::{Failure, Told};
use crate::factory::Factory;
use crate::hub;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: config::ConfigFile,
    /// Where the factory keeps everything [default: usine-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the hub listens; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Runs until it is told to stop.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let begun = Instant::now();
    let mut config = Config::load(&arguments.config)?;
    config.data = arguments.data.unwrap_or(config.data);
    config.listen = arguments.listen.unwrap_or(config.listen);
    crate::logging("warn");
    runtime()?.block_on(async {
        let factory = Factory::start(&config).await?;
        let hub = &factory.hub;
        let link = hub.first_link(&config).await?;
        println!("usine is up after {} ms", begun.elapsed().as_millis());
        println!("  portal  {}/", hub.url);
        println!("  data    {}", config.data.display());
        println!("  jobs    run on this machine, which stands in for {}", config.site.serves);
        match link {
            Some(link) => {
                println!("  first administrator: open once, within 24 hours\n          {link}")
            }
            None => println!("  administrators sign in at {}/sign-in", hub.url),
        }
        println!("  stop    Ctrl-C, or: kill {}", std::process::id());
        told_to_stop().await?;
        println!("stopping; running jobs go on and are found again at the next start");
        factory.stop().await
    })
}

/// Whose link, for which factory of this machine.
#[derive(clap::Args)]
pub(crate) struct LinkArguments {
    #[command(flatten)]
    config: config::ConfigFile,
    /// The address of the account.
    email: String,
    /// Where the factory keeps everything [default: usine-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the hub listens [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

/// Prints a new one-time sign-in link; the factory may be running.
pub(crate) fn link(arguments: LinkArguments) -> Result<()> {
    let mut config = Config::load(&arguments.config)?;
    config.data = arguments.data.unwrap_or(config.data);
    config.listen = arguments.listen.unwrap_or(config.listen);
    if config.database.is_none() && !config.data.join("hub.db").exists() {
        let message =
            format!("there is no factory in {}; name one with --data", config.data.display());
        return Err(Told::new(Failure::NotFound, message).into());
    }
    let url = config.url(config.listen);
    runtime()?.block_on(async {
        let made = hub::open(&config).await?.sign_in_link_for(&arguments.email).await;
        let secret = made.map_err(|error| match error {
            app::Error::NotFound(_) => {
                let message = format!("no account has the address {}", arguments.email);
                Told::new(Failure::NotFound, message).into()
            }
            other => anyhow::Error::from(other),
        })?;
        println!("{url}{}{}", web::SIGN_IN_LINK, secret.reveal());
        Ok(())
    })
}

/// The runtime of hub and agent.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn told_to_stop() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
