//! What a site's administrator decides about jobs through Slurm.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rest::RestSettings;
use crate::{Clock, Disk, Error};

/// Stands for the login of the person in [`Settings::jobs`] and [`Settings::person`].
const USER: &str = "{user}";

/// The programs that are Slurm's.
const PROGRAMS: [&str; 7] =
    ["sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sinfo", "squeue"];

/// How jobs reach Slurm.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The engine's own records, for nobody else to read.
    pub records: PathBuf,
    /// Where jobs' folders lie, at the same path on every node. When jobs run as persons, with
    /// `{user}` in it, so that each folder lies in one that is the person's own.
    pub jobs: String,
    /// What stands before a command that changes what is on the accounting's books; nothing where the
    /// agent may do so itself.
    pub keeper: Vec<String>,
    /// What stands before a command that runs as a person, with `{user}` for the login, such as
    /// `sudo -n -u {user} --`.
    pub person: Vec<String>,
    /// How what jobs write is read while they run.
    pub reading: Reading,
    /// Where Slurm's commands are, if not on the path of every system.
    pub programs: Option<PathBuf>,
    /// `slurm.conf`, if not where the commands look themselves.
    pub conf: Option<PathBuf>,
    /// `slurmrestd`, if jobs go there and not by commands.
    pub rest: Option<RestSettings>,
    /// The partition that is shown to the hub; Slurm's default when absent.
    pub partition: Option<String>,
    /// How long what Slurm answered is taken to hold.
    pub interval: Duration,
    /// How long a command or a request may take.
    pub patience: Duration,
    /// How long after an unclear submission Slurm may still come to know the job. At least
    /// [`Settings::patience`], or a job may be submitted twice (and run once, by its fence).
    pub settle: Duration,
    /// How long the accounting may take to tell of an end that the queue shows.
    pub accounting_lag: Duration,
    /// What the engine's own records are kept on.
    pub disk: Disk,
    /// What tells the time here.
    pub clock: Clock,
}

/// How what jobs write is read while they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// By a command as the person: needs no other right, and costs a process each time.
    AsPerson,
    /// By this process: jobs' folders must be open to its group.
    Directly,
}

impl Settings {
    /// The usual way: as persons by `sudo`, with records below `records` and jobs' folders where
    /// `jobs` says.
    pub fn new(records: PathBuf, jobs: impl Into<String>) -> Self {
        let person = ["sudo", "-n", "-u", USER, "--"];
        Self {
            records,
            jobs: jobs.into(),
            keeper: Vec::new(),
            person: person.map(str::to_owned).to_vec(),
            reading: Reading::AsPerson,
            programs: None,
            conf: None,
            rest: None,
            partition: None,
            interval: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            settle: Duration::from_secs(45),
            accounting_lag: Duration::from_secs(60),
            disk: Disk::default(),
            clock: Clock::Machine,
        }
    }

    /// Refuses settings that no engine can work with.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_fine = |mark: char| mark.is_ascii_alphanumeric() || "/._-{}".contains(mark);
        if !self.jobs.starts_with('/') || !self.jobs.chars().all(is_fine) {
            return Err(Error::Refused(format!(
                "the folder for jobs, `{}`, is not an absolute path of letters, digits, `.`, `_` and `-`",
                self.jobs
            )));
        }
        if self.settle < self.patience {
            return Err(Error::Refused("`settle` is shorter than `patience`".to_owned()));
        }
        Ok(())
    }

    /// Where the jobs of a person lie: a folder that nobody else could have changed, and the path
    /// from there.
    ///
    /// # Errors
    /// When persons would share a folder.
    pub(super) fn jobs_of(&self, user: Option<&str>) -> Result<(PathBuf, String), Error> {
        match (user, self.jobs.split_once(USER)) {
            (None, None) => Ok((self.jobs.clone().into(), String::new())),
            (Some(user), Some((before, after))) => {
                let trusted = before.rsplit_once('/').map_or("/", |(folder, _)| folder);
                let trusted = if trusted.is_empty() { "/" } else { trusted };
                let whole = format!("{before}{user}{after}");
                let rest = whole.strip_prefix(trusted).unwrap_or(&whole).trim_matches('/');
                Ok((trusted.into(), rest.to_owned()))
            }
            (Some(_), None) => Err(Error::Refused(format!(
                "jobs of persons need folders of their own: put {USER} into `{}`",
                self.jobs
            ))),
            (None, Some(_)) => Err(Error::Refused(
                "the job names no login at this site, and jobs run as persons here".to_owned(),
            )),
        }
    }

    /// What stands before a command as `user`.
    pub(super) fn prefix(&self, user: &str) -> Vec<String> {
        self.person.iter().map(|word| word.replace(USER, user)).collect()
    }

    /// Where a program is.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        let folder = self.programs.as_deref().filter(|_| PROGRAMS.contains(&name));
        folder.map_or_else(|| name.into(), |folder: &Path| folder.join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_persons_begin_where_only_the_administrator_writes() {
        let of = |jobs: &str, user| Settings::new("/r".into(), jobs).jobs_of(user);
        let place = |path: &str, rest: &str| (PathBuf::from(path), rest.to_owned());
        assert_eq!(
            of("/scratch/{user}/usine", Some("ann")).unwrap(),
            place("/scratch", "ann/usine")
        );
        assert_eq!(of("/s/u-{user}", Some("ann")).unwrap(), place("/s", "u-ann"));
        assert_eq!(of("/{user}", Some("ann")).unwrap(), place("/", "ann"));
        assert_eq!(of("/scratch/usine", None).unwrap(), place("/scratch/usine", ""));
        assert!(of("/scratch/usine", Some("ann")).is_err());
        assert!(of("/scratch/{user}", None).is_err());
    }

    #[test]
    fn a_folder_that_a_pattern_of_slurm_could_change_is_refused() {
        let check = |jobs: &str| Settings::new("/r".into(), jobs).check();
        assert!(check("/scratch/{user}/usine-jobs").is_ok());
        for wrong in ["scratch", "/a b", "/scratch/%u", "/a\\b", "/a'b"] {
            assert!(check(wrong).is_err(), "{wrong} was accepted");
        }
    }
}
