//! Submitting: a script with the options of `sbatch`, or a service with its parameters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::follow::{self, Printing, ended_well};
use super::outlook;
use crate::command::{Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{Audience, entries, text, work};
use crate::remote::Remote;

/// What to run, on whose hours, and whether to stay with it.
#[derive(clap::Args)]
pub(crate) struct SubmitArguments {
    #[command(flatten)]
    work: WorkArguments,
    /// Whose hours; the project's only usable allocation when nothing is said.
    #[arg(long, value_name = "ID")]
    allocation: Option<String>,
    /// Choose the best place among all where the project has hours.
    #[arg(long, conflicts_with = "allocation")]
    anywhere: bool,
    /// Let it run elsewhere when its site does not fetch it for long.
    #[arg(long)]
    may_move: bool,
    /// Follow the job until it ends.
    #[arg(long, short)]
    watch: bool,
}

/// What to run, and what a place must have.
#[derive(clap::Args)]
pub(crate) struct WorkArguments {
    /// A batch script; `-` reads standard input.
    #[arg(required_unless_present = "service", conflicts_with = "service")]
    script: Option<PathBuf>,
    /// A service of the catalogue instead of a script.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The value of one of the service's parameters.
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "service", value_parser = pair)]
    values: Vec<(String, String)>,
    /// The project that runs it.
    #[arg(long, value_name = "ID")]
    project: String,
    /// Only places in these countries, as two letters.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    country: Vec<String>,
    /// Only places with GPUs whose model name holds this text.
    #[arg(long, value_name = "MODEL")]
    gpu: Option<String>,
    /// Only places whose nodes have as much memory, in megabytes.
    #[arg(long, value_name = "MB")]
    node_memory: Option<u64>,
    /// A revision to read, under inputs/NAME: ID or ID@REVISION.
    #[arg(long = "input", value_name = "NAME=ID", value_parser = pair)]
    inputs: Vec<(String, String)>,
    /// An output to keep as a revision of this repository.
    #[arg(long = "output", value_name = "NAME=REPOSITORY", value_parser = pair)]
    outputs: Vec<(String, String)>,
    /// What the outputs of a script hold: dataset or model.
    #[arg(long, value_name = "KIND", default_value = "dataset")]
    output_kind: String,
    /// An environment variable for the job.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    environment: Vec<(String, String)>,
    /// Let the job reach the network.
    #[arg(long)]
    network: bool,
    /// Options as sbatch takes them, after `--`; they win over the script's directives.
    #[arg(last = true, value_name = "SBATCH OPTIONS")]
    options: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

pub(super) async fn run(
    arguments: &SubmitArguments,
    remote: &Remote,
    session: &Session,
) -> Result<()> {
    if !arguments.anywhere && !arguments.may_move && arguments.work.has_limits() {
        let text =
            "--country, --gpu and --node-memory choose among places; add --anywhere or --may-move";
        return Err(Told::new(Failure::Invalid, text).into());
    }
    let path = format!("/projects/{}/jobs", segment(&arguments.work.project));
    let mut body = body(&arguments.work)?;
    if arguments.anywhere {
        body.insert("anywhere".to_owned(), arguments.work.limits());
    }
    if arguments.may_move {
        body.insert("may_move".to_owned(), arguments.work.limits());
    }
    body.insert("allocation".to_owned(), json!(arguments.allocation));
    let submitted = remote.post(&path, &Value::Object(body)).await?;
    for warning in entries(&submitted, "/warnings") {
        let line = text(warning, "/line");
        let place = if line.is_empty() { String::new() } else { format!("line {line}: ") };
        eprintln!("warning: {place}{}", text(warning, "/text"));
    }
    let id = text(&submitted, "/id");
    if !arguments.watch {
        let expected = match session.audience {
            Audience::People => text(&outlook::of(remote, &id).await?, "/text"),
            Audience::Programs => String::new(),
        };
        return session.audience.show(&submitted, |submitted| {
            let number = text(submitted, "/number");
            println!("submitted job {number} ({id}); {} held", work(submitted, "/held"));
            let place = text(submitted, "/placed/offers/0/partition");
            if !place.is_empty() {
                println!("  it goes to {place}. {}", text(submitted, "/placed/because"));
            }
            if !expected.is_empty() {
                println!("  {expected}");
            }
            println!("  follow it with: usine job watch {id}");
        });
    }
    let followed = follow::follow(remote, &id, &mut Printing::default()).await?;
    session.audience.show(&followed.job, super::tell_job)?;
    ended_well(&followed.job)
}

/// Carries out `usine job offers`.
pub(super) async fn compare(
    arguments: &WorkArguments,
    remote: &Remote,
    session: &Session,
) -> Result<()> {
    let path = format!("/projects/{}/offers", segment(&arguments.project));
    let mut body = body(arguments)?;
    body.insert("anywhere".to_owned(), arguments.limits());
    let compared = remote.post(&path, &Value::Object(body)).await?;
    let offers = entries(&compared, "/offers");
    match session.audience {
        Audience::Programs => session.audience.show(&compared, |_| {}),
        Audience::People => {
            let none = "the project has no allocation that can be used now";
            session.audience.list(offers, none, outlook::COLUMNS, outlook::row)?;
            println!("{}", text(&compared, "/because"));
            Ok(())
        }
    }
}

impl WorkArguments {
    const fn has_limits(&self) -> bool {
        !self.country.is_empty() || self.gpu.is_some() || self.node_memory.is_some()
    }

    fn limits(&self) -> Value {
        json!({
            "countries": self.country,
            "gpu": self.gpu,
            "memory_mb_per_node": self.node_memory,
        })
    }
}

fn body(arguments: &WorkArguments) -> Result<Map<String, Value>> {
    let map = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    match (&arguments.service, &arguments.script) {
        (Some(name), _) => {
            put("service", json!({ "name": name, "values": map(&arguments.values) }));
        }
        (None, Some(script)) => {
            put("script", Value::String(read(script)?));
        }
        (None, None) => {
            return Err(Told::new(Failure::Invalid, "name a script or a service").into());
        }
    }
    let outputs: Vec<_> = arguments
        .outputs
        .iter()
        .map(|(name, repository)| match arguments.service {
            Some(_) => json!({ "name": name, "repository": repository }),
            None => json!({
                "name": name, "repository": repository, "kind": arguments.output_kind,
            }),
        })
        .collect();
    put("outputs", Value::Array(outputs));
    put("options", json!(arguments.options));
    put("environment", json!(map(&arguments.environment)));
    put("inputs", json!(map(&arguments.inputs)));
    put("network", json!(arguments.network));
    Ok(body)
}

fn read(script: &Path) -> Result<String> {
    if script.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    std::fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))
}
