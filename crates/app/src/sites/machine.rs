//! A site's machine as the hub believes it stands: what the site showed last, what was ordered
//! since, and how long jobs really ran there. Starts are forecast and explained on it.

use std::collections::{BTreeMap, BTreeSet};

use ::jobs::request::Request;
use sched::{Amount, Effect, Forecast, Machine, NodePlacement, NodeSpec, PartitionSpec, Placement};
use site::protocol::{Policy, SNAPSHOT_MAX, Share, Snapshot, SnapshotJob, SnapshotNode};
use store::jobs::{self as records, OpenJob};
use store::{Tx, sites};
use units::{JobId, Slug, Timestamp};

use crate::{App, Error};

/// The partition of a site, as its scheduler names it.
const HERE: &str = "here";
/// How many of the last jobs tell how much of their time limits jobs use.
const RUNS_MAX: u32 = 1_000;
/// The most cores or GPUs of one node.
const PER_NODE_MAX: u32 = 65_536;
/// The most cores, and the most GPUs, of a site.
const CORES_MAX: u64 = 4_000_000;

/// What is on record of a site, before the work of building its machine.
pub(crate) struct SiteRecords {
    /// What the site showed, as it came: to read it is work too.
    snapshot: String,
    /// When the agent last called: until then nothing else had changed.
    seen_at: Option<Timestamp>,
    open: Vec<OpenJob>,
    runs: Vec<(i64, i64)>,
}

/// A site's machine as it will stand after its scheduler's next look.
#[derive(Clone)]
pub(crate) struct SiteMachine {
    machine: Machine,
    /// What that look starts.
    starting: BTreeSet<JobId>,
    as_of: Timestamp,
    now: i64,
}

impl App {
    /// Takes in what runs and waits at a site; the latest counts.
    ///
    /// # Errors
    /// When it cannot be so, or the store fails.
    pub(crate) async fn note_snapshot(
        &self,
        site: &Slug,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        check(snapshot).map_err(|why| Error::invalid("snapshot", why))?;
        let text = serde_json::to_string(snapshot);
        let text = text.map_err(|error| Error::Internal(error.to_string()))?;
        let tx = self.store().write().await?;
        sites::enter(&tx, site).await?;
        sites::note_snapshot(&tx, site, self.now(), (&text, super::health::load(snapshot))).await?;
        Ok(tx.commit().await?)
    }

    /// What is on record of a site; `None` while it has shown nothing.
    pub(crate) async fn site_records(
        &self,
        tx: &Tx,
        site: &Slug,
    ) -> Result<Option<SiteRecords>, Error> {
        let Some((_, snapshot)) = sites::snapshot(tx, site).await? else { return Ok(None) };
        let seen_at = sites::by_name(tx, site).await?.and_then(|site| site.seen_at);
        let open = records::at_site(tx, site).await?;
        let runs = records::run_times(tx, site, RUNS_MAX).await?;
        Ok(Some(SiteRecords { snapshot, seen_at, open, runs }))
    }
}

impl SiteRecords {
    /// Builds the machine; `None` when what the site showed cannot be built.
    pub(crate) fn machine(self, now: Timestamp) -> Option<SiteMachine> {
        let Self { snapshot, seen_at, open, runs } = self;
        let snapshot = serde_json::from_str::<Snapshot>(&snapshot).inspect_err(|error| {
            tracing::error!(%error, "what a site showed cannot be read");
        });
        let snapshot = snapshot.ok()?;
        let as_of = seen_at.map_or(snapshot.at, |seen_at| seen_at.max(snapshot.at));
        let now = now.as_second();
        let shown = shown(&snapshot, &open);
        let machine = shown.machine(now).inspect_err(|error| {
            tracing::error!(%error, "what a site showed cannot be built");
        });
        let mut site =
            SiteMachine { machine: machine.ok()?, starting: BTreeSet::new(), as_of, now };
        for (used, limit) in runs {
            site.machine.remember(HERE, used, limit);
        }
        let known: BTreeSet<JobId> = snapshot
            .running
            .iter()
            .map(|running| &running.job)
            .chain(&snapshot.waiting)
            .filter_map(|job| job.job)
            .collect();
        for job in open {
            if job.waits && !known.contains(&job.id) {
                site.enqueue(job.id, &job.request);
            }
        }
        site.look();
        Some(site)
    }
}

impl SiteMachine {
    /// Until when this is what ran at the site.
    pub(crate) const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Puts a job in line behind all others; whether it could ever run here.
    pub(crate) fn enqueue(&mut self, id: JobId, request: &Request) -> bool {
        let nodes = request.nodes.get();
        let job = sched::Job {
            id,
            partition: HERE.to_owned(),
            request: sched::Request {
                nodes,
                each: Amount {
                    cores: request.cores.get().div_ceil(nodes),
                    memory_mb: request.memory.count_mb().div_ceil(u64::from(nodes)),
                    gpus: request.gpus.div_ceil(nodes),
                },
                features: Vec::new(),
            },
            time_limit_seconds: i64::from(request.time_limit_seconds.get()),
            priority: 0,
            after: Vec::new(),
            held: false,
        };
        self.machine.enqueue(&job, self.now)
    }

    /// Starts what may start.
    fn look(&mut self) {
        let started =
            self.machine.step(self.now, &[]).into_iter().filter_map(|effect| match effect {
                Effect::Start { job, .. } => Some(job),
                Effect::Abandon { .. } | Effect::Refuse { .. } => None,
            });
        self.starting.extend(started);
    }

    /// When a waiting job is expected to start.
    pub(crate) fn forecast(&self, job: JobId) -> Option<Forecast> {
        if self.starting.contains(&job) {
            let now = self.now;
            return Some(Forecast { earliest: now, likely: now, latest: now });
        }
        self.machine.forecast(job, self.now)
    }

