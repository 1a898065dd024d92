//! One run, from its seed to its verdict.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use app::Parts;
use app::data::Data;
use engine::Clock;
use engine::slurm::modelled::Dice;
use store::Store;
use tokio::time::{Instant, sleep};
use units::Timestamp;

use crate::chaos::{Chaos, calm, watch_over};
use crate::clock::HubClock;
use crate::disk::Habit;
use crate::hub::Hub;
use crate::judge::{self, Judge};
use crate::person::People;
use crate::site::{Ground, Site};
use crate::story::{self, SITES, StartUp};
use crate::trace::{Steps, Trace};

/// When every run begins: 2026-11-21T09:00:00Z.
const BEGINNING: i64 = 1_795_251_600;
/// How long everybody may take to come to an end once nothing goes wrong any more: longer than the
/// engine waits for what the accounting may hold back.
const AFTERMATH: Duration = Duration::from_secs(3 * 3_600);
/// How often it is looked whether a run is over.
const LOOK: Duration = Duration::from_secs(1);

/// What is broken on purpose, to see that a run finds it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing.
    #[default]
    None,
    /// Requests of people lose the keys by which the hub knows them again.
    Keys,
    /// The disks of agents say that something is written before it is.
    Disks,
    /// What jobs run under has no fence.
    Fence,
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How many steps misfortune lasts.
    pub steps: u64,
    /// What is broken on purpose.
    pub sabotage: Sabotage,
    /// The file that the whole story is written to.
    pub story: Option<PathBuf>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The first thing that must not be.
    pub violation: Option<String>,
    /// How much happened.
    pub steps: Steps,
    /// How many jobs the hub took.
    pub jobs: usize,
    /// How much virtual time passed.
    pub elapsed: Duration,
    /// The same for two runs that did the same.
    pub digest: String,
    /// The last steps, in words.
    pub last: Vec<String>,
}

/// Runs a plan, in as little time as it takes.
///
/// # Errors
/// When the run cannot be set up, which says nothing about what it would have found.
pub fn run(plan: &Plan) -> Result<Verdict> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("no runtime")?;
    runtime.block_on(play(plan))
}

async fn play(plan: &Plan) -> Result<Verdict> {
    // In memory where that can be had: what the database makes durable is not what is tried here.
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory)?,
        false => tempfile::tempdir()?,
    };
    let trace = Trace::new(plan.story.as_ref().map(File::create).transpose()?);
    let world = World::new(plan, folder.path(), &trace).await?;
    world.rage(plan).await?;
    let jobs = world.settle().await?;
    Ok(Verdict {
        violation: trace.violation(),
        steps: trace.steps(),
        jobs,
        elapsed: trace.elapsed(),
        digest: trace.digest(),
        last: trace.last(),
    })
}

/// Everybody.
struct World {
    trace: Trace,
    clock: Clock,
    hub: Hub,
    store: Store,
    sites: Vec<Site>,
    start_up: StartUp,
    people: People,
    dice: Dice,
}

