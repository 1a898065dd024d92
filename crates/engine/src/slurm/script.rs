//! What Slurm runs in place of the user's script: a fence before it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use units::JobId;

use super::{numbers, options};
use crate::Error;
use crate::job::{Spec, is_elsewhere};

/// What a copy of a job exits with that found another one had begun; below 128, because `sacct`
/// takes 128 off all that is not.
pub(super) const FENCED: u8 = 117;

/// Names in a job's folder.
pub(super) const BEGUN: &str = "begun";
/// With Slurm's number behind it: a copy of that number was stopped.
pub(super) const STOPPED: &str = "stopped";
pub(super) const SCRIPT: &str = "script";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const WORK: &str = "work";
pub(super) const STDOUT: &str = "stdout.log";
pub(super) const STDERR: &str = "stderr.log";

/// Variables that a job gets whatever it asks.
const OWN_JOB: &str = "USINE_JOB_ID";
const OWN_NAME: &str = "USINE_JOB_NAME";

/// The fence of one attempt to submit a job, before the script in the job's folder.
///
/// Whoever links its own line to the name `begun` first is the job; linking is atomic on shared file
/// systems too. After that nothing passes, unless the person asked for requeues: then the same attempt
/// under the same number does, started more often than before by Slurm's own count. The number alone
/// would not do: a controller that lost the first copy may give it to the second, or start the first
/// once more.
pub(super) fn fence(folder: &str, attempt: u32, spec: &Spec) -> String {
    let inside = |name: &str| match is_elsewhere(name) {
        true => quoted(name),
        false => quoted(&format!("{WORK}/{name}")),
    };
    let begins_in = spec.folder.as_deref().map_or_else(|| quoted(WORK), inside);
    let mut links = String::new();
    for (log, name) in [(STDOUT, &spec.stdout), (STDERR, &spec.stderr)] {
        if let Some(name) = name {
            let shown = inside(name);
            // On another file system a link leads here until the job is cleared away.
            let there = quoted(&format!("{folder}/{log}"));
            let _ = writeln!(
                links,
                "mkdir -p \"$(dirname {shown})\" && {{ ln -f {log} {shown} 2> /dev/null || ln -sf {there} {shown}; }}"
            );
        }
    }
    let numbers = numbers::setup(folder, spec);
    let folder = quoted(folder);
    let passes = match options::wants_requeue(&spec.place.options) {
        true => {
            "[ \"$usine_attempt $usine_id\" = \"$usine_mine\" ] && [ \"$usine_count\" -gt \"$usine_before\" ]"
        }
        false => "false",
    };
    format!(
        "#!/bin/sh
# Usine: however often this job is submitted, the script runs once.
cd {folder} || exit {FENCED}
usine_mine=\"{attempt} $SLURM_JOB_ID\"
usine_count=\"${{SLURM_RESTART_COUNT:-0}}\"
usine_line=$(mktemp {BEGUN}.XXXXXXXX) || exit {FENCED}
echo \"$usine_mine $usine_count\" > \"$usine_line\" && chmod 640 \"$usine_line\" || exit {FENCED}
if ! ln \"$usine_line\" {BEGUN} 2> /dev/null && ! [ \"$usine_line\" -ef {BEGUN} ]; then
    read -r usine_attempt usine_id usine_before < {BEGUN}
    if ! {{ {passes}; }}; then
        echo \"$usine_count\" >> \"{STOPPED}.$SLURM_JOB_ID\"
        rm -f \"$usine_line\"
        exit {FENCED}
    fi
    mv -f \"$usine_line\" {BEGUN} || exit {FENCED}
fi
rm -f \"$usine_line\"
# What `sbatch` was told would be passed on to every `srun`.
unset SLURM_EXPORT_ENV SLURM_GET_USER_ENV SLURM_OPEN_MODE
unset usine_mine usine_count usine_line usine_attempt usine_id usine_before
{links}. ./{ENVIRONMENT}
{numbers}cd {begins_in} || exit 1
exec {folder}/{SCRIPT}
"
    )
}

