//! Jobs: where they stand, what they print and measure, and what they cost.

mod curves;
mod log;
pub(crate) mod offers;
pub(crate) mod outlook;
mod submit;

use ::jobs::life::{End, Failure, State};
use app::jobs::{Job, JobDetail, JobFilter, LogSlice, Stream};
use app::{Action, Scope};
use askama::Template;
use axum::response::Response;
use site::protocol::Step;
use units::JobId;

use self::outlook::Waiting;
use super::chart::Curves;
use super::form::Form;
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::api::wire::option_word;
use crate::extract::Path;
use crate::problem::Problem;

pub(crate) use log::whole as whole_log;
pub(crate) use submit::{form as submission, submit};

/// How many jobs the list holds.
const LISTED: u32 = 100;
/// How much of the end of a job's text a page shows.
const LOG_BYTES: u64 = 64 * 1024;

/// A job in one line.
pub(crate) struct JobLine {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tone: &'static str,
    pub(super) state: String,
    pub(super) submitted: String,
    pub(super) ran: String,
    pub(super) charged: String,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    frame: Frame,
    jobs: Vec<JobLine>,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    id: String,
    name: String,
    project: String,
    standing: Standing,
    live: bool,
    figures: Figures,
    logs: Vec<Log>,
    script: String,
    inputs: Vec<(String, String, String)>,
    outputs: Vec<OutputLine>,
    trail: Vec<(String, String)>,
    may_cancel: bool,
}

/// Where the job stands, as the page receives it while the job runs.
#[derive(Template)]
#[template(path = "job_standing.html")]
struct Standing {
    t: Tongue,
    tone: &'static str,
    state: String,
    waiting: Option<Waiting>,
    may_leave: bool,
    reason: Option<String>,
    facts: Vec<(String, String)>,
    steps: Vec<StepLine>,
}

/// A step of a job in one line of a table.
struct StepLine {
    id: String,
    name: String,
    state: String,
    tasks: String,
    ran: String,
    memory: String,
    gpus: String,
}

/// What the job measures, as the page receives it while the job runs.
#[derive(Template)]
#[template(path = "job_figures.html")]
struct Figures {
    t: Tongue,
    curves: Curves,
    latest: Vec<(String, String)>,
}

struct Log {
    stream: &'static str,
    text: String,
    next: u64,
    cut: bool,
}

struct OutputLine {
    name: String,
    kind: String,
    /// Where it is kept, why it is not, or nothing yet.
    kept: Option<Result<String, String>>,
}

/// `GET /jobs`.
pub(crate) async fn list(visit: Visit) -> Result<Response, Problem> {
    visit.signed_in()?;
    let jobs = visit.app.jobs(&visit.actor, JobFilter::default(), LISTED).await?;
    let jobs = jobs.iter().map(|job| line(&visit, job)).collect();
    page(&JobsPage { frame: visit.frame, jobs })
}

/// A job in one line.
pub(crate) fn line(visit: &Visit, job: &Job) -> JobLine {
    let t = visit.t();
    let (tone, state) = named(t, job.life.state);
    let meter = visit.app.meter_of(job);
    JobLine {
        id: job.id.to_string(),
        name: job.name.clone(),
        tone,
        state,
        submitted: t.minute(job.submitted_at),
        ran: ran(visit, job.life.state).unwrap_or_else(|| "–".to_owned()),
        charged: job.charged.map_or_else(|| "–".to_owned(), |work| t.work(work, meter)),
    }
}

/// How long the job ran, or has run.
fn ran(visit: &Visit, state: State) -> Option<String> {
    let (started, ended) = match state {
        State::Held | State::Ordered | State::Queued => return None,
        State::Running { started } => (started, visit.app.now()),
        State::Ended { started, ended, .. } => (started?, ended),
    };
    Some(visit.t().seconds(ended.as_second() - started.as_second()))
}