impl World {
    async fn new(plan: &Plan, folder: &Path, trace: &Trace) -> Result<Self> {
        let mut dice = Dice::new(plan.seed);
        let at = Timestamp::from_second(BEGINNING)?;
        let clock = Clock::Set { at, since: Instant::now() };
        let store = opened(folder)?;
        let hub_clock = Arc::new(HubClock::new(at, dice.roll()));
        let parts = story::settings(Parts {
            store: store.clone(),
            clock: hub_clock.clone(),
            data: Data {
                vault: vault::Vault::memory(),
                file_bytes_max: 1_000_000,
                part_bytes: 400_000,
            },
            rules: app::testing::rules(),
            jobs: app::testing::work(),
            what_if: Arc::new(app::testing::what_if()),
            ssh: Arc::new(::site::ssh::Authority::of_seed(&[9; 32])?),
            post: app::notices::Outlets::default(),
        })?;
        let hub = Hub::start(parts, clock, hub_clock, trace.clone())?;
        let start_up = story::tell(&hub, trace, clock, &store).await?;
        let habit = match plan.sabotage {
            Sabotage::Disks => Habit::Forgetful,
            Sabotage::None | Sabotage::Keys | Sabotage::Fence => Habit::Honest,
        };
        let mut sites = Vec::new();
        for (name, _) in SITES {
            let name = name.parse()?;
            let key = folder.join(format!("{name}"));
            let identity = story::admit(&hub, trace, clock, (&name, &key)).await?;
            let ground = Ground { hub: &hub, clock, seed: dice.roll(), habit, trace };
            let site = Site::new(name, identity, &ground);
            if plan.sabotage == Sabotage::Fence {
                site.cluster.remove_fences();
            }
            sites.push(site);
        }
        let strips_keys = plan.sabotage == Sabotage::Keys;
        let people = People::new(&hub, trace, clock, (dice.roll(), strips_keys), start_up.clone());
        Ok(Self { trace: trace.clone(), clock, hub, store, sites, start_up, people, dice })
    }

    /// Lets everybody live and everything go wrong, for as many steps as the plan says.
    async fn rage(&self, plan: &Plan) -> Result<()> {
        let mut dice = self.dice.clone();
        for site in &self.sites {
            tokio::spawn(site.clone().live());
        }
        // Until the hub has heard of the sites.
        sleep(Duration::from_secs(10)).await;
        let people = tokio::spawn(self.people.clone().live());
        let over_hub = watch_over(self.hub.clone(), Dice::new(dice.roll()), self.trace.clone());
        tokio::spawn(over_hub);
        let chaos = Chaos {
            hub: self.hub.clone(),
            sites: self.sites.clone(),
            people: self.people.link().clone(),
            dice: Dice::new(dice.roll()),
            trace: self.trace.clone(),
        };
        let chaos = tokio::spawn(chaos.rage());
        while self.trace.steps().total() < plan.steps && self.trace.violation().is_none() {
            sleep(LOOK).await;
            judge::look(&self.sites, &self.trace);
        }
        for task in [people, chaos] {
            task.abort();
        }
        calm(&self.hub, &self.sites, self.people.link(), &self.trace);
        Ok(())
    }

    /// Lets everything come to its end, and judges it; how many jobs there were.
    async fn settle(&self) -> Result<usize> {
        if self.trace.violation().is_some() {
            return Ok(0);
        }
        let deadline = Instant::now() + AFTERMATH;
        while !self.hub.is_up() {
            sleep(LOOK).await;
        }
        let judge = self.judge().await?;
        loop {
            sleep(Duration::from_secs(60)).await;
            judge::look(&self.sites, &self.trace);
            let has_settled = self.people.diary.is_settled();
            if has_settled && judge.all_ended().await? {
                // What the sites still have to do for jobs that are over.
                sleep(Duration::from_secs(180)).await;
                break;
            }
            if Instant::now() > deadline {
                break;
            }
        }
        judge.judge(&self.people.diary.all()).await
    }

    async fn judge(&self) -> Result<Judge<'_>> {
        let anybody = story::client(&self.hub, &self.trace, self.clock, None)?;
        let token = story::sign_in(&anybody).await?;
        let client = story::client(&self.hub, &self.trace, self.clock, Some(token))?;
        let Self { hub, store, sites, start_up, trace, .. } = self;
        Ok(Judge { hub, store, sites, start_up, client, trace })
    }
}

/// A fresh database, opened outside of virtual time.
fn opened(folder: &Path) -> Result<Store> {
    let url = format!("sqlite://{}?mode=rwc", folder.join("hub.db").display());
    let open = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        anyhow::Ok(runtime.block_on(Store::open(&url))?)
    };
    let opened = std::thread::spawn(open).join();
    opened.map_err(|_| anyhow::anyhow!("the database cannot be opened"))?
}
