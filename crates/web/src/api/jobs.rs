//! Jobs: submit, look, follow, cancel.

mod dto;
mod follow;
mod moving;
mod offers;
mod outlook;
mod submission;

use app::App;
use app::jobs::{JobFilter, Stream};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jobs::JobNumber;
use serde::Deserialize;
use units::{JobId, ProjectId, Timestamp};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::Actor;
use crate::extract::{JobPath, Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::{Kind, Problem};
use dto::{JobDetailOut, JobOut, LogOut, MetricOut};
use submission::{SubmissionIn, SubmittedOut};

/// The longest submission: a script of 4 MiB, written as JSON, with what surrounds it.
pub(super) const SUBMISSION_BYTES_MAX: usize = 10 * 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of_project, submit))
        .merge(offers::routes())
        .layer(DefaultBodyLimit::max(SUBMISSION_BYTES_MAX))
        .merge(outlook::routes())
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .merge(moving::routes())
        .routes(routes!(log))
        .routes(routes!(metrics))
        .merge(follow::routes())
}

/// Which jobs to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Only the elements of this array.
    array: Option<Uuid>,
    /// Only those of these numbers (`17`, `17_3`), joined by commas; that of an array stands for all
    /// its elements.
    number: Option<String>,
    /// Only those in this state: `held`, `ordered`, `queued`, `running` or `ended`; `open` stands for
    /// all but the last.
    state: Option<String>,
    /// Only those that had not ended before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// The jobs that the caller may see, newest first.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, body = Page<JobOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Page<JobOut>>, Problem> {
    listed(&app, &actor, None, query).await
}

/// A project's jobs, newest first.
#[utoipa::path(
    get, path = "/projects/{id}/jobs", tag = "jobs",
    params(("id" = Uuid, Path, description = "The project"), JobsQuery),
    responses((status = 200, body = Page<JobOut>, description = "One page of them")),
)]
async fn of_project(
    State(app): State<App>,
    actor: Actor,
    Path(project): Path<ProjectId>,
    Query(query): Query<JobsQuery>,
) -> Result<Json<Page<JobOut>>, Problem> {
    listed(&app, &actor, Some(project), query).await
}

async fn listed(
    app: &App,
    actor: &Actor,
    project: Option<ProjectId>,
    query: JobsQuery,
) -> Result<Json<Page<JobOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let limit = page.limit()?;
    let filter = JobFilter {
        project,
        array: query.array.map(JobId::from_uuid),
        numbers: numbers(query.number.as_deref())?,
        state: query.state.as_deref().map(state).transpose()?,
        since: query.since.as_deref().map(instant).transpose()?,
        before: page.after()?,
    };
    let found = app.jobs(actor, filter, limit).await?;
    let with_meter = |job| {
        let meter = app.meter_of(&job);
        (job, meter)
    };
    let found = found.into_iter().map(with_meter).collect();
    Ok(Json(Page::new(found, limit, |(job, _)| job.id)))
}

/// The most numbers that one list is asked for.
const NUMBERS_MAX: usize = 500;

fn numbers(text: Option<&str>) -> Result<Vec<JobNumber>, Problem> {
    let bad = |detail: String| Problem::with(Kind::BadRequest, detail);
    let Some(text) = text else { return Ok(Vec::new()) };
    if text.split(',').count() > NUMBERS_MAX {
        return Err(bad(format!("ask for at most {NUMBERS_MAX} numbers at once")));
    }
    let number = |text: &str| text.parse().map_err(|error| bad(format!("{error}")));
    text.split(',').map(number).collect()
}

fn instant(text: &str) -> Result<Timestamp, Problem> {
    let wrong = || Problem::with(Kind::BadRequest, format!("`{text}` is not an instant"));
    text.parse().map_err(|_| wrong())
}

fn state(text: &str) -> Result<&'static str, Problem> {
    let states = ["held", "ordered", "queued", "running", "ended", app::jobs::OPEN];
    states.into_iter().find(|state| *state == text).ok_or_else(|| {
        Problem::with(Kind::BadRequest, format!("`{text}` is not one of {}", states.join(", ")))
    })
}

