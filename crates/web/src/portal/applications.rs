//! Applications: the draft with its checks, the decision with its reasons.

use access::application::{Check, Draft, Finding, Member, Outcome, State};
use access::call::Call;
use access::policy::{DecidedBy, Review};
use app::applications::{Application, DecisionClock, Filter};
use app::{Action, Scope};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use units::{ApplicationId, OrganisationId, ProjectId, Slug};

use super::form::Form;
use super::paging::{LISTED, Listing};
use super::tongue::Tongue;
use super::visit::{Frame, Visit, on_to, page};
use crate::extract::{Path, Query};
use crate::problem::{Kind, Problem};

/// How many of the organisation's projects the form offers, the newest first.
const OFFERED: u32 = 200;

#[derive(Template)]
#[template(path = "applications.html")]
struct ApplicationsPage {
    frame: Frame,
    applications: Vec<Line>,
    next: Option<String>,
}

struct Line {
    id: String,
    title: String,
    call: String,
    state: &'static str,
    at: String,
}

/// A draft being written.
#[derive(Template)]
#[template(path = "application_form.html")]
struct FormPage {
    frame: Frame,
    id: String,
    call: Call,
    organisation: String,
    /// Those that may ask for more hours.
    projects: Vec<(ProjectId, String)>,
    unit: &'static str,
    months: Vec<u32>,
    duties: Vec<String>,
    /// What it may be about, with whether it is; none where peers do not review.
    fields: Vec<(Slug, String, bool)>,
    draft: Draft,
    checks: Checks,
    /// Why the last submission was not let in.
    refused: Vec<app::Reason>,
    wrong: Vec<app::FieldError>,
}

/// The checks alone, as the page receives them while one types.
#[derive(Template)]
#[template(path = "checks.html")]
struct Checks {
    t: Tongue,
    version: i64,
    findings: Vec<FindingLine>,
    passed: usize,
}

struct FindingLine {
    name: String,
    class: &'static str,
    text: String,
    rule: Option<String>,
}

/// An application that is no longer a draft.
#[derive(Template)]
#[template(path = "application.html")]
struct ApplicationPage {
    frame: Frame,
    id: String,
    call: Call,
    organisation: String,
    draft: Draft,
    state: &'static str,
    at: String,
    reasons: Vec<access::application::Reason>,
    project: Option<String>,
    withdrawable: bool,
    decided_by_people: bool,
    /// Until when it is to be decided, and whether that has passed.
    clock: Option<(String, bool)>,
}

/// `GET /applications`.
pub(crate) async fn list(
    visit: Visit,
    Query(listing): Query<Listing>,
) -> Result<Response, Problem> {
    visit.signed_in()?;
    let filter = Filter { before: listing.after()?, ..Filter::default() };
    let found = visit.app.applications(&visit.actor, filter, LISTED).await?;
    let (found, next) = listing.page(found, "/applications", |it| it.id);
    let calls = found.iter().map(|application| application.call).collect();
    let calls = visit.app.call_titles(&visit.actor, &calls).await?;
    let mut applications = Vec::new();
    for application in found {
        let title = application.draft.title.trim();
        let untitled = title.is_empty();
        applications.push(Line {
            id: application.id.to_string(),
            title: if untitled { visit.t().say("application-untitled") } else { title.to_owned() },
            call: calls.get(&application.call).cloned().unwrap_or_default(),
            state: application.state.name(),
            at: visit.t().minute(application.state_at),
        });
    }
    page(&ApplicationsPage { frame: visit.frame, applications, next })
}

/// `GET /applications/{id}`: the form of a draft, or what became of it.
pub(crate) async fn show(visit: Visit, Path(id): Path<ApplicationId>) -> Result<Response, Problem> {
    let application = visit.app.application(&visit.actor, id).await?;
    match application.state {
        State::Draft => render_form(&visit, application, Vec::new(), Vec::new()).await,
        _ => render_decided(&visit, application).await,
    }
}

