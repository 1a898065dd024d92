//! The configuration of an agent: one TOML file, whose unknown keys are refused by name.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::site::agent::{Persons, Settings};
use ::site::client::{Client, Trust};
use ::site::identity::Identity;
use anyhow::{Context, Result};
use serde::Deserialize;
use units::Slug;

use super::slurm::Slurm;
use crate::exit::{Failure, Told};
use crate::remote::HubChoice;

/// What carries jobs out.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EngineKind {
    /// This machine's processes.
    #[default]
    Local,
    /// A cluster that Slurm schedules.
    Slurm,
}

impl EngineKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Slurm => "slurm",
        }
    }
}

/// What jobs may use of this machine; what it has when not set.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Local {
    cores: Option<u32>,
    memory_mb: Option<u64>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    /// The hub's address.
    hub: Option<String>,
    /// The site's name at the hub.
    site: Option<String>,
    /// Where the agent keeps its key, its journal and, with the local engine, its jobs.
    folder: PathBuf,
    /// The CAs that may vouch for the hub, in PEM, instead of those of this machine.
    ca: Option<PathBuf>,
    /// How often running jobs are looked at.
    interval_milliseconds: Option<u64>,
    /// How long the hub may keep a request for orders waiting.
    wait_seconds: u32,
    /// How much of each of a job's streams is sent to the hub.
    log_bytes_max: u64,
    engine: EngineKind,
    local: Local,
    slurm: Option<Slurm>,
    ssh: Ssh,
}

/// What this host is to people who come by SSH.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ssh {
    /// The names of this host, as certificates name them.
    hosts: Vec<String>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            hub: None,
            site: None,
            folder: PathBuf::from("usine-agent"),
            ca: None,
            interval_milliseconds: None,
            wait_seconds: 25,
            log_bytes_max: 64 << 20,
            engine: EngineKind::default(),
            local: Local::default(),
            slurm: None,
            ssh: Ssh::default(),
        }
    }
}

/// How an agent works, checked.
#[derive(Debug)]
pub(super) struct AgentConfig {
    pub(super) hub: String,
    pub(super) site: Slug,
    pub(super) folder: PathBuf,
    pub(super) engine: EngineKind,
    trust: Trust,
    written: Written,
}

impl AgentConfig {
    /// Reads `file`; site, hub and CA of the command line win.
    pub(super) fn load(
        file: Option<&Path>,
        site: Option<&str>,
        hub_choice: &HubChoice,
    ) -> Result<Self> {
        let written = match file {
            None => Written::default(),
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                parse(&file.display().to_string(), &text)?
            }
        };
        let hub = hub_choice.hub.clone().or_else(|| written.hub.clone());
        let hub = hub.ok_or_else(|| missing("hub", "--hub URL"))?;
        check_address(&hub)?;
        let site = site.map(str::to_owned).or_else(|| written.site.clone());
        let site = site.ok_or_else(|| missing("site", "--site NAME"))?;
        let site = site.parse().map_err(|error| invalid(format!("site: {error}")))?;
        if !(1..=60).contains(&written.wait_seconds) || written.interval_milliseconds == Some(0) {
            let text = "wait_seconds must be 1 to 60, interval_milliseconds at least 1";
            return Err(invalid(text.to_owned()));
        }
        let trust = match hub_choice.ca.as_ref().or(written.ca.as_ref()) {
            Some(file) => Trust::in_file(file).map_err(|error| invalid(error.to_string()))?,
            None => Trust::System,
        };
        let folder = std::path::absolute(&written.folder)?;
        Ok(Self { hub, site, folder, engine: written.engine, trust, written })
    }

    /// The way to the hub, as anybody.
    pub(super) fn client(&self) -> Result<Client> {
        Ok(Client::trusting(&self.hub, &self.trust)?)
    }

    /// The keys of this agent.
    pub(super) fn identity(&self) -> Identity {
        Identity::in_folder(&self.folder)
    }

    /// How the agent works.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub(super) fn settings(&self) -> Result<Settings> {
        Ok(Settings {
            interval: self.interval(),
            wait_seconds: self.written.wait_seconds,
            log_bytes_max: self.written.log_bytes_max,
            scheduler: match (self.engine, &self.written.slurm) {
                (EngineKind::Slurm, Some(slurm)) => Some(slurm.scheduler()),
                _ => None,
            },
            persons: match (self.engine, &self.written.slurm) {
                (EngineKind::Slurm, Some(slurm)) => slurm.persons()?,
                _ => Persons::Unknown,
            },
            steps: match (self.engine, &self.written.slurm) {
                (EngineKind::Slurm, Some(slurm)) => Some(slurm.steps()),
                _ => None,
            },
            books: match (self.engine, &self.written.slurm) {
                (EngineKind::Slurm, Some(slurm)) => Some(slurm.books()?),
                _ => None,
            },
            keeping: match (self.engine, &self.written.slurm) {
                (EngineKind::Slurm, Some(slurm)) => slurm.keeping()?,
                _ => None,
            },
            ..Settings::new(self.site.clone(), self.folder.join("agent"))
        })
    }

    /// The names of this host, as certificates for SSH name them.
    ///
    /// # Errors
    /// When the file names none: then nobody can be let in.
    pub(super) fn ssh_hosts(&self) -> Result<&[String]> {
        let hosts = &self.written.ssh.hosts;
        if hosts.is_empty() {
            let text = "`[ssh]`: set `hosts` to the names of this host, such as login.example.eu";
            return Err(invalid(text.to_owned()));
        }
        Ok(hosts)
    }

    /// How often running jobs are looked at. Beside a Slurm each look at a log may be a process, and
    /// there may be many jobs.
    fn interval(&self) -> Duration {
        let usual = match self.engine {
            EngineKind::Local => 200,
            EngineKind::Slurm => 2_000,
        };
        Duration::from_millis(self.written.interval_milliseconds.unwrap_or(usual))
    }

    /// The cluster as an engine.
    pub(super) fn slurm_engine(&self) -> Result<engine::slurm::Settings> {
        let slurm = self.written.slurm.as_ref();
        let slurm = slurm.ok_or_else(|| invalid("`[slurm]` is missing".to_owned()))?;
        slurm.settings(self.folder.join("engine"))
    }

    /// This machine as an engine.
    pub(super) fn local_engine(&self) -> Result<engine::Settings> {
        let Local { cores, memory_mb } = self.written.local;
        let settings = crate::site::engine_settings(&self.folder)?;
        Ok(engine::Settings { cores, memory_mb, ..settings })
    }
}