/// The tone and the name of a state.
fn named(t: Tongue, state: State) -> (&'static str, String) {
    match state {
        State::Held => ("wait", t.say("job-state-held")),
        State::Ordered => ("wait", t.say("job-state-ordered")),
        State::Queued => ("wait", t.say("job-state-queued")),
        State::Running { .. } => ("live", t.say("job-state-running")),
        State::Ended { end, .. } => match end {
            End::Completed => ("good", t.say("end-completed")),
            End::Cancelled => ("", t.say("end-cancelled")),
            End::Failed(Failure::ExitCode(code)) => {
                ("bad", t.fill("end-failed-exit", &[("code", &code.to_string())]))
            }
            End::Failed(Failure::Signal(signal)) => {
                ("bad", t.fill("end-failed-signal", &[("signal", &signal.to_string())]))
            }
            other => ("bad", t.sub("end-", &other.to_string())),
        },
    }
}

/// `GET /jobs/{id}`.
pub(crate) async fn show(visit: Visit, Path(id): Path<JobId>) -> Result<Response, Problem> {
    let detail = visit.app.job(&visit.actor, id).await?;
    let job = &detail.job;
    let scopes = [Scope::Project(job.owner.project), Scope::Organisation(job.owner.organisation)];
    let may_read = visit.actor.can(Action::ReadJobLog, &scopes);
    let factory = [Scope::Factory(job.place.factory.clone()), Scope::Project(job.owner.project)];
    let live = !job.life.state.is_final();
    page(&JobPage {
        id: id.to_string(),
        name: job.name.clone(),
        project: job.owner.project.to_string(),
        standing: standing(&visit, &detail).await?,
        live,
        figures: curves::figures(&visit, id).await?,
        logs: if may_read { logs(&visit, job).await? } else { Vec::new() },
        inputs: inputs(&detail),
        outputs: outputs(visit.t(), &detail),
        trail: trail(visit.t(), &detail),
        may_cancel: live && visit.actor.can(Action::CancelJob, &factory),
        script: detail.script.clone(),
        frame: visit.frame.clone(),
    })
}

async fn standing(visit: &Visit, detail: &JobDetail) -> Result<Standing, Problem> {
    let t = visit.t();
    let job = &detail.job;
    let meter = visit.app.meter_of(job);
    let (tone, state) = named(t, job.life.state);
    let request = &job.request;
    let mut facts = vec![
        (t.say("job-submitted"), t.minute(job.submitted_at)),
        (t.say("job-number"), job.shown().to_string()),
        (t.say("partition"), job.place.partition.to_string()),
        (t.say("site"), job.place.site.to_string()),
        (t.say("job-asked"), asked(t, request)),
        (t.say("job-held"), t.work(job.held, meter)),
    ];
    if !job.nodes.is_empty() {
        facts.push((t.say("job-node-list"), job.nodes.join(", ")));
    }
    if !job.program.options.is_empty() {
        let options: Vec<String> = job.program.options.iter().map(option_word).collect();
        facts.push((t.say("job-options"), options.join(" ")));
    }
    if let Some(charged) = job.charged {
        facts.push((t.say("job-charged"), t.work(charged, meter)));
    }
    if let Some(ran) = ran(visit, job.life.state) {
        facts.insert(1, (t.say("job-ran"), ran));
    }
    if let Some(peak) = job.measured.peak_memory_mb {
        facts.push((t.say("job-memory"), t.bytes(peak.saturating_mul(1_000_000))));
    }
    let outlook = visit.app.job_outlook(&visit.actor, job.id).await?;
    let waiting = Waiting::of(t, &outlook);
    let may_leave = outlook.may_leave;
    let steps = detail.steps.iter().flat_map(|told| &told.steps);
    let steps = steps.map(|step| step_line(visit, step)).collect();
    Ok(Standing { t, tone, state, waiting, may_leave, reason: job.reason.clone(), facts, steps })
}

