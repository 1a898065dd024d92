//! Projects: their hours, people, jobs and data in one place.

use std::collections::BTreeMap;

use access::allocation::{Allocation, BurnDown, Crossing};
use access::project::Project;
use app::alerts::AlertRecord;
use app::allocations::ChangeRecord;
use app::data::{Filter, Repository};
use app::jobs::JobFilter;
use app::organisations::Member;
use app::projects::AllocationView;
use app::{Action, Role, Scope};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ledger::Part as Balance;
use units::{Payer, PersonId, ProjectId, Timestamp, Work};

use super::awards;
use super::chart::{Bar, Part};
use super::form::Form;
use super::hours;
use super::jobs::{JobLine, line};
use super::paging::{LISTED, Listing};
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::{Path, Query};
use crate::problem::Problem;

/// How many jobs and repositories a project's page shows.
const RECENT: u32 = 10;

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    frame: Frame,
    projects: Vec<(Project, Vec<Glance>)>,
    next: Option<String>,
}

/// An allocation in the list of projects.
struct Glance {
    partition: String,
    left: String,
    amount: String,
    bar: Bar,
}

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage {
    frame: Frame,
    project: Project,
    organisation: Option<String>,
    allocations: Vec<Hours>,
    members: Vec<Member>,
    jobs: Vec<JobLine>,
    repositories: Vec<Repository>,
    may_submit: bool,
    may_manage: bool,
    wrong: Vec<app::FieldError>,
}

/// An allocation's hours: who paid them and what became of them.
struct Hours {
    id: String,
    /// Since when and why nothing may be submitted against it.
    suspended: Option<String>,
    /// What of it is released for this month.
    released: Option<String>,
    /// Where its final report stands.
    report: String,
    /// Whether the visitor may hand the report in.
    may_report: bool,
    /// What was changed of it, newest first.
    changes: Vec<String>,
    /// What the visitor may do with it.
    may: awards::May,
    /// Those of the project that hours can move to: which, and until when they last.
    others: Vec<(String, String)>,
    partition: String,
    stage: &'static str,
    period: String,
    rule: String,
    left: String,
    amount: String,
    bar: Bar,
    payers: Vec<String>,
    /// The thresholds of policy that it has come to, newest first.
    alerts: Vec<AlertLine>,
    /// When it runs out, or what will be left; nothing for hours that cannot be used now.
    heading: Option<String>,
    short: bool,
}

/// An alert in a sentence, with when it was entered and why.
struct AlertLine {
    day: String,
    told: String,
    rule: String,
}

/// What a project's page knows besides balances.
struct Ahead {
    heading: Vec<(Allocation, BurnDown)>,
    alerts: Vec<(Allocation, AlertRecord)>,
    changes: Vec<ChangeRecord>,
}

/// `GET /projects`.
pub(crate) async fn list(
    visit: Visit,
    Query(listing): Query<Listing>,
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let t = visit.t();
    let filter = app::projects::Filter { before: listing.after()?, organisation: None };
    let found = visit.app.projects_with_hours(&visit.actor, filter, LISTED).await?;
    let (found, next) = listing.page(found, "/projects", |(project, _)| project.id);
    let glance = |it: &app::projects::Hours| {
        let standing = Standing::of(&it.balance);
        Glance {
            partition: it.allocation.partition.to_string(),
            left: t.work(standing.left, it.allocation.meter),
            amount: t.work(it.allocation.amount, it.allocation.meter),
            bar: bar(t, &it.allocation, &standing),
        }
    };
    let projects = found
        .into_iter()
        .map(|(project, hours)| (project, hours.iter().map(glance).collect()))
        .collect();
    page(&ProjectsPage { frame: visit.frame, projects, next })
}

/// What became of an allocation's hours, of all payers together.
struct Standing {
    used: Work,
    held: Work,
    left: Work,
}

impl Standing {
    fn of(balance: &BTreeMap<Payer, Balance>) -> Self {
        let sum = |pick: fn(&Balance) -> Work| {
            Work::seconds(balance.values().map(|part| pick(part).count()).sum())
        };
        Self { used: sum(|it| it.used), held: sum(|it| it.held), left: sum(|it| it.available) }
    }
}

