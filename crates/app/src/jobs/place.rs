//! What a script comes to at the site that is to carry it out: options for the site's own scheduler,
//! and how far the names of its files may reach.

use ::jobs::FilePattern;
use ::jobs::script::{AtSite, Scheduler, Script};
use store::sites::Site;
use vault::FilePath;

use super::prepare::script_errors;
use crate::Error;

/// What a site does with scripts.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    scheduler: Scheduler,
    files: Files,
}

/// How far the names of a job's files may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Files {
    /// Its own directory.
    #[default]
    OwnDirectory,
    /// Anywhere: they are opened as the person whose job it is.
    AsPerson,
}

/// What a script comes to at a site.
#[derive(Clone, Debug, Default)]
pub(super) struct Placed {
    /// Options for the site's own scheduler, and what was read and has no effect.
    pub(super) at: AtSite,
    /// The folder where it runs: below the job's directory, or anywhere.
    pub(super) folder: Option<String>,
    files: Files,
}

impl Ways {
    /// What is known of the site `known`.
    pub(super) fn of(known: Option<&Site>) -> Self {
        let Some(inventory) = known.and_then(|site| site.inventory.as_ref()) else {
            return Self::default();
        };
        if inventory.scheduler.as_deref() != Some(site::protocol::Scheduler::SLURM) {
            return Self::default();
        }
        let plugins = inventory.plugins.iter().cloned().collect();
        let as_persons = known.is_some_and(|site| site.as_persons);
        let files = if as_persons { Files::AsPerson } else { Files::OwnDirectory };
        Self { scheduler: Scheduler::Slurm { plugins }, files }
    }

    /// What `script` comes to here.
    ///
    /// # Errors
    /// When it asks for what only another site could do.
    pub(super) fn place(&self, script: &Script) -> Result<Placed, Error> {
        let at = script.at(&self.scheduler).map_err(script_errors)?;
        let folder = self.files.begins_in(script)?;
        Ok(Placed { at, folder, files: self.files })
    }
}

impl Placed {
    /// Where a job also writes its text. What it writes is kept by the hub in any case, so
    /// `/dev/null` only means that no file is wanted.
    pub(super) fn file(
        &self,
        option: &str,
        pattern: Option<&FilePattern>,
        expand: impl FnOnce(&FilePattern) -> String,
    ) -> Result<Option<String>, Error> {
        let Some(name) = pattern.map(expand).filter(|name| name != "/dev/null") else {
            return Ok(None);
        };
        if self.files.may_be_elsewhere(&name) {
            return Ok(Some(name));
        }
        let name = name.trim_start_matches("./");
        name.parse::<FilePath>().map(|path| Some(path.to_string())).map_err(|_| {
            let text = "name a file below the job's directory, such as logs/%x-%j.out";
            Error::invalid("script", format!("`--{option}`: {text}"))
        })
    }
}

impl Files {
    /// Whether an absolute path may stand here.
    fn may_be_elsewhere(self, name: &str) -> bool {
        let is_file = name.starts_with('/') && !name.ends_with('/');
        self == Self::AsPerson && is_file && !name.chars().any(char::is_control)
    }

    /// Where the script runs: the job's directory, a folder below it such as `inputs/code`, or where
    /// jobs run as persons anywhere.
    fn begins_in(self, script: &Script) -> Result<Option<String>, Error> {
        let Some(named) = &script.directives().chdir else { return Ok(None) };
        let name = named.trim_end_matches('/');
        if self.may_be_elsewhere(name) {
            return Ok(Some(name.to_owned()));
        }
        match name.trim_start_matches("./") {
            "" | "." => Ok(None),
            folder => folder.parse::<FilePath>().map(|path| Some(path.to_string())).map_err(|_| {
                let text =
                    "`--chdir`: a job runs in a directory of its own; name a folder below it";
                Error::invalid("script", text)
            }),
        }
    }
}
