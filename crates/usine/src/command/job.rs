//! `usine job` and `usine service`: work submitted, followed, cancelled.

mod follow;
mod outlook;
mod submit;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::output::{Audience, entries, number, text, when, work};
use crate::remote::wait;

pub(crate) use follow::{Follower, ended_well, follow};
pub(crate) use submit::{SubmitArguments, WorkArguments};

/// Jobs.
#[derive(Subcommand)]
pub(crate) enum JobCommand {
    /// Submit a batch script, or a service with its parameters.
    Submit(SubmitArguments),
    /// List jobs, newest first.
    List {
        /// Only this project's.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
        /// Only those that are held, ordered, queued, running or ended.
        #[arg(long)]
        state: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show a job: what it runs, reads, writes and costs, and why it waits.
    Show {
        /// The job: its number or id.
        id: String,
    },
    /// Say why a job waits, what would start it sooner, and when it is expected to start.
    Why {
        /// The job.
        id: String,
    },
    /// Compare the places where a job could run on a project's hours; nothing is submitted.
    Offers(WorkArguments),
    /// Print what a job wrote.
    Log {
        /// The job.
        id: String,
        /// Print standard error, where the job keeps it apart.
        #[arg(long)]
        stderr: bool,
    },
    /// Ask for the end of a job, or of every element of an array.
    Cancel {
        /// The job or array.
        id: String,
    },
    /// Run a job elsewhere that its site was not given yet, or such elements of an array.
    Move {
        /// The job or array.
        id: String,
        /// On these hours; at the best other place when nothing is said.
        #[arg(long, value_name = "ID")]
        allocation: Option<String>,
    },
    /// Follow a job until it ends; the exit code says how it ended.
    Watch {
        /// The job.
        id: String,
    },
}

/// Carries out `usine job`.
pub(crate) fn job(command: &JobCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            JobCommand::Submit(arguments) => submit::run(arguments, &remote, session).await,
            JobCommand::List { project, state, limit } => {
                let base = match project {
                    Some(project) => format!("/projects/{}/jobs", segment(project)),
                    None => "/jobs".to_owned(),
                };
                let state = state.as_ref().map(|state| format!("&state={}", segment(state)));
                let path = format!("{base}?limit=200{}", state.unwrap_or_default());
                let jobs = remote.list(&path, *limit).await?;
                let header = ["number", "job", "name", "state", "partition", "submitted", "hours"];
                session.audience.list(&jobs, "there are no such jobs", header, row)
            }
            JobCommand::Show { id } => {
                let job = remote.get(&format!("/jobs/{}", segment(id))).await?;
                session.audience.show(&job, tell_job)?;
                match session.audience {
                    Audience::People => outlook::tell(&outlook::of(&remote, id).await?),
                    Audience::Programs => {}
                }
                Ok(())
            }
            JobCommand::Why { id } => {
                let outlook = outlook::of(&remote, id).await?;
                session.audience.show(&outlook, outlook::tell_all)
            }
            JobCommand::Offers(arguments) => submit::compare(arguments, &remote, session).await,
            JobCommand::Log { id, stderr } => {
                let stream = if *stderr { "stderr" } else { "stdout" };
                follow::print_log(&remote, id, stream).await
            }
            JobCommand::Cancel { id } => {
                let path = format!("/jobs/{}/cancel", segment(id));
                let jobs = remote.post(&path, &json!({})).await?;
                session.audience.show(&jobs, |jobs| {
                    for job in entries(jobs, "/items") {
                        println!("{} {}", text(job, "/id"), state(job));
                    }
                })
            }
            JobCommand::Move { id, allocation } => {
                let path = format!("/jobs/{}/move", segment(id));
                let moved = remote.post(&path, &json!({ "allocation": allocation })).await?;
                session.audience.show(&moved, tell_moved)
            }
            JobCommand::Watch { id } => {
                let followed =
                    follow::follow(&remote, id, &mut follow::Printing::default()).await?;
                session.audience.show(&followed.job, |job| println!("{}", state(job)))?;
                ended_well(&followed.job)
            }
        }
    })
}

fn tell_moved(moved: &Value) {
    for job in entries(moved, "/items") {
        let place = format!("{} at site {}", text(job, "/partition"), text(job, "/site"));
        println!("{} runs on {place}; {} held", shown(job), work(job, "/held"));
    }
    for job in entries(moved, "/stay") {
        println!("{} stays: {}", text(job, "/number"), text(job, "/reason"));
    }
}

fn row(job: &Value) -> [String; 7] {
    let hours = match work(job, "/charged") {
        none if none.is_empty() => format!("{} held", work(job, "/held")),
        charged => charged,
    };
    [
        shown(job),
        text(job, "/id"),
        text(job, "/name"),
        state(job),
        text(job, "/partition"),
        when(job, "/submitted_at"),
        hours,
    ]
}

/// The number of a job, or of its array with its index.
fn shown(job: &Value) -> String {
    match job.pointer("/array") {
        Some(array) => format!("{}_{}", number(array, "/number"), number(array, "/index")),
        None => number(job, "/number").to_string(),
    }
}

/// The state of a job and how it ended, as one or two words.
pub(crate) fn state(job: &Value) -> String {
    let asked = job.pointer("/cancel_asked").and_then(Value::as_bool) == Some(true);
    match (text(job, "/state"), text(job, "/end")) {
        (state, end) if end.is_empty() && asked => format!("{state}, to be cancelled"),
        (state, end) if end.is_empty() => state,
        (_, end) => end,
    }
}

