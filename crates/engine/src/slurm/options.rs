//! Which further options of `sbatch` a job may carry, and what they say about its size.

use super::script::WORK;
use crate::Error;
use crate::job::{Spec, is_elsewhere};

/// Long names without the dashes. Left out are those that the engine sets itself (`comment`,
/// `output`, `export`, …), those that make of one job several or none (`array`, `test-only`), and
/// those that change who submits (`uid`).
const ALLOWED: &[&str] = &[
    "acctg-freq",
    "batch",
    "bb",
    "bbf",
    "begin",
    "cluster-constraint",
    "constraint",
    "container",
    "container-env",
    "container-id",
    "container-image",
    "container-mounts",
    "container-name",
    "container-save",
    "container-workdir",
    "contiguous",
    "core-spec",
    "cores-per-socket",
    "cpu-freq",
    "cpus-per-gpu",
    "cpus-per-task",
    "deadline",
    "delay-boot",
    "dependency",
    "distribution",
    "exclude",
    "exclusive",
    "extra-node-info",
    "gpu-bind",
    "gpu-freq",
    "gpus",
    "gpus-per-node",
    "gpus-per-socket",
    "gpus-per-task",
    "gres",
    "gres-flags",
    "hint",
    "hold",
    "input",
    "kill-on-invalid-dep",
    "licenses",
    "mail-type",
    "mail-user",
    "mcs-label",
    "mem",
    "mem-bind",
    "mem-per-cpu",
    "mem-per-gpu",
    "mincpus",
    "network",
    "nice",
    "no-kill",
    "no-requeue",
    "nodefile",
    "nodelist",
    "ntasks",
    "ntasks-per-core",
    "ntasks-per-gpu",
    "ntasks-per-node",
    "ntasks-per-socket",
    "oom-kill-step",
    "overcommit",
    "oversubscribe",
    "power",
    "prefer",
    "priority",
    "profile",
    "propagate",
    "reboot",
    "requeue",
    "reservation",
    "resv-ports",
    "segment",
    "signal",
    "sockets-per-node",
    "spread-job",
    "stepmgr",
    "switches",
    "thread-spec",
    "threads-per-core",
    "time-min",
    "tmp",
    "tres-bind",
    "tres-per-task",
    "use-min-nodes",
    "wait-all-nodes",
    "wckey",
];

/// Options that say how a job is spread over cores.
const CORES: &[&str] = &[
    "cpus-per-gpu",
    "cpus-per-task",
    "ntasks",
    "ntasks-per-core",
    "ntasks-per-gpu",
    "ntasks-per-node",
    "ntasks-per-socket",
];
const MEMORY: &[&str] = &["mem", "mem-per-cpu", "mem-per-gpu"];
const GPUS: &[&str] =
    &["gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task", "gres", "tres-per-task"];

/// Refuses options that are not in the list, and values that no option has.
///
/// # Errors
/// [`Error::Refused`], naming the first.
pub(super) fn check(options: &[(String, Option<String>)]) -> Result<(), Error> {
    for (name, value) in options {
        if !ALLOWED.contains(&name.as_str()) {
            let name = name.escape_debug();
            return Err(Error::Refused(format!("`--{name}` is not taken to Slurm from here")));
        }
        if value.as_ref().is_some_and(|value| value.chars().any(char::is_control)) {
            return Err(Error::Refused(format!("the value of `--{name}` has a control character")));
        }
    }
    Ok(())
}

/// Whether the person asked that Slurm may run the script again from its beginning.
pub(super) fn wants_requeue(options: &[(String, Option<String>)]) -> bool {
    let asked =
        options.iter().rfind(|(name, _)| ["requeue", "no-requeue"].contains(&name.as_str()));
    asked.is_some_and(|(name, _)| name == "requeue")
}

/// The option as one word of a command line. A file that the job reads is named from where its script
/// runs, which is not where Slurm starts the job.
pub(super) fn word(folder: &str, spec: &Spec, (name, value): &(String, Option<String>)) -> String {
    match value {
        Some(value) if name == "input" && !value.starts_with('/') => match spec.folder.as_deref() {
            Some(begins) if is_elsewhere(begins) => format!("--input={begins}/{value}"),
            Some(begins) => format!("--input={folder}/{WORK}/{begins}/{value}"),
            None => format!("--input={folder}/{WORK}/{value}"),
        },
        Some(value) => format!("--{name}={value}"),
        None => format!("--{name}"),
    }
}

/// What the options of a job say already, so that the engine does not say it again otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) cores: bool,
    pub(super) memory: bool,
    pub(super) gpus: bool,
}

impl Said {
    pub(super) fn by(options: &[(String, Option<String>)]) -> Self {
        let any = |of: &[&str]| options.iter().any(|(name, _)| of.contains(&name.as_str()));
        Self { cores: any(CORES), memory: any(MEMORY), gpus: any(GPUS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
        text.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn options_that_would_change_whose_job_it_is_or_how_it_is_found_are_refused() {
        assert!(check(&options(&[("constraint", Some("a100&nvlink")), ("requeue", None)])).is_ok());
        for name in [
            "uid", "comment", "export", "output", "wrap", "array", "parsable", "clusters", "", "-J",
        ] {
            assert!(check(&options(&[(name, Some("x"))])).is_err(), "{name} was accepted");
        }
        assert!(check(&options(&[("constraint", Some("a\nb"))])).is_err());
    }

    #[test]
    fn a_file_to_read_is_named_from_where_the_script_runs() {
        let mut spec = crate::conformance::small("");
        let input = |spec: &Spec, name: &str| {
            word("/j", spec, &("input".to_owned(), Some(name.to_owned())))
        };
        assert_eq!(input(&spec, "inputs/a.txt"), "--input=/j/work/inputs/a.txt");
        assert_eq!(input(&spec, "/home/ann/a.txt"), "--input=/home/ann/a.txt");
        spec.folder = Some("inputs/code".to_owned());
        assert_eq!(input(&spec, "a.txt"), "--input=/j/work/inputs/code/a.txt");
        spec.folder = Some("/home/ann".to_owned());
        assert_eq!(input(&spec, "a.txt"), "--input=/home/ann/a.txt");
    }

    #[test]
    fn what_the_user_said_is_not_said_again() {
        let said = Said::by(&options(&[("mem-per-cpu", Some("2G")), ("requeue", None)]));
        assert_eq!(said, Said { cores: false, memory: true, gpus: false });
    }
}
