//! The configuration: a TOML file, then `USINE_*` variables, then options of the command line.
//!
//! `USINE_WEB__SCHEME=https` sets `scheme` in the table `web`. Unknown keys are refused by name.

mod oidc;
mod post;
mod remote;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::exit::{Failure, Told};
pub(crate) use oidc::Oidc;
pub(crate) use post::{Mail, Webhooks};
pub(crate) use remote::{Agents, RemoteSite};

/// Where the hub looks when no file is named.
const DEFAULT_FILE: &str = "usine.toml";

/// An hour and a day, for time limits.
const HOUR_SECONDS: NonZeroU32 = at_least_one(3_600);
const DAY_SECONDS: NonZeroU32 = at_least_one(24 * 3_600);

const fn at_least_one(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

/// What starts every variable that overrides the file.
const PREFIX: &str = "USINE_";

/// Options that choose a configuration.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct ConfigFile {
    /// Configuration file (TOML); usine.toml in this folder is read if it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Everything the operator may choose.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where the factory keeps everything.
    pub(crate) data: PathBuf,
    /// Where the hub listens.
    pub(crate) listen: SocketAddr,
    /// How people reach the hub; `http://` and the address it listens on when not set.
    pub(crate) public_url: Option<String>,
    /// The database; SQLite in the data folder when not set.
    pub(crate) database: Option<DatabaseUrl>,
    /// The address of the first administrator's account.
    pub(crate) administrator: String,
    /// Folders that replace what is built in.
    pub(crate) federation: Option<PathBuf>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) services: Option<PathBuf>,
    pub(crate) vault: VaultLimits,
    pub(crate) web: Web,
    /// The mail server; notices stay in the inbox when not set.
    pub(crate) mail: Option<Mail>,
    pub(crate) webhooks: Webhooks,
    pub(crate) site: Site,
    /// Further embedded sites: this machine, standing in for other partitions as well.
    pub(crate) sites: Vec<Site>,
    /// Sites whose agents run elsewhere.
    pub(crate) remote_sites: Vec<RemoteSite>,
    pub(crate) agents: Agents,
    /// Providers of OpenID Connect, by which people sign in.
    pub(crate) oidc: Vec<Oidc>,
}

/// What the vault takes in.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VaultLimits {
    /// The largest single file of a dataset or model, in bytes.
    pub(crate) file_bytes_max: u64,
    /// From how many bytes on clients send a file in parts, and how long each part is.
    pub(crate) part_bytes: u64,
}

impl Default for VaultLimits {
    fn default() -> Self {
        Self { file_bytes_max: 256 * 1024 * 1024 * 1024, part_bytes: 64 * 1024 * 1024 }
    }
}

/// The web face.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Web {
    /// Whether browsers come over `http` or `https` (ended by a proxy in front of the hub; with
    /// `tls` it is always `https`).
    pub(crate) scheme: Scheme,
    /// Trust the last entry of `X-Forwarded-For`, which a proxy in front of the hub appends.
    pub(crate) behind_proxy: bool,
    /// Ordinary requests one client may make in a minute.
    pub(crate) requests_per_minute: u32,
    /// Sign-ins and registrations one client may try in a minute.
    pub(crate) sign_ins_per_minute: u32,
    /// The certificate by which the hub itself ends TLS.
    pub(crate) tls: Option<TlsFiles>,
}

/// A certificate chain and its key, both in PEM.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// The certificate, and after it those that lead to the CA.
    pub(crate) certificate: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
}

