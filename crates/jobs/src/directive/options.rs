//! The table of all options that `sbatch` knows, and where each stands here.

/// An option that is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    JobName,
    Time,
    Nodes,
    Ntasks,
    NtasksPerNode,
    CpusPerTask,
    Gpus,
    GpusPerNode,
    Gres,
    Memory,
    MemoryPerCpu,
    Output,
    Error,
    Array,
    Dependency,
    Export,
    Chdir,
    Exclusive,
}

impl Field {
    /// The option's long name.
    pub(crate) fn name(self) -> &'static str {
        let found = OPTIONS.iter().find(|option| option.standing == Standing::Field(self));
        found.map_or("", |option| option.long)
    }
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is carried out.
    Field(Field),
    /// It changes nothing here, for this reason.
    Harmless(&'static str),
    /// It would change the job and is not offered, for this reason.
    Refused(&'static str),
}

/// Whether an option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Required,
    /// Only after an equals sign.
    Optional,
    None,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Opt {
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) argument: Argument,
    pub(crate) standing: Standing,
}

/// What a name in a script refers to.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    One(&'static Opt),
    /// The beginning of several names.
    Several(Vec<&'static str>),
    /// Of none; the nearest name, if one is near.
    None(Option<&'static str>),
}

/// Finds a long option by its name or, as `sbatch` does, by the beginning of it.
pub(crate) fn long(name: &str) -> Found {
    if let Some(option) = OPTIONS.iter().find(|option| option.long == name) {
        return Found::One(option);
    }
    let begun: Vec<_> = OPTIONS.iter().filter(|option| option.long.starts_with(name)).collect();
    match begun.as_slice() {
        [only] => Found::One(only),
        [] => Found::None(nearest(name)),
        several => Found::Several(several.iter().map(|option| option.long).collect()),
    }
}

/// Finds an option by its letter.
pub(crate) fn short(letter: char) -> Option<&'static Opt> {
    OPTIONS.iter().find(|option| option.short == Some(letter))
}

/// The option whose name is at most a third away from `name`.
fn nearest(name: &str) -> Option<&'static str> {
    let measured = OPTIONS.iter().map(|option| (distance(name, option.long), option.long));
    let (edits, long) = measured.min()?;
    (edits.saturating_mul(3) <= long.len().max(3)).then_some(long)
}

/// How many letters must be added, left out or changed to turn `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (y, above) in b.bytes().zip(row.iter().skip(1)) {
            let changed = diagonal.saturating_add(usize::from(x != y));
            left = changed.min(left.saturating_add(1)).min(above.saturating_add(1));
            next.push(left);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

