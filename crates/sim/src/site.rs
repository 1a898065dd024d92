//! A site: its agent, which is started again whenever it dies, and its cluster.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use engine::slurm::modelled::{Modelled, Size};
use engine::slurm::{self, SlurmEngine};
use engine::{Clock, Disk};
use site::agent::{Agent, Books, Logins, Persons, Settings};
use site::client::Client;
use site::identity::Identity;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use units::Slug;

use crate::disk::{Habit, SiteDisk};
use crate::hub::Hub;
use crate::network::Link;
use crate::story::PERSON;
use crate::trace::{Steps, Trace};

/// How large each cluster is: small enough that jobs wait now and then.
const SIZE: Size = Size { nodes: 4, cores: 16 };
/// How often an agent tells what the accounting has.
const BOOKS: Duration = Duration::from_secs(60);
/// How often time passes on a cluster.
const TICK: Duration = Duration::from_millis(500);

/// Everything of one site. Clones share it.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) name: Slug,
    pub(crate) cluster: Modelled,
    pub(crate) link: Link,
    pub(crate) disk: SiteDisk,
    identity: Identity,
    clock: Clock,
    trace: Trace,
    /// Rung to kill the agent.
    kill: Arc<Notify>,
}

/// What a site is made of, beside its name and its key.
pub(crate) struct Ground<'g> {
    pub(crate) hub: &'g Hub,
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    pub(crate) habit: Habit,
    pub(crate) trace: &'g Trace,
}

impl Site {
    pub(crate) fn new(name: Slug, identity: Identity, ground: &Ground<'_>) -> Self {
        let Ground { hub, clock, seed, habit, trace } = *ground;
        let part = |number: u64| seed.wrapping_add(number.wrapping_mul(0x9E37_79B9));
        Self {
            cluster: Modelled::new(SIZE, clock, part(1)),
            link: Link::new(name.as_str(), hub, part(2), trace),
            disk: SiteDisk::new(habit, part(3), trace.clone()),
            name,
            identity,
            clock,
            trace: trace.clone(),
            kill: Arc::new(Notify::new()),
        }
    }

    /// Lets the cluster live, and its agent, and the next one after it, for ever.
    pub(crate) async fn live(self) {
        let cluster = async {
            loop {
                self.cluster.tick();
                self.tell_news();
                sleep(TICK).await;
            }
        };
        let agents = async {
            loop {
                self.live_once().await;
                // As long as a service manager waits.
                sleep(Duration::from_secs(5)).await;
            }
        };
        tokio::join!(cluster, agents);
    }

    pub(crate) fn tell_news(&self) {
        let questions = self.cluster.take_count();
        self.trace.count(Steps { questions, ..Steps::default() });
        for news in self.cluster.take_news() {
            self.trace.tell(&format!("{} cluster", self.name), news);
        }
    }

    /// Kills the agent where it stands.
    pub(crate) fn kill_agent(&self) {
        self.kill.notify_waiters();
    }

    /// One agent from its start to its death.
    async fn live_once(&self) {
        let (alive, died) = (Arc::new(AtomicBool::new(true)), Arc::new(Notify::new()));
        let who = format!("{} agent", self.name);
        self.trace.tell(&who, "starts");
        let disk = self.disk.seen_by(Arc::clone(&alive), Arc::clone(&died));
        let life = tokio::spawn(self.clone().work(Disk::of(disk), Arc::clone(&alive)));
        let end = life.abort_handle();
        tokio::select! {
            biased;
            () = died.notified() => self.trace.tell(&who, "dies over a write"),
            () = self.kill.notified() => self.trace.tell(&who, "killed"),
            ended = life => {
                let how = match ended {
                    Ok(Err(error)) => format!("ends: {error:#}"),
                    Ok(Ok(())) => "ends".to_owned(),
                    Err(error) => {
                        self.trace.object(format!("the agent of {} broke: {error}", self.name));
                        "breaks".to_owned()
                    }
                };
                self.trace.tell(&who, how);
            }
        }
        alive.store(false, Ordering::Relaxed);
        end.abort();
    }

    async fn work(self, disk: Disk, alive: Arc<AtomicBool>) -> Result<()> {
        let folder = PathBuf::from("/site").join(self.name.as_str());
        let records = folder.join("engine");
        let settings = slurm::Settings::modelled(records, disk.clone(), self.clock);
        let cluster = self.cluster.seen_by(Arc::clone(&alive));
        let engine = SlurmEngine::modelled(settings, cluster).await?;
        let logins = Logins {
            by_email: [(PERSON.to_owned(), "ada".to_owned())].into(),
            ..Logins::default()
        };
        let settings = Settings {
            engine: "slurm".to_owned(),
            persons: Persons::Known(logins),
            books: Some(Books { interval: BOOKS, zone: "UTC".to_owned() }),
            interval: Duration::from_secs(2),
            disk,
            ..Settings::new(self.name.clone(), folder.join("agent"))
        };
        let client = Client::new("http://hub.sim", None)?
            .over(Arc::new(self.link.seen_by(alive)), self.clock)
            .as_agent(self.name.clone(), self.identity.clone());
        Agent::open(settings, client, engine)?.run(CancellationToken::new()).await;
        Ok(())
    }
}
