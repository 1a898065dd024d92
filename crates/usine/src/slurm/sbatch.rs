//! `sbatch`: submits a script.

mod environment;
mod script;

use anyhow::{Result, anyhow, bail};
use jobs::script::{Given, Script, command_line};
use serde_json::{Map, Value, json};

use super::account::{Projects, on_partition};
use super::job::{Asked, ask};
use super::text::instant;
use crate::command::segment;
use crate::output::{entries, number, text};
use crate::remote::{Remote, wait};

/// How often `--wait` looks.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);

/// What is asked of this command, apart from what is asked of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wishes {
    parsable: bool,
    quiet: bool,
    wait: bool,
    test_only: bool,
    wrap: Option<String>,
    account: Option<String>,
    partition: Option<String>,
    /// Options of the job.
    options: Vec<String>,
}

impl Wishes {
    /// Sorts the options of the command line, and of the environment before them.
    fn of(given: Vec<Given>) -> Result<Self> {
        let mut wishes = Self::default();
        for option in given {
            match option.name {
                "parsable" => wishes.parsable = true,
                "quiet" => wishes.quiet = true,
                "verbose" => {}
                "wait" => wishes.wait = true,
                "test-only" => wishes.test_only = true,
                "wrap" => wishes.wrap = option.value,
                "account" => wishes.account = option.value,
                "partition" => wishes.partition = option.value,
                "help" | "usage" => {
                    bail!(
                        "Usage: sbatch [OPTIONS(0)...] [ : [OPTIONS(N)...]] script(0) [args(0)...]"
                    )
                }
                _ => wishes.options.push(option.word()),
            }
        }
        Ok(wishes)
    }
}

pub(super) fn run(words: &[String], remote: impl FnOnce() -> Result<Remote>) -> Result<u8> {
    let (mut given, operands) = command_line(words).map_err(|error| anyhow!(error))?;
    let mut all = environment::options(|name| std::env::var(name).ok());
    all.append(&mut given);
    let mut wishes = Wishes::of(all)?;
    let (text, name) = script::read(wishes.wrap.as_deref(), &operands)?;
    let parsed =
        Script::parse(text.as_bytes(), &wishes.options).map_err(|errors| anyhow!("{errors}"))?;
    let directives = parsed.directives();
    if directives.job_name.is_none() {
        wishes.options.push(format!("--job-name={name}"));
    }
    let variables = environment::sent(directives.export.as_ref(), std::env::vars());
    if environment::wants_hub_numbers(|name| std::env::var(name).ok()) {
        wishes.options.push(environment::with_hub_numbers(directives.export.as_ref()));
    }
    let named = wishes.account.clone().or_else(|| directives.account.clone());
    let remote = remote()?;
    wait(async {
        let account = Projects::ask(&remote).await?.account(named.as_deref(), &remote).await?;
        let mut allocation = account.allocation;
        if let (None, Some(partition)) = (&allocation, &wishes.partition) {
            allocation = on_partition(&account.project, partition, &remote).await?;
        }
        let mut body = Map::new();
        let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
        put("script", json!(text));
        put("options", json!(wishes.options));
        put("environment", json!(variables));
        put("allocation", json!(allocation));
        // What a cluster's nodes may reach is the cluster's to say.
        put("network", json!(true));
        let project = format!("/projects/{}", segment(&account.project));
        if wishes.test_only {
            let offers = remote.post(&format!("{project}/offers"), &Value::Object(body)).await?;
            return test(&offers, allocation.as_deref());
        }
        let submitted = remote.post(&format!("{project}/jobs"), &Value::Object(body)).await?;
        tell(&submitted, &wishes);
        if wishes.wait { until_ended(&remote, number(&submitted, "/number")).await } else { Ok(0) }
    })
}

/// Says the number, and what was read and has no effect.
fn tell(submitted: &Value, wishes: &Wishes) {
    for warning in entries(submitted, "/warnings").iter().filter(|_| !wishes.quiet) {
        let line = text(warning, "/line");
        let place = if line.is_empty() { String::new() } else { format!("line {line}: ") };
        eprintln!("sbatch: warning: {place}{}", text(warning, "/text"));
    }
    let number = number(submitted, "/number");
    match (wishes.parsable, wishes.quiet) {
        (true, _) => println!("{number}"),
        (false, true) => {}
        (false, false) => println!("Submitted batch job {number}"),
    }
}

/// Says when and where the job would start, as `--test-only` does.
fn test(offers: &Value, allocation: Option<&str>) -> Result<u8> {
    let meant = |offer: &&Value| allocation.is_none_or(|id| text(offer, "/allocation") == id);
    let offer = entries(offers, "/offers").iter().find(meant);
    let offer = offer.ok_or_else(|| anyhow!("there is no place where the job could run"))?;
    let partition = text(offer, "/partition");
    if offer.pointer("/terms").is_none_or(Value::is_null) {
        bail!("allocation failure: {partition}: {}", text(offer, "/refused"));
    }
    let likely = text(offer, "/terms/expected/likely").parse().map(instant);
    let start = likely.unwrap_or_else(|_| "a time that the site does not show".to_owned());
    eprintln!("sbatch: Job to start at {start} in partition {partition}");
    Ok(0)
}

/// Waits for the end of a job, or of all elements of an array; the highest exit code.
async fn until_ended(remote: &Remote, number: i64) -> Result<u8> {
    let asked = Asked { numbers: Some(vec![number.to_string()]), ..Asked::default() };
    loop {
        let jobs = ask(remote, &asked).await?;
        if jobs.iter().all(|job| job.ended.is_some()) {
            let code = |(code, signal): (i64, i64)| if signal > 0 { signal + 128 } else { code };
            let failed = |state: &str| i64::from(state != "COMPLETED");
            let codes = jobs.iter().map(|job| code(job.exit).max(failed(job.state.0)));
            return Ok(u8::try_from(codes.max().unwrap_or_default()).unwrap_or(u8::MAX));
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_the_command_is_kept_from_the_job() {
        let words = ["--parsable", "-W", "-A", "lab", "-p", "gpu", "-N2", "--wrap", "true"];
        let (given, rest) = command_line(&words.map(str::to_owned)).unwrap();
        let wishes = Wishes::of(given).unwrap();
        assert!(rest.is_empty() && wishes.parsable && wishes.wait && !wishes.quiet);
        assert_eq!(wishes.account.as_deref(), Some("lab"));
        assert_eq!(wishes.wrap.as_deref(), Some("true"));
        assert_eq!(wishes.options, ["--nodes=2"]);
    }

    #[test]
    fn a_place_that_cannot_take_the_job_says_why() {
        let offers = json!({ "offers": [
            { "allocation": "a", "partition": "lux.gpu", "refused": "too big" },
            { "allocation": "b", "partition": "fin.gpu", "terms": { "score_seconds": 0 } },
        ]});
        let refused = test(&offers, Some("a")).unwrap_err().to_string();
        assert_eq!(refused, "allocation failure: lux.gpu: too big");
        assert_eq!(test(&offers, Some("b")).unwrap(), 0);
        assert!(test(&offers, Some("c")).is_err());
    }
}