const fn field(long: &'static str, short: Option<char>, field: Field) -> Opt {
    Opt { long, short, argument: Argument::Required, standing: Standing::Field(field) }
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

const ALLOCATION: &str = "the allocation chosen at submission decides this";
const MAIL: &str = "no mail is sent; follow the job in the portal or with `usine job`";
const PLACEMENT: &str = "a hint on placement inside a node, without effect on what the job gets";
const PRIORITY: &str = "priority follows the rules of the call and the site";
const OUTPUT: &str = "it changes what sbatch prints, not the job";
const PICKING: &str = "nodes of a partition are all alike; particular ones cannot be chosen";
const SIZING: &str = "say it with --nodes, --ntasks, --cpus-per-task, --gpus-per-node and --mem";
const IDENTITY: &str = "a job runs as the person who submitted it";
const LATER: &str = "it is not offered yet";
const SITE: &str = "it changes how the site sets up its nodes";

static OPTIONS: &[Opt] = {
    use Argument::{None as No, Optional as Maybe, Required as Yes};
    &[
        field("job-name", Some('J'), Field::JobName),
        field("time", Some('t'), Field::Time),
        field("nodes", Some('N'), Field::Nodes),
        field("ntasks", Some('n'), Field::Ntasks),
        field("ntasks-per-node", None, Field::NtasksPerNode),
        field("cpus-per-task", Some('c'), Field::CpusPerTask),
        field("gpus", Some('G'), Field::Gpus),
        field("gpus-per-node", None, Field::GpusPerNode),
        field("gres", None, Field::Gres),
        field("mem", None, Field::Memory),
        field("mem-per-cpu", None, Field::MemoryPerCpu),
        field("output", Some('o'), Field::Output),
        field("error", Some('e'), Field::Error),
        field("array", Some('a'), Field::Array),
        field("dependency", Some('d'), Field::Dependency),
        field("export", None, Field::Export),
        field("chdir", Some('D'), Field::Chdir),
        Opt {
            long: "exclusive",
            short: None,
            argument: Maybe,
            standing: Standing::Field(Field::Exclusive),
        },
        harmless("account", Some('A'), Yes, ALLOCATION),
        harmless("partition", Some('p'), Yes, ALLOCATION),
        harmless("qos", Some('q'), Yes, ALLOCATION),
        harmless("wckey", None, Yes, ALLOCATION),
        harmless("mail-type", None, Yes, MAIL),
        harmless("mail-user", None, Yes, MAIL),
        harmless("comment", None, Yes, "comments are not kept"),
        harmless("nice", None, Maybe, PRIORITY),
        harmless("priority", None, Yes, PRIORITY),
        harmless("hint", None, Yes, PLACEMENT),
        harmless("distribution", Some('m'), Yes, PLACEMENT),
        harmless("switches", None, Yes, PLACEMENT),
        harmless("contiguous", None, No, PLACEMENT),
        harmless("spread-job", None, No, PLACEMENT),
        harmless("cpu-freq", None, Yes, PLACEMENT),
        harmless("gpu-freq", None, Yes, PLACEMENT),
        harmless("gpu-bind", None, Yes, PLACEMENT),
        harmless("mem-bind", None, Yes, PLACEMENT),
        harmless("gres-flags", None, Yes, PLACEMENT),
        harmless("threads-per-core", None, Yes, PLACEMENT),
        harmless("ntasks-per-core", None, Yes, PLACEMENT),
        harmless("ntasks-per-socket", None, Yes, PLACEMENT),
        harmless("oversubscribe", Some('s'), No, "nodes are shared as the partition allows"),
        harmless("no-requeue", None, No, "jobs are not queued again by themselves"),
        harmless("requeue", None, No, "jobs are not queued again by themselves; submit it again"),
        harmless("kill-on-invalid-dep", None, Yes, "such a job is cancelled, with the reason"),
        harmless("open-mode", None, Yes, "each job begins with empty output files"),
        harmless("acctg-freq", None, Yes, "the site decides how often it measures"),
        harmless("profile", None, Yes, "the site decides what it measures"),
        harmless("parsable", None, No, OUTPUT),
        harmless("quiet", Some('Q'), No, OUTPUT),
        harmless("verbose", Some('v'), No, OUTPUT),
        harmless("ignore-pbs", None, No, "lines of other schedulers are never read"),
        harmless("wait", Some('W'), No, "submission returns at once; `usine job wait` waits"),
        refused("signal", None, Yes, LATER),
        refused("input", Some('i'), Yes, LATER),
        refused("begin", Some('b'), Yes, LATER),
        refused("deadline", None, Yes, LATER),
        refused("hold", Some('H'), No, LATER),
        refused("licenses", Some('L'), Yes, LATER),
        refused("reservation", None, Yes, LATER),
        refused("container", None, Yes, LATER),
        refused("container-id", None, Yes, LATER),
        refused("container-image", None, Yes, LATER),
        refused("container-mounts", None, Yes, LATER),
        refused("time-min", None, Yes, "a job's limit is fixed: its hours are held"),
        refused("bb", None, Yes, "burst buffers are not offered"),
        refused("bbf", None, Yes, "burst buffers are not offered"),
        refused("clusters", Some('M'), Yes, ALLOCATION),
        refused("constraint", Some('C'), Yes, PICKING),
        refused("cluster-constraint", None, Yes, PICKING),
        refused("prefer", None, Yes, PICKING),
        refused("nodelist", Some('w'), Yes, PICKING),
        refused("nodefile", Some('F'), Yes, PICKING),
        refused("exclude", Some('x'), Yes, PICKING),
        refused("batch", None, Yes, PICKING),
        refused("cpus-per-gpu", None, Yes, SIZING),
        refused("mem-per-gpu", None, Yes, SIZING),
        refused("gpus-per-task", None, Yes, SIZING),
        refused("gpus-per-socket", None, Yes, SIZING),
        refused("ntasks-per-gpu", None, Yes, SIZING),
        refused("tres-per-task", None, Yes, SIZING),
        refused("mincpus", None, Yes, SIZING),
        refused("tmp", None, Yes, SIZING),
        refused("sockets-per-node", None, Yes, SIZING),
        refused("cores-per-socket", None, Yes, SIZING),
        refused("extra-node-info", Some('B'), Yes, SIZING),
        refused("core-spec", Some('S'), Yes, SIZING),
        refused("thread-spec", None, Yes, SIZING),
        refused("use-min-nodes", None, No, SIZING),
        refused("overcommit", Some('O'), No, SIZING),
        refused("no-kill", Some('k'), Maybe, "a job that loses a node ends"),
        refused("uid", None, Yes, IDENTITY),
        refused("gid", None, Yes, IDENTITY),
        refused("get-user-env", None, Maybe, IDENTITY),
        refused("export-file", None, Yes, "variables travel with --export"),
        refused("propagate", None, Maybe, "limits are those of the allocation and the site"),
        refused("network", None, Yes, SITE),
        refused("power", None, Yes, SITE),
        refused("reboot", None, No, SITE),
        refused("delay-boot", None, Yes, SITE),
        refused("mcs-label", None, Yes, SITE),
        refused("wait-all-nodes", None, Yes, SITE),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_letter_stands_once() {
        for (index, option) in OPTIONS.iter().enumerate() {
            for other in OPTIONS.iter().skip(index.saturating_add(1)) {
                assert_ne!(option.long, other.long);
                assert!(option.short.is_none() || option.short != other.short, "{}", other.long);
            }
        }
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let nearest = |name: &str| match long(name) {
            Found::None(nearest) => nearest,
            other => panic!("{name} was found: {other:?}"),
        };
        assert_eq!(nearest("tme"), Some("time"));
        assert_eq!(nearest("cpu-per-task"), Some("cpus-per-task"));
        assert_eq!(nearest("jobname"), Some("job-name"));
        assert_eq!(nearest("banana"), None);
    }

    #[test]
    fn the_distance_is_that_of_levenshtein() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
