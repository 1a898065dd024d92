//! Jobs as they go over the wire.

use app::jobs::{Job, JobDetail, LogSlice, Metric, Outcome, Stream};
use jobs::life::State;
use serde::Serialize;
use site::protocol::Step;
use units::Meter;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::Recipe;

use crate::api::wire::{Amount, Instant, option_word};

/// The place of a job in an array.
#[derive(Serialize, ToSchema)]
struct ElementOut {
    /// The array.
    id: Uuid,
    /// Its number.
    number: i64,
    /// The index.
    index: u32,
}

/// A service, in the version that the job runs.
#[derive(Serialize, ToSchema)]
struct ServiceRef {
    name: String,
    version: String,
}

/// What a job has while it runs, over all its nodes.
#[derive(Serialize, ToSchema)]
struct RequestOut {
    nodes: u32,
    tasks: u32,
    cores: u32,
    memory_mb: u64,
    gpus: u32,
    time_limit_seconds: u32,
}

/// A job.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobOut {
    id: Uuid,
    /// A number that no other job or array of this hub has.
    #[schema(example = 17)]
    number: i64,
    name: String,
    /// Its place in an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    array: Option<ElementOut>,
    project: Uuid,
    /// Who submitted it.
    person: Uuid,
    /// How they are called in names of files: their address up to the `@`.
    user: String,
    /// Whose hours it uses.
    allocation: Uuid,
    factory: String,
    /// The site that carries it out.
    site: String,
    /// The partition whose hours it uses.
    partition: String,
    /// The service that it runs; absent for a script of the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<ServiceRef>,
    request: RequestOut,
    /// `held` (waits for other jobs), `ordered` (the site is to take it), `queued` (the site has
    /// it), `running` or `ended`.
    #[schema(example = "running")]
    state: String,
    /// Whether its end was asked for.
    cancel_asked: bool,
    /// How it ended: `completed`, `failed exit 3`, `failed signal 9`, `cancelled`, `timed-out`,
    /// `out-of-memory`, `node-failed`, `preempted`, `boot-failed`, `deadline-missed` or `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    /// More about how it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    submitted_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Instant>,
    /// The nodes that carry it, or did, where the site tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<String>,
    /// What was set aside for it when it was submitted.
    held: Amount,
    /// What it was charged; the rest of `held` was given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    charged: Option<Amount>,
    /// Most memory that it held at once, where measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_mb: Option<i64>,
    /// Processor time of all its processes, where measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_milliseconds: Option<i64>,
    /// How many bytes of its standard output have come in.
    stdout_bytes: i64,
    /// How many bytes of its standard error have come in.
    stderr_bytes: i64,
    /// How many measurements have come in.
    metrics: i64,
}

impl From<(Job, Meter)> for JobOut {
    fn from((job, meter): (Job, Meter)) -> Self {
        let (started, ended, end) = match job.life.state {
            State::Held | State::Ordered | State::Queued => (None, None, None),
            State::Running { started } => (Some(started), None, None),
            State::Ended { end, started, ended } => (started, Some(ended), Some(end)),
        };
        let request = job.request;
        Self {
            id: job.id.uuid(),
            number: job.number,
            name: job.name,
            array: job.element.map(|it| ElementOut {
                id: it.array.uuid(),
                number: it.number,
                index: it.index,
            }),
            project: job.owner.project.uuid(),
            person: job.owner.person.uuid(),
            user: job.user,
            allocation: job.owner.allocation.uuid(),
            factory: job.place.factory.to_string(),
            site: job.place.site.to_string(),
            partition: job.place.partition.to_string(),
            service: match job.program.recipe {
                Recipe::Service { name, version } => {
                    Some(ServiceRef { name: name.to_string(), version })
                }
                Recipe::Script { .. } => None,
            },
            request: RequestOut {
                nodes: request.nodes.get(),
                tasks: request.tasks.get(),
                cores: request.cores.get(),
                memory_mb: request.memory.count_mb(),
                gpus: request.gpus,
                time_limit_seconds: request.time_limit_seconds.get(),
            },
            state: job.life.state.name().to_owned(),
            cancel_asked: job.life.cancel_asked,
            end: end.map(|end| end.to_string()),
            reason: job.reason,
            submitted_at: job.submitted_at.into(),
            started_at: started.map(Into::into),
            ended_at: ended.map(Into::into),
            nodes: job.nodes,
            held: Amount::of(job.held, meter),
            charged: job.charged.map(|charged| Amount::of(charged, meter)),
            peak_memory_mb: job.measured.peak_memory_mb,
            cpu_milliseconds: job.measured.cpu_milliseconds,
            stdout_bytes: job.measured.stdout_bytes,
            stderr_bytes: job.measured.stderr_bytes,
            metrics: job.measured.metrics,
        }
    }
}

