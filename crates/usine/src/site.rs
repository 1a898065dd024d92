//! The embedded site: this machine's engine and its agent, inside the process of the hub.
//!
//! The agent speaks to the hub as any other would, over HTTP, with a token that is made anew at
//! each start and exists only in memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ::site::agent::{self, Agent};
use ::site::client::Client;
use anyhow::{Context, Result};
use app::App;
use engine::{Carrier, LocalEngine};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use units::Slug;

use crate::config::{self, Config};

/// The subcommand that leads to the processes around a job.
pub(crate) const CARRY: &str = "carry";

/// What starts this program again.
const PROGRAM_VARIABLE: &str = "USINE_BIN";

/// An agent that works until it is stopped.
pub(crate) struct EmbeddedSite {
    stop: CancellationToken,
    working: JoinHandle<()>,
}

impl EmbeddedSite {
    /// Opens the engines of all embedded sites and begins to work for the hub at `address`.
    pub(crate) async fn start_all(
        config: &Config,
        app: &App,
        address: SocketAddr,
    ) -> Result<Vec<Self>> {
        let mut sites = Vec::new();
        let mut cores_before = 0_u32;
        for (index, site) in config.sites().enumerate() {
            // The first site keeps its files where they are when others join.
            let folder = match index {
                0 => config.data.clone(),
                _ => config.data.join("sites").join(&site.name),
            };
            let place = Place { folder, cores_before };
            sites.push(Self::start(site, &place, app, address).await?);
            cores_before = cores_before.saturating_add(site.cores.unwrap_or_default());
        }
        Ok(sites)
    }

    async fn start(
        site: &config::Site,
        place: &Place,
        app: &App,
        address: SocketAddr,
    ) -> Result<Self> {
        let name: Slug = site.name.parse().context("site.name in the configuration")?;
        let token = app.site_token(&name).await?;
        let settings = engine::Settings {
            cores: site.cores,
            cores_before: place.cores_before,
            memory_mb: site.memory_mb,
            ..engine_settings(&place.folder)?
        };
        let engine =
            LocalEngine::open(settings).await.context("cannot run jobs on this machine")?;
        let client = Client::new(&format!("http://{address}"), Some(token.reveal().to_owned()))?;
        let settings = agent::Settings::new(name, place.folder.join("agent"));
        let agent = Agent::open(settings, client, engine).context("cannot start the agent")?;
        let stop = CancellationToken::new();
        let working = tokio::spawn(agent.run(stop.clone()));
        Ok(Self { stop, working })
    }

    /// Stops the agent; its jobs go on and are found again.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        Ok(self.working.await?)
    }
}

/// Where an embedded site keeps its files, and how many cores the sites before it have.
struct Place {
    folder: PathBuf,
    cores_before: u32,
}

/// Where jobs run, and with what: this very program is theirs to run.
pub(crate) fn engine_settings(folder: &Path) -> Result<engine::Settings> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let carrier = Carrier { program: program.clone(), arguments: vec![CARRY.to_owned()] };
    let folder = std::path::absolute(folder.join("engine"))?;
    Ok(engine::Settings {
        environment: variables(&program),
        readable: vec![program],
        ..engine::Settings::new(folder, carrier)
    })
}

fn variables(program: &Path) -> BTreeMap<String, String> {
    BTreeMap::from([(PROGRAM_VARIABLE.to_owned(), program.display().to_string())])
}
