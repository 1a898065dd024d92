//! What `sbatch` takes from its environment: options, and variables for the job.

use std::collections::BTreeMap;

use jobs::Export;
use jobs::script::{Given, command_line};

/// Variables that stand for options, as the manual of `sbatch` has them.
const OPTIONS: [(&str, &str); 36] = [
    ("SBATCH_ACCOUNT", "account"),
    ("SBATCH_ACCTG_FREQ", "acctg-freq"),
    ("SBATCH_ARRAY_INX", "array"),
    ("SBATCH_BATCH", "batch"),
    ("SBATCH_CONSTRAINT", "constraint"),
    ("SBATCH_CONTAINER", "container"),
    ("SBATCH_CPUS_PER_GPU", "cpus-per-gpu"),
    ("SBATCH_DELAY_BOOT", "delay-boot"),
    ("SBATCH_DISTRIBUTION", "distribution"),
    ("SBATCH_EXCLUSIVE", "exclusive"),
    ("SBATCH_EXPORT", "export"),
    ("SBATCH_GPUS", "gpus"),
    ("SBATCH_GPUS_PER_NODE", "gpus-per-node"),
    ("SBATCH_GPUS_PER_TASK", "gpus-per-task"),
    ("SBATCH_GPU_BIND", "gpu-bind"),
    ("SBATCH_GPU_FREQ", "gpu-freq"),
    ("SBATCH_GRES", "gres"),
    ("SBATCH_HINT", "hint"),
    ("SBATCH_JOB_NAME", "job-name"),
    ("SBATCH_MEM_BIND", "mem-bind"),
    ("SBATCH_MEM_PER_CPU", "mem-per-cpu"),
    ("SBATCH_MEM_PER_GPU", "mem-per-gpu"),
    ("SBATCH_MEM_PER_NODE", "mem"),
    ("SBATCH_NETWORK", "network"),
    ("SBATCH_NO_KILL", "no-kill"),
    ("SBATCH_NO_REQUEUE", "no-requeue"),
    ("SBATCH_OPEN_MODE", "open-mode"),
    ("SBATCH_PARTITION", "partition"),
    ("SBATCH_PROFILE", "profile"),
    ("SBATCH_QOS", "qos"),
    ("SBATCH_REQUEUE", "requeue"),
    ("SBATCH_RESERVATION", "reservation"),
    ("SBATCH_SIGNAL", "signal"),
    ("SBATCH_SPREAD_JOB", "spread-job"),
    ("SBATCH_THREADS_PER_CORE", "threads-per-core"),
    ("SBATCH_TIMELIMIT", "time"),
];

/// Variables of this machine that mean something else, or nothing, on another.
const OWN: [&str; 20] = [
    "DISPLAY",
    "HOME",
    "HOSTNAME",
    "LOGNAME",
    "LS_COLORS",
    "MAIL",
    "OLDPWD",
    "PATH",
    "PWD",
    "SHELL",
    "SHLVL",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "_",
    "EDITOR",
];
/// Beginnings of more of them, secrets of this program among them.
const OWN_PREFIXES: [&str; 6] = ["DBUS_", "SBATCH_", "SLURM_", "SSH_", "USINE_", "XDG_"];

/// By which a job is asked to see the hub's number as its own.
const NUMBERS: &str = "USINE_NUMBERS";

/// The options that the environment asks for; the command line wins over them.
pub(super) fn options(variable: impl Fn(&str) -> Option<String>) -> Vec<Given> {
    let option = |(name, long): &(&str, &str)| {
        let value = variable(name)?;
        // Read as a word, so that one that takes no value loses it.
        let with_value = command_line(&[format!("--{long}={value}")]);
        let found = with_value.or_else(|_| command_line(&[format!("--{long}")]));
        found.ok().and_then(|(given, _)| given.into_iter().next())
    };
    OPTIONS.iter().filter_map(option).collect()
}

/// The variables that are sent along. Nothing is where nothing is said: the job runs on another machine
/// than this one, and has its person's login environment there.
pub(super) fn sent(
    export: Option<&Export>,
    variables: impl Iterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let Some(export) = export else { return BTreeMap::new() };
    let all: BTreeMap<String, String> = variables.collect();
    let is_own = |name: &String| {
        OWN.contains(&name.as_str()) || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    // Those that `ALL` stands for are without this machine's own; those that are named are not.
    let others = all.iter().filter(|(name, _)| !is_own(name));
    let others: BTreeMap<_, _> =
        others.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut sent = export.apply(&others);
    sent.extend(export.named().filter_map(|name| Some((name.to_owned(), all.get(name)?.clone()))));
    sent
}

/// Whether jobs are to see the hub's numbers.
pub(super) fn wants_hub_numbers(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable(NUMBERS).is_some_and(|choice| choice == "hub")
}

/// What is exported, and the wish for the hub's numbers.
pub(super) fn with_hub_numbers(export: Option<&Export>) -> String {
    let wish = format!("{NUMBERS}=hub");
    match export.map(ToString::to_string) {
        None => format!("--export=ALL,{wish}"),
        Some(nothing) if nothing == "NONE" => format!("--export={wish}"),
        Some(some) => format!("--export={some},{wish}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_for_options() {
        let variable = |name: &str| match name {
            "SBATCH_TIMELIMIT" => Some("5".to_owned()),
            "SBATCH_REQUEUE" => Some("1".to_owned()),
            _ => None,
        };
        let words: Vec<String> = options(variable).iter().map(Given::word).collect();
        assert_eq!(words, ["--requeue", "--time=5"]);
    }

    #[test]
    fn only_what_is_exported_leaves_this_machine() {
        let here = || {
            [("PATH", "/here"), ("SEED", "7"), ("USINE_TOKEN", "secret"), ("LANG", "C")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
        };
        let names = |text: &str| {
            let export: Export = text.parse().unwrap();
            sent(Some(&export), here()).into_keys().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("ALL"), "LANG SEED");
        assert_eq!(names("SEED,PATH"), "PATH SEED");
        assert_eq!(names("NONE"), "");
        assert!(sent(None, here()).is_empty());
    }

    #[test]
    fn the_wish_for_the_hubs_numbers_stands_beside_what_is_exported() {
        let with = |text: &str| with_hub_numbers(Some(&text.parse().unwrap()));
        assert_eq!(with_hub_numbers(None), "--export=ALL,USINE_NUMBERS=hub");
        assert_eq!(with("NONE"), "--export=USINE_NUMBERS=hub");
        assert_eq!(with("ALL,SEED=7"), "--export=ALL,SEED='7',USINE_NUMBERS=hub");
    }
}
