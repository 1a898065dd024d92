//! What the configuration of an agent says of a cluster that Slurm schedules.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use ::site::agent::{Logins, Persons};
use anyhow::Result;
use engine::slurm::{Reading, RestSettings, Settings};
use serde::Deserialize;

use super::config::invalid;

/// How what jobs write is read while they run.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LogReading {
    /// By a command as the person.
    #[default]
    AsPerson,
    /// By the agent itself, to whose group jobs' folders are open.
    Directly,
}

/// The table `[slurm]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Slurm {
    /// Where jobs' folders lie, with `{user}` for the login of the person.
    jobs: String,
    /// What stands before a command that runs as a person; `sudo` when not set.
    person: Option<Vec<String>>,
    #[serde(default)]
    reading: LogReading,
    /// Where Slurm's commands are, if not on the path.
    programs: Option<PathBuf>,
    /// `slurm.conf`, if the commands do not find it themselves.
    conf: Option<PathBuf>,
    /// The address of `slurmrestd`, if jobs go there and not by commands.
    rest: Option<String>,
    /// How long what Slurm answered is taken to hold.
    interval_seconds: Option<NonZeroU64>,
    /// Slurm's partition, account and quality of service for all jobs; Slurm's own defaults when
    /// not set.
    partition: Option<String>,
    account: Option<String>,
    qos: Option<String>,
    /// The login of each person, by the address of their account at the hub.
    #[serde(default)]
    persons: BTreeMap<String, String>,
}

impl Slurm {
    /// How jobs reach Slurm, with the engine's own records in `records`.
    pub(super) fn settings(&self, records: PathBuf) -> Result<Settings> {
        if !self.jobs.contains("{user}") {
            let text = "slurm.jobs: jobs run as persons, each in a folder of their own; put {user} \
                into the path";
            return Err(invalid(text.to_owned()));
        }
        let usual = Settings::new(records, self.jobs.clone());
        Ok(Settings {
            person: self.person.clone().unwrap_or_else(|| usual.person.clone()),
            reading: match self.reading {
                LogReading::AsPerson => Reading::AsPerson,
                LogReading::Directly => Reading::Directly,
            },
            programs: self.programs.clone(),
            conf: self.conf.clone(),
            rest: self.rest.clone().map(RestSettings::new),
            partition: self.partition.clone(),
            interval: self
                .interval_seconds
                .map_or(usual.interval, |seconds| Duration::from_secs(seconds.get())),
            ..usual
        })
    }

    /// As whom jobs run.
    pub(super) fn persons(&self) -> Persons {
        let known = |(email, login): (&String, &String)| (email.to_lowercase(), login.clone());
        Persons::Known(Logins {
            by_email: self.persons.iter().map(known).collect(),
            partition: self.partition.clone(),
            account: self.account.clone(),
            qos: self.qos.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Slurm, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())
    }

    #[test]
    fn a_table_of_persons_says_who_runs_as_whom() {
        let slurm = parse(
            "jobs = \"/scratch/{user}/usine\"\nrest = \"unix:/run/slurmrestd\"\naccount = \"p1\"\n\
             [persons]\n\"Ada@Example.org\" = \"ada\"\n",
        );
        let slurm = slurm.unwrap();
        let settings = slurm.settings("/var/lib/usine/engine".into()).unwrap();
        assert_eq!(settings.rest, Some(RestSettings::new("unix:/run/slurmrestd")));
        let Persons::Known(logins) = slurm.persons() else { panic!("nobody is known") };
        assert_eq!(logins.by_email.get("ada@example.org").map(String::as_str), Some("ada"));
        assert_eq!(logins.account.as_deref(), Some("p1"));
    }

    #[test]
    fn persons_never_share_a_folder_and_unknown_keys_are_named() {
        let shared = parse("jobs = \"/scratch/usine\"\n").unwrap();
        let refused = shared.settings("/r".into()).unwrap_err().to_string();
        assert!(refused.contains("{user}"), "{refused}");
        let unknown = parse("jobs = \"/s/{user}\"\nquality = \"x\"\n").unwrap_err();
        assert!(unknown.contains("quality"), "{unknown}");
    }
}