/// How browsers reach the hub.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// The embedded site: this machine, standing in for one partition of the federation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Site {
    /// Its name.
    pub(crate) name: String,
    /// The partition this machine stands in for, as SYSTEM.PARTITION.
    pub(crate) serves: String,
    /// The entry of policy/charge-rules.toml that prices its jobs.
    pub(crate) charge_rule: String,
    /// Cores jobs may use; all of the machine's when not set. Each site with such a number gets
    /// cores of its own, as long as there are any.
    pub(crate) cores: Option<u32>,
    /// Memory jobs may use, in megabytes; most of the machine's when not set.
    pub(crate) memory_mb: Option<u64>,
    /// The time limit of a job that names none.
    pub(crate) time_limit_default_seconds: NonZeroU32,
    /// The longest time limit a job may ask for.
    pub(crate) time_limit_max_seconds: NonZeroU32,
    /// The hosts to which people may log in by SSH, such as `login.example.eu`; `*` stands for one or
    /// more characters of a name's part.
    pub(crate) ssh_hosts: ::site::ssh::Hosts,
    /// How fast data comes from the hub, for placement; not counted when not set.
    pub(crate) link_megabits_per_second: Option<NonZeroU32>,
    /// Electric power for each unit that is charged, cooling included, for placement.
    pub(crate) watts_per_unit: Option<u32>,
    /// Carbon dioxide of the site's electricity, for placement.
    pub(crate) carbon_grams_per_kwh: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("usine-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8_080)),
            public_url: None,
            database: None,
            administrator: "administrator@usine.localhost".to_owned(),
            federation: None,
            policy: None,
            services: None,
            vault: VaultLimits::default(),
            web: Web::default(),
            mail: None,
            webhooks: Webhooks::default(),
            site: Site::default(),
            sites: Vec::new(),
            remote_sites: Vec::new(),
            agents: Agents::default(),
            oidc: Vec::new(),
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self {
            scheme: Scheme::Http,
            behind_proxy: false,
            requests_per_minute: 3_000,
            sign_ins_per_minute: 20,
            tls: None,
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "here".to_owned(),
            serves: "meluxina-ai.gpu".to_owned(),
            charge_rule: "embedded".to_owned(),
            cores: None,
            memory_mb: None,
            time_limit_default_seconds: HOUR_SECONDS,
            time_limit_max_seconds: DAY_SECONDS,
            ssh_hosts: Default::default(),
            link_megabits_per_second: None,
            watts_per_unit: None,
            carbon_grams_per_kwh: None,
        }
    }
}

/// A database URL, whose password is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The URL with `***` for a password.
    fn masked(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return self.0.clone();
        };
        match rest.rsplit_once('@') {
            Some((login, place)) => match login.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:***@{place}"),
                None => self.0.clone(),
            },
            None => self.0.clone(),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

impl Config {
    /// Reads the file that `arguments` name (or `usine.toml`, if it is there) and the environment.
    ///
    /// # Errors
    /// With file, line and key of what is not valid.
    pub(crate) fn load(arguments: &ConfigFile) -> Result<Self> {
        let (name, text) = match &arguments.config {
            Some(file) => (file.display().to_string(), read(file)?),
            None => match std::fs::read_to_string(DEFAULT_FILE) {
                Ok(text) => (DEFAULT_FILE.to_owned(), text),
                Err(_) => ("defaults".to_owned(), String::new()),
            },
        };
        Self::parse(&name, &text, std::env::vars())
    }

    fn parse(
        name: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self> {
        let invalid = |error: toml::de::Error| {
            Told::new(Failure::Invalid, format!("{name} is not a valid configuration\n{error}"))
        };
        // First alone, so that errors point at a line of the file.
        let _: Self = toml::from_str(text).map_err(invalid)?;
        let mut table: Table = toml::from_str(text).map_err(invalid)?;
        for (variable, value) in environment {
            overlay(&mut table, &variable, value);
        }
        table.try_into().map_err(|error: toml::de::Error| {
            let message = format!("a USINE_ variable is not valid: {}", error.message());
            Told::new(Failure::Invalid, message).into()
        })
    }

    /// Every embedded site, the first one first.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &Site> {
        std::iter::once(&self.site).chain(&self.sites)
    }

