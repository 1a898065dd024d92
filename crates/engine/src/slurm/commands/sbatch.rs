//! `sbatch`: submits one job.

use std::borrow::Cow;

use crate::Error;
use crate::job::Request;
use crate::slurm::options::{self, Said};
use crate::slurm::process::{Invocation, Output};
use crate::slurm::script::{STDERR, STDOUT};
use crate::slurm::text;
use crate::slurm::transport::{SlurmId, Submission, mark};

/// What it says when the controller did not answer: the job may be there or not.
const NO_ANSWER: &[&str] = &[
    "Unable to contact slurm controller",
    "Communication",
    "Connection refused",
    "Connection reset",
    "Message receive failure",
    "Message send failure",
    "Protocol authentication error",
    "Resource temporarily unavailable",
    "Slurm backup controller in standby mode",
    "Socket timed out",
    "Transport endpoint is not connected",
    "Unexpected message received",
    "Zero Bytes were transmitted",
    "allocation is temporarily disabled",
    "is temporarily unable to accept",
    "temporarily unable to accept job",
    "unable to resolve",
    "Unable to process configuration file",
    "munge",
    "Munge",
];
/// What it says before it reads the answer of a controller that took the job.
const NEVER_SENT_BY_SUDO: &str = "sudo: unknown user";

pub(super) fn build(submission: &Submission<'_>) -> Invocation {
    let Submission { job, spec, folder, script } = submission;
    let place = &spec.place;
    let mut arguments = vec![
        "--parsable".to_owned(),
        format!("--comment={}", mark(*job)),
        format!("--job-name={}", spec.name.replace(char::is_control, "?")),
        // The person's own login environment, and nothing of the agent's.
        "--export=NIL".to_owned(),
        "--open-mode=append".to_owned(),
        format!("--chdir={folder}"),
        format!("--output={folder}/{STDOUT}"),
    ];
    if spec.stderr.is_some() {
        arguments.push(format!("--error={folder}/{STDERR}"));
    }
    arguments.extend(size(spec.request, Said::by(&place.options)));
    let named = [("account", &place.account), ("qos", &place.qos), ("partition", &place.partition)];
    for (option, name) in named {
        arguments.extend(name.as_ref().map(|name| format!("--{option}={name}")));
    }
    if !options::wants_requeue(&place.options) {
        // Whatever the site does by default: a script runs once unless its owner says otherwise.
        arguments.push("--no-requeue".to_owned());
    }
    arguments.extend(place.options.iter().map(|option| options::word(folder, spec, option)));
    let invocation = Invocation::new("sbatch", arguments).by(place.user.as_deref());
    Invocation { input: script.clone().into_bytes(), ..invocation }
}

/// What is asked for, in Slurm's measures: by node, and in whole minutes.
fn size(request: Request, said: Said) -> Vec<String> {
    let Request { nodes, cores, memory_mb, gpus, time_limit_seconds } = request;
    let nodes = nodes.max(1);
    let mut size = vec![
        format!("--nodes={nodes}"),
        format!("--time={}", time_limit_seconds.div_ceil(60).max(1)),
    ];
    if !said.cores {
        size.push("--ntasks-per-node=1".to_owned());
        size.push(format!("--cpus-per-task={}", cores.div_ceil(nodes).max(1)));
    }
    if !said.memory {
        size.push(format!("--mem={}M", memory_mb.div_ceil(u64::from(nodes)).max(1)));
    }
    if !said.gpus && gpus > 0 {
        size.push(match gpus % nodes {
            0 => format!("--gres=gpu:{}", gpus / nodes),
            _ => format!("--gpus={gpus}"),
        });
    }
    size
}

/// The number of the job; [`Error::Refused`] only when it is certain that there is none.
pub(super) fn parse(output: &Output) -> Result<SlurmId, Error> {
    let asked = Cow::Borrowed("sbatch");
    if output.status.success() {
        let answer = String::from_utf8_lossy(&output.stdout);
        // On clusters of several names the number has the name behind it.
        let line = answer.lines().next_back().unwrap_or_default();
        let id = line.split(';').next().and_then(text::number).and_then(|id| id.try_into().ok());
        return id
            .map(SlurmId)
            .ok_or_else(|| Error::Unclear { asked, answer: answer.into_owned() });
    }
    refusal(output.status.code().is_some(), &output.complaint())
        .map_or_else(|answer| Err(Error::Unclear { asked, answer }), |why| Err(Error::Refused(why)))
}