/// Submit a batch script or a service. Its hours are held at once, or it is refused with what is
/// missing and what would fit.
#[utoipa::path(
    post, path = "/projects/{id}/jobs", tag = "jobs",
    params(("id" = Uuid, Path, description = "The project")),
    request_body = SubmissionIn,
    responses((status = 201, body = SubmittedOut, description = "It was submitted")),
)]
async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path(project): Path<ProjectId>,
    Json(new): Json<SubmissionIn>,
) -> Result<Response, Problem> {
    let submitted = app.submit_job(&actor, project, new.try_into()?).await?;
    let location = [(header::LOCATION, format!("/api/v1/jobs/{}", submitted.id))];
    let meter = submitted.jobs.first().map(|job| app.meter_of(job));
    let out = SubmittedOut::new(submitted, meter.unwrap_or(units::Meter::Gpu));
    Ok((StatusCode::CREATED, location, Json(out)).into_response())
}

/// One job, with what it runs, reads, writes and costs.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The job: its id, or its number")),
    responses((status = 200, body = JobDetailOut, description = "It")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
) -> Result<Json<JobDetailOut>, Problem> {
    Ok(Json(app.job(&actor, id).await?.into()))
}

/// Ask for the end of a job, or of every element of an array. Asking again does nothing.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", tag = "jobs",
    params(("id" = String, Path, description = "The job or array: its id, or its number")),
    responses((status = 200, body = Page<JobOut>, description = "The jobs as they stand now")),
)]
async fn cancel(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
) -> Result<Json<Page<JobOut>>, Problem> {
    let jobs = app.cancel_job(&actor, id).await?;
    Ok(Json(Page::whole(jobs.into_iter().map(|job| {
        let meter = app.meter_of(&job);
        (job, meter)
    }))))
}

/// Which part of a job's text to read.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogQuery {
    /// `stdout` (which also has standard error where the two are joined) or `stderr`.
    stream: Option<String>,
    /// After how many bytes to begin.
    #[param(minimum = 0)]
    offset: Option<i64>,
}

/// What a job wrote, from an offset on.
#[utoipa::path(
    get, path = "/jobs/{id}/log", tag = "jobs",
    params(("id" = String, Path, description = "The job: its id, or its number"), LogQuery),
    responses((status = 200, body = LogOut, description = "A part of it")),
)]
async fn log(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
    Query(query): Query<LogQuery>,
) -> Result<Json<LogOut>, Problem> {
    let stream = match query.stream.as_deref() {
        None | Some("stdout") => Stream::Stdout,
        Some("stderr") => Stream::Stderr,
        Some(other) => {
            let detail = format!("`{other}` is not a stream: use stdout or stderr");
            return Err(Problem::with(Kind::BadRequest, detail));
        }
    };
    let offset = u64::try_from(query.offset.unwrap_or_default());
    let offset =
        offset.map_err(|_| Problem::with(Kind::BadRequest, "an offset is not negative"))?;
    let slice = app.job_log(&actor, id, stream, offset).await?;
    Ok(Json(LogOut::new(stream, &slice)))
}

/// Which measurements to read.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsQuery {
    /// Only those of this name.
    name: Option<String>,
    /// Where to go on: the `next` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// What a job measured, in the order in which it was measured.
#[utoipa::path(
    get, path = "/jobs/{id}/metrics", tag = "jobs",
    params(("id" = String, Path, description = "The job: its id, or its number"), MetricsQuery),
    responses((status = 200, body = Page<MetricOut>, description = "One page of it")),
)]
async fn metrics(
    State(app): State<App>,
    actor: Actor,
    JobPath(id): JobPath,
    Query(query): Query<MetricsQuery>,
) -> Result<Json<Page<MetricOut>>, Problem> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (limit, after) = (page.limit()?, page.after()?.unwrap_or_default());
    let found = app.job_metrics(&actor, id, query.name.as_deref(), after, limit).await?;
    Ok(Json(Page::new(found, limit, |metric| metric.seq)))
}
