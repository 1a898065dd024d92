//! What the `#SBATCH` lines of a script mean.
//!
//! [`Directives`] holds one field for each option that is carried out here, and those that a site's
//! own scheduler carries out as they were written. Options that change nothing are warned about,
//! options that would change the job are refused with a reason, and all of them stand in [`table`].

use std::fmt;
use std::num::NonZeroU32;

use crate::{ArraySpec, Dependency, Export, FilePattern, GpuCount, Memory, NodeRange, TimeLimit};

pub(crate) mod options;
pub(crate) mod table;
pub(crate) mod words;

pub(crate) use options::{Argument, Elsewhere, Field, Form, Found, Standing};

/// What a script asks for, as it was written; every field may be left open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `--job-name`.
    pub job_name: Option<String>,
    /// `--time`.
    pub time: Option<TimeLimit>,
    /// `--nodes`.
    pub nodes: Option<NodeRange>,
    /// `--ntasks`.
    pub ntasks: Option<NonZeroU32>,
    /// `--ntasks-per-node`.
    pub ntasks_per_node: Option<NonZeroU32>,
    /// `--cpus-per-task`.
    pub cpus_per_task: Option<NonZeroU32>,
    /// `--gpus`: over all nodes.
    pub gpus: Option<GpuCount>,
    /// `--gpus-per-node`.
    pub gpus_per_node: Option<GpuCount>,
    /// `--gres`: on each node.
    pub gres: Option<GpuCount>,
    /// `--mem`: on each node; zero stands for all of it.
    pub memory: Option<Memory>,
    /// `--mem-per-cpu`.
    pub memory_per_cpu: Option<Memory>,
    /// `--output`.
    pub output: Option<FilePattern>,
    /// `--error`.
    pub error: Option<FilePattern>,
    /// `--array`.
    pub array: Option<ArraySpec>,
    /// `--dependency`.
    pub dependency: Option<Dependency>,
    /// `--export`.
    pub export: Option<Export>,
    /// `--chdir`.
    pub chdir: Option<String>,
    /// `--exclusive`: whole nodes.
    pub exclusive: bool,
    /// `--gpus-per-task`.
    pub gpus_per_task: Option<GpuCount>,
    /// `--cpus-per-gpu`.
    pub cpus_per_gpu: Option<NonZeroU32>,
    /// `--ntasks-per-gpu`.
    pub ntasks_per_gpu: Option<NonZeroU32>,
    /// `--mem-per-gpu`.
    pub memory_per_gpu: Option<Memory>,
    /// `--account`: the project or allocation, for whoever submits from a command line.
    pub account: Option<String>,
}

/// The longest name of a job, in characters; longer ones are refused rather than cut.
const NAME_LENGTH_MAX: usize = 200;

impl Directives {
    /// Takes in the value of one option; a later one replaces an earlier one, as in Slurm.
    pub(crate) fn set(&mut self, field: Field, value: &str) -> Result<(), String> {
        match field {
            Field::JobName => self.job_name = Some(name(value)?),
            Field::Time => self.time = Some(parsed(value)?),
            Field::Nodes => self.nodes = Some(parsed(value)?),
            Field::Ntasks => self.ntasks = Some(positive(value)?),
            Field::NtasksPerNode => self.ntasks_per_node = Some(positive(value)?),
            Field::CpusPerTask => self.cpus_per_task = Some(positive(value)?),
            Field::Gpus => self.gpus = Some(parsed(value)?),
            Field::GpusPerNode => self.gpus_per_node = Some(parsed(value)?),
            Field::Gres => {
                self.gres = Some(GpuCount::from_gres(value).map_err(|error| error.to_string())?);
            }
            Field::Memory => self.memory = Some(parsed(value)?),
            Field::MemoryPerCpu => self.memory_per_cpu = Some(parsed(value)?),
            Field::Output => self.output = Some(parsed(value)?),
            Field::Error => self.error = Some(parsed(value)?),
            Field::Array => self.array = Some(parsed(value)?),
            Field::Dependency => self.dependency = Some(parsed(value)?),
            Field::Export => self.export = Some(parsed(value)?),
            Field::Chdir => self.chdir = Some(path(value)?),
            Field::Exclusive => self.exclusive = exclusive(value)?,
            Field::GpusPerTask => self.gpus_per_task = Some(parsed(value)?),
            Field::CpusPerGpu => self.cpus_per_gpu = Some(positive(value)?),
            Field::NtasksPerGpu => self.ntasks_per_gpu = Some(positive(value)?),
            Field::MemoryPerGpu => self.memory_per_gpu = Some(parsed(value)?),
            Field::Account => self.account = Some(name(value)?),
        }
        Ok(())
    }