/// Why Slurm says no; the whole complaint when that is not what it says.
fn refusal(exited: bool, complaint: &str) -> Result<String, String> {
    let is_of_sudo = complaint.starts_with("sudo:");
    let is_silence = NO_ANSWER.iter().any(|it| complaint.contains(it));
    if complaint.starts_with(NEVER_SENT_BY_SUDO) {
        return Ok("there is no such login at this site".to_owned());
    }
    if !exited || is_of_sudo || is_silence || !complaint.contains("sbatch:") {
        return Err(complaint.to_owned());
    }
    let plain =
        complaint.replace("sbatch: error: ", "").replace("Batch job submission failed: ", "");
    Ok(format!("Slurm says: {plain}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::small;
    use proptest::prelude::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    fn arguments(change: impl Fn(&mut crate::Spec)) -> Vec<String> {
        let mut spec = small("exit 0");
        change(&mut spec);
        let job = "0189abcd-0000-7000-8000-000000000001".parse().unwrap();
        let submission =
            Submission { job, spec: &spec, folder: "/s/ann/1", script: "#!/bin/sh\n".to_owned() };
        build(&submission).arguments
    }

    fn answer(code: i32, stdout: &str, stderr: &str) -> Result<u32, String> {
        let output = Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.to_owned(),
        };
        match parse(&output) {
            Ok(id) => Ok(id.0),
            Err(Error::Refused(why)) => Err(format!("no: {why}")),
            Err(error) => Err(format!("?: {error}")),
        }
    }

    #[test]
    fn a_small_job_is_one_task_on_one_node() {
        let all = arguments(|_| {}).join(" ");
        assert_eq!(
            all,
            "--parsable --comment=usine:0189abcd-0000-7000-8000-000000000001 --job-name=conformance \
             --export=NIL --open-mode=append --chdir=/s/ann/1 --output=/s/ann/1/stdout.log \
             --nodes=1 --time=10 --ntasks-per-node=1 --cpus-per-task=1 --mem=64M --no-requeue"
        );
    }

    #[test]
    fn amounts_over_all_nodes_become_amounts_of_each_rounded_up() {
        let all = arguments(|spec| {
            spec.request =
                Request { nodes: 4, cores: 30, memory_mb: 1_001, gpus: 8, time_limit_seconds: 61 };
        });
        for expected in ["--nodes=4", "--cpus-per-task=8", "--mem=251M", "--gres=gpu:2", "--time=2"]
        {
            assert!(all.iter().any(|it| it == expected), "{expected}: {all:?}");
        }
    }

    #[test]
    fn what_a_user_spreads_otherwise_is_left_to_the_options() {
        let all = arguments(|spec| {
            let options = [("ntasks", Some("6")), ("mem-per-cpu", Some("2G")), ("requeue", None)];
            spec.place.options =
                options.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).to_vec();
            spec.place.user = Some("ann".to_owned());
            spec.place.account = Some("lab".to_owned());
        });
        for unexpected in ["--cpus-per-task", "--ntasks-per-node", "--mem="] {
            assert!(!all.iter().any(|it| it.starts_with(unexpected)), "{unexpected}: {all:?}");
        }
        assert!(all.ends_with(
            &["--account=lab", "--ntasks=6", "--mem-per-cpu=2G", "--requeue"].map(str::to_owned)
        ));
    }

    #[test]
    fn a_name_stays_on_its_line() {
        let all = arguments(|spec| spec.name = "a\nb".to_owned());
        assert!(all.contains(&"--job-name=a?b".to_owned()));
    }

    #[test]
    fn a_number_a_refusal_and_silence_are_told_apart() {
        assert_eq!(answer(0, "4711\n", ""), Ok(4711));
        assert_eq!(answer(0, "4711;alpha\n", ""), Ok(4711));
        assert!(answer(0, "what?\n", "").unwrap_err().starts_with('?'));
        let refused = [
            "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
            "sbatch: unrecognized option '--bogus'\nTry \"sbatch --help\" for more information",
            "sudo: unknown user nobodyx\nsudo: error initializing audit plugin sudoers_audit",
        ];
        for complaint in refused {
            assert!(answer(1, "", complaint).unwrap_err().starts_with("no"), "{complaint}");
        }
        let silent = [
            "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
            "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
            "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
            "sudo: a password is required",
            "sbatch: error: ClusterName needs to be specified\nsbatch: fatal: Unable to process configuration file",
            "",
        ];
        for complaint in silent {
            assert!(answer(1, "", complaint).unwrap_err().starts_with('?'), "{complaint}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail_otherwise(code in 0..256, text in ".{0,80}") {
            let told = answer(code, &text, &text);
            prop_assert!(told.is_err() || code == 0);
        }
    }
}
