//! Finding an option of `sbatch` by its name, and what can become of one.

use super::table::OPTIONS;

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
    GpusPerTask,
    CpusPerGpu,
    NtasksPerGpu,
    Gres,
    Memory,
    MemoryPerCpu,
    MemoryPerGpu,
    Output,
    Error,
    Array,
    Dependency,
    Export,
    Chdir,
    Exclusive,
    Account,
}

impl Field {
    /// The option's long name.
    pub(crate) fn name(self) -> &'static str {
        let found = OPTIONS.iter().find(|option| option.standing == Standing::Field(self));
        found.map_or("", |option| option.long)
    }

    /// Whether it lays the job out on nodes, which a cluster's own scheduler is to know as it was
    /// written: `srun` starts as many tasks as that says.
    pub(crate) const fn is_layout(self) -> bool {
        match self {
            Self::Ntasks
            | Self::NtasksPerNode
            | Self::CpusPerTask
            | Self::Gpus
            | Self::GpusPerNode
            | Self::GpusPerTask
            | Self::CpusPerGpu
            | Self::NtasksPerGpu
            | Self::Gres
            | Self::Memory
            | Self::MemoryPerCpu
            | Self::MemoryPerGpu
            | Self::Exclusive => true,
            Self::JobName
            | Self::Time
            | Self::Nodes
            | Self::Output
            | Self::Error
            | Self::Array
            | Self::Dependency
            | Self::Export
            | Self::Chdir
            | Self::Account => false,
        }
    }
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is carried out.
    Field(Field),
    /// A site whose own scheduler is Slurm carries it out.
    Handed(Form, Elsewhere),
    /// It changes nothing here, for this reason.
    Harmless(&'static str),
    /// It would change the job and is not offered, for this reason.
    Refused(&'static str),
}

/// What becomes, at a site without Slurm, of an option that Slurm would carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// It changes nothing, for this reason.
    Harmless(&'static str),
    /// It would change the job, and is refused for this reason.
    Refused(&'static str),
}

/// What the value of an option that is handed on may look like: no more than the option can mean, so
/// that nothing else travels with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It has no value.
    Flag,
    /// A whole number.
    Number,
    /// A whole number, below zero too.
    Signed,
    /// Letters, digits and these marks, and no dash at the beginning.
    Text(&'static str),
    /// An absolute path.
    Path,
    /// As [`Form::Text`]; and a plugin of the site must know the option.
    Plugin(&'static str),
}

/// The longest value that is handed on, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

impl Form {
    /// Whether `value` may be handed on; why not, for people.
    pub(crate) fn check(self, value: &str) -> Result<(), String> {
        let digits = |text: &str| {
            (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let plain = |marks: &str| {
            let fine = |mark: char| mark.is_ascii_alphanumeric() || marks.contains(mark);
            !value.is_empty() && !value.starts_with('-') && value.chars().all(fine)
        };
        let is_fine = match self {
            Self::Flag => value.is_empty(),
            Self::Number => digits(value),
            Self::Signed => digits(value.strip_prefix('-').unwrap_or(value)),
            Self::Text(marks) | Self::Plugin(marks) => plain(marks),
            Self::Path => value.starts_with('/') && !value.chars().any(char::is_control),
        };
        match self {
            _ if value.len() > VALUE_BYTES_MAX => {
                Err(format!("the value is longer than {VALUE_BYTES_MAX} bytes"))
            }
            _ if is_fine => Ok(()),
            Self::Flag => Err("it takes no value".to_owned()),
            Self::Number | Self::Signed => Err(format!("`{value}` is not a whole number")),
            Self::Text(marks) | Self::Plugin(marks) => Err(format!(
                "`{}` holds more than letters, digits and {marks}",
                value.escape_debug()
            )),
            Self::Path => Err(format!("`{}` is not an absolute path", value.escape_debug())),
        }
    }
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
    fn a_value_that_is_handed_on_holds_nothing_but_what_its_option_means() {
        for (form, fine, wrong) in [
            (Form::Text("&|*()[],_.-"), "[a100|h100]&nvlink", "--uid=root"),
            (Form::Text("@:"), "B:USR1@60", "USR1@60 --uid=0"),
            (Form::Text(","), "a,b", "a\nb"),
            (Form::Number, "60", "60;id"),
            (Form::Number, "0", "-1"),
            (Form::Signed, "-100", "-"),
            (Form::Signed, "100", "1e3"),
            (Form::Path, "/images/oci bundle", "images"),
            (Form::Flag, "", "yes"),
        ] {
            assert_eq!(form.check(fine), Ok(()), "{fine}");
            assert!(form.check(wrong).is_err(), "{wrong} was accepted");
        }
        assert!(Form::Text("").check(&"a".repeat(1_025)).is_err());
        assert!(Form::Number.check(&"1".repeat(19)).is_err());
    }

    #[test]
    fn the_distance_is_that_of_levenshtein() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
