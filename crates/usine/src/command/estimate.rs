//! `usine estimate`: how many hours work on a model takes.

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::{Session, segment};
use crate::output::{number, text};
use crate::remote::wait;

/// What is to be done with a model, and where.
#[derive(Args)]
pub(crate) struct EstimateCommand {
    /// What is done: pretrain, fine-tune, adapt (low-rank adapters) or infer.
    work: String,
    /// How many parameters the model has, such as 7B or 7e9.
    #[arg(long, value_name = "COUNT")]
    parameters: String,
    /// How many tokens go through it, such as 140B.
    #[arg(long, value_name = "COUNT")]
    tokens: String,
    /// Where, such as meluxina-ai.gpu.
    #[arg(long, value_name = "SYSTEM.PARTITION")]
    partition: String,
    /// How many devices are to work at once; as many as memory demands without.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    devices: Option<u32>,
}

/// Carries out `usine estimate`.
pub(crate) fn estimate(command: &EstimateCommand, session: &Session) -> Result<()> {
    let EstimateCommand { work, parameters, tokens, partition, devices } = command;
    let mut path = format!(
        "/estimate?work={}&parameters={}&tokens={}&partition={}",
        segment(work),
        segment(parameters),
        segment(tokens),
        segment(partition)
    );
    if let Some(devices) = devices {
        path.push_str(&format!("&devices={devices}"));
    }
    session.audience.show(&wait(session.remote()?.get(&path))?, tell)
}

fn tell(found: &Value) {
    println!(
        "ask for about {} {}-hours on {}: {} {} for {} hours",
        number(found, "/hours"),
        text(found, "/unit"),
        text(found, "/partition"),
        number(found, "/devices"),
        text(found, "/device"),
        number(found, "/elapsed_hours"),
    );
    for line in found.pointer("/lines").and_then(Value::as_array).into_iter().flatten() {
        println!("  {}", line.as_str().unwrap_or_default());
    }
}
