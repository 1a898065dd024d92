//! A submission.

use serde_json::{Map, Value, json};

use super::format::{ASKED, Format, errors, number, unclear};
use crate::Error;
use crate::job::Request;
use crate::slurm::options::Said;
use crate::slurm::script::{STDERR, STDOUT};
use crate::slurm::transport::{SlurmId, Submission, mark};

/// Numbers of failures between daemons: whether the controller heard of it is not known.
const SILENCE: std::ops::RangeInclusive<i64> = 1_000..=1_999;
/// Numbers of the controller's own refusals.
const REFUSALS: std::ops::RangeInclusive<i64> = 2_000..=2_999;
/// Refusals that are none: it stands by, it is busy, it cannot be reached.
const NOT_NOW: [i64; 4] = [2_000, 2_009, 2_078, 2_116];

/// What is asked of the daemon.
///
/// # Errors
/// [`Error::Refused`] for an option that cannot be said this way.
pub(super) fn build(format: Format, submission: &Submission<'_>) -> Result<Value, Error> {
    let Submission { job, spec, folder, script } = submission;
    let mut all = Map::new();
    let mut say = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
    say("comment", mark(*job).into());
    say("name", spec.name.replace(char::is_control, "?").into());
    say("current_working_directory", (*folder).into());
    say("standard_output", format!("{folder}/{STDOUT}").into());
    if spec.stderr.is_some() {
        say("standard_error", format!("{folder}/{STDERR}").into());
    }
    // The first is what makes slurmd fetch the person's login environment.
    let environment = [("SLURM_GET_USER_ENV", "1"), ("PATH", "/usr/local/bin:/usr/bin:/bin")];
    if format.is_of_parsers() {
        say(
            "environment",
            environment.map(|(name, value)| format!("{name}={value}")).to_vec().into(),
        );
        say("open_mode", json!(["APPEND"]));
    } else {
        say(
            "environment",
            environment
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into_iter()
                .collect::<Map<_, _>>()
                .into(),
        );
        say("open_mode", "append".into());
    }
    let place = &spec.place;
    for (name, value) in
        [("account", &place.account), ("qos", &place.qos), ("partition", &place.partition)]
    {
        if let Some(value) = value {
            say(name, value.as_str().into());
        }
    }
    size(format, spec.request, Said::by(&place.options), &mut say);
    // Whatever the site does by default: a script runs once unless its owner says otherwise.
    say("requeue", false.into());
    for (name, value) in &place.options {
        option(format, name, value.as_deref(), &mut say)?;
    }
    if format.has_unset_numbers() {
        say("script", script.as_str().into());
        return Ok(json!({ "job": all }));
    }
    Ok(json!({ "script": script, "job": all }))
}

/// A number that may be unset, as a format has it.
fn settable(format: Format, number: u64) -> Value {
    if format.has_unset_numbers() {
        return json!({"set": true, "infinite": false, "number": number});
    }
    number.into()
}

fn size(format: Format, request: Request, said: Said, say: &mut impl FnMut(&str, Value)) {
    let Request { nodes, cores, memory_mb, gpus, time_limit_seconds } = request;
    let nodes = nodes.max(1);
    if format.is_of_parsers() {
        say("minimum_nodes", nodes.into());
        say("maximum_nodes", nodes.into());
    } else {
        say("nodes", json!([nodes, nodes]));
    }
    say("time_limit", settable(format, time_limit_seconds.div_ceil(60).max(1)));
    if !said.cores {
        // A batch script is counted as one task, unless it is said how many there are.
        say("tasks", nodes.into());
        say("tasks_per_node", 1.into());
        say("cpus_per_task", cores.div_ceil(nodes).max(1).into());
    }
    if !said.memory {
        say("memory_per_node", settable(format, memory_mb.div_ceil(nodes.into()).max(1)));
    }
    if !said.gpus && gpus > 0 {
        let each = gpus.div_ceil(nodes);
        if format.is_of_parsers() {
            say("tres_per_node", format!("gres/gpu:{each}").into());
        } else {
            say("gres", format!("gpu:{each}").into());
        }
    }
}

/// An option of `sbatch` in the words of the data format.
fn option(
    format: Format,
    name: &str,
    value: Option<&str>,
    say: &mut impl FnMut(&str, Value),
) -> Result<(), Error> {
    let refused = || {
        Error::Refused(format!(
            "`--{name}` cannot be said to slurmrestd; this site takes it by commands only"
        ))
    };
    let text = || value.ok_or_else(refused);
    let whole = || value.and_then(|value| value.parse::<u64>().ok()).ok_or_else(refused);
    match name {
        "constraint" => say("constraints", text()?.into()),
        "container" | "dependency" | "licenses" | "prefer" | "reservation" | "wckey" => {
            say(name, text()?.into());
        }
        "mail-user" => say("mail_user", text()?.into()),
        "mem-per-cpu" => {
            let memory = value.and_then(|value| crate::slurm::text::size_mb(value, 1 << 10));
            say("memory_per_cpu", settable(format, memory.ok_or_else(refused)?));
        }
        "gpus" if !format.is_of_parsers() => say("gpus", text()?.into()),
        "gpus" => say("tres_per_job", format!("gres/gpu:{}", text()?).into()),
        "gpus-per-node" if !format.is_of_parsers() => say("gpus_per_node", text()?.into()),
        "gpus-per-node" => say("tres_per_node", format!("gres/gpu:{}", text()?).into()),
        "gpus-per-task" if !format.is_of_parsers() => say("gpus_per_task", text()?.into()),
        "gpus-per-task" => say("tres_per_task", format!("gres/gpu:{}", text()?).into()),
        "exclusive" if !format.is_of_parsers() => say("exclusive", "true".into()),
        "ntasks" => say("tasks", whole()?.into()),
        "ntasks-per-node" => say("tasks_per_node", whole()?.into()),
        "cpus-per-task" => say("cpus_per_task", whole()?.into()),
        "threads-per-core" => say("threads_per_core", whole()?.into()),
        "mem" => {
            let memory = value.and_then(|value| crate::slurm::text::size_mb(value, 1 << 10));
            say("memory_per_node", settable(format, memory.ok_or_else(refused)?));
        }
        "gres" if !format.is_of_parsers() => say("gres", text()?.into()),
        "gres" => {
            let list: Vec<String> = text()?.split(',').map(|it| format!("gres/{it}")).collect();
            say("tres_per_node", list.join(",").into());
        }
        "hold" => say("hold", true.into()),
        "requeue" => say("requeue", true.into()),
        "no-requeue" => say("requeue", false.into()),
        "nice" => say("nice", value.map_or(Ok(100), |_| whole())?.into()),
        _ => return Err(refused()),
    }
    Ok(())
}