fn tell_job(job: &Value) {
    println!("job {} {} ({}): {}", shown(job), text(job, "/name"), text(job, "/id"), state(job));
    let line = |name: &str, value: String| {
        if !value.is_empty() {
            println!("  {name:<12}{value}");
        }
    };
    line("why", text(job, "/reason"));
    line(
        "service",
        [text(job, "/service/name"), text(job, "/service/version")].join(" ").trim().to_owned(),
    );
    line("runs on", format!("{} at site {}", text(job, "/partition"), text(job, "/site")));
    line(
        "asks for",
        format!(
            "{} cores, {} MB, {} GPUs for {} s",
            number(job, "/request/cores"),
            number(job, "/request/memory_mb"),
            number(job, "/request/gpus"),
            number(job, "/request/time_limit_seconds"),
        ),
    );
    let options: Vec<_> = entries(job, "/options").iter().filter_map(Value::as_str).collect();
    line("handed on", options.join(" "));
    let nodes: Vec<_> = entries(job, "/nodes").iter().filter_map(Value::as_str).collect();
    line("nodes", nodes.join(", "));
    line("submitted", when(job, "/submitted_at"));
    line("started", when(job, "/started_at"));
    line("ended", when(job, "/ended_at"));
    line("rate", text(job, "/rate"));
    line("held", work(job, "/held"));
    line("charged", work(job, "/charged"));
    for step in entries(job, "/steps") {
        line("step", told_step(step));
    }
    for input in entries(job, "/inputs") {
        line(
            "reads",
            format!("{} from revision {}", text(input, "/mount"), text(input, "/revision")),
        );
    }
    for output in entries(job, "/outputs") {
        let result = match (text(output, "/revision"), text(output, "/refused")) {
            (_, refused) if !refused.is_empty() => format!("refused: {refused}"),
            (made, _) if !made.is_empty() => format!("revision {made}"),
            _ => "not yet".to_owned(),
        };
        line("writes", format!("{} {}: {result}", text(output, "/kind"), text(output, "/target")));
    }
}

/// A step in one line: what it is, how it stands, and what was measured.
fn told_step(step: &Value) -> String {
    let measured = [
        ("/peak_memory_mb", "MB at most"),
        ("/gpu_percent", "% of its GPUs"),
        ("/gpu_memory_mb", "MB on GPUs"),
    ];
    let measured = measured.iter().filter_map(|(pointer, unit)| {
        step.pointer(pointer).and_then(Value::as_u64).map(|amount| format!("{amount} {unit}"))
    });
    let exit = match step.pointer("/exit_code").and_then(Value::as_u64) {
        None => String::new(),
        Some(code) => format!(" {code}:{}", number(step, "/signal")),
    };
    let tasks = format!("{} tasks on {} nodes", number(step, "/tasks"), number(step, "/nodes"));
    let name = [text(step, "/id"), text(step, "/name")].join(" ");
    let state = text(step, "/state").to_lowercase() + &exit;
    [vec![name, state, tasks], measured.collect()].concat().join(", ")
}

/// The catalogue of services.
#[derive(Subcommand)]
pub(crate) enum ServiceCommand {
    /// List the services.
    List,
    /// Show a service with its parameters and outputs.
    Show {
        /// Its name.
        name: String,
    },
}

/// Carries out `usine service`.
pub(crate) fn service(command: &ServiceCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    match command {
        ServiceCommand::List => {
            let services = wait(remote.list("/services", LIST_MAX))?;
            let header = ["service", "version", "what it does"];
            session.audience.list(&services, "there are no services", header, |service| {
                [
                    text(service, "/name"),
                    text(service, "/version"),
                    text(service, "/description/en"),
                ]
            })
        }
        ServiceCommand::Show { name } => {
            let service = wait(remote.get(&format!("/services/{}", segment(name))))?;
            session.audience.show(&service, tell_service)
        }
    }
}

fn tell_service(service: &Value) {
    println!(
        "{} {}: {}",
        text(service, "/name"),
        text(service, "/version"),
        text(service, "/title/en")
    );
    println!("  {}\n", text(service, "/description/en"));
    for parameter in entries(service, "/parameters") {
        let takes = match text(parameter, "/kind").as_str() {
            "integer" => {
                let [min, max] = ["/minimum", "/maximum"].map(|end| text(parameter, end));
                format!("{min} to {max} {}", text(parameter, "/unit"))
            }
            "choice" => {
                let choices = entries(parameter, "/choices").iter().filter_map(Value::as_str);
                choices.collect::<Vec<_>>().join(", ")
            }
            "repository" => format!("a {}: ID or ID@REVISION", text(parameter, "/holds")),
            other => other.to_owned(),
        };
        let default = match text(parameter, "/default") {
            none if none.is_empty() => "must be given".to_owned(),
            default => format!("{default} if not given"),
        };
        println!("  --set {}=…  {}", text(parameter, "/name"), text(parameter, "/label/en"));
        println!("        {} ({default})", takes.trim());
    }
    for output in entries(service, "/outputs") {
        println!("  makes the {} `{}`", text(output, "/holds"), text(output, "/name"));
    }
}
