//! A batch script: its text, which is never changed, and what its directives ask for.

use std::fmt;

use crate::directive::Directives;

mod handed;
mod line;
mod read;

use handed::Handed;
pub use handed::{AtSite, Scheduler};
pub use line::{Given, command_line, fates};

/// The longest script, in bytes; Slurm's own default.
pub const SCRIPT_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// A script that can be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    text: String,
    directives: Directives,
    warnings: Vec<Remark>,
    handed: Vec<Handed>,
}

/// Something about a script, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line, counted from one; nothing for options given beside the script.
    pub line: Option<usize>,
    /// What about it.
    pub text: String,
}

/// Everything that keeps a script from being submitted; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScriptErrors(pub Vec<Remark>);

impl Script {
    /// Reads a script and the options given beside it, which win over its directives.
    ///
    /// Directives are the lines that begin with `#SBATCH`, up to the first command. All errors
    /// are found, not only the first.
    ///
    /// # Errors
    /// When the bytes are no script, or a directive is unknown, wrong or not offered.
    pub fn parse(bytes: &[u8], options: &[String]) -> Result<Self, ScriptErrors> {
        let text = read::text(bytes).map_err(|remark| ScriptErrors(vec![remark]))?;
        let mut reader = read::Reader::default();
        reader.script(text);
        reader.options(options);
        if !reader.errors.is_empty() {
            return Err(ScriptErrors(reader.errors));
        }
        let read::Reader { directives, warnings, handed, .. } = reader;
        Ok(Self { text: text.to_owned(), directives, warnings, handed })
    }

    /// The script, exactly as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it asks for.
    pub const fn directives(&self) -> &Directives {
        &self.directives
    }

    /// What was read and has no effect at any site.
    pub fn warnings(&self) -> &[Remark] {
        &self.warnings
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl fmt::Display for ScriptErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remarks: Vec<String> = self.0.iter().map(Remark::to_string).collect();
        f.write_str(&remarks.join("; "))
    }
}

#[cfg(test)]
mod tests;