fn parse(name: &str, text: &str) -> Result<Written> {
    toml::from_str(text)
        .map_err(|error| invalid(format!("{name} is not a valid configuration\n{error}")))
}

/// Refuses to send a token where anybody on the way could read it.
fn check_address(hub: &str) -> Result<()> {
    let url = reqwest::Url::parse(hub).map_err(|error| invalid(format!("hub: {error}")))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => Err(invalid(format!(
            "hub: {hub} is not an address that begins with https://; plain http:// is for a hub on \
             this machine alone"
        ))),
    }
}

fn missing(key: &str, option: &str) -> anyhow::Error {
    invalid(format!("`{key}` is missing: set it in the file that --config names, or give {option}"))
}

pub(super) fn invalid(message: String) -> anyhow::Error {
    Told::new(Failure::Invalid, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        for (text, word) in [("\nhubb = \"x\"\n", "hubb"), ("[local]\ncoars = 1\n", "coars")] {
            let error = parse("agent.toml", text).unwrap_err().to_string();
            assert!(error.contains("line 2") && error.contains(word), "{error}");
        }
        let error = parse("agent.toml", "engine = \"lsf\"\n").unwrap_err().to_string();
        assert!(error.contains("local"), "{error}");
    }

    #[test]
    fn nothing_is_sent_in_clear_text_beyond_this_machine() {
        for good in ["https://hub.example.eu", "http://127.0.0.1:1", "http://localhost:8080"] {
            check_address(good).unwrap();
        }
        check_address("http://[::1]:80").unwrap();
        for bad in ["http://hub.example.eu", "ftp://127.0.0.1", "hub.example.eu", "http://10.0.0.1"]
        {
            check_address(bad).unwrap_err();
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_option_that_gives_it() {
        let hub = HubChoice { hub: None, ..HubChoice::default() };
        let error = AgentConfig::load(None, Some("afar"), &hub).unwrap_err().to_string();
        assert!(error.contains("`hub`") && error.contains("--hub"), "{error}");
        let hub = HubChoice { hub: Some("https://h.example".to_owned()), ..HubChoice::default() };
        let error = AgentConfig::load(None, None, &hub).unwrap_err().to_string();
        assert!(error.contains("`site`") && error.contains("--site"), "{error}");
    }
}