/// `GET /projects/{id}`.
pub(crate) async fn show(visit: Visit, Path(id): Path<ProjectId>) -> Result<Response, Problem> {
    render(&visit, id, Vec::new()).await
}

async fn render(
    visit: &Visit,
    id: ProjectId,
    wrong: Vec<app::FieldError>,
) -> Result<Response, Problem> {
    let (app, actor) = (&visit.app, &visit.actor);
    let project = app.project(actor, id).await?;
    let allocations = app.project_allocations(actor, id).await?;
    let mut changes = Vec::new();
    for view in &allocations {
        changes.extend(app.allocation_changes(actor, view.allocation.id).await?);
    }
    let ahead = Ahead {
        changes,
        heading: app.project_forecast(actor, id).await?,
        alerts: app.project_alerts(actor, id).await?,
    };
    let jobs = app.jobs(actor, JobFilter { project: Some(id), ..JobFilter::default() }, RECENT);
    let jobs = jobs.await?.iter().map(|job| line(visit, job)).collect();
    let filter = Filter { project: Some(id), ..Filter::default() };
    let scopes = [Scope::Project(id), Scope::Organisation(project.organisation)];
    let organisation = app.organisation(actor, project.organisation).await;
    let hours = |view: &AllocationView| Hours {
        others: others_of(visit.t(), &view.allocation, &allocations),
        ..hours_of(visit, view, &ahead)
    };
    page(&ProjectPage {
        organisation: organisation.ok().map(|organisation| organisation.name),
        allocations: allocations.iter().map(hours).collect(),
        members: app.project_members(actor, id).await?,
        jobs,
        repositories: app.repositories(actor, &filter, RECENT).await?,
        may_submit: actor.can(Action::SubmitJob, &scopes),
        may_manage: actor.can(Action::ManageProject, &scopes),
        project,
        wrong,
        frame: visit.frame.clone(),
    })
}

fn hours_of(visit: &Visit, view: &AllocationView, ahead: &Ahead) -> Hours {
    let t = visit.t();
    let allocation = &view.allocation;
    let alerts = ahead.alerts.iter().filter(|(it, _)| it.id == allocation.id);
    let heading = ahead.heading.iter().find(|(it, _)| it.id == allocation.id);
    let heading = heading.filter(|_| allocation.usable(visit.app.now()).is_ok());
    let standing = Standing::of(&view.balance);
    let last = allocation.period.end().checked_sub(jiff::SignedDuration::from_secs(1));
    let last = last.unwrap_or_else(|_| allocation.period.end());
    let changes = ahead.changes.iter().rev().filter(|it| it.allocation == allocation.id);
    Hours {
        id: allocation.id.to_string(),
        suspended: allocation.suspended.as_ref().map(|it| awards::suspended(t, it)),
        released: view.released.map(|it| awards::released(t, &it, allocation.meter)),
        changes: changes.map(|it| awards::in_words(t, it, allocation.meter)).collect(),
        report: awards::report(t, &view.report),
        may_report: awards::may_report(visit, allocation),
        may: awards::may(visit, allocation, view.released.is_some()),
        others: Vec::new(),
        partition: allocation.partition.to_string(),
        stage: allocation.stage(visit.app.now()).name(),
        period: format!("{} – {}", t.day(allocation.period.start()), t.day(last)),
        rule: allocation.rule.clone(),
        left: t.work(standing.left, allocation.meter),
        amount: t.work(allocation.amount, allocation.meter),
        bar: bar(t, allocation, &standing),
        payers: view
            .shares
            .iter()
            .map(|it| {
                format!("{} {}", hours::payer(t, it.payer), t.work(it.amount, allocation.meter))
            })
            .collect(),
        alerts: alerts.map(|(_, record)| alert_line(t, allocation, record)).collect(),
        heading: heading.map(|(_, heading)| in_words(t, allocation, heading)),
        short: heading.is_some_and(|(_, heading)| heading.falls_short(allocation)),
    }
}