async fn organisation_name(visit: &Visit, application: &Application) -> Result<String, Problem> {
    match visit.app.organisation(&visit.actor, application.organisation).await {
        Ok(organisation) => Ok(organisation.name),
        Err(app::Error::NotFound(_)) => Ok(application.organisation.to_string()),
        Err(error) => Err(error.into()),
    }
}

/// The organisation's projects, any of which may ask for more hours.
async fn projects(
    visit: &Visit,
    organisation: OrganisationId,
) -> Result<Vec<(ProjectId, String)>, Problem> {
    let filter = app::projects::Filter { organisation: Some(organisation), before: None };
    let own = visit.app.projects(&visit.actor, filter, OFFERED).await?;
    Ok(own.into_iter().map(|project| (project.id, project.title)).collect())
}

async fn render_form(
    visit: &Visit,
    application: Application,
    refused: Vec<app::Reason>,
    wrong: Vec<app::FieldError>,
) -> Result<Response, Problem> {
    let (call, mode) = visit.app.call(&visit.actor, application.call).await?;
    let checked = visit.app.check_application(&visit.actor, application.id).await?;
    page(&FormPage {
        id: application.id.to_string(),
        organisation: organisation_name(visit, &application).await?,
        projects: projects(visit, application.organisation).await?,
        unit: mode.says.meter.hour_name(),
        months: mode.says.months.known().cloned().unwrap_or_default(),
        duties: mode.says.duties.known().cloned().unwrap_or_default(),
        fields: match mode.says.reviews.contains(&Review::Peer) {
            true => fields(visit, &application.draft)?,
            false => Vec::new(),
        },
        draft: application.draft,
        checks: checks(visit.t(), checked.application.version, &checked.findings),
        call,
        refused,
        wrong,
        frame: visit.frame.clone(),
    })
}

/// The fields of knowledge, and which of them the draft names.
fn fields(visit: &Visit, draft: &Draft) -> Result<Vec<(Slug, String, bool)>, Problem> {
    let known = visit.app.fields(&visit.actor)?;
    let named = |field: access::policy::Field| {
        let chosen = draft.fields.contains(&field.key);
        (field.key, field.name, chosen)
    };
    Ok(known.into_iter().map(named).collect())
}

fn checks(t: Tongue, version: i64, findings: &[Finding]) -> Checks {
    let line = |finding: &Finding| {
        let (class, text, rule) = match &finding.outcome {
            Outcome::Passed(text) => ("pass", text.clone(), None),
            Outcome::Open(text) => ("open", text.clone(), None),
            Outcome::Failed(reason) => ("fail", reason.to_string(), Some(reason.rule.clone())),
        };
        FindingLine { name: check_name(t, finding.check), class, text, rule }
    };
    let passed = findings.iter().filter(|finding| finding.passed()).count();
    Checks { t, version, findings: findings.iter().map(line).collect(), passed }
}

fn check_name(t: Tongue, check: Check) -> String {
    t.sub("check-", &check.to_string())
}

async fn render_decided(visit: &Visit, application: Application) -> Result<Response, Problem> {
    let (call, mode) = visit.app.call(&visit.actor, application.call).await?;
    let (reasons, project) = match &application.state {
        State::Refused { reasons, .. } => (reasons.clone(), None),
        State::Awarded { project, .. } => (Vec::new(), Some(project.to_string())),
        State::Draft | State::Submitted { .. } | State::Withdrawn { .. } => (Vec::new(), None),
    };
    let scope = Scope::Organisation(application.organisation);
    let submitted = matches!(application.state, State::Submitted { .. });
    let clock = visit.app.decision_clock(&visit.actor, application.id).await?;
    page(&ApplicationPage {
        id: application.id.to_string(),
        call,
        organisation: organisation_name(visit, &application).await?,
        state: application.state.name(),
        at: visit.t().minute(application.state_at),
        draft: application.draft,
        reasons,
        project,
        clock: clock.map(|it| (clock_in_words(visit.t(), &it), it.is_overdue)),
        decided_by_people: mode.says.decided_by == DecidedBy::People,
        withdrawable: submitted && visit.actor.can(Action::ApplyForHours, &[scope]),
        frame: visit.frame.clone(),
    })
}

