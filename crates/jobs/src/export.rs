//! Which environment variables reach a job.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The text does not say which variables to pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnExport {
    /// A name that no shell accepts.
    #[error("`{0}` is not the name of an environment variable")]
    Name(String),
    /// A value that cannot be written back.
    #[error("the value of {0} holds a single quote, which `export` cannot carry")]
    Quote(String),
    /// Nothing was written.
    #[error("write ALL, NONE or names with or without values, such as ALL,SEED=7")]
    Empty,
}

/// A variable of the job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Variable {
    /// As it was where the job was submitted.
    Passed(String),
    /// With this value.
    Set(String, String),
}

/// Which environment variables reach a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Export {
    /// Whether everything that the submitter sent along is passed.
    all: bool,
    variables: Vec<Variable>,
}

impl Export {
    /// What Slurm does when nothing is said: everything is passed.
    pub const ALL: Self = Self { all: true, variables: Vec::new() };

    /// The names of those that are passed as they are where the job is submitted.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().filter_map(|variable| match variable {
            Variable::Passed(name) => Some(name.as_str()),
            Variable::Set(..) => None,
        })
    }

    /// The job's variables out of those that the submitter sent along.
    pub fn apply(&self, sent: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut passed = if self.all { sent.clone() } else { BTreeMap::new() };
        for variable in &self.variables {
            let (name, value) = match variable {
                Variable::Passed(name) => (name, sent.get(name)),
                Variable::Set(name, value) => (name, Some(value)),
            };
            if let Some(value) = value {
                passed.insert(name.clone(), value.clone());
            }
        }
        passed
    }
}

/// Whether `name` is a variable that every shell can read.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl FromStr for Export {
    type Err = NotAnExport;

    fn from_str(text: &str) -> Result<Self, NotAnExport> {
        if text.is_empty() {
            return Err(NotAnExport::Empty);
        }
        let mut export = Self { all: false, variables: Vec::new() };
        if ["NONE", "NIL"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Ok(export);
        }
        for term in terms(text) {
            if term.eq_ignore_ascii_case("ALL") {
                export.all = true;
                continue;
            }
            let (name, value) = match term.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (term.as_str(), None),
            };
            if !is_variable_name(name) {
                return Err(NotAnExport::Name(name.to_owned()));
            }
            export.variables.push(match value.map(unquoted) {
                Some(value) if value.contains('\'') => {
                    return Err(NotAnExport::Quote(name.to_owned()));
                }
                Some(value) => Variable::Set(name.to_owned(), value.to_owned()),
                None => Variable::Passed(name.to_owned()),
            });
        }
        Ok(export)
    }
}

/// Splits at commas, except inside single quotes.
fn terms(text: &str) -> Vec<String> {
    let (mut terms, mut term, mut quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            ',' if !quoted => terms.push(std::mem::take(&mut term)),
            '\'' => {
                quoted = !quoted;
                term.push(character);
            }
            _ => term.push(character),
        }
    }
    terms.push(term);
    terms
}

/// The value without the pair of single quotes around it.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.unwrap_or(value)
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all.then(|| "ALL".to_owned());
        let variables = self.variables.iter().map(|variable| match variable {
            Variable::Passed(name) => name.clone(),
            Variable::Set(name, value) => format!("{name}='{value}'"),
        });
        let terms: Vec<String> = all.into_iter().chain(variables).collect();
        f.write_str(if terms.is_empty() { "NONE".to_owned() } else { terms.join(",") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str) -> String {
        let sent = [("HOME", "/root"), ("SEED", "1")];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let variables = text.parse::<Export>().unwrap().apply(&sent);
        let shown: Vec<_> =
            variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        shown.join(" ")
    }

    #[test]
    fn variables_are_passed_as_slurm_does() {
        let table = [
            ("ALL", "HOME=/root SEED=1"),
            ("NONE", ""),
            ("nil", ""),
            ("SEED", "SEED=1"),
            ("ALL,SEED=7", "HOME=/root SEED=7"),
            ("X=,Y=a=b", "X= Y=a=b"),
            ("LIST='a,b',SEED", "LIST=a,b SEED=1"),
            ("UNKNOWN", ""),
        ];
        for (text, expected) in table {
            assert_eq!(applied(text), expected, "{text}");
        }
    }

    #[test]
    fn names_that_a_shell_could_misread_are_refused() {
        for name in ["", "1A", "A-B", "A B", "A;rm", "é"] {
            let text = format!("ALL,{name}=1");
            assert_eq!(text.parse::<Export>(), Err(NotAnExport::Name(name.to_owned())));
        }
    }
}