    /// How people reach a hub that listens at `address`, without a slash at the end.
    pub(crate) fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.web.tls.is_some() { "https" } else { "http" };
        let url = self.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        url.trim_end_matches('/').to_owned()
    }

    /// How notices leave the house.
    pub(crate) fn outlets(&self) -> app::notices::Outlets {
        app::notices::Outlets {
            mail_server: self.mail.as_ref().map(Mail::named),
            private_webhooks: self.webhooks.private_networks,
        }
    }

    /// The URL of the database.
    pub(crate) fn database_url(&self) -> String {
        match &self.database {
            Some(url) => url.reveal().to_owned(),
            None => format!("sqlite://{}?mode=rwc", self.data.join("hub.db").display()),
        }
    }
}

/// Prints the effective configuration.
pub(crate) fn print(arguments: &ConfigFile) -> Result<()> {
    let config = Config::load(arguments)?;
    print!("{}", toml::to_string_pretty(&config)?);
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the configuration file {}", file.display()))
}

/// Sets the key that `variable` names, if it names one of ours.
fn overlay(table: &mut Table, variable: &str, value: String) {
    const KEYS: &[&str] = &[
        "data",
        "listen",
        "public_url",
        "database",
        "administrator",
        "federation",
        "policy",
        "services",
        "vault",
        "web",
        "site",
        "agents",
        "mail",
        "webhooks",
    ];
    let Some(path) = variable.strip_prefix(PREFIX) else {
        return;
    };
    let path = path.to_lowercase();
    let (first, rest) = match path.split_once("__") {
        Some((first, rest)) => (first, Some(rest)),
        None => (path.as_str(), None),
    };
    if !KEYS.contains(&first) {
        return;
    }
    match rest {
        None => {
            table.insert(first.to_owned(), Value::String(value));
        }
        Some(key) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                inner.insert(key.to_owned(), scalar(value));
            }
        }
    }
}

/// Numbers and booleans as such, everything else as text.
fn scalar(value: String) -> Value {
    value
        .parse::<i64>()
        .map(Value::Integer)
        .or_else(|_| value.parse::<bool>().map(Value::Boolean))
        .unwrap_or(Value::String(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Config::parse("usine.toml", text, environment.iter().map(own).collect::<Vec<_>>())
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let file = "listen = \"127.0.0.1:1\"\n[site]\ncores = 1\n";
        let config = parse(
            file,
            &[("USINE_LISTEN", "127.0.0.1:2"), ("USINE_SITE__CORES", "3"), ("USINE_TOKEN", "x")],
        )
        .unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.site.cores, Some(3));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parse("\n\nlisten_on = 1\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("listen_on"), "{error}");
        let error = parse("", &[("USINE_SITE__COARS", "1")]).unwrap_err().to_string();
        assert!(error.contains("coars"), "{error}");
    }

    #[test]
    fn a_password_is_never_printed() {
        let config = parse("database = \"postgres://hub:secret@db/hub\"", &[]).unwrap();
        let shown = toml::to_string_pretty(&config).unwrap();
        assert!(shown.contains("postgres://hub:***@db/hub"), "{shown}");
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!(config.database_url(), "postgres://hub:secret@db/hub");
    }

    #[test]
    fn the_mail_servers_password_is_never_printed_either() {
        let file = "[mail]\nserver = \"m.example\"\nfrom = \"u@m.example\"\n";
        let config = parse(file, &[("USINE_MAIL__PASSWORD", "geheim")]).unwrap();
        let shown = toml::to_string_pretty(&config).unwrap();
        assert!(shown.contains("password = \"***\"") && !shown.contains("geheim"), "{shown}");
        let settings = config.mail.as_ref().unwrap().settings().unwrap();
        assert!(!format!("{config:?}{settings:?}").contains("geheim"));
        assert_eq!(config.outlets().mail_server.as_deref(), Some("m.example:587"));
    }

    #[test]
    fn the_printed_configuration_can_be_read_again() {
        let shown = toml::to_string_pretty(&Config::default()).unwrap();
        parse(&shown, &[]).unwrap();
    }
}
