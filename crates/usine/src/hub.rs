//! Puts a hub together: database, clock, web face, on one address.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use ::site::ssh::Authority;
use anyhow::{Context, Result};
use app::data::Data;
use app::{App, Clock as _, Parts, Secret, SystemClock};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vault::Vault;
use web::{ClientAddress, Providers, Rate, Settings, Tls};

use crate::config::{Config, Oidc, Scheme};
use crate::folders;

/// A hub that serves until it is stopped.
pub(crate) struct Hub {
    /// Where agents within this process reach it, over plain HTTP.
    pub(crate) within: SocketAddr,
    /// How people reach it, without a slash at the end.
    pub(crate) url: String,
    /// Its use cases, for what only the operator of this process may do.
    pub(crate) app: App,
    end: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

impl Hub {
    /// Opens the data folder and the database and begins to serve.
    pub(crate) async fn start(config: &Config) -> Result<Self> {
        private_folder(&config.data)?;
        let app = open(config).await?;
        app.free_unfinished_keys().await?;
        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!(
                "cannot listen on {}; is another factory running there? --listen chooses another \
                 address, port 0 a free one",
                config.listen
            )
        })?;
        let address = listener.local_addr()?;
        let settings = settings(config, &config.url(address))?;
        let router = web::router(app.clone(), settings);
        let (end, ended) = watch::channel(false);
        let serve = |listener: TcpListener, tls: Option<Arc<Tls>>| {
            let mut ended = ended.clone();
            tokio::spawn(web::serve(listener, tls, router.clone(), async move {
                // The sender gone means the same as told to end.
                let _ = ended.wait_for(|end| *end).await;
            }))
        };
        let (mut serving, mut within) = (Vec::new(), address);
        let tls = config.web.tls.as_ref().map(|files| Tls::open(&files.certificate, &files.key));
        let tls = tls.transpose().context("cannot serve TLS (web.tls in the configuration)")?;
        if tls.is_some() {
            // The certificate is for a name that this process need not be able to resolve.
            let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            within = plain.local_addr()?;
            serving.push(serve(plain, None));
        }
        serving.push(serve(listener, tls.map(Arc::new)));
        Ok(Self { within, url: config.url(address), app, end, serving })
    }

    /// The first administrator's sign-in link, if there is no administrator yet.
    pub(crate) async fn first_link(&self, config: &Config) -> Result<Option<String>> {
        let secret = self.app.first_administrator(&config.administrator).await?;
        Ok(secret.map(|secret| self.link(&secret)))
    }

    /// A sign-in link as people open it.
    pub(crate) fn link(&self, secret: &Secret) -> String {
        format!("{}{}{}", self.url, web::SIGN_IN_LINK, secret.reveal())
    }

    /// Lets open requests finish and ends.
    pub(crate) async fn stop(self) -> Result<()> {
        let _ = self.end.send(true);
        for serving in self.serving {
            serving.await?;
        }
        Ok(())
    }
}

/// The use cases over the records of `config`, without a web face.
pub(crate) async fn open(config: &Config) -> Result<App> {
    let store = Store::open(&config.database_url()).await.context("cannot open the database")?;
    let vault = Vault::folder(&config.data.join("vault")).context("cannot open the vault")?;
    let limits = config.vault;
    let (file_bytes_max, part_bytes) = (limits.file_bytes_max, limits.part_bytes);
    let data = Data { vault, file_bytes_max, part_bytes };
    let rules = folders::rules(config, SystemClock.now())?;
    let jobs = folders::jobs(config, &rules)?;
    let what_if = Arc::new(folders::what_if(config)?);
    let ssh = Arc::new(Authority::open(&config.data.join("ssh_authority"))?);
    let post = config.outlets();
    let clock = Arc::new(SystemClock);
    Ok(App::new(Parts { store, clock, data, rules, jobs, ssh, post, what_if }))
}

/// Makes a folder that only this user can read, or makes an existing one so.
pub(crate) fn private_folder(folder: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)))
        .with_context(|| format!("cannot use the data folder {}", folder.display()))
}

/// The web face of a hub that people reach at `url`.
fn settings(config: &Config, url: &str) -> Result<Settings> {
    let providers = config.oidc.iter().map(Oidc::settings).collect::<Result<_>>()?;
    let rate = |per_minute: u32| Rate::new(per_minute.div_ceil(5), per_minute);
    Ok(Settings {
        scheme: match config.web.scheme {
            Scheme::Http if config.web.tls.is_none() => web::Scheme::Http,
            Scheme::Http | Scheme::Https => web::Scheme::Https,
        },
        client_address: if config.web.behind_proxy {
            ClientAddress::ForwardedFor
        } else {
            ClientAddress::Connection
        },
        rate: rate(config.web.requests_per_minute),
        sign_in_rate: Rate::new(config.web.sign_ins_per_minute, config.web.sign_ins_per_minute),
        providers: Providers::new(url, providers)?,
        ..Settings::default()
    })
}
