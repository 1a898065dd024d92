//! Sites whose agents run elsewhere, and what holds for those agents.

use std::num::{NonZeroU16, NonZeroU32};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{DAY_SECONDS, HOUR_SECONDS, Site};

/// A site whose agent somebody else runs, beside the machine itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteSite {
    /// Its name, by which its agent calls.
    pub(crate) name: String,
    /// The partition that it is, as SYSTEM.PARTITION.
    pub(crate) serves: String,
    /// The entry of policy/charge-rules.toml that prices its jobs.
    pub(crate) charge_rule: String,
    /// Whether its machine is another one than the partition, for trials.
    #[serde(default)]
    pub(crate) stands_in: bool,
    /// The time limit of a job that names none.
    #[serde(default = "an_hour")]
    pub(crate) time_limit_default_seconds: NonZeroU32,
    /// The longest time limit a job may ask for.
    #[serde(default = "a_day")]
    pub(crate) time_limit_max_seconds: NonZeroU32,
    /// The hosts to which people may log in by SSH, such as `login.example.eu`; `*` stands for one or
    /// more characters of a name's part.
    #[serde(default)]
    pub(crate) ssh_hosts: ::site::ssh::Hosts,
    /// How fast data comes from the hub, for placement; not counted when not set.
    pub(crate) link_megabits_per_second: Option<NonZeroU32>,
    /// Electric power for each unit that is charged, cooling included, for placement.
    pub(crate) watts_per_unit: Option<u32>,
    /// Carbon dioxide of the site's electricity, for placement.
    pub(crate) carbon_grams_per_kwh: Option<u32>,
}

const fn an_hour() -> NonZeroU32 {
    HOUR_SECONDS
}

const fn a_day() -> NonZeroU32 {
    DAY_SECONDS
}

impl RemoteSite {
    /// What it has in common with a site on this machine.
    pub(crate) fn as_site(&self) -> Site {
        Site {
            name: self.name.clone(),
            serves: self.serves.clone(),
            charge_rule: self.charge_rule.clone(),
            cores: None,
            memory_mb: None,
            time_limit_default_seconds: self.time_limit_default_seconds,
            time_limit_max_seconds: self.time_limit_max_seconds,
            ssh_hosts: self.ssh_hosts.clone(),
            link_megabits_per_second: self.link_megabits_per_second,
            watts_per_unit: self.watts_per_unit,
            carbon_grams_per_kwh: self.carbon_grams_per_kwh,
        }
    }
}

/// What holds for the agents of remote sites.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Agents {
    /// How long a one-time code waits to be used.
    code_minutes: NonZeroU16,
    /// How long a token works that an agent's key has opened.
    session_minutes: NonZeroU16,
    /// How far the clocks of a site and of the hub may be apart.
    clock_seconds_max: NonZeroU16,
    /// How long an agent may be silent before it counts as away.
    away_seconds: NonZeroU16,
}

const fn some(count: u16) -> NonZeroU16 {
    match NonZeroU16::new(count) {
        Some(count) => count,
        None => NonZeroU16::MIN,
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            code_minutes: some(30),
            session_minutes: some(15),
            clock_seconds_max: some(60),
            away_seconds: some(90),
        }
    }
}

impl Agents {
    /// The same as use cases want it.
    pub(crate) fn rules(&self) -> app::jobs::AgentRules {
        let seconds = |count: NonZeroU16| SignedDuration::from_secs(i64::from(count.get()));
        let minutes = |count: NonZeroU16| SignedDuration::from_mins(i64::from(count.get()));
        app::jobs::AgentRules {
            code: minutes(self.code_minutes),
            session: minutes(self.session_minutes),
            clock: seconds(self.clock_seconds_max),
            away: seconds(self.away_seconds),
        }
    }
}
