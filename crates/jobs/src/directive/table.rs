//! The table of all options of `sbatch`, up to release 25.11, and where each stands here.
//!
//! The users' guide has the same table for people; a test holds the two together.

use super::options::{Argument, Elsewhere, Field, Form, Opt, Standing};

const fn field(long: &'static str, short: Option<char>, field: Field) -> Opt {
    Opt { long, short, argument: Argument::Required, standing: Standing::Field(field) }
}

/// An option that changes nothing at a site without Slurm.
const fn hint(long: &'static str, short: Option<char>, form: Form, reason: &'static str) -> Opt {
    handed(long, short, form, Elsewhere::Harmless(reason))
}

/// An option that is refused at a site without Slurm.
const fn slurm(long: &'static str, short: Option<char>, form: Form, reason: &'static str) -> Opt {
    handed(long, short, form, Elsewhere::Refused(reason))
}

const fn handed(long: &'static str, short: Option<char>, form: Form, elsewhere: Elsewhere) -> Opt {
    let argument = match form {
        Form::Flag => Argument::None,
        Form::Number | Form::Signed | Form::Text(_) | Form::Path | Form::Plugin(_) => {
            Argument::Required
        }
    };
    Opt { long, short, argument, standing: Standing::Handed(form, elsewhere) }
}

const fn harmless(
    long: &'static str,
    short: Option<char>,
    argument: Argument,
    reason: &'static str,
) -> Opt {
    Opt { long, short, argument, standing: Standing::Harmless(reason) }
}

const fn refused(
    long: &'static str,
    short: Option<char>,
    argument: Argument,
    reason: &'static str,
) -> Opt {
    Opt { long, short, argument, standing: Standing::Refused(reason) }
}

/// The same option with a value that may be left out.
const fn maybe(option: Opt) -> Opt {
    Opt { argument: Argument::Optional, ..option }
}

const ALLOCATION: &str = "the allocation chosen at submission decides this";
const MAIL: &str = "no mail is sent; follow the job in the portal or with `usine job`";
const PLACEMENT: &str = "a hint on placement inside a node, without effect on what the job gets";
const PRIORITY: &str = "priority follows the rules of the call and the site";
const OUTPUT: &str = "it changes what sbatch prints, not the job";
const PICKING: &str = "nodes of a partition are all alike; particular ones cannot be chosen";
const SIZING: &str = "say it with --nodes, --ntasks, --cpus-per-task, --gpus-per-node and --mem";
const IDENTITY: &str = "a job runs as the person who submitted it";
const NO_SLURM: &str = "it is offered only where Slurm carries jobs out";
const SITE: &str = "it changes how the site sets up its nodes";
const REQUEUE: &str = "jobs are not queued again by themselves here";
const MEASURED: &str = "the site decides what it measures, and how often";
const MARK: &str = "the comment is how the site's agent finds the job again";

/// Marks in lists of names, in expressions over features, in times.
const LIST: &str = "_.,:-";
const NAMES: &str = "_.,:=+/-";
const FEATURES: &str = "_.,:&|*()[]-";
const HOSTS: &str = "_.,[]-";
const TIME: &str = ":.+/-T";

