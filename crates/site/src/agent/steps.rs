//! Tells the hub of the steps of running jobs: what began, what ended, what was measured.
//!
//! One question for all jobs together, now and then. A job is asked about a little longer than it
//! runs, for the accounting hears late of how its last steps ended. Nothing of this is durable: the
//! next look tells the same again.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use engine::{Engine, StepsOf};
use tokio::time::{Instant, sleep};
use units::JobId;

use super::orders::error_chain;
use super::{Error, Shared, pause_after};
use crate::client::{Key, segment};
use crate::protocol::{JobSteps, STEP_JOBS_MAX, STEPS_MAX, Step, Steps, StepsReceipt, VERSION};

/// How long a job is asked about after it was last seen to run.
const AFTERWARDS: Duration = Duration::from_secs(300);

/// What is known of jobs that run or ran a moment ago.
type Watched = BTreeMap<JobId, Watch>;

/// A job that is watched.
struct Watch {
    /// When it was last seen to run.
    ran: Instant,
    /// What was told of it.
    told: Option<u64>,
    /// Whether all its steps have ended.
    over: bool,
}

/// Tells for ever, so often; at a place without steps, nothing.
pub(super) async fn tell<E: Engine>(shared: &Shared<E>) {
    let Some(interval) = shared.settings.steps else { return };
    let (mut watched, mut failures) = (Watched::new(), 0);
    loop {
        sleep(interval).await;
        match look(shared, &mut watched).await {
            Ok(()) => failures = 0,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the steps of jobs are not told");
                sleep(pause_after(failures)).await;
                failures += 1;
            }
        }
    }
}

async fn look<E: Engine>(shared: &Shared<E>, watched: &mut Watched) -> Result<(), Error> {
    let now = Instant::now();
    let running: BTreeSet<JobId> = shared.table.running().into_iter().collect();
    for job in &running {
        let new = Watch { ran: now, told: None, over: false };
        watched.entry(*job).or_insert(new).ran = now;
    }
    watched.retain(|job, watch| {
        running.contains(job) || (!watch.over && watch.ran.elapsed() < AFTERWARDS)
    });
    if watched.is_empty() {
        return Ok(());
    }
    let asked: Vec<JobId> = watched.keys().copied().collect();
    let mut fresh = Vec::new();
    for of in shared.engine.steps(&asked).await? {
        let (job, over) = (of.job, of.steps.iter().all(|step| step.ended.is_some()));
        let steps = JobSteps::from(of);
        let print = print(&steps);
        let Some(watch) = watched.get_mut(&job) else { continue };
        watch.over = over;
        if watch.told != Some(print) {
            fresh.push((print, steps));
        }
    }
    for portion in fresh.chunks(STEP_JOBS_MAX) {
        let jobs = portion.iter().map(|(_, steps)| steps.clone()).collect();
        let path = format!("/sites/{}/steps", segment(shared.settings.site.as_str()));
        let message = Steps { version: VERSION, jobs };
        shared.client.post::<_, StepsReceipt>(&path, &message, Key::fresh()).await?;
        for (print, steps) in portion {
            if let Some(watch) = watched.get_mut(&steps.job) {
                watch.told = Some(*print);
            }
        }
    }
    Ok(())
}

fn print(steps: &JobSteps) -> u64 {
    let mut hasher = DefaultHasher::new();
    (steps.earlier, &steps.steps).hash(&mut hasher);
    hasher.finish()
}

impl From<StepsOf> for JobSteps {
    /// The last of them.
    fn from(StepsOf { job, steps }: StepsOf) -> Self {
        let earlier = steps.len().saturating_sub(STEPS_MAX);
        let steps = steps.into_iter().skip(earlier).map(Step::from).collect();
        Self { job, steps, earlier: u64::try_from(earlier).unwrap_or(u64::MAX) }
    }
}

impl From<engine::Step> for Step {
    fn from(step: engine::Step) -> Self {
        Self {
            id: step.id,
            name: step.name,
            state: step.state,
            exit_code: step.exit.map(|(code, _)| code),
            signal: step.exit.map(|(_, signal)| signal),
            started: step.started,
            ended: step.ended,
            nodes: step.nodes,
            tasks: step.tasks,
            peak_memory_mb: step.peak_memory_mb,
            cpu_milliseconds: step.cpu_milliseconds,
            gpu_percent: step.gpu_percent,
            gpu_memory_mb: step.gpu_memory_mb,
        }
    }
}
