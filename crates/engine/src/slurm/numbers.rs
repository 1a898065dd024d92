//! Which number a job sees as its own: Slurm's, or the hub's for whoever asks for it.
//!
//! Outside, a job has the hub's number, whatever site it runs at. Programs that look for themselves by
//! the number they were submitted under (`submitit` does) need the same one inside. Slurm's own
//! programs need Slurm's. So where the hub's is asked for, `SLURM_JOB_ID` holds the hub's number, and a
//! small script stands before Slurm's programs on the path and puts the one in the place of the other.

use super::script::quoted;
use crate::job::Spec;

/// The variable by which a job says whose numbers it wants to see.
const CHOICE: &str = "USINE_NUMBERS";
/// Its value for the hub's.
const HUBS: &str = "hub";
/// The variable with the hub's number of the job.
const NUMBER: &str = "USINE_JOB_NUMBER";
/// The folder in the job's own with what stands before Slurm's programs.
const FOLDER: &str = "bin";
/// The programs that are told numbers of jobs.
const PROGRAMS: &str = "sacct sbcast scancel scontrol squeue srun sstat";

/// The lines of the batch script that set this up; none where Slurm's own numbers are wanted.
pub(super) fn setup(folder: &str, spec: &Spec) -> String {
    let is_number = |text: &&String| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let hubs = spec.environment.get(CHOICE).is_some_and(|choice| choice == HUBS);
    let Some(number) = spec.environment.get(NUMBER).filter(is_number).filter(|_| hubs) else {
        return String::new();
    };
    let bin = quoted(&format!("{folder}/{FOLDER}"));
    let prolog = quoted(&format!("{folder}/{FOLDER}/task-prolog"));
    format!(
        "mkdir -p {bin} && cat > {bin}/stand-in <<'USINE_END' && chmod 700 {bin}/stand-in || exit 1
{STAND_IN}USINE_END
printf '#!/bin/sh\\necho export SLURM_JOB_ID={number}\\necho export SLURM_JOBID={number}\\n' > {prolog} && chmod 700 {prolog} || exit 1
for usine_program in {PROGRAMS}; do ln -sf stand-in {bin}/$usine_program; done
USINE_SLURM_JOB_ID=$SLURM_JOB_ID SLURM_JOB_ID={number} SLURM_JOBID={number} SLURM_TASK_PROLOG={prolog}
PATH={bin}:$PATH
export USINE_SLURM_JOB_ID SLURM_JOB_ID SLURM_JOBID SLURM_TASK_PROLOG PATH
unset usine_program
"
    )
}

/// Calls the program of its own name that comes next on the path, with Slurm's number of this job
/// wherever an argument is the hub's, and for `srun` the hub's in the names of files.
const STAND_IN: &str = r#"#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$0")
rest=
IFS=:
for folder in $PATH; do
    [ "$folder" = "$here" ] || rest="$rest${rest:+:}$folder"
done
unset IFS
program=$(PATH=$rest command -v "$name") || { echo "$name: not found" >&2; exit 127; }
array=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    case $word in
    "$USINE_JOB_NUMBER") word=$USINE_SLURM_JOB_ID ;;
    --jobid="$USINE_JOB_NUMBER" | --jobs="$USINE_JOB_NUMBER") word=${word%%=*}=$USINE_SLURM_JOB_ID ;;
    esac
    [ -n "$array" ] && [ "$word" = "$array" ] && word=$USINE_SLURM_JOB_ID
    if [ "$name" = srun ]; then
        word=$(printf '%s.' "$word" | sed \
            -e "s/%j/$USINE_JOB_NUMBER/g" \
            -e "s/%A/${SLURM_ARRAY_JOB_ID:-$USINE_JOB_NUMBER}/g" \
            -e "s/%a/${SLURM_ARRAY_TASK_ID:-4294967294}/g")
        word=${word%.}
    fi
    set -- "$@" "$word"
    left=$((left - 1))
done
SLURM_JOB_ID=$USINE_SLURM_JOB_ID SLURM_JOBID=$USINE_SLURM_JOB_ID exec "$program" "$@"
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::small;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    /// What the program `name` is told, in a job of Slurm's number 900 and the hub's 17.
    fn told(name: &str, line: &str, variables: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        let program = real.join(name);
        fs::write(&program, "#!/bin/sh\necho \"$SLURM_JOB_ID: $*\"\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut spec = small("");
        spec.environment.insert(CHOICE.to_owned(), HUBS.to_owned());
        spec.environment.insert(NUMBER.to_owned(), "17".to_owned());
        let setup = setup(folder.path().to_str().unwrap(), &spec);
        let script = format!(
            "export {NUMBER}=17\n{setup}echo \"$SLURM_JOB_ID\"\n{line}\n$SLURM_TASK_PROLOG"
        );
        let path = format!("{}:{}", real.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script]).env("PATH", path).env("SLURM_JOB_ID", "900");
        let output = shell.envs(variables.iter().copied()).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_job_that_wants_the_hubs_number_sees_it_and_slurms_programs_see_slurms() {
        let prolog = "export SLURM_JOB_ID=17\nexport SLURM_JOBID=17\n";
        assert_eq!(
            told("scontrol", "scontrol requeue 17", &[]),
            format!("17\n900: requeue 900\n{prolog}")
        );
        assert_eq!(
            told("srun", "srun --output '/a b/%j_%t.out' python 'x  y'", &[]),
            format!("17\n900: --output /a b/17_%t.out python x  y\n{prolog}")
        );
        let array = [("SLURM_ARRAY_JOB_ID", "16"), ("SLURM_ARRAY_TASK_ID", "2")];
        assert_eq!(
            told("srun", "srun --output=%A_%a_%t.out true", &array),
            format!("17\n900: --output=16_2_%t.out true\n{prolog}")
        );
        assert_eq!(
            told("scontrol", "scontrol requeue 16_2", &array),
            format!("17\n900: requeue 900\n{prolog}")
        );
    }

    #[test]
    fn nothing_is_set_up_for_a_job_that_does_not_ask_or_has_no_number() {
        let mut spec = small("");
        spec.environment.insert(NUMBER.to_owned(), "17".to_owned());
        assert_eq!(setup("/j", &spec), "");
        spec.environment.insert(CHOICE.to_owned(), HUBS.to_owned());
        spec.environment.insert(NUMBER.to_owned(), "17; rm -rf /".to_owned());
        assert_eq!(setup("/j", &spec), "");
    }
}
