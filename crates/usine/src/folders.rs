//! Federation, policy and services: the folders that are built in, or those that the operator names.

use std::path::Path;

use ::jobs::charge::ChargeRules;
use ::jobs::placement::Weights;
use ::jobs::template::Template;
use access::document::Document;
use access::policy::Policy;
use anyhow::{Context, Result};
use app::federation::Rules;
use app::jobs::{self, AgentKind, SiteSettings};
use include_dir::{Dir, include_dir};
use units::{PartitionKey, Timestamp};
use vault::Program;

use crate::config::{Config, Site};
use crate::exit::{Failure, Told};

static FEDERATION: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../federation");
static POLICY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../policy");
static SERVICES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../services");

/// The file of a policy that prices jobs.
pub(crate) const CHARGE_RULES: &str = "charge-rules.toml";
/// The file of a policy that says what simulations of awards assume.
pub(crate) const WHAT_IF: &str = "what-if.toml";
/// The file of a policy that chooses where jobs run.
pub(crate) const PLACEMENT: &str = "placement.toml";
/// The files of a service.
const SERVICE: &str = "service.toml";
const SCRIPT: &str = "run.sh";

/// The documents of a federation: of `folder`, or the built-in ones.
pub(crate) fn federation(folder: Option<&Path>) -> Result<Vec<Document>> {
    documents(folder, &FEDERATION, "federation")
}

/// The documents of a policy: of `folder`, or the built-in ones.
pub(crate) fn policy(folder: Option<&Path>) -> Result<Vec<Document>> {
    documents(folder, &POLICY, "policy")
}

/// The part of a policy that decides about access.
pub(crate) fn access_policy(folder: Option<&Path>) -> Result<Vec<Document>> {
    let mut documents = policy(folder)?;
    documents.retain(is_access_policy);
    Ok(documents)
}

/// Whether a file of a policy is one that access is decided by.
pub(crate) fn is_access_policy(document: &Document) -> bool {
    let name = document.name.rsplit('/').next().unwrap_or_default();
    Policy::FILES.contains(&name)
}

/// Federation and policy of a configuration, checked.
pub(crate) fn rules(config: &Config, now: Timestamp) -> Result<Rules> {
    let served_by = |serves: &String| {
        serves.parse().map_err(|error| {
            Told::new(Failure::Invalid, format!("site.serves in the configuration: {error}"))
        })
    };
    let afar = config.remote_sites.iter().map(|site| &site.serves);
    let served = config.sites().map(|site| &site.serves).chain(afar);
    let served = served.map(served_by).collect::<Result<_, _>>()?;
    let federation = federation(config.federation.as_deref())?;
    let policy = access_policy(config.policy.as_deref())?;
    let rules = Rules::read(&federation, &policy, served, now);
    rules.map_err(|faults| Told::new(Failure::Invalid, faults.to_string()).into())
}

/// Where jobs run and what is offered for them, by a configuration.
pub(crate) fn jobs(config: &Config, rules: &Rules) -> Result<jobs::Settings> {
    let here = config.sites().map(|site| site_settings(site, rules));
    let afar = config.remote_sites.iter().map(|site| {
        let settings = site_settings(&site.as_site(), rules)?;
        Ok(SiteSettings { agent: AgentKind::Remote, stands_in: site.stands_in, ..settings })
    });
    let sites: Vec<SiteSettings> = here.chain(afar).collect::<Result<_>>()?;
    for (index, site) in sites.iter().enumerate() {
        let twice =
            |other: &SiteSettings| other.name == site.name || other.partition == site.partition;
        if sites.iter().take(index).any(twice) {
            let text = "another site has its name, or serves its partition";
            return Err(invalid(&format!("sites: {}", site.name), &text));
        }
    }
    let charge_rules = policy_file(config, CHARGE_RULES)?;
    let placement = policy_file(config, PLACEMENT)?;
    Ok(jobs::Settings {
        sites,
        services: services(config.services.as_deref())?,
        rules: ChargeRules::parse(&charge_rules.text)
            .map_err(|error| invalid(&charge_rules.name, &error))?,
        placement: Weights::parse(&placement.text)
            .map_err(|error| invalid(&placement.name, &error))?,
        program: program()?,
        agents: config.agents.rules(),
    })
}