/// A revision that a job reads.
#[derive(Serialize, ToSchema)]
struct InputOut {
    /// The folder under `inputs/` where it lies.
    mount: String,
    repository: Uuid,
    revision: Uuid,
}

/// A folder that a job writes.
#[derive(Serialize, ToSchema)]
struct OutputOut {
    name: String,
    path: String,
    /// `dataset` or `model`.
    kind: String,
    /// The name of the repository that it becomes a revision of.
    target: String,
    /// The repository, once it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<Uuid>,
    /// The revision, once it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<Uuid>,
    /// Why it was not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// What the site told.
#[derive(Serialize, ToSchema)]
struct TrailOut {
    /// By the site's clock.
    at: Instant,
    /// By the hub's clock.
    taken_at: Instant,
    kind: String,
    /// Why it changed nothing, if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
}

/// A job with everything that belongs to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobDetailOut {
    #[serde(flatten)]
    job: JobOut,
    /// The script that is run.
    script: String,
    inputs: Vec<InputOut>,
    outputs: Vec<OutputOut>,
    trail: Vec<TrailOut>,
    /// Its steps, where its site tells them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Step>,
    /// How many steps began before these.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_earlier: Option<u64>,
    /// The charge rule.
    charge_rule: String,
    /// Options that the site's own scheduler carries out, as `sbatch` takes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
    /// How it comes to what the job costs in each second.
    #[schema(example = "largest of (0 GPUs = 0, 2 cores by 8 = 1) = 1 gpu")]
    rate: String,
}

impl From<JobDetail> for JobDetailOut {
    fn from(detail: JobDetail) -> Self {
        let meter = detail.rate.meter;
        let inputs = detail.inputs.into_iter().map(|input| InputOut {
            mount: input.mount.to_string(),
            repository: input.repository.uuid(),
            revision: input.revision.uuid(),
        });
        let outputs = detail.outputs.into_iter().map(|output| {
            let (made, refused) = match output.result {
                None => (None, None),
                Some(Ok(made)) => (Some(made), None),
                Some(Err(reason)) => (None, Some(reason)),
            };
            OutputOut {
                name: output.name.to_string(),
                path: output.path,
                kind: output.kind.to_string(),
                target: output.target.to_string(),
                repository: made.map(|(repository, _)| repository.uuid()),
                revision: made.map(|(_, revision)| revision.uuid()),
                refused,
            }
        });
        let trail = detail.trail.into_iter().map(|entry| TrailOut {
            at: entry.at.into(),
            taken_at: entry.taken_at.into(),
            kind: entry.kind,
            ignored: match entry.outcome {
                Outcome::Taken => None,
                Outcome::Ignored(reason) => Some(reason),
            },
        });
        let (steps, earlier) =
            detail.steps.map_or((Vec::new(), 0), |told| (told.steps, told.earlier));
        Self {
            steps,
            steps_earlier: Some(earlier).filter(|earlier| *earlier > 0),
            script: detail.script,
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            trail: trail.collect(),
            options: detail.job.program.options.iter().map(option_word).collect(),
            charge_rule: detail.job.place.charge_rule.to_string(),
            rate: detail.rate.to_string(),
            job: (detail.job, meter).into(),
        }
    }
}

/// A part of what a job wrote.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogOut {
    /// `stdout` or `stderr`.
    stream: &'static str,
    /// After how many bytes this part begins.
    offset: u64,
    /// From which offset to go on.
    next: u64,
    /// The text; bytes that are not UTF-8 are replaced.
    text: String,
    /// Whether the job has ended and nothing follows.
    complete: bool,
}

impl LogOut {
    pub(crate) fn new(stream: Stream, slice: &LogSlice) -> Self {
        let length = u64::try_from(slice.bytes.len()).unwrap_or_default();
        Self {
            stream: stream.name(),
            offset: slice.offset,
            next: slice.offset.saturating_add(length),
            text: String::from_utf8_lossy(&slice.bytes).into_owned(),
            complete: slice.complete,
        }
    }
}

/// A measured value.
#[derive(Serialize, ToSchema)]
pub(crate) struct MetricOut {
    /// Its place among those of the job.
    seq: i64,
    /// By the site's clock.
    at: Instant,
    /// The step it belongs to.
    step: i64,
    /// What was measured.
    name: String,
    /// The value.
    value: f64,
}

impl From<Metric> for MetricOut {
    fn from(metric: Metric) -> Self {
        let Metric { seq, at, step, name, value } = metric;
        Self { seq, at: at.into(), step, name, value }
    }
}