fn step_line(visit: &Visit, step: &Step) -> StepLine {
    let t = visit.t();
    let unknown = || "–".to_owned();
    let megabytes =
        |size: u64| t.bytes(i64::try_from(size).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    let until = step.ended.unwrap_or_else(|| visit.app.now());
    let state = match (step.exit_code, step.signal) {
        (Some(code), Some(signal)) if code > 0 || signal > 0 => {
            format!("{} {code}:{signal}", step.state)
        }
        _ => step.state.clone(),
    };
    let gpus: Vec<String> = step
        .gpu_percent
        .map(|percent| format!("{percent} %"))
        .into_iter()
        .chain(step.gpu_memory_mb.map(megabytes))
        .collect();
    StepLine {
        id: step.id.clone(),
        name: step.name.clone(),
        state,
        tasks: format!("{} / {}", step.tasks, step.nodes),
        ran: step.started.map_or_else(unknown, |began| {
            t.seconds(until.as_second().saturating_sub(began.as_second()))
        }),
        memory: step.peak_memory_mb.map_or_else(unknown, megabytes),
        gpus: if gpus.is_empty() { unknown() } else { gpus.join(", ") },
    }
}

/// What the job has while it runs.
fn asked(t: Tongue, request: &::jobs::request::Request) -> String {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let mut parts = vec![t.count("job-nodes", count(request.nodes.get()))];
    parts.push(t.count("job-cores", count(request.cores.get())));
    if request.gpus > 0 {
        parts.push(t.count("job-gpus", count(request.gpus)));
    }
    let limit = t.seconds(i64::from(request.time_limit_seconds.get()));
    parts.push(t.fill("job-limit", &[("limit", &limit)]));
    parts.join(", ")
}

/// The end of what the job printed.
async fn logs(visit: &Visit, job: &Job) -> Result<Vec<Log>, Problem> {
    let mut logs = Vec::new();
    let written =
        [(Stream::Stdout, job.measured.stdout_bytes), (Stream::Stderr, job.measured.stderr_bytes)];
    for (stream, total) in written {
        let total = u64::try_from(total).unwrap_or_default();
        let offset = total.saturating_sub(LOG_BYTES);
        let slice: LogSlice = visit.app.job_log(&visit.actor, job.id, stream, offset).await?;
        let length = u64::try_from(slice.bytes.len()).unwrap_or_default();
        if stream == Stream::Stdout || length > 0 {
            logs.push(Log {
                stream: stream.name(),
                text: String::from_utf8_lossy(&slice.bytes).into_owned(),
                next: slice.offset.saturating_add(length),
                cut: offset > 0,
            });
        }
    }
    Ok(logs)
}

/// Each folder, with the page and the name of the revision that lies in it.
fn inputs(detail: &JobDetail) -> Vec<(String, String, String)> {
    let mut lines = Vec::new();
    for input in &detail.inputs {
        let page = format!("/data/{}/revisions/{}", input.repository, input.revision);
        lines.push((input.mount.to_string(), page, input.revision.to_string()));
    }
    lines
}

fn outputs(t: Tongue, detail: &JobDetail) -> Vec<OutputLine> {
    let mut lines = Vec::new();
    for output in &detail.outputs {
        let kept = output.result.as_ref().map(|result| match result {
            Ok((repository, revision)) => Ok(format!("/data/{repository}/revisions/{revision}")),
            Err(why) => Err(why.clone()),
        });
        let kind = t.sub("repository-", &output.kind.to_string());
        lines.push(OutputLine { name: output.target.to_string(), kind, kept });
    }
    lines
}

fn trail(t: Tongue, detail: &JobDetail) -> Vec<(String, String)> {
    detail.trail.iter().map(|entry| (t.minute(entry.at), entry.kind.clone())).collect()
}

/// `GET /jobs/{id}/parts/standing`.
pub(crate) async fn standing_part(
    visit: Visit,
    Path(id): Path<JobId>,
) -> Result<Response, Problem> {
    let detail = visit.app.job(&visit.actor, id).await?;
    page(&standing(&visit, &detail).await?)
}

/// `GET /jobs/{id}/parts/figures`.
pub(crate) async fn figures_part(visit: Visit, Path(id): Path<JobId>) -> Result<Response, Problem> {
    page(&curves::figures(&visit, id).await?)
}

/// `POST /jobs/{id}/cancel`.
pub(crate) async fn cancel(
    visit: Visit,
    Path(id): Path<JobId>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.cancel_job(&visit.actor, id).await?;
    Ok(on_to(&format!("/jobs/{id}")))
}

/// `POST /jobs/{id}/move`.
pub(crate) async fn run_elsewhere(
    visit: Visit,
    Path(id): Path<JobId>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.move_job(&visit.actor, id, None).await?;
    Ok(on_to(&format!("/jobs/{id}")))
}