fn site_settings(site: &Site, rules: &Rules) -> Result<SiteSettings> {
    let partition: PartitionKey =
        site.serves.parse().map_err(|error| invalid("site.serves", &error))?;
    let (factory, _, _) = rules
        .federation
        .partition(&partition)
        .ok_or_else(|| invalid("site.serves", &format!("no partition is called {partition}")))?;
    Ok(SiteSettings {
        name: site.name.parse().map_err(|error| invalid("site.name", &error))?,
        factory: factory.key.clone(),
        partition,
        charge_rule: site.charge_rule.parse().map_err(|e| invalid("site.charge_rule", &e))?,
        agent: AgentKind::Embedded,
        stands_in: true,
        time_limit_default_seconds: site.time_limit_default_seconds,
        time_limit_max_seconds: site.time_limit_max_seconds,
        ssh_hosts: site.ssh_hosts.clone(),
        figures: jobs::Figures {
            link_megabits_per_second: site.link_megabits_per_second,
            watts_per_unit: site.watts_per_unit,
            carbon_grams_per_kwh: site.carbon_grams_per_kwh,
        },
    })
}

/// What simulations of awards assume, by a configuration.
pub(crate) fn what_if(config: &Config) -> Result<twin::award::Settings> {
    let read = twin::award::Settings::parse(&policy_file(config, WHAT_IF)?);
    read.map_err(|faults| Told::new(Failure::Invalid, faults.to_string()).into())
}

/// One file of the policy of a configuration.
fn policy_file(config: &Config, name: &str) -> Result<Document> {
    let named = |document: &Document| document.name.rsplit('/').next() == Some(name);
    policy(config.policy.as_deref())?.into_iter().find(named).ok_or_else(|| {
        Told::new(Failure::Invalid, format!("the policy folder has no {name}")).into()
    })
}

fn invalid(what: &str, error: &dyn std::fmt::Display) -> anyhow::Error {
    Told::new(Failure::Invalid, format!("{what}: {error}")).into()
}

/// The build of this program.
pub(crate) fn program() -> Result<Program> {
    let commit = option_env!("USINE_COMMIT").map(str::parse).transpose()?;
    Ok(Program { version: env!("CARGO_PKG_VERSION").to_owned(), commit })
}

/// The catalogue of services: of `folder`, or the built-in one.
fn services(folder: Option<&Path>) -> Result<Vec<Template>> {
    let mut services = match folder {
        Some(folder) => named_services(folder)?,
        None => SERVICES.dirs().map(built_in_service).collect::<Result<Vec<_>>>()?,
    };
    services.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(services)
}

fn built_in_service(folder: &Dir<'_>) -> Result<Template> {
    let content = |name: &str| {
        let file = folder.get_file(folder.path().join(name));
        file.map(include_dir::File::contents).with_context(|| format!("no built-in {name}"))
    };
    let description = std::str::from_utf8(content(SERVICE)?)?;
    service(&folder.path().display().to_string(), description, content(SCRIPT)?)
}

fn named_services(folder: &Path) -> Result<Vec<Template>> {
    let unreadable = |path: &Path| format!("cannot read {}", path.display());
    let mut services = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| unreadable(folder))? {
        let path = entry.with_context(|| unreadable(folder))?.path();
        let (description, script) = (path.join(SERVICE), path.join(SCRIPT));
        if description.exists() {
            let text =
                std::fs::read_to_string(&description).with_context(|| unreadable(&description))?;
            let script = std::fs::read(&script).with_context(|| unreadable(&script))?;
            services.push(service(&path.display().to_string(), &text, &script)?);
        }
    }
    Ok(services)
}

fn service(place: &str, description: &str, script: &[u8]) -> Result<Template> {
    Template::parse(description, script).map_err(|error| {
        Told::new(Failure::Invalid, format!("the service {place} is not valid: {error}")).into()
    })
}

fn documents(folder: Option<&Path>, built_in: &Dir<'_>, name: &str) -> Result<Vec<Document>> {
    let mut documents = match folder {
        Some(folder) => read(folder)?,
        None => {
            let toml = |file: &&include_dir::File<'_>| is_toml(file.path());
            let document = |file: &include_dir::File<'_>| {
                let text = file.contents_utf8().context("a built-in file is not text")?;
                Ok(Document::new(format!("{name}/{}", file.path().display()), text))
            };
            built_in.files().filter(toml).map(document).collect::<Result<Vec<_>>>()?
        }
    };
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(documents)
}

fn read(folder: &Path) -> Result<Vec<Document>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if is_toml(&path) {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            documents.push(Document::new(path.display().to_string(), text));
        }
    }
    if documents.is_empty() {
        let message = format!("{} holds no .toml file", folder.display());
        return Err(Told::new(Failure::Invalid, message).into());
    }
    Ok(documents)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