/// The allocations of the project on the same partition, other than this one.
fn others_of(t: Tongue, own: &Allocation, all: &[AllocationView]) -> Vec<(String, String)> {
    let others = all.iter().map(|view| &view.allocation);
    let others = others.filter(|it| it.id != own.id && it.partition == own.partition);
    let named = |it: &Allocation| {
        let (amount, end) = (t.work(it.amount, it.meter), t.day(it.period.end()));
        (it.id.to_string(), format!("{amount} – {end}"))
    };
    others.map(named).collect()
}

fn alert_line(t: Tongue, allocation: &Allocation, record: &AlertRecord) -> AlertLine {
    let amount = |work: Work| t.work(work, allocation.meter);
    let granted = amount(allocation.amount);
    let told = match record.alert.crossing {
        Crossing::Used { percent, used } => {
            let (percent, used) = (t.percent(percent), amount(used));
            let said = [("percent", percent.as_str()), ("used", &used), ("granted", &granted)];
            t.fill("alert-used", &said)
        }
        Crossing::RunsOutEarly { at } => {
            let (day, end) = (t.day(at), t.day(allocation.period.end()));
            t.fill("alert-runs-out-early", &[("day", day.as_str()), ("end", &end)])
        }
        Crossing::UnusedAtEnd { percent, left } => {
            let (percent, left) = (t.percent(percent), amount(left));
            let said = [("percent", percent.as_str()), ("left", &left), ("granted", &granted)];
            t.fill("alert-unused-at-end", &said)
        }
    };
    AlertLine { day: t.day(record.at), told, rule: record.alert.rule.to_string() }
}

/// Where an allocation is heading, in a sentence.
fn in_words(t: Tongue, allocation: &Allocation, heading: &BurnDown) -> String {
    let days = heading.seen_days.to_string();
    if heading.mean_per_day == Work::ZERO {
        return t.fill("hours-unused", &[("days", &days)]);
    }
    let pace = t.work(heading.mean_per_day, allocation.meter);
    let day = |at: Option<Timestamp>| at.map_or_else(|| t.say("hours-never"), |at| t.day(at));
    let gone = heading.runs_out;
    let said = [("pace", pace.as_str()), ("days", &days)];
    if !heading.falls_short(allocation) {
        let left = t.work(heading.left_at_end, allocation.meter);
        let left = [("left", left.as_str())];
        return t.fill("hours-left-over", &[said.as_slice(), left.as_slice()].concat());
    }
    let likely = day(gone.likely);
    if heading.weeks_per_day.is_none() {
        let gone = [("day", likely.as_str())];
        return t.fill("hours-run-out", &[said.as_slice(), gone.as_slice()].concat());
    }
    let (earliest, latest) = (day(gone.earliest), day(gone.latest));
    let range = [("day", likely.as_str()), ("earliest", &earliest), ("latest", &latest)];
    t.fill("hours-run-out-range", &[said.as_slice(), range.as_slice()].concat())
}

fn bar(t: Tongue, allocation: &Allocation, standing: &Standing) -> Bar {
    let meter = allocation.meter;
    let parts = [("used", standing.used), ("held", standing.held), ("left", standing.left)];
    let part = |(class, work): (&'static str, Work)| Part {
        class,
        label: t.sub("hours-", class),
        value: work.count(),
        text: t.work(work, meter),
    };
    Bar {
        title: allocation.partition.to_string(),
        parts: parts.into_iter().map(part).collect(),
        whole: allocation.amount.count(),
    }
}

/// `POST /projects/{id}/members`.
pub(crate) async fn add_member(
    visit: Visit,
    Path(id): Path<ProjectId>,
    form: Form,
) -> Result<Response, Problem> {
    let role: Role =
        form.text("role").parse().map_err(|error| Problem::field("role", format!("{error}")))?;
    let added = visit.app.add_project_member(&visit.actor, id, (form.text("email"), role)).await;
    match added {
        Ok(_) => Ok(on_to(&format!("/projects/{id}#members"))),
        Err(app::Error::Invalid(wrong)) => {
            let again = render(&visit, id, wrong).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /projects/{id}/members/{person}/remove`.
pub(crate) async fn remove_member(
    visit: Visit,
    Path((id, person)): Path<(ProjectId, PersonId)>,
    _form: Form,
) -> Result<Response, Problem> {
    visit.app.remove_project_member(&visit.actor, id, person).await?;
    Ok(on_to(&format!("/projects/{id}#members")))
}
