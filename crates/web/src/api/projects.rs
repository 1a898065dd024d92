//! Projects, their members and their allocations.

use access::allocation::ReportStage;
use access::project::Project;
use app::App;
use app::projects::{AllocationView, Filter};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use units::{AllocationId, PersonId, ProjectId, Timestamp};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::organisations::{MemberIn, MemberOut};
use super::wire::{Amount, Instant, Span};
use crate::Actor;
use crate::extract::{Json, Path, Query};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(members, add_member))
        .routes(routes!(remove_member))
        .routes(routes!(allocations))
        .routes(routes!(allocation))
}

/// A project.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectOut {
    id: Uuid,
    organisation: Uuid,
    title: String,
    purpose: String,
    created_at: Instant,
}

impl From<Project> for ProjectOut {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.uuid(),
            organisation: project.organisation.uuid(),
            title: project.title,
            purpose: project.purpose,
            created_at: project.created_at.into(),
        }
    }
}

/// What one payer's part of an allocation stands at.
#[derive(Serialize, ToSchema)]
struct BalanceOut {
    /// `union`, `state:LU` …
    #[schema(example = "union")]
    payer: String,
    available: Amount,
    held: Amount,
    used: Amount,
}

/// A suspension.
#[derive(Serialize, ToSchema)]
struct SuspendedOut {
    since: Instant,
    reason: String,
}

/// The tranche of the current month.
#[derive(Serialize, ToSchema)]
struct ReleasedOut {
    period: Span,
    /// The month's own part of the hours.
    quota: Amount,
    /// What earlier months left for it; below zero when they were overdrawn.
    carried: Amount,
    /// How far it may be overdrawn.
    grace: Amount,
    /// What was used in it.
    used: Amount,
}

/// Where a final report stands.
#[derive(Serialize, ToSchema)]
pub(super) struct ReportOut {
    /// `later`, `due`, `overdue` or `handed-in`.
    #[schema(example = "later")]
    stage: String,
    /// When it is or was due, or when it came; nothing when that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Instant>,
}

impl From<ReportStage> for ReportOut {
    fn from(stage: ReportStage) -> Self {
        Self { stage: stage.name().to_owned(), at: stage.at().map(Into::into) }
    }
}

/// An allocation with its balance.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllocationOut {
    id: Uuid,
    project: Uuid,
    application: Uuid,
    /// SYSTEM.PARTITION.
    #[schema(example = "meluxina-ai.gpu")]
    partition: String,
    granted: Amount,
    period: Span,
    /// `granted`, `active`, `suspended`, `expired` or `closed`.
    #[schema(example = "active")]
    stage: String,
    granted_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Instant>,
    /// Since when and why nothing may be submitted against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<SuspendedOut>,
    /// What of it is released for this month, where policy releases hours month by month.
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<ReleasedOut>,
    /// Where its final report stands.
    report: ReportOut,
    /// The entry of policy it rests on, with its version.
    rule: String,
    /// How it stands, by payer.
    balance: Vec<BalanceOut>,
}

impl AllocationOut {
    /// How an allocation stands now.
    pub(super) async fn now(app: &App, actor: &Actor, id: AllocationId) -> Result<Self, Problem> {
        Ok(Self::of(app.allocation(actor, id).await?, app.now()))
    }

    fn of(view: AllocationView, now: Timestamp) -> Self {
        let allocation = view.allocation;
        let amount = |work| Amount::of(work, allocation.meter);
        let released = view.released.map(|tranche| ReleasedOut {
            period: tranche.period.into(),
            quota: amount(tranche.quota),
            carried: amount(tranche.carried),
            grace: amount(tranche.grace),
            used: amount(tranche.used),
        });
        let suspended = allocation
            .suspended
            .as_ref()
            .map(|it| SuspendedOut { since: it.since.into(), reason: it.reason.clone() });
        let balance = view.balance.iter().map(|(payer, part)| BalanceOut {
            payer: payer.to_string(),
            available: amount(part.available),
            held: amount(part.held),
            used: amount(part.used),
        });
        Self {
            id: allocation.id.uuid(),
            project: allocation.project.uuid(),
            application: allocation.application.uuid(),
            partition: allocation.partition.to_string(),
            granted: amount(allocation.amount),
            period: allocation.period.into(),
            stage: allocation.stage(now).name().to_owned(),
            granted_at: allocation.granted_at.into(),
            closed_at: allocation.closed_at.map(Into::into),
            suspended,
            released,
            report: view.report.into(),
            balance: balance.collect(),
            rule: allocation.rule,
        }
    }
}

