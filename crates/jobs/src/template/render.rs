//! Filling a service in.

use std::collections::BTreeMap;
use std::fmt;

use units::Slug;

use super::{Kind, Output, Parameter, RepositoryRef, Template};

/// A value that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongValue {
    /// The parameter's name.
    pub parameter: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A service, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The script with the values in it; it needs nothing else to run.
    pub script: String,
    /// Which repositories it reads, by mount.
    pub inputs: BTreeMap<Slug, RepositoryRef>,
    /// What it makes.
    pub outputs: Vec<Output>,
}

pub(super) fn render(
    template: &Template,
    given: &BTreeMap<String, String>,
) -> Result<Rendered, Vec<WrongValue>> {
    let mut wrong = unknown(template, given);
    let mut inputs = BTreeMap::new();
    let mut assignments = String::new();
    for parameter in &template.parameters {
        let name = parameter.name.as_str();
        let Some(value) = given.get(name).or(parameter.default.as_ref()) else {
            wrong.push(problem(parameter, "a value is needed"));
            continue;
        };
        match check(parameter, value) {
            Err(error) => wrong.push(error),
            Ok(Checked::Repository(input)) => {
                inputs.insert(parameter.name.clone(), input);
            }
            Ok(Checked::Text(value)) => {
                let (variable, value) = (parameter.variable(), quoted(&value));
                assignments.push_str(&format!("export {variable}={value}\n"));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let script = with_assignments(template.script.text(), &assignments);
    Ok(Rendered { script, inputs, outputs: template.outputs.clone() })
}

fn unknown(template: &Template, given: &BTreeMap<String, String>) -> Vec<WrongValue> {
    let known = |name: &str| template.parameters.iter().any(|p| p.name.as_str() == name);
    let names: Vec<&str> = template.parameters.iter().map(|p| p.name.as_str()).collect();
    let problem = format!("{} has no such parameter; it has: {}", template.name, names.join(", "));
    given
        .keys()
        .filter(|name| !known(name))
        .map(|name| WrongValue { parameter: name.clone(), problem: problem.clone() })
        .collect()
}

/// A value that its parameter takes.
pub(super) enum Checked {
    /// Written into the script; numbers as every shell reads them, without leading zeros.
    Text(String),
    /// Put under `inputs/`.
    Repository(RepositoryRef),
}

/// Whether `value` is what `parameter` takes, and what it comes to.
pub(super) fn check(parameter: &Parameter, value: &str) -> Result<Checked, WrongValue> {
    match &parameter.kind {
        Kind::Integer { min, max, unit } => {
            let unit = unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
            match value.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => {
                    Ok(Checked::Text(number.to_string()))
                }
                _ => Err(problem(
                    parameter,
                    format!("write a whole number from {min} to {max}{unit}"),
                )),
            }
        }
        Kind::Text { length_max } => {
            let length = u32::try_from(value.chars().count()).unwrap_or(u32::MAX);
            if length <= *length_max && !value.contains('\0') && !value.contains('\r') {
                return Ok(Checked::Text(value.to_owned()));
            }
            Err(problem(parameter, format!("write at most {length_max} characters")))
        }
        Kind::Choice(choices) if choices.iter().any(|choice| choice == value) => {
            Ok(Checked::Text(value.to_owned()))
        }
        Kind::Choice(choices) => {
            Err(problem(parameter, format!("choose one of {}", choices.join(", "))))
        }
        Kind::Repository { holds } => value.parse().map(Checked::Repository).map_err(|_| {
            problem(parameter, format!("name a {holds} as IDENTIFIER or IDENTIFIER@REVISION"))
        }),
    }
}

fn problem(parameter: &Parameter, problem: impl Into<String>) -> WrongValue {
    WrongValue { parameter: parameter.name.to_string(), problem: problem.into() }
}

/// `value` as one word of a POSIX shell, whatever it holds.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}

/// The script with `assignments` before its first command, so behind its directives.
fn with_assignments(script: &str, assignments: &str) -> String {
    let is_command = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let header: usize = script
        .split_inclusive('\n')
        .take_while(|line| !is_command(line))
        .map(str::len)
        .fold(0, usize::saturating_add);
    let (header, commands) = script.split_at(header);
    let gap = if header.ends_with('\n') { "" } else { "\n" };
    format!("{header}{gap}{assignments}{commands}")
}

impl fmt::Display for WrongValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.parameter, self.problem)
    }
}
