//! What must hold: all along, and once nothing goes wrong any more.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use engine::slurm::modelled::Truth;
use serde_json::Value;
use site::client::Client;
use store::Store;
use units::{AllocationId, JobId};

use crate::hub::Hub;
use crate::person::{Asked, Fate, Play};
use crate::site::Site;
use crate::story::StartUp;
use crate::trace::Trace;

/// A job as the hub shows it.
#[derive(Clone, Debug)]
struct Shown {
    id: JobId,
    name: String,
    state: String,
    end: String,
    charged: Option<i64>,
}

/// What the hub and everybody else believe, beside what is true.
pub(crate) struct Judge<'j> {
    pub(crate) hub: &'j Hub,
    pub(crate) store: &'j Store,
    pub(crate) sites: &'j [Site],
    pub(crate) start_up: &'j StartUp,
    pub(crate) client: Client,
    pub(crate) trace: &'j Trace,
}

/// What never may be, however much goes wrong: a script that ran twice.
pub(crate) fn look(sites: &[Site], trace: &Trace) {
    for site in sites {
        if let Some(job) = site.cluster.begun_twice() {
            trace.object(format!("the script of job {job} began twice at {}", site.name));
        }
    }
}

impl Judge<'_> {
    /// Whether every job that the hub has is over.
    pub(crate) async fn all_ended(&self) -> Result<bool> {
        Ok(self.shown().await?.iter().all(|job| job.state == "ended"))
    }

    /// Objects to whatever should not be; how many jobs there were.
    pub(crate) async fn judge(&self, asked: &[Asked]) -> Result<usize> {
        let shown = self.shown().await?;
        let mut by_name: BTreeMap<&str, Vec<&Shown>> = BTreeMap::new();
        for job in &shown {
            by_name.entry(&job.name).or_default().push(job);
        }
        for one in asked {
            let jobs = by_name.remove(one.name.as_str()).unwrap_or_default();
            match (one.fate, &jobs[..]) {
                (Fate::Acknowledged, [job]) => self.judge_job(one, job),
                (Fate::Refused, []) => {}
                (fate, jobs) => {
                    let ids: Vec<String> = jobs.iter().map(|job| job.id.to_string()).collect();
                    self.object(one, &format!("is {fate:?} and has the jobs {ids:?}"));
                }
            }
        }
        self.judge_books(&shown).await?;
        Ok(shown.len())
    }

    fn judge_job(&self, asked: &Asked, job: &Shown) {
        let Some(site) = self.sites.get(asked.site) else { return };
        let truth = site.cluster.truth(job.id);
        let told = format!("{job:?}, {truth:?}");
        let ran = truth.begun > 0;
        if job.state != "ended" {
            return self.object(asked, &format!("never ended: {told}"));
        }
        if truth.begun > 1 + truth.requeued {
            self.object(asked, &format!("ran more often than it may: {told}"));
        }
        if truth.is_open {
            self.object(asked, &format!("is over at the hub and not at its site: {told}"));
        }
        let may_be = match (job.end.as_str(), asked.play, asked.wants_cancel) {
            ("completed", Play::Short { exit: 0 }, _)
            | ("failed exit 3", Play::Short { exit: 3 }, _) => ran,
            ("cancelled", _, true) => true,
            // Its node, or the controller's memory.
            ("node-failed", _, _) => true,
            _ => false,
        };
        if !may_be {
            self.object(asked, &format!("cannot have ended so: {told}"));
        }
        self.judge_charge(asked, job, &truth, &told);
    }

    /// What was charged is what the accounting has of all runs together; nothing where it has none:
    /// the job never ran, or the site lost its run and bears that.
    fn judge_charge(&self, asked: &Asked, job: &Shown, truth: &Truth, told: &str) {
        if job.charged.unwrap_or_default() != truth.booked_seconds.unwrap_or_default() {
            self.object(asked, &format!("is not charged what it used: {told}"));
        }
    }

    /// The ledger is sound, nothing is held any more, and what is used is what jobs were charged.
    async fn judge_books(&self, shown: &[Shown]) -> Result<()> {
        let store = self.store.clone();
        let allocations = self.start_up.allocations.clone();
        let read = self.hub.ask(move |_| {
            Box::pin(async move {
                let tx = store.read().await?;
                let verified = store::ledger::verify(&tx, |_| {}).await?;
                let mut standings = Vec::new();
                for allocation in allocations {
                    standings.push(balance(&tx, allocation).await?);
                }
                anyhow::Ok((verified.err().map(|finding| finding.to_string()), standings))
            })
        })?;
        let (finding, standings) = read?;
        if let Some(finding) = finding {
            self.trace.object(format!("the ledger is not sound: {finding}"));
        }
        let held: i64 = standings.iter().map(|(held, _)| held).sum();
        let used: i64 = standings.iter().map(|(_, used)| used).sum();
        let charged: i64 = shown.iter().filter_map(|job| job.charged).sum();
        if held != 0 {
            self.trace.object(format!("{held} unit-seconds are held for no job"));
        }
        if used != charged {
            self.trace.object(format!("{used} are used, and jobs were charged {charged}"));
        }
        Ok(())
    }

    async fn shown(&self) -> Result<Vec<Shown>> {
        let project = self.start_up.project;
        let mut all = Vec::new();
        let mut path = format!("/projects/{project}/jobs?limit=200");
        loop {
            let page: Value = self.client.get(&path).await?;
            let items = page.get("items").and_then(Value::as_array).context("no items")?;
            for job in items {
                all.push(shown(job).with_context(|| format!("an unreadable job {job}"))?);
            }
            let Some(next) = page.get("next").and_then(Value::as_str) else { return Ok(all) };
            path = format!("/projects/{project}/jobs?limit=200&cursor={next}");
        }
    }

    fn object(&self, asked: &Asked, complaint: &str) {
        self.trace.object(format!("{} {complaint}", asked.name));
    }
}

/// What is held of an allocation and what is used.
async fn balance(tx: &store::Tx, allocation: AllocationId) -> Result<(i64, i64)> {
    let standing = store::ledger::balances(tx, allocation).await?;
    let total = standing.context("an allocation without an account")?.total()?;
    Ok((total.held.count(), total.used.count()))
}

fn shown(job: &Value) -> Option<Shown> {
    let text = |key: &str| job.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Shown {
        id: text("id")?.parse().ok()?,
        name: text("name")?,
        state: text("state")?,
        end: text("end").unwrap_or_default(),
        charged: job.pointer("/charged/unit_seconds").and_then(Value::as_i64),
    })
}
