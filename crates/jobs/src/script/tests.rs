use std::collections::BTreeSet;

use super::*;
use crate::{ArraySpec, Dependency, Export, FilePattern, GpuCount, Memory, NodeRange, TimeLimit};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::num::NonZeroU32;

/// Shows the directives in their canonical form, then warnings, or else the errors.
/// What a script comes to where Usine itself carries jobs out.
fn check(script: &str, expected: Expect) {
    let read = Script::parse(script.as_bytes(), &[])
        .and_then(|script| script.at(&Scheduler::Own).map(|at| (script, at)));
    let shown = match read {
        Ok((script, AtSite { warnings, options })) => {
            assert_eq!(options, []);
            let warnings: Vec<_> = warnings.iter().map(|w| format!("warning: {w}\n")).collect();
            format!("{}{}", script.directives(), warnings.concat())
        }
        Err(errors) => errors.0.iter().map(|error| format!("error: {error}\n")).collect(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn long_and_short_forms_equals_and_blanks_mean_the_same() {
    check(
        "#!/bin/bash -l\n\
        #SBATCH --job-name=train -t 1-12:00\n\
        #SBATCH -N2 --ntasks-per-node 4\n\
        #SBATCH --cpus-per-task=8   # per rank\n\
        # a comment\n\
        \n\
        \x20  # an indented one\n\
        #SBATCH -G h100:8\n\
        #SBATCH --mem=64G -o 'logs/my run-%j.out'\n\
        ##SBATCH --banana\n\
        srun train\n",
        expect![[r#"
            #SBATCH --job-name=train
            #SBATCH --time=1-12:00:00
            #SBATCH --nodes=2
            #SBATCH --ntasks-per-node=4
            #SBATCH --cpus-per-task=8
            #SBATCH --gpus=h100:8
            #SBATCH --mem=64G
            #SBATCH --output="logs/my run-%j.out"
        "#]],
    );
}

#[test]
fn directives_stop_at_the_first_command() {
    check(
        "#!/bin/sh\n#SBATCH --time=5\necho\n#SBATCH --time=10 --banana\n",
        expect![[r#"
            #SBATCH --time=00:05:00
        "#]],
    );
}

#[test]
fn a_later_directive_replaces_an_earlier_one() {
    check(
        "#!/bin/sh\n#SBATCH --time=5\n#SBATCH --time=10\n",
        expect![[r#"
            #SBATCH --time=00:10:00
        "#]],
    );
}

#[test]
fn unknown_directives_are_refused_by_name_and_line_with_the_nearest() {
    check(
        "#!/bin/sh\n#SBATCH --tme=5\n#SBATCH --banana=1 -y\n#SBATCH --mem-per=4G\n#SBATCH word\n",
        expect![[r#"
            error: line 2: `--tme` is unknown; did you mean `--time`?
            error: line 3: `--banana` is unknown
            error: line 3: `-y` is unknown
            error: line 4: `--mem-per` could be --mem-per-cpu, --mem-per-gpu
            error: line 5: `word` is not an option
        "#]],
    );
}

#[test]
fn the_beginning_of_a_name_is_enough_when_it_is_unique() {
    check(
        "#!/bin/sh\n#SBATCH --job=x --depend singleton\n",
        expect![[r#"
            #SBATCH --job-name=x
            #SBATCH --dependency=singleton
        "#]],
    );
}

#[test]
fn harmless_directives_are_warned_about() {
    check(
        "#!/bin/sh\n#SBATCH --mail-type=END --mail-user=a@example.org\n#SBATCH -p gpu -QsA p1 --nice\n",
        expect![[r#"
            #SBATCH --account=p1
            warning: line 2: `--mail-type` has no effect: no mail is sent; follow the job in the portal or with `usine job`
            warning: line 2: `--mail-user` has no effect: no mail is sent; follow the job in the portal or with `usine job`
            warning: line 3: `-p` has no effect: the allocation chosen at submission decides this
            warning: line 3: `-Q` has no effect: it changes what sbatch prints, not the job
            warning: line 3: `-s` has no effect: nodes are shared as the partition allows
            warning: line 3: `--nice` has no effect: priority follows the rules of the call and the site
        "#]],
    );
}

#[test]
fn what_would_change_the_job_and_is_not_offered_is_refused_with_the_reason() {
    check(
        "#!/bin/sh\n#SBATCH -N1\n#SBATCH hetjob\n#SBATCH -C a100 --signal=USR1@60\n#SBATCH --exclusive=user\n",
        expect![[r#"
            error: line 3: heterogeneous jobs are not offered: a job has one shape; submit the parts as jobs that depend on each other
            error: line 5: `--exclusive`: `user` is not offered: write --exclusive for whole nodes
        "#]],
    );
    check(
        "#!/bin/sh\n#SBATCH -C a100 --signal=USR1@60\n#SBATCH --container-image=a/b:1\n",
        expect![[r#"
            error: line 2: `-C` is not supported: nodes of a partition are all alike; particular ones cannot be chosen
            error: line 2: `--signal` is not supported: it is offered only where Slurm carries jobs out
            error: line 3: `--container-image` is not supported: it is offered only where Slurm carries jobs out
        "#]],
    );
}

#[test]
fn slurm_is_handed_its_own_options_and_the_layout_as_it_was_written() {
    let text = "#!/bin/sh\n#SBATCH -n 4 -c 2 --mem-per-cpu=1G -G h100:2 --exclusive -t 5\n\
        #SBATCH -C 'a100&nvlink' --signal=USR2@90 --nice --mail-type=END -p gpu\n\
        #SBATCH --signal=B:USR1@60 --container-image=a/b:1\n";
    let script = Script::parse(text.as_bytes(), &["--requeue".to_owned()]).unwrap();
    let plugins = ["container-image".to_owned()].into();
    let AtSite { options, warnings } = script.at(&Scheduler::Slurm { plugins }).unwrap();
    let words = options.iter().map(|(name, value)| match value {
        Some(value) => format!("--{name}={value}"),
        None => format!("--{name}"),
    });
    assert_eq!(
        words.collect::<Vec<_>>().join(" "),
        "--ntasks=4 --cpus-per-task=2 --gpus=h100:2 --mem-per-cpu=1G --exclusive \
         --constraint=a100&nvlink --nice --mail-type=END --signal=B:USR1@60 \
         --container-image=a/b:1 --requeue"
    );
    let [partition] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(partition.text.starts_with("`-p` has no effect"), "{partition}");

    let without = Scheduler::Slurm { plugins: BTreeSet::new() };
    let refused = script.at(&without).unwrap_err().to_string();
    assert!(refused.contains("does not say that it has the plugin"), "{refused}");
}

#[test]
fn no_value_smuggles_another_option_along() {
    for option in [
        "--constraint=--uid=0",
        "--signal='USR1@60 --uid=0'",
        "--reservation=a\u{a0}b",
        "--container=../image",
        "--nice=1;id",
        "--mail-user=a@b.example\u{7f}",
        "--comment=usine:x --extra=x",
        "--input=-",
    ] {
        let words = crate::directive::words::split(option).unwrap();
        let parsed = Script::parse(b"#!/bin/sh\n", &words);
        let slurm = Scheduler::Slurm { plugins: BTreeSet::new() };
        let handed = parsed.and_then(|script| script.at(&slurm));
        assert!(handed.is_err(), "{option} was handed on: {handed:?}");
    }
}

#[test]
fn wrong_values_say_what_would_be_right() {
    check(
        "#!/bin/sh\n#SBATCH --time=1h\n#SBATCH --ntasks=0\n#SBATCH --mem\n#SBATCH --contiguous=yes\n#SBATCH -J 'open\n",
        expect![[r#"
            error: line 2: `--time`: `1h` is not a time limit: write MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS, DAYS-HOURS:MINUTES, DAYS-HOURS:MINUTES:SECONDS or UNLIMITED
            error: line 3: `--ntasks`: `0` is not a whole number above zero
            error: line 4: `--mem` needs a value
            error: line 5: `--contiguous` takes no value
            error: line 6: the quote ' is never closed
        "#]],
    );
}

#[test]
fn what_is_no_script_is_refused() {
    let error = |bytes: &[u8]| Script::parse(bytes, &[]).unwrap_err().to_string();
    assert!(error(b"echo").contains("line 1: the first line must be #!"));
    assert!(error(b"").contains("line 1: the first line must be #!"));
    assert!(error(b"#!/bin/sh\necho\r\n").contains("line 2: the line ends as in DOS"));
    assert!(error(b"#!/bin/sh\n\n\0").contains("line 3: the script holds a null character"));
    assert!(error(b"#!/bin/sh\n\xff").contains("line 2: the text is not UTF-8"));
    assert!(error(&vec![b'#'; SCRIPT_BYTES_MAX + 1]).contains("longer than 4 MiB"));
}

#[test]
fn options_given_beside_the_script_win() {
    let options = ["--time=10", "-N", "3"].map(str::to_owned);
    let script = Script::parse(b"#!/bin/sh\n#SBATCH --time=5 -n 2\n", &options).unwrap();
    expect![[r#"
        #SBATCH --time=00:10:00
        #SBATCH --nodes=3
        #SBATCH --ntasks=2
    "#]]
    .assert_eq(&script.directives().to_string());
    let errors = Script::parse(b"#!/bin/sh\n", &["--banana".to_owned()]).unwrap_err();
    assert_eq!(errors.to_string(), "`--banana` is unknown");
}

#[test]
fn the_text_is_kept_byte_for_byte() {
    let text = "#!/bin/sh\n#SBATCH -t 5\n\tprintf '%s' \"$HOME\"  # ü\n\n";
    assert_eq!(Script::parse(text.as_bytes(), &[]).unwrap().text(), text);
}

fn some() -> impl Strategy<Value = Option<NonZeroU32>> {
    proptest::option::of((1u32..).prop_map(|count| NonZeroU32::new(count).unwrap()))
}

/// A value that the given texts describe.
fn of<T: std::str::FromStr + std::fmt::Debug>(
    pattern: &'static str,
) -> impl Strategy<Value = Option<T>>
where
    T::Err: std::fmt::Debug,
{
    proptest::option::of(pattern.prop_filter_map("not a value", |text| text.parse().ok()))
}

fn gpus() -> impl Strategy<Value = Option<GpuCount>> {
    of::<GpuCount>("([a-z][a-z0-9_.-]{0,8}:)?[0-9]{1,5}")
}

fn any_directives() -> impl Strategy<Value = Directives> {
    let counts = (some(), some(), some(), of::<NodeRange>("[1-9]{1,3}(-[1-9][0-9]{3})?"));
    let amounts = (
        gpus(),
        gpus(),
        gpus(),
        of::<Memory>("[0-9]{1,9}[KMGT]?"),
        of::<Memory>("[0-9]{1,9}[KMGT]?"),
    );
    let names = (
        of::<FilePattern>("([^%\\x00-\\x1f\\x7f]|%[jAaxu%]|%[0-9]a){1,20}"),
        of::<FilePattern>("[ \\\\\"'#/a-z]{1,20}"),
        proptest::option::of("[^\\x00-\\x1f\\x7f-\\x9f]{1,30}"),
        proptest::option::of("[^\\x00-\\x1f\\x7f-\\x9f]{1,30}"),
    );
    let lists = (
        of::<TimeLimit>("([0-9]{1,2}-)?[0-9]{1,2}:[0-9]{2}:[0-9]{2}|UNLIMITED"),
        of::<ArraySpec>("[0-9]{1,2}(-[1-9][0-9]{2}(:[1-9])?)?(,[0-9]{1,4})?(%[1-9])?"),
        of::<Dependency>("(afterok:018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a1[0-9],)?singleton"),
        of::<Export>(
            "ALL|NONE|(ALL,)?[A-Z_]{1,5}(=[a-z =\"\\\\]{0,6}|='[a-z,]{0,5}')?(,[A-Z]{1,5})?",
        ),
    );
    (counts, amounts, names, lists, any::<bool>()).prop_map(
        |((ntasks, ntasks_per_node, cpus_per_task, nodes), amounts, names, lists, exclusive)| {
            let (gpus, gpus_per_node, gres, memory, memory_per_cpu) = amounts;
            let (output, error, job_name, chdir) = names;
            let (time, array, dependency, export) = lists;
            let by_gpu = (gpus.clone(), cpus_per_task, ntasks, memory);
            let (gpus_per_task, cpus_per_gpu, ntasks_per_gpu, memory_per_gpu) = by_gpu;
            let account = job_name.clone();
            Directives {
                job_name,
                time,
                nodes,
                ntasks,
                ntasks_per_node,
                cpus_per_task,
                gpus,
                gpus_per_node,
                gres,
                memory,
                memory_per_cpu,
                output,
                error,
                array,
                dependency,
                export,
                chdir,
                exclusive,
                gpus_per_task,
                cpus_per_gpu,
                ntasks_per_gpu,
                memory_per_gpu,
                account,
            }
        },
    )
}

proptest! {
    #[test]
    fn directives_survive_printing_and_parsing(directives in any_directives()) {
        let text = format!("#!/bin/sh\n{directives}");
        let script = Script::parse(text.as_bytes(), &[]);
        prop_assert_eq!(script.as_ref().map(Script::directives), Ok(&directives), "{}", text);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = Script::parse(&bytes, &[]);
    }

    #[test]
    fn no_directive_makes_the_reader_panic(lines in proptest::collection::vec("(--?[a-z-]{0,12}=?)?\\PC{0,12}", 0..8)) {
        let script: String = lines.iter().map(|line| format!("#SBATCH {line}\n")).collect();
        let outcome = Script::parse(format!("#!/bin/sh\n{script}").as_bytes(), &lines);
        if let Err(errors) = outcome {
            prop_assert!(!errors.0.is_empty());
        }
    }
}