    /// Why a job waits; `None` when it is about to start.
    pub(crate) fn why(&self, job: JobId) -> Option<sched::Why> {
        self.machine.why(job, self.now)
    }

    /// What is free on all nodes together.
    pub(crate) fn free(&self) -> Amount {
        self.machine.free(HERE).unwrap_or_default()
    }
}

/// Refuses a snapshot that is too large, or shows what cannot be.
fn check(snapshot: &Snapshot) -> Result<(), String> {
    let Snapshot { nodes, running, waiting, .. } = snapshot;
    let many = [("nodes", nodes.len()), ("running", running.len()), ("waiting", waiting.len())];
    if let Some((what, count)) = many.into_iter().find(|(_, count)| *count > SNAPSHOT_MAX) {
        return Err(format!("{what}: {count} are more than the {SNAPSHOT_MAX} that can be shown"));
    }
    let mut by_name = BTreeMap::new();
    for node in nodes {
        if node.cpus > PER_NODE_MAX || node.gpus > PER_NODE_MAX {
            return Err(format!("node {}: no node has so many cores or GPUs", node.name));
        }
        if by_name.insert(node.name.as_str(), node).is_some() {
            return Err(format!("node {} is shown twice", node.name));
        }
    }
    let sum =
        |count: fn(&SnapshotNode) -> u32| nodes.iter().map(|n| u64::from(count(n))).sum::<u64>();
    if sum(|node| node.cpus).max(sum(|node| node.gpus)) > CORES_MAX {
        return Err(format!("more than {CORES_MAX} cores or GPUs cannot be shown"));
    }
    for Share { node, cpus, gpus, .. } in running.iter().flat_map(|running| &running.shares) {
        let whole = by_name.get(node.as_str()).ok_or_else(|| format!("there is no node {node}"))?;
        if *cpus > whole.cpus || *gpus > whole.gpus {
            return Err(format!("a job holds more of node {node} than there is"));
        }
    }
    let spec = partition(snapshot);
    Machine::new([spec]).map(|_| ()).map_err(|error| error.to_string())
}

fn partition(snapshot: &Snapshot) -> PartitionSpec {
    let node = |node: &SnapshotNode| NodeSpec {
        name: node.name.clone(),
        whole: Amount { cores: node.cpus, memory_mb: node.memory_mb, gpus: node.gpus },
        features: node.features.clone(),
    };
    PartitionSpec {
        name: HERE.to_owned(),
        nodes: snapshot.nodes.iter().map(node).collect(),
        sharing: if snapshot.shared { sched::Sharing::Shared } else { sched::Sharing::Whole },
        policy: match snapshot.policy {
            Policy::Fcfs => sched::Policy::Fcfs,
            Policy::Easy => sched::Policy::Easy,
            Policy::Conservative => sched::Policy::Conservative,
        },
        time_limit_seconds_max: None,
    }
}

/// What the site showed, less the hub's own jobs that have ended since.
fn shown(snapshot: &Snapshot, open: &[OpenJob]) -> sched::Snapshot {
    let open: BTreeSet<JobId> = open.iter().map(|job| job.id).collect();
    let is_there = |job: &SnapshotJob| job.job.is_none_or(|job| open.contains(&job));
    let mut names = Names::default();
    let mut taken = BTreeMap::<&str, (u32, u32)>::new();
    let mut running = Vec::new();
    for one in snapshot.running.iter().filter(|one| is_there(&one.job)) {
        let part = |share| placed(share, &mut taken);
        let placement = Placement { nodes: one.shares.iter().map(part).collect() };
        running.push((names.job(&one.job), placement, one.started.as_second()));
    }
    let waiting = snapshot.waiting.iter().filter(|job| is_there(job));
    sched::Snapshot {
        partition: partition(snapshot),
        down: snapshot.nodes.iter().filter(|node| !node.up).map(|n| n.name.clone()).collect(),
        running,
        waiting: waiting.map(|job| names.job(job)).collect(),
    }
}

/// The next cores and GPUs of a node that no other job of the snapshot has: which exactly does not
/// matter to any forecast.
fn placed<'a>(share: &'a Share, taken: &mut BTreeMap<&'a str, (u32, u32)>) -> NodePlacement {
    let (cores, gpus) = taken.entry(&share.node).or_default();
    let next = |from: &mut u32, count: u32| {
        let first = *from;
        *from = first.saturating_add(count);
        (first..*from).collect()
    };
    NodePlacement {
        node: share.node.clone(),
        cores: next(cores, share.cpus),
        gpus: next(gpus, share.gpus),
        memory_mb: share.memory_mb,
    }
}

/// Names for the jobs of others, of which only their number in the snapshot is known.
#[derive(Default)]
struct Names {
    strangers: u128,
}

impl Names {
    fn job(&mut self, shown: &SnapshotJob) -> sched::Job {
        let id = shown.job.unwrap_or_else(|| {
            self.strangers += 1;
            JobId::from_uuid(uuid::Uuid::from_u128(self.strangers))
        });
        sched::Job {
            id,
            partition: HERE.to_owned(),
            request: sched::Request {
                nodes: shown.nodes,
                each: Amount {
                    cores: shown.cpus_per_node,
                    memory_mb: shown.memory_mb_per_node,
                    gpus: shown.gpus_per_node,
                },
                features: shown.features.clone(),
            },
            time_limit_seconds: i64::try_from(shown.time_limit_seconds).unwrap_or(i64::MAX),
            priority: 0,
            after: Vec::new(),
            held: false,
        }
    }
}