    /// How the job is laid out on nodes, in the words of `sbatch`: long names without the dashes.
    pub(crate) fn layout(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let layout = self.written().into_iter().filter(|(field, _)| field.is_layout());
        layout.map(|(field, value)| (field.name(), Some(value).filter(|value| !value.is_empty())))
    }

    /// The fields that say something, each with its value as a directive takes it.
    fn written(&self) -> Vec<(Field, String)> {
        fn text<T: fmt::Display>(field: Field, value: Option<&T>) -> Option<(Field, String)> {
            value.map(|value| (field, value.to_string()))
        }
        let all = [
            text(Field::JobName, self.job_name.as_ref()),
            text(Field::Time, self.time.as_ref()),
            text(Field::Nodes, self.nodes.as_ref()),
            text(Field::Ntasks, self.ntasks.as_ref()),
            text(Field::NtasksPerNode, self.ntasks_per_node.as_ref()),
            text(Field::CpusPerTask, self.cpus_per_task.as_ref()),
            text(Field::Gpus, self.gpus.as_ref()),
            text(Field::GpusPerNode, self.gpus_per_node.as_ref()),
            text(Field::Gres, self.gres.as_ref().map(GpuCount::to_gres).as_ref()),
            text(Field::Memory, self.memory.as_ref()),
            text(Field::MemoryPerCpu, self.memory_per_cpu.as_ref()),
            text(Field::Output, self.output.as_ref()),
            text(Field::Error, self.error.as_ref()),
            text(Field::Array, self.array.as_ref()),
            text(Field::Dependency, self.dependency.as_ref()),
            text(Field::Export, self.export.as_ref()),
            text(Field::Chdir, self.chdir.as_ref()),
            self.exclusive.then(|| (Field::Exclusive, String::new())),
            text(Field::GpusPerTask, self.gpus_per_task.as_ref()),
            text(Field::CpusPerGpu, self.cpus_per_gpu.as_ref()),
            text(Field::NtasksPerGpu, self.ntasks_per_gpu.as_ref()),
            text(Field::MemoryPerGpu, self.memory_per_gpu.as_ref()),
            text(Field::Account, self.account.as_ref()),
        ];
        all.into_iter().flatten().collect()
    }
}

impl fmt::Display for Directives {
    /// Writes one `#SBATCH` line for each field that says something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (field, value) in self.written() {
            let name = field.name();
            if value.is_empty() {
                writeln!(f, "#SBATCH --{name}")?;
            } else {
                writeln!(f, "#SBATCH --{name}={}", words::quoted(&value))?;
            }
        }
        Ok(())
    }
}

fn parsed<T: std::str::FromStr>(value: &str) -> Result<T, String>
where
    T::Err: fmt::Display,
{
    value.parse().map_err(|error: T::Err| error.to_string())
}

fn positive(value: &str) -> Result<NonZeroU32, String> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.parse().ok()).flatten();
    number.ok_or_else(|| format!("`{value}` is not a whole number above zero"))
}

fn name(value: &str) -> Result<String, String> {
    let visible = !value.is_empty() && !value.chars().any(char::is_control);
    if visible && value.chars().count() <= NAME_LENGTH_MAX {
        return Ok(value.to_owned());
    }
    Err(format!("a job's name has 1 to {NAME_LENGTH_MAX} characters and none that controls"))
}

fn path(value: &str) -> Result<String, String> {
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err("the folder is empty or holds characters that control".to_owned());
    }
    Ok(value.to_owned())
}

/// `--exclusive` alone; sharing nodes within one user or project is not offered.
fn exclusive(value: &str) -> Result<bool, String> {
    match value {
        "" => Ok(true),
        other => Err(format!("`{other}` is not offered: write --exclusive for whole nodes")),
    }
}
