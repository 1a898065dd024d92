//! What the configuration of an agent says of a cluster that Slurm schedules.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use ::site::agent::tenants::Keeping;
use ::site::agent::{Account, Books, Logins, Persons};
use ::site::protocol::Scheduler;
use anyhow::Result;
use engine::slurm::{Reading, RestSettings, Settings};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::accounts::Accounts;
use super::config::invalid;
use super::logins::LoginTable;

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

/// A plugin of Slurm that takes options of jobs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Plugin {
    /// Containers by Enroot.
    Pyxis,
}

impl Plugin {
    /// The long names of its options.
    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Pyxis => &[
                "container-image",
                "container-name",
                "container-mounts",
                "container-workdir",
                "container-save",
                "container-env",
            ],
        }
    }
}

/// How often the accounting is told, when not set.
const ACCOUNTING_SECONDS: u64 = 60;
/// The same for steps.
const STEPS_SECONDS: u64 = 30;

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
    /// Plugins of this Slurm that take options of jobs.
    #[serde(default)]
    plugins: Vec<Plugin>,
    /// How often the accounting is told to the hub.
    accounting_seconds: Option<NonZeroU64>,
    /// How often the steps of running jobs are told to the hub.
    steps_seconds: Option<NonZeroU64>,
    /// The site's time zone; that of this machine when not set.
    time_zone: Option<String>,
    /// Set where each allocation has an account of its own.
    accounts: Option<Accounts>,
    /// How the login of anybody else is found.
    logins: Option<LoginTable>,
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
        self.account()?;
        self.keeping()?;
        let usual = Settings::new(records, self.jobs.clone());
        Ok(Settings {
            keeper: self.accounts.as_ref().map(Accounts::keeper).unwrap_or_default(),
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

    /// The scheduler, as the hub is told of it.
    pub(super) fn scheduler(&self) -> Scheduler {
        let plugins = self.plugins.iter().flat_map(|plugin| plugin.options());
        Scheduler {
            kind: Scheduler::SLURM.to_owned(),
            plugins: plugins.map(|name| (*name).to_owned()).collect(),
        }
    }

    /// How the hub is told what the accounting has.
    ///
    /// # Errors
    /// When the time zone is none.
    pub(super) fn books(&self) -> Result<Books> {
        let zone = match &self.time_zone {
            None => own_zone(),
            Some(name) => name.clone(),
        };
        if TimeZone::get(&zone).is_err() {
            let text = format!("slurm.time_zone: `{zone}` is not one, such as Europe/Vienna");
            return Err(invalid(text));
        }
        let seconds = self.accounting_seconds.map_or(ACCOUNTING_SECONDS, NonZeroU64::get);
        Ok(Books { interval: Duration::from_secs(seconds), zone })
    }

    /// How often the hub is told of the steps of running jobs.
    pub(super) fn steps(&self) -> Duration {
        Duration::from_secs(self.steps_seconds.map_or(STEPS_SECONDS, NonZeroU64::get))
    }

    /// Under which account jobs run.
    fn account(&self) -> Result<Account> {
        match (&self.accounts, &self.account) {
            (None, None) => Ok(Account::Usual),
            (None, Some(account)) => Ok(Account::Fixed(account.clone())),
            (Some(accounts), None) => Ok(Account::OfAllocation(accounts.prefix()?)),
            (Some(_), Some(_)) => Err(invalid(
                "slurm.account names one account for all jobs, and [slurm.accounts] one for each \
                 allocation; leave one of them out"
                    .to_owned(),
            )),
        }
    }

    /// How the hub's allocations are kept on the books; not at all where the site keeps its own
    /// accounts.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub(super) fn keeping(&self) -> Result<Option<Keeping>> {
        let Some(accounts) = &self.accounts else { return Ok(None) };
        let keeping = accounts.keeping()?;
        if keeping.is_some() && self.qos.is_some() {
            return Err(invalid(
                "slurm.qos names one quality of service for all jobs, and [slurm.accounts] keeps \
                 one for each allocation; leave slurm.qos out, or set slurm.accounts.manage to off"
                    .to_owned(),
            ));
        }
        Ok(keeping)
    }

    /// As whom jobs run.
    ///
    /// # Errors
    /// When it does not say under which account.
    pub(super) fn persons(&self) -> Result<Persons> {
        let known = |(email, login): (&String, &String)| (email.to_lowercase(), login.clone());
        Ok(Persons::Known(Logins {
            by_email: self.persons.iter().map(known).collect(),
            rule: self.logins.as_ref().map(LoginTable::rule).transpose()?,
            partition: self.partition.clone(),
            account: self.account()?,
            qos: self.qos.clone(),
        }))
    }
}

/// The time zone of this machine, by the file that its clock follows.
fn own_zone() -> String {
    let file = std::fs::read_link("/etc/localtime").unwrap_or_default();
    let name = file.to_str().and_then(|file| file.split_once("zoneinfo/"));
    let known = name.map(|(_, name)| name).filter(|name| TimeZone::get(name).is_ok());
    known.unwrap_or("UTC").to_owned()
}

#[cfg(test)]
mod tests {
    use ::jobs::AccountPrefix;

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
        let Persons::Known(logins) = slurm.persons().unwrap() else { panic!("nobody is known") };
        assert_eq!(logins.by_email.get("ada@example.org").map(String::as_str), Some("ada"));
        assert_eq!(logins.account, Account::Fixed("p1".to_owned()));
        assert!(slurm.scheduler().plugins.is_empty());
    }

    #[test]
    fn a_plugin_brings_options_and_an_unknown_one_is_named() {
        let slurm = parse("jobs = \"/s/{user}\"\nplugins = [\"pyxis\"]\n").unwrap();
        assert!(slurm.scheduler().plugins.contains(&"container-image".to_owned()));
        let unknown = parse("jobs = \"/s/{user}\"\nplugins = [\"shifter\"]\n").unwrap_err();
        assert!(unknown.contains("shifter"), "{unknown}");
    }

    #[test]
    fn accounts_are_one_for_all_jobs_or_one_for_each_allocation() {
        let account = |text: &str| {
            let slurm = parse(&format!("jobs = \"/s/{{user}}\"\n{text}")).unwrap();
            slurm.account().map_err(|error| error.to_string())
        };
        let usual = Account::OfAllocation(AccountPrefix::default());
        assert_eq!(account("[accounts]\n"), Ok(usual));
        let own = Account::OfAllocation("eu7_".parse().unwrap());
        assert_eq!(account("[accounts]\nprefix = \"eu7_\"\n"), Ok(own));
        assert_eq!(account(""), Ok(Account::Usual));
        let both = account("account = \"p1\"\n[accounts]\n").unwrap_err();
        assert!(both.contains("leave one of them out"), "{both}");
        let wrong = account("[accounts]\nprefix = \"Usine\"\n").unwrap_err();
        assert!(wrong.contains("slurm.accounts.prefix"), "{wrong}");
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
