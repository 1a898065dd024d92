//! What Slurm runs in place of the user's script: a fence before it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use units::JobId;

use crate::Error;
use crate::job::Spec;

/// What a copy of a job exits with that found another one had begun; below 128, because `sacct`
/// takes 128 off all that is not.
pub(super) const FENCED: u8 = 117;

/// Names in a job's folder.
pub(super) const BEGUN: &str = "begun";
pub(super) const SCRIPT: &str = "script";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const WORK: &str = "work";
pub(super) const STDOUT: &str = "stdout.log";
pub(super) const STDERR: &str = "stderr.log";

/// Variables that a job gets whatever it asks.
const OWN_JOB: &str = "USINE_JOB_ID";
const OWN_NAME: &str = "USINE_JOB_NAME";

/// The fence of one attempt to submit a job, with the job's folder in place of where it is.
///
/// Whoever links its own line to the name `begun` first is the job; linking is atomic on shared file
/// systems too. A requeued job is let through, because its attempt and its number are the same. The
/// number alone would not do: a controller that lost the first copy may give it to the second.
pub(super) fn fence(folder: &str, attempt: u32, spec: &Spec) -> String {
    let folder = quoted(folder);
    let begins_in = match &spec.folder {
        None => quoted(WORK),
        Some(name) => quoted(&format!("{WORK}/{name}")),
    };
    let mut links = String::new();
    for (log, name) in [(STDOUT, &spec.stdout), (STDERR, &spec.stderr)] {
        if let Some(name) = name {
            let shown = quoted(&format!("{WORK}/{name}"));
            let _ = writeln!(links, "mkdir -p \"$(dirname {shown})\" && ln -f {log} {shown}");
        }
    }
    format!(
        "#!/bin/sh
# Usine: however often this job is submitted, the script runs once.
cd {folder} || exit {FENCED}
mine=\"{attempt} $SLURM_JOB_ID\"
printf '%s\\n' \"$mine\" > \"{BEGUN}.{attempt}.$SLURM_JOB_ID\" || exit {FENCED}
ln \"{BEGUN}.{attempt}.$SLURM_JOB_ID\" {BEGUN} 2> /dev/null
[ \"$(cat {BEGUN})\" = \"$mine\" ] || exit {FENCED}
# What `sbatch` was told would be passed on to every `srun`.
unset SLURM_EXPORT_ENV SLURM_GET_USER_ENV SLURM_OPEN_MODE mine
{links}. ./{ENVIRONMENT}
cd {begins_in} || exit 1
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
    let (attempt, id) = text.trim().split_once(' ')?;
    Some((attempt.parse().ok()?, id.parse().ok()?))
}

fn is_variable(name: &str) -> bool {
    let first = |mark: u8| mark.is_ascii_alphabetic() || mark == b'_';
    name.bytes().next().is_some_and(first)
        && name.bytes().all(|mark| mark.is_ascii_alphanumeric() || mark == b'_')
}

/// A word that a shell takes as it is.
fn quoted(text: &str) -> String {
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
        let text = fence(folder.to_str().unwrap(), attempt, spec);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &text]).env("SLURM_JOB_ID", id.to_string()).current_dir("/");
        shell.env("SLURM_EXPORT_ENV", "NIL").output().unwrap()
    }

    #[test]
    fn one_copy_runs_and_is_let_through_again_while_others_are_not() {
        let spec = small("echo ran >> ran.txt");
        let folder = folder(&spec);
        let code = |attempt, id| run(folder.path(), attempt, id, &spec).status.code();
        assert_eq!(code(1, 7), Some(0));
        assert_eq!(code(1, 8), Some(FENCED.into()), "another number of the same attempt ran");
        assert_eq!(code(2, 7), Some(FENCED.into()), "the same number of another attempt ran");
        assert_eq!(code(1, 7), Some(0), "the requeued job was stopped");
        let ran = fs::read_to_string(folder.path().join("work/ran.txt")).unwrap();
        assert_eq!(ran, "ran\nran\n");
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