/// The number of the job; [`Error::Refused`] only when it is certain that there is none.
pub(super) fn parse(answer: &Value) -> Result<SlurmId, Error> {
    let id = answer.get("job_id").or(answer.pointer("/result/job_id")).and_then(number);
    // A job that is held comes with its number and an error.
    if let Some(id) = id.filter(|id| *id > 0).and_then(|id| u32::try_from(id).ok()) {
        return Ok(SlurmId(id));
    }
    let errors = errors(answer);
    let is_refusal = |(number, _): &(i64, String)| {
        REFUSALS.contains(number) && !NOT_NOW.contains(number) && !SILENCE.contains(number)
    };
    match errors.iter().find(|error| is_refusal(error)) {
        Some((_, said)) => Err(Error::Refused(format!("Slurm says: {said}"))),
        None if errors.is_empty() => Err(Error::Unclear {
            asked: ASKED.into(),
            answer: "neither a number nor an error".to_owned(),
        }),
        None => Err(unclear(&errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::small;

    fn of(number: u32) -> Format {
        let path = |part: &str| (format!("/{part}/v0.0.{number}/jobs"), json!({}));
        let paths: Map<String, Value> = [path("slurm"), path("slurmdb")].into_iter().collect();
        Format::newest_in(&json!({ "paths": paths })).unwrap()
    }

    fn built(number: u32, change: impl Fn(&mut crate::Spec)) -> Result<Value, Error> {
        let mut spec = small("exit 0");
        change(&mut spec);
        let job = "0189abcd-0000-7000-8000-000000000001".parse().unwrap();
        let script = "#!/bin/sh\n".to_owned();
        build(of(number), &Submission { job, spec: &spec, folder: "/s/1", script })
    }

    #[test]
    fn each_format_says_the_same_in_its_own_way() {
        let change = |spec: &mut crate::Spec| (spec.request.nodes, spec.request.gpus) = (2, 4);
        let older = built(38, change).unwrap();
        assert_eq!(older["script"], "#!/bin/sh\n");
        assert_eq!(older["job"]["nodes"], json!([2, 2]));
        assert_eq!(older["job"]["gres"], "gpu:2");
        assert_eq!(older["job"]["time_limit"], 10);
        assert!(older["job"]["environment"].is_object());
        let newer = built(42, change).unwrap();
        assert_eq!(newer["job"]["script"], "#!/bin/sh\n");
        assert_eq!(newer["job"]["tres_per_node"], "gres/gpu:2");
        assert_eq!(newer["job"]["time_limit"]["number"], 10);
        assert!(newer["job"]["environment"].is_array());
        for one in [older, newer] {
            assert_eq!(one["job"]["comment"], "usine:0189abcd-0000-7000-8000-000000000001");
            assert_eq!(one["job"]["standard_output"], "/s/1/stdout.log");
        }
    }

    #[test]
    fn an_option_that_cannot_be_said_is_refused_and_not_left_out() {
        let with = |name: &str, value: &str| {
            let options = vec![(name.to_owned(), Some(value.to_owned()))];
            built(38, |spec| spec.place.options = options.clone())
        };
        assert_eq!(with("constraint", "a100").unwrap()["job"]["constraints"], "a100");
        assert_eq!(with("mem", "2G").unwrap()["job"]["memory_per_node"], 2_048);
        assert!(matches!(with("spread-job", ""), Err(Error::Refused(_))));
    }

    #[test]
    fn a_number_a_refusal_and_silence_are_told_apart() {
        let refused =
            json!({"job_id": 0, "errors": [{"error_number": 2_045, "error": "Invalid account"}]});
        assert!(
            matches!(parse(&refused), Err(Error::Refused(why)) if why.contains("Invalid account"))
        );
        let held =
            json!({"job_id": 7, "errors": [{"error_number": 2_042, "error": "Job is held"}]});
        assert_eq!(parse(&held).unwrap(), SlurmId(7));
        for silent in [
            json!({"errors": [{"error_number": 1_007, "error": "Unable to contact slurm controller"}]}),
            json!({"errors": []}),
            json!(null),
        ] {
            assert!(matches!(parse(&silent), Err(Error::Unclear { .. })), "{silent}");
        }
    }
}
