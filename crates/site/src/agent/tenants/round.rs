//! One round: what the hub wishes, what is there, what is to be done, and what was.

use std::collections::BTreeSet;

use engine::Engine;
use jobs::tenancy::{self, Change, Login, Object, Plan, Step, Tree, Wanted, Wish};
use sha2::{Digest as _, Sha256};

use super::Keeping;
use super::memory::Memory;
use crate::agent::orders::error_chain;
use crate::agent::{Error, Shared};
use crate::client::{Client, Key, segment};
use crate::protocol::{
    DriftTold, Manage, Standing, StepTold, TOLD_MAX, Tenancy, TenancyReceipt, TenancyReport,
    Tenant, VERSION, apart,
};

/// What one round needs of those before.
pub(super) struct Round<'a, E> {
    shared: &'a Shared<E>,
    keeping: &'a Keeping,
    memory: Option<Memory>,
    /// The revision that was compared with last.
    seen: String,
}

/// What came of the books.
struct Looked {
    plan: Plan,
    done: Vec<String>,
    failed: Option<String>,
}

impl<'a, E: Engine> Round<'a, E> {
    pub(super) const fn new(shared: &'a Shared<E>, keeping: &'a Keeping) -> Self {
        Self { shared, keeping, memory: None, seen: String::new() }
    }

    /// Waits for a new wish, no longer than until the next look, and sees to the books.
    pub(super) async fn go(&mut self) -> Result<(), Error> {
        let site = segment(self.shared.settings.site.as_str());
        let path = format!("/sites/{site}/tenancy");
        let wait = self.keeping.interval.as_secs().clamp(1, 60);
        let query = format!("{path}?seen={}&wait_seconds={wait}", segment(&self.seen));
        let wish: Tenancy = self.shared.client.get(&query).await?;
        if let Some(why) = apart(("agent", VERSION), ("hub", wish.version)) {
            return Err(crate::client::Error::Version(why).into());
        }
        let looked = match self.see_to(&wish).await {
            Ok(looked) => looked,
            Err(Error::Engine(error)) => {
                let failed = Some(error_chain(&error));
                Looked { plan: Plan::default(), done: Vec::new(), failed }
            }
            Err(error) => return Err(error),
        };
        let report = report(self.keeping.manage, &wish, &looked);
        let receipt = tell(&self.shared.client, &path, &report).await?;
        self.seen = if receipt.current { wish.revision } else { String::new() };
        Ok(())
    }

    /// Reads the books, and carries the plan out if that is agreed to.
    async fn see_to(&mut self, wish: &Tenancy) -> Result<Looked, Error> {
        let wishes = wishes(self.shared, &wish.allocations);
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => {
                let path = self.shared.settings.folder.join("tenants.json");
                let disk = self.shared.settings.disk.clone();
                Memory::open(disk, path, &self.keeping.policy.prefix)
                    .map_err(Error::folder("read what was set on the books"))?
            }
        };
        let looked = self.work(&wishes, wish.apply.as_deref(), &mut memory).await;
        memory.keep().map_err(Error::folder("note what was set on the books"))?;
        self.memory = Some(memory);
        looked
    }

    async fn work(
        &self,
        wishes: &[Wish],
        agreed: Option<&str>,
        memory: &mut Memory,
    ) -> Result<Looked, Error> {
        let (plan, found) = self.look(wishes, memory).await?;
        let asked = agreed == Some(print(&plan).as_str());
        let applies = self.keeping.manage == Manage::Apply || asked;
        if plan.steps.is_empty() || !applies {
            return Ok(Looked { plan, done: Vec::new(), failed: None });
        }
        let (done, failed) = self.carry_out(&plan.steps, (wishes, &found), memory).await;
        let (plan, _) = self.look(wishes, memory).await?;
        Ok(Looked { plan, done, failed })
    }

    /// What is there, and what is to be done about it.
    async fn look(&self, wishes: &[Wish], memory: &mut Memory) -> Result<(Plan, Tree), Error> {
        let prefix = &self.keeping.policy.prefix;
        let found = self.shared.engine.tenancy(prefix).await?.unwrap_or_default();
        self.shared.tenants.see(&found);
        let wanted: Wanted =
            tenancy::wanted(&self.keeping.policy, wishes, (&found, &memory.before));
        let plan = tenancy::plan(&wanted, &found, &memory.set, &self.keeping.drift);
        tenancy::agreed(&wanted, &found, &mut memory.set);
        Ok((plan, found))
    }

    /// Carries steps out until one fails; what was done, and why not more.
    async fn carry_out(
        &self,
        steps: &[Step],
        (wishes, found): (&[Wish], &Tree),
        memory: &mut Memory,
    ) -> (Vec<String>, Option<String>) {
        let prefix = &self.keeping.policy.prefix;
        let mut done = Vec::new();
        for step in steps {
            if let Err(error) = self.shared.engine.keep(prefix, step).await {
                let failed = format!("{step}: {}", error_chain(&error));
                tracing::warn!(failed, "a step on the books came to nothing");
                return (done, Some(failed));
            }
            tracing::info!(%step, why = step.why.name(), "changed what is on the books");
            tenancy::carry_out(step, &mut memory.set);
            if let (Object::Qos(name), Change::Create(_)) = (&step.object, &step.change) {
                let own = |wish: &&Wish| prefix.of_allocation(wish.allocation) == name.as_str();
                let made = wishes.iter().find(own).filter(|_| !found.contains_key(&step.object));
                memory.before.extend(made.map(|wish| (wish.allocation, wish.used_seconds)));
            }
            done.push(step.to_string());
        }
        (done, None)
    }
}