fn clock_in_words(t: Tongue, clock: &DecisionClock) -> String {
    // The last minute of the last day, not the first of the next.
    let last = clock.decide_by.checked_sub(jiff::SignedDuration::from_secs(1));
    let day = t.day(last.unwrap_or(clock.decide_by));
    let said = [("day", day.as_str()), ("term", &clock.term)];
    t.fill(if clock.is_overdue { "application-overdue" } else { "application-decide-by" }, &said)
}

/// A member of the team, as a line of the form: `Name; address; organisation`.
fn member(line: &str) -> Option<Member> {
    let mut parts = line.split(';').map(|part| part.trim().to_owned());
    let name = parts.next().filter(|name| !name.is_empty())?;
    let (email, organisation) = (parts.next(), parts.next());
    Some(Member {
        name,
        email: email.unwrap_or_default(),
        organisation: organisation.unwrap_or_default(),
    })
}

/// The draft as the form has it, and the version that it was read at.
fn written(form: &Form) -> (Draft, i64) {
    let draft = Draft {
        project: form.text("project").parse().ok(),
        title: form.text("title").to_owned(),
        purpose: form.text("purpose").replace("\r\n", "\n"),
        partition: form.text("partition").parse().ok(),
        hours: form.text("hours").parse().ok(),
        months: form.text("months").parse().ok(),
        duties_accepted: form.text("duties") == "yes",
        fields: form.all("fields").filter_map(|key| key.parse().ok()).collect(),
        team: form.text("team").lines().filter_map(member).collect(),
    };
    (draft, form.text("version").parse().unwrap_or_default())
}

/// `POST /applications/{id}`: saves the draft; with `do=submit`, submits it too.
pub(crate) async fn save(
    visit: Visit,
    Path(id): Path<ApplicationId>,
    form: Form,
) -> Result<Response, Problem> {
    let here = format!("/applications/{id}");
    match visit.app.write_application(&visit.actor, id, written(&form)).await {
        Ok(_) => {}
        Err(app::Error::Invalid(wrong)) => {
            let mut application = visit.app.application(&visit.actor, id).await?;
            application.draft = written(&form).0;
            let again = render_form(&visit, application, Vec::new(), wrong).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response());
        }
        Err(error) => return Err(error.into()),
    }
    if form.text("do") != "submit" {
        return Ok(on_to(&here));
    }
    match visit.app.submit_application(&visit.actor, id).await {
        Ok(_) => Ok(on_to(&here)),
        Err(app::Error::Refused(reasons)) => {
            let application = visit.app.application(&visit.actor, id).await?;
            let again = render_form(&visit, application, reasons, Vec::new()).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /applications/{id}/checks`: saves the draft and gives only its checks, while one types.
pub(crate) async fn save_and_check(
    visit: Visit,
    Path(id): Path<ApplicationId>,
    form: Form,
) -> Result<Response, Problem> {
    visit.app.write_application(&visit.actor, id, written(&form)).await?;
    let checked = visit.app.check_application(&visit.actor, id).await?;
    page(&checks(visit.t(), checked.application.version, &checked.findings))
}

/// `POST /applications/{id}/withdraw`.
pub(crate) async fn withdraw(
    visit: Visit,
    Path(id): Path<ApplicationId>,
    form: Form,
) -> Result<Response, Problem> {
    if form.text("sure") != "yes" {
        return Err(Problem::with(Kind::Invalid, "say that you are sure"));
    }
    visit.app.withdraw_application(&visit.actor, id).await?;
    Ok(on_to(&format!("/applications/{id}")))
}
