//! An agent with the local engine, alone: what tests kill where the whole program would be.
//!
//! `usine-agent-trial HUB FOLDER` works until it is killed; `usine-agent-trial carry …` is the way
//! to the processes around a job.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use engine::{Carrier, LocalEngine};
use site::agent::{Agent, Settings};
use site::client::Client;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [first, rest @ ..] if first == "carry" => engine::carry::main(rest),
        [hub, folder] => match work(hub, folder.into()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        _ => ExitCode::from(64),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn work(hub: &str, folder: PathBuf) -> Result<(), Box<dyn std::error::Error>> {
    let carrier =
        Carrier { program: std::env::current_exe()?, arguments: vec!["carry".to_owned()] };
    let local = engine::Settings::new(folder.join("engine"), carrier);
    let engine = LocalEngine::open(engine::Settings { grace_seconds: 1, ..local }).await?;
    let settings = Settings {
        interval: Duration::from_millis(20),
        wait_seconds: 1,
        ..Settings::new("here".parse()?, folder.join("agent"))
    };
    let client = Client::new(hub, Some("trial".to_owned()))?;
    Agent::open(settings, client, engine)?.run(CancellationToken::new()).await;
    Ok(())
}
