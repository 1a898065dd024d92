//! Options that a site's own scheduler carries out, and what becomes of them where there is none.

use std::collections::BTreeSet;

use super::{Remark, Script, ScriptErrors};
use crate::directive::{Elsewhere, Form};

/// An option that is handed on as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handed {
    /// The long name, without the dashes.
    pub(super) name: &'static str,
    /// The name as it was written, for remarks.
    pub(super) written: String,
    pub(super) value: Option<String>,
    pub(super) form: Form,
    pub(super) elsewhere: Elsewhere,
    pub(super) line: Option<usize>,
}

/// What carries jobs out at a site, as far as options are concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scheduler {
    /// Usine by itself.
    #[default]
    Own,
    /// Slurm.
    Slurm {
        /// Options that plugins of the site's Slurm add: long names without the dashes.
        plugins: BTreeSet<String>,
    },
}

/// What a script comes to at a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AtSite {
    /// Options for the site's own scheduler: long names without the dashes, with their values.
    pub options: Vec<(String, Option<String>)>,
    /// What was read and has no effect there.
    pub warnings: Vec<Remark>,
}

impl Script {
    /// What the script comes to where `scheduler` carries jobs out.
    ///
    /// # Errors
    /// When it asks for what only another scheduler, or a plugin that the site does not have, could
    /// carry out.
    pub fn at(&self, scheduler: &Scheduler) -> Result<AtSite, ScriptErrors> {
        let mut at = AtSite { options: Vec::new(), warnings: self.warnings.clone() };
        if matches!(scheduler, Scheduler::Slurm { .. }) {
            let layout = self.directives.layout();
            at.options.extend(layout.map(|(name, value)| (name.to_owned(), value)));
        }
        let mut errors = Vec::new();
        for option in &self.handed {
            match option.fate(scheduler) {
                Fate::Taken => at.options.push((option.name.to_owned(), option.value.clone())),
                Fate::Nothing(reason) => {
                    at.warnings.push(option.remark(format!("has no effect: {reason}")));
                }
                Fate::Refused(reason) => {
                    errors.push(option.remark(format!("is not supported: {reason}")));
                }
            }
        }
        at.warnings.sort_by_key(|remark| (remark.line.is_none(), remark.line));
        if errors.is_empty() { Ok(at) } else { Err(ScriptErrors(errors)) }
    }
}

/// What becomes of an option at a site.
enum Fate {
    Taken,
    Nothing(&'static str),
    Refused(&'static str),
}

impl Handed {
    fn fate(&self, scheduler: &Scheduler) -> Fate {
        match (scheduler, self.form, self.elsewhere) {
            (Scheduler::Own, _, Elsewhere::Harmless(reason)) => Fate::Nothing(reason),
            (Scheduler::Own, _, Elsewhere::Refused(reason)) => Fate::Refused(reason),
            (Scheduler::Slurm { plugins }, Form::Plugin(_), _) if !plugins.contains(self.name) => {
                Fate::Refused("the site does not say that it has the plugin that knows it")
            }
            (Scheduler::Slurm { .. }, _, _) => Fate::Taken,
        }
    }

    fn remark(&self, text: String) -> Remark {
        Remark { line: self.line, text: format!("`{}` {text}", self.written) }
    }
}