pub(crate) static OPTIONS: &[Opt] = {
    use Argument::{None as No, Optional as Maybe, Required as Yes};
    use Form::{Flag, Number, Path, Plugin, Signed, Text};
    &[
        field("job-name", Some('J'), Field::JobName),
        field("time", Some('t'), Field::Time),
        field("nodes", Some('N'), Field::Nodes),
        field("ntasks", Some('n'), Field::Ntasks),
        field("ntasks-per-node", None, Field::NtasksPerNode),
        field("ntasks-per-gpu", None, Field::NtasksPerGpu),
        field("cpus-per-task", Some('c'), Field::CpusPerTask),
        field("cpus-per-gpu", None, Field::CpusPerGpu),
        field("gpus", Some('G'), Field::Gpus),
        field("gpus-per-node", None, Field::GpusPerNode),
        field("gpus-per-task", None, Field::GpusPerTask),
        field("gres", None, Field::Gres),
        field("mem", None, Field::Memory),
        field("mem-per-cpu", None, Field::MemoryPerCpu),
        field("mem-per-gpu", None, Field::MemoryPerGpu),
        field("output", Some('o'), Field::Output),
        field("error", Some('e'), Field::Error),
        field("array", Some('a'), Field::Array),
        field("dependency", Some('d'), Field::Dependency),
        field("export", None, Field::Export),
        field("chdir", Some('D'), Field::Chdir),
        field("account", Some('A'), Field::Account),
        maybe(field("exclusive", None, Field::Exclusive)),
        slurm("constraint", Some('C'), Text(FEATURES), PICKING),
        slurm("cluster-constraint", None, Text("_.,!-"), PICKING),
        slurm("prefer", None, Text(FEATURES), PICKING),
        slurm("nodelist", Some('w'), Text(HOSTS), PICKING),
        slurm("exclude", Some('x'), Text(HOSTS), PICKING),
        slurm("batch", None, Text(FEATURES), PICKING),
        slurm("tmp", None, Text(""), SIZING),
        slurm("sockets-per-node", None, Number, SIZING),
        slurm("cores-per-socket", None, Number, SIZING),
        slurm("extra-node-info", Some('B'), Text(":*"), SIZING),
        slurm("reservation", None, Text(LIST), NO_SLURM),
        slurm("licenses", Some('L'), Text("_.,:;|()/@-"), NO_SLURM),
        slurm("signal", None, Text(":@+_"), NO_SLURM),
        slurm("begin", Some('b'), Text(TIME), NO_SLURM),
        slurm("deadline", None, Text(TIME), NO_SLURM),
        slurm("time-min", None, Text(":-"), NO_SLURM),
        slurm("hold", Some('H'), Flag, NO_SLURM),
        slurm("input", Some('i'), Text("_.,:=+/@%~-"), NO_SLURM),
        slurm("container", None, Path, NO_SLURM),
        slurm("container-id", None, Text("_.-"), NO_SLURM),
        slurm("no-kill", Some('k'), Text("f"), "a job that loses a node ends"),
        slurm("mcs-label", None, Text(LIST), SITE),
        slurm("delay-boot", None, Number, SITE),
        slurm("wait-all-nodes", None, Number, SITE),
        slurm("network", None, Text(NAMES), SITE),
        slurm("segment", None, Number, NO_SLURM),
        slurm("container-image", None, Plugin("_.,:=+/@#%~-"), NO_SLURM),
        slurm("container-name", None, Plugin("_.:-"), NO_SLURM),
        slurm("container-mounts", None, Plugin("_.,:=+/@%~-"), NO_SLURM),
        slurm("container-workdir", None, Plugin("_.,:=+/@%~-"), NO_SLURM),
        slurm("container-save", None, Plugin("_.,:=+/@%~-"), NO_SLURM),
        slurm("container-env", None, Plugin("_,"), NO_SLURM),
        hint("requeue", None, Flag, REQUEUE),
        hint("no-requeue", None, Flag, REQUEUE),
        maybe(hint("nice", None, Signed, PRIORITY)),
        hint("priority", None, Text(""), PRIORITY),
        hint("mail-type", None, Text("_,"), MAIL),
        hint("mail-user", None, Text("_.,@+-"), MAIL),
        hint("hint", None, Text("_,"), PLACEMENT),
        hint("distribution", Some('m'), Text(":,*_="), PLACEMENT),
        hint("switches", None, Text("@:-"), PLACEMENT),
        hint("contiguous", None, Flag, PLACEMENT),
        hint("spread-job", None, Flag, PLACEMENT),
        hint("use-min-nodes", None, Flag, PLACEMENT),
        hint("cpu-freq", None, Text("-:_"), PLACEMENT),
        hint("gpu-freq", None, Text("=,_"), PLACEMENT),
        hint("gpu-bind", None, Text(":,_*x"), PLACEMENT),
        hint("mem-bind", None, Text(":,_*x"), PLACEMENT),
        hint("tres-bind", None, Text(":,_*/+"), PLACEMENT),
        hint("gres-flags", None, Text("-,_"), PLACEMENT),
        hint("threads-per-core", None, Number, PLACEMENT),
        hint("ntasks-per-core", None, Number, PLACEMENT),
        hint("ntasks-per-socket", None, Number, PLACEMENT),
        hint("oversubscribe", Some('s'), Flag, "nodes are shared as the partition allows"),
        hint("oom-kill-step", None, Number, "a job that takes too much memory ends"),
        hint("stepmgr", None, Flag, PLACEMENT),
        hint("resv-ports", None, Number, PLACEMENT),
        hint("acctg-freq", None, Text("=,_"), MEASURED),
        hint("profile", None, Text(","), MEASURED),
        harmless("partition", Some('p'), Yes, ALLOCATION),
        harmless("qos", Some('q'), Yes, ALLOCATION),
        harmless("wckey", None, Yes, ALLOCATION),
        harmless("comment", None, Yes, MARK),
        harmless("kill-on-invalid-dep", None, Yes, "such a job is cancelled, with the reason"),
        harmless("open-mode", None, Yes, "a job's files begin empty and grow with each requeue"),
        harmless("parsable", None, No, OUTPUT),
        harmless("quiet", Some('Q'), No, OUTPUT),
        harmless("verbose", Some('v'), No, OUTPUT),
        harmless("ignore-pbs", None, No, "lines of other schedulers are never read"),
        harmless("wait", Some('W'), No, "submission returns at once; `usine sbatch --wait` waits"),
        refused("nodefile", Some('F'), Yes, "write the nodes with --nodelist"),
        refused("gpus-per-socket", None, Yes, SIZING),
        refused("tres-per-task", None, Yes, SIZING),
        refused("mincpus", None, Yes, SIZING),
        refused("core-spec", Some('S'), Yes, SIZING),
        refused("thread-spec", None, Yes, SIZING),
        refused("overcommit", Some('O'), No, SIZING),
        refused("consolidate-segments", None, No, SIZING),
        refused("spread-segments", None, No, SIZING),
        refused("bb", None, Yes, "burst buffers are not offered; name what the job reads as input"),
        refused(
            "bbf",
            None,
            Yes,
            "burst buffers are not offered; name what the job reads as input",
        ),
        refused("extra", None, Yes, MARK),
        refused("clusters", Some('M'), Yes, "name the allocation, or submit with --anywhere"),
        refused("uid", None, Yes, IDENTITY),
        refused("gid", None, Yes, IDENTITY),
        refused("get-user-env", None, Maybe, IDENTITY),
        refused("export-file", None, Yes, "variables travel with --export"),
        refused("propagate", None, Maybe, "limits are those of the allocation and the site"),
        refused("power", None, Yes, SITE),
        refused("reboot", None, No, SITE),
        refused("test-only", None, No, "ask for a forecast instead of a test submission"),
        refused("wrap", None, Yes, "write the command into the script"),
        refused("het-group", None, Yes, HETEROGENEOUS),
        refused("help", Some('h'), No, OUTPUT),
        refused("usage", None, No, OUTPUT),
        refused("version", Some('V'), No, OUTPUT),
    ]
};

/// Why a job has one shape only.
pub(crate) const HETEROGENEOUS: &str =
    "a job has one shape; submit the parts as jobs that depend on each other";