/// The file that sets the job's variables; it lies in the job's folder and not in Slurm's database.
///
/// # Errors
/// [`Error::Refused`] when a name cannot be that of a variable.
pub(super) fn environment(job: JobId, spec: &Spec) -> Result<String, Error> {
    let mut all: BTreeMap<&str, &str> =
        spec.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let id = job.to_string();
    all.extend([(OWN_JOB, id.as_str()), (OWN_NAME, spec.name.as_str())]);
    let mut text = String::new();
    for (name, value) in all {
        if !is_variable(name) {
            let name = name.escape_debug();
            return Err(Error::Refused(format!("`{name}` is not the name of a variable")));
        }
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    Ok(text)
}

/// The attempt and the number that are the job, from what `begun` holds.
pub(super) fn begun(text: &str) -> Option<(u32, u32)> {
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn is_variable(name: &str) -> bool {
    let first = |mark: u8| mark.is_ascii_alphabetic() || mark == b'_';
    name.bytes().next().is_some_and(first)
        && name.bytes().all(|mark| mark.is_ascii_alphanumeric() || mark == b'_')
}

/// A word that a shell takes as it is.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::small;
    use proptest::prelude::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::process::{Command, Output};

    fn job() -> JobId {
        "0189abcd-0000-7000-8000-000000000001".parse().unwrap()
    }

    /// A job's folder as a submission leaves it.
    fn folder(spec: &Spec) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(WORK)).unwrap();
        fs::write(folder.path().join(SCRIPT), &spec.script).unwrap();
        fs::set_permissions(folder.path().join(SCRIPT), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.path().join(ENVIRONMENT), environment(job(), spec).unwrap()).unwrap();
        fs::write(folder.path().join(STDOUT), "").unwrap();
        folder
    }

    fn run(folder: &Path, attempt: u32, id: u32, spec: &Spec) -> Output {
        run_again(folder, attempt, id, 0, spec)
    }

    /// The same, requeued so many times before.
    fn run_again(folder: &Path, attempt: u32, id: u32, count: u32, spec: &Spec) -> Output {
        let text = fence(folder.to_str().unwrap(), attempt, spec);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &text]).env("SLURM_JOB_ID", id.to_string()).current_dir("/");
        if count > 0 {
            shell.env("SLURM_RESTART_COUNT", count.to_string());
        }
        shell.env("SLURM_EXPORT_ENV", "NIL").output().unwrap()
    }

    #[test]
    fn one_copy_runs_and_only_requeues_that_were_asked_for_are_let_through() {
        let once = small("echo ran >> ran.txt");
        let only = folder(&once);
        assert_eq!(run(only.path(), 1, 7, &once).status.code(), Some(0));
        assert_eq!(run_again(only.path(), 1, 7, 1, &once).status.code(), Some(FENCED.into()));

        let mut spec = once;
        spec.place.options = vec![("requeue".to_owned(), None)];
        let folder = folder(&spec);
        let code = |attempt, id| run(folder.path(), attempt, id, &spec).status.code();
        assert_eq!(code(1, 7), Some(0));
        assert_eq!(code(1, 8), Some(FENCED.into()), "another number of the same attempt ran");
        assert_eq!(code(2, 7), Some(FENCED.into()), "the same number of another attempt ran");
        assert!(
            !folder.path().join("stopped.9").exists() && folder.path().join("stopped.8").exists()
        );
        assert_eq!(code(1, 7), Some(FENCED.into()), "a start that Slurm forgot was repeated");
        let requeued = |count| run_again(folder.path(), 1, 7, count, &spec).status.code();
        assert_eq!(requeued(1), Some(0), "the requeued job was stopped");
        assert_eq!(requeued(1), Some(FENCED.into()));
        assert_eq!(requeued(3), Some(0));
        let ran = fs::read_to_string(folder.path().join("work/ran.txt")).unwrap();
        assert_eq!(ran, "ran\nran\nran\n");
        let text = fs::read_to_string(folder.path().join(BEGUN)).unwrap();
        assert_eq!(begun(&text), Some((1, 7)));
    }

    #[test]
    fn the_script_begins_where_it_asked_with_its_variables_and_named_logs() {
        let mut spec =
            small("pwd; echo \"$MINE\"; echo \"$USINE_JOB_ID\"; echo ${SLURM_EXPORT_ENV-none}");
        spec.environment.insert("MINE".to_owned(), "it's `here` $HOME\nand \"there\"".to_owned());
        spec.environment.insert(OWN_JOB.to_owned(), "forged".to_owned());
        spec.folder = Some("in side".to_owned());
        spec.stdout = Some("logs/it's.txt".to_owned());
        let folder = folder(&spec);
        fs::create_dir(folder.path().join("work/in side")).unwrap();
        let output = run(folder.path(), 1, 7, &spec);
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = format!(
            "{}\nit's `here` $HOME\nand \"there\"\n{}\nnone\n",
            folder.path().canonicalize().unwrap().join("work/in side").display(),
            job()
        );
        assert_eq!(text, expected, "{}", String::from_utf8_lossy(&output.stderr));
        assert!(folder.path().join("work/logs/it's.txt").exists());
    }

    #[test]
    fn a_missing_folder_is_said_and_the_script_does_not_run() {
        let mut spec = small("echo ran");
        spec.folder = Some("missing".to_owned());
        let folder = folder(&spec);
        let output = run(folder.path(), 1, 7, &spec);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("missing"));
    }

    proptest! {
        #[test]
        fn every_value_reaches_the_script_as_it_is(value in "[^\0]{0,60}") {
            let mut spec = small("");
            spec.environment.insert("VALUE".to_owned(), value.clone());
            let text = environment(job(), &spec).unwrap();
            let script = format!("{text}\nprintf %s \"$VALUE\"");
            let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), value);
        }

        #[test]
        fn what_begun_holds_is_read_or_not(text in ".{0,20}") {
            let _ = begun(&text);
        }
    }
}
