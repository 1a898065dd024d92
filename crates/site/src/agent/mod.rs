//! The agent of a site: makes true what the hub orders, and tells the hub what is.
//!
//! Ten parts share nothing but files, the journal and the table of jobs: [`orders`] pulls,
//! [`watch`] looks at the engine, [`care`] sees one job through (one task each), [`staging`] moves
//! its files, [`push`] sends the journal, [`news`] tells what the site has and what runs there,
//! [`accounts`] what the accounting has, [`steps`] what the steps of running jobs do, [`tenants`]
//! keeps accounts and limits there as the hub wishes, [`directory`] finds logins. Each may be
//! dropped or killed between any two steps: what matters was durable before it was acted on, and
//! every step may be taken twice.

mod accounts;
mod bell;
mod care;
mod convert;
mod directory;
pub mod drain;
mod journal;
mod key;
mod mark;
mod news;
mod orders;
mod output;
mod persons;
mod push;
mod record;
mod rule;
mod staging;
mod steps;
mod table;
pub mod tenants;
mod watch;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::{Disk, Engine};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use units::{Slug, Timestamp};

use crate::client::Client;
use crate::protocol::Scheduler;
pub use accounts::Books;
use directory::Directory;
use journal::Journal;
pub use persons::{Account, Logins, Persons};
pub use rule::{Rule, Unknown};
use table::Table;
use tenants::{Keeping, Tenants};

/// How many files are on their way at once.
const TRANSFERS_MAX: usize = 8;

/// How an agent works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The site's name at the hub.
    pub site: Slug,
    /// What carries jobs out here, for people.
    pub engine: String,
    /// The site's own scheduler, where one carries jobs out.
    pub scheduler: Option<Scheduler>,
    /// As whom jobs run.
    pub persons: Persons,
    /// How it tells what the accounting of the place has; it does not where absent.
    pub books: Option<Books>,
    /// How often it tells of the steps of running jobs; it does not where absent.
    pub steps: Option<Duration>,
    /// How it keeps the hub's allocations on the books of the site's scheduler; not at all where
    /// absent.
    pub keeping: Option<Keeping>,
    /// Where the agent keeps its journal and records.
    pub folder: PathBuf,
    /// How often running jobs are looked at.
    pub interval: Duration,
    /// How long the hub may keep a request for orders waiting.
    pub wait_seconds: u32,
    /// How much of each of a job's streams is sent; the rest stays at the site until the job is
    /// cleared.
    pub log_bytes_max: u64,
    /// What the journal and the records are kept on.
    pub disk: Disk,
}

impl Settings {
    /// The usual way, for the site `site` with its records in `folder`, on this machine's engine.
    pub fn new(site: Slug, folder: PathBuf) -> Self {
        Self {
            site,
            engine: "local".to_owned(),
            scheduler: None,
            persons: Persons::Unknown,
            books: None,
            steps: None,
            keeping: None,
            folder,
            interval: Duration::from_millis(200),
            wait_seconds: 25,
            log_bytes_max: 64 << 20,
            disk: Disk::default(),
        }
    }
}

/// The agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its own folder fails it.
    #[error("the agent cannot {action}")]
    Folder {
        /// What it tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The engine fails it.
    #[error("the engine does not do its part")]
    Engine(#[from] engine::Error),
    /// The hub does not do its part.
    #[error("the hub does not do its part")]
    Hub(#[from] crate::client::Error),
}

impl Error {
    fn folder(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Folder { action, source }
    }
}

/// The agent of one site, on one engine.
#[derive(Debug)]
pub struct Agent<E> {
    shared: Arc<Shared<E>>,
}

/// What the parts of an agent have in common.
#[derive(Debug)]
struct Shared<E> {
    settings: Settings,
    client: Client,
    engine: E,
    journal: Journal,
    table: Table,
    tenants: Tenants,
    directory: Directory,
    /// Files on their way, over all jobs.
    transfers: Semaphore,
}

impl<E: Engine> Agent<E> {
    /// An agent that speaks through `client`, which carries the site's token.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(settings: Settings, client: Client, engine: E) -> Result<Self, Error> {
        let (disk, folder) = (&settings.disk, &settings.folder);
        disk.files().make(folder).map_err(Error::folder("make its own folder"))?;
        let journal = Journal::open(disk.clone(), &folder.join("journal"))
            .map_err(Error::folder("open its journal"))?;
        let table = Table::open(disk.clone(), &folder.join("jobs"))
            .map_err(Error::folder("read the records of its jobs"))?;
        let client = client.with_patience(crate::client::Patience::NONE);
        let transfers = Semaphore::new(TRANSFERS_MAX);
        let tenants = Tenants::default();
        let directory = Directory::open(disk.clone(), folder, &settings.persons)
            .map_err(Error::folder("read the logins that were found"))?;
        let shared =
            Shared { settings, client, engine, journal, table, tenants, directory, transfers };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Works until `stop` is cancelled. A hub that does not answer is waited for; running jobs go
    /// on meanwhile, and after the end of this.
    pub async fn run(self, stop: CancellationToken) {
        let shared = &self.shared;
        let work = async {
            tokio::join!(
                orders::pull(shared),
                push::send(shared),
                news::tell(shared),
                watch::look(shared),
                care::see_to_all(shared),
                accounts::tell(shared),
                steps::tell(shared),
                tenants::keep(shared),
                directory::look(shared),
            )
        };
        let _stopped = stop.run_until_cancelled(work).await;
    }
}

impl<E> Shared<E> {
    /// What time it is at the site.
    fn now(&self) -> Timestamp {
        self.client.now()
    }
}

/// How long to wait after so many failures in a row.
fn pause_after(failures: u32) -> Duration {
    let pause = Duration::from_millis(100).saturating_mul(1 << failures.min(7));
    pause.min(Duration::from_secs(10))
}
