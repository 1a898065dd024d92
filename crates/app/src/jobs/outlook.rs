//! Why a job waits, when it is expected to start, and what would start it sooner.

use ::jobs::life::State;
use sched::Amount;
pub use sched::Sooner;
use store::sites;
use units::{JobId, Timestamp};

use super::Job;
use crate::sites::SiteMachine;
use crate::{Actor, App, Error};

/// What keeps a job waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It depends on other jobs, in the words of its script.
    DependsOn(String),
    /// Its array may run only so many elements at once.
    ElementsFirst,
    /// Its site has not taken it yet; its agent called then, if ever.
    OnItsWay {
        /// When the agent of the site last called.
        seen_at: Option<Timestamp>,
    },
    /// The agent of its site has not called for longer than it should: the job waits until it does.
    AgentAway {
        /// When it called last.
        since: Timestamp,
    },
    /// Its site has not shown yet what runs there.
    NotShown,
    /// It is kept back at its site.
    HeldBack,
    /// Nodes that it needs are down.
    NodesDown,
    /// It asks for more than is free.
    NotFree {
        /// Nodes that could take it now.
        nodes_free: u32,
        /// Nodes that it asks for.
        nodes_asked: u32,
        /// What is free on all nodes together.
        free: Amount,
    },
    /// It would run into maintenance, or what it needs is under maintenance, until then.
    Maintenance {
        /// When that begins or ends.
        turns_at: Timestamp,
    },
    /// It would fit, but delay the job that has been promised a start.
    WouldDelay {
        /// That start.
        promised_at: Timestamp,
    },
    /// Jobs stand before it.
    Behind {
        /// How many.
        jobs: u64,
    },
    /// Nothing: it is about to start.
    AboutToStart,
}

/// When a job is expected to start if nothing else arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// If jobs use as little of their time limits as one in ten did.
    pub earliest: Timestamp,
    /// If jobs use as much of their time limits as half of them did.
    pub likely: Timestamp,
    /// If every job runs as long as it may.
    pub latest: Timestamp,
}

impl Expected {
    /// The same in instants; `None` for what lies outside of time.
    pub(super) fn of(forecast: sched::Forecast) -> Option<Self> {
        let instant = |second| Timestamp::from_second(second).ok();
        Some(Self {
            earliest: instant(forecast.earliest)?,
            likely: instant(forecast.likely)?,
            latest: instant(forecast.latest)?,
        })
    }
}

/// What stands between a job and its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// When its site last said what runs there, or that nothing has changed.
    pub as_of: Option<Timestamp>,
    /// What keeps it waiting, most direct first; nothing for a job that runs or has ended.
    pub causes: Vec<Cause>,
    /// Changes each of which would let it start now.
    pub sooner: Vec<Sooner>,
    /// When it is expected to start, where that can be told.
    pub expected: Option<Expected>,
    /// Whether its site was not given it yet, so that it may still run elsewhere.
    pub may_leave: bool,
}

impl App {
    /// Why a job waits and when it is expected to start.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn job_outlook(&self, actor: &Actor, id: JobId) -> Result<Outlook, Error> {
        let tx = self.store().read().await?;
        let job = self.visible_job(&tx, actor, id).await?;
        let may_leave = self.may_leave(&tx, &job).await?.is_ok();
        let mut before = Vec::new();
        let seen_at = sites::by_name(&tx, &job.place.site).await?.and_then(|site| site.seen_at);
        let away = seen_at.filter(|seen_at| self.is_late(*seen_at));
        before.extend(away.map(|since| Cause::AgentAway { since }));
        match job.life.state {
            State::Running { .. } | State::Ended { .. } => return Ok(Outlook::default()),
            State::Held => {
                let causes = vec![held(&job)];
                return Ok(Outlook { causes, may_leave, ..Outlook::default() });
            }
            State::Ordered if away.is_none() => before.push(Cause::OnItsWay { seen_at }),
            State::Ordered | State::Queued => {}
        }
        let records = self.site_records(&tx, &job.place.site).await?;
        drop(tx);
        let now = self.now();
        let looked = blocking(move || {
            let machine = records.and_then(|records| records.machine(now));
            machine.map_or_else(unseen, |machine| look(&machine, id))
        });
        let mut outlook = Outlook { may_leave, ..looked.await? };
        if away.is_some() {
            // Nobody there would start it, whatever is free.
            outlook.causes.retain(|cause| *cause != Cause::AboutToStart);
            outlook.expected = None;
        }
        outlook.causes.splice(0..0, before);
        Ok(outlook)
    }
}

/// Simulates on a thread of its own, so that a long queue delays nobody else.
pub(super) async fn blocking<T, F>(simulate: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let done = tokio::task::spawn_blocking(simulate).await;
    done.map_err(|error| Error::Internal(format!("a forecast failed: {error}")))
}

fn held(job: &Job) -> Cause {
    match &job.dependency {
        Some(dependency) => Cause::DependsOn(dependency.to_string()),
        None => Cause::ElementsFirst,
    }
}

fn unseen() -> Outlook {
    Outlook { causes: vec![Cause::NotShown], ..Outlook::default() }
}

/// What the machine of its site says of a job.
fn look(machine: &SiteMachine, job: JobId) -> Outlook {
    let why = machine.why(job);
    let expected = machine.forecast(job).and_then(Expected::of);
    let (causes, sooner) = why.map(|why| (why.causes, why.sooner)).unwrap_or_default();
    let mut causes: Vec<Cause> = causes.iter().map(|cause| told(machine, cause)).collect();
    if causes.is_empty() {
        causes.push(Cause::AboutToStart);
    }
    Outlook { as_of: Some(machine.as_of()), causes, sooner, expected, may_leave: false }
}

fn told(machine: &SiteMachine, cause: &sched::Cause) -> Cause {
    let instant = |second| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    match cause {
        sched::Cause::Held | sched::Cause::Dependency { .. } => Cause::HeldBack,
        sched::Cause::NodesDown => Cause::NodesDown,
        sched::Cause::NotFree { nodes_free, nodes_asked } => Cause::NotFree {
            nodes_free: *nodes_free,
            nodes_asked: *nodes_asked,
            free: machine.free(),
        },
        sched::Cause::Maintenance { turns } => Cause::Maintenance { turns_at: instant(*turns) },
        sched::Cause::WouldDelay { promised, .. } => {
            Cause::WouldDelay { promised_at: instant(*promised) }
        }
        sched::Cause::Behind { jobs } => Cause::Behind { jobs: *jobs },
    }
}