/// What the hub wishes, by logins here; whoever has none is left out.
fn wishes<E>(shared: &Shared<E>, tenants: &[Tenant]) -> Vec<Wish> {
    let persons = shared.directory.persons();
    let login = |email: &str| persons.login(email).and_then(|login| login.parse::<Login>().ok());
    let wish = |tenant: &Tenant| {
        let members: BTreeSet<Login> =
            tenant.members.iter().filter_map(|member| login(&member.email)).collect();
        let Ok(mode) = tenant.mode.parse() else {
            tracing::warn!(allocation = %tenant.allocation, "its access mode has no name");
            return None;
        };
        Some(Wish {
            allocation: tenant.allocation,
            project: tenant.project,
            mode,
            standing: match tenant.standing {
                Standing::Active => tenancy::Standing::Active,
                Standing::Downscaled => tenancy::Standing::Downscaled,
                Standing::Paused => tenancy::Standing::Paused,
                Standing::Closed => tenancy::Standing::Closed,
            },
            granted_seconds: tenant.granted_seconds,
            used_seconds: tenant.used_seconds,
            members,
        })
    };
    tenants.iter().filter_map(wish).collect()
}

/// By what a plan is agreed to.
fn print(plan: &Plan) -> String {
    let mut digest = Sha256::new();
    for step in &plan.steps {
        digest.update(format!("{step}\n"));
    }
    let whole = hex::encode(digest.finalize());
    whole.get(..16).unwrap_or_default().to_owned()
}

fn report(manage: Manage, wish: &Tenancy, looked: &Looked) -> TenancyReport {
    let Looked { plan, done, failed } = looked;
    let step = |step: &Step| StepTold { text: step.to_string(), why: step.why.name().to_owned() };
    let drift = |drift: &tenancy::Drift| DriftTold {
        text: drift.to_string(),
        kind: drift.kind.name().to_owned(),
        response: drift.response.name().to_owned(),
    };
    TenancyReport {
        version: VERSION,
        manage,
        revision: wish.revision.clone(),
        plan: print(plan),
        steps: plan.steps.iter().take(TOLD_MAX).map(step).collect(),
        steps_total: u64::try_from(plan.steps.len()).unwrap_or(u64::MAX),
        drift: plan.drift.iter().take(TOLD_MAX).map(drift).collect(),
        agrees: failed.is_none() && plan.agrees(),
        done: done.iter().take(TOLD_MAX).cloned().collect(),
        failed: failed.clone(),
    }
}

async fn tell(
    client: &Client,
    path: &str,
    report: &TenancyReport,
) -> Result<TenancyReceipt, crate::client::Error> {
    client.post(path, report, Key::fresh()).await
}