/// The projects that the caller may see, newest first.
#[utoipa::path(
    get, path = "/projects", tag = "projects", params(PageQuery),
    responses((status = 200, body = Page<ProjectOut>, description = "One page of them")),
)]
async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ProjectOut>>, Problem> {
    let limit = query.limit()?;
    let filter = Filter { before: query.after()?, organisation: None };
    let found = app.projects(&actor, filter, limit).await?;
    Ok(Json(Page::new(found, limit, |project| project.id)))
}

/// One project.
#[utoipa::path(
    get, path = "/projects/{id}", tag = "projects",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = ProjectOut, description = "The project")),
)]
async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ProjectId>,
) -> Result<Json<ProjectOut>, Problem> {
    Ok(Json(app.project(&actor, id).await?.into()))
}

/// Who works in a project, oldest first.
#[utoipa::path(
    get, path = "/projects/{id}/members", tag = "projects",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = Page<MemberOut>, description = "The members")),
)]
async fn members(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ProjectId>,
) -> Result<Json<Page<MemberOut>>, Problem> {
    Ok(Json(Page::whole(app.project_members(&actor, id).await?)))
}

/// Bring somebody into a project, as `user` or `project-manager`.
#[utoipa::path(
    post, path = "/projects/{id}/members", tag = "projects",
    params(("id" = Uuid, Path, description = "Which")),
    request_body = MemberIn,
    responses((status = 201, body = MemberOut, description = "They belong to it")),
)]
async fn add_member(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ProjectId>,
    Json(new): Json<MemberIn>,
) -> Result<(StatusCode, Json<MemberOut>), Problem> {
    let member = app.add_project_member(&actor, id, new.read()?).await?;
    Ok((StatusCode::CREATED, Json(member.into())))
}

/// Take somebody out of a project. The last manager stays.
#[utoipa::path(
    delete, path = "/projects/{id}/members/{person}", tag = "projects",
    params(
        ("id" = Uuid, Path, description = "Which"),
        ("person" = Uuid, Path, description = "Whom"),
    ),
    responses((status = 204, description = "They no longer belong to it")),
)]
async fn remove_member(
    State(app): State<App>,
    actor: Actor,
    Path((id, person)): Path<(ProjectId, PersonId)>,
) -> Result<StatusCode, Problem> {
    app.remove_project_member(&actor, id, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The hours of a project, oldest allocation first.
#[utoipa::path(
    get, path = "/projects/{id}/allocations", tag = "projects",
    params(("id" = Uuid, Path, description = "Whose")),
    responses((status = 200, body = Page<AllocationOut>, description = "The allocations")),
)]
async fn allocations(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ProjectId>,
) -> Result<Json<Page<AllocationOut>>, Problem> {
    let now = app.now();
    let views = app.project_allocations(&actor, id).await?;
    Ok(Json(Page::whole(views.into_iter().map(|view| AllocationOut::of(view, now)))))
}

/// One allocation.
#[utoipa::path(
    get, path = "/allocations/{id}", tag = "projects",
    params(("id" = Uuid, Path, description = "Which")),
    responses((status = 200, body = AllocationOut, description = "The allocation")),
)]
async fn allocation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<AllocationId>,
) -> Result<Json<AllocationOut>, Problem> {
    AllocationOut::now(&app, &actor, id).await.map(Json)
}
